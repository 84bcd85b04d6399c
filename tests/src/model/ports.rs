//! The ports of the handlers, which make a value of every call to the table and to storage.

use std::sync::Arc;

use async_trait::async_trait;
use bytes::Bytes;
use domain::app::AppScope;
use domain::chunk::{Chunk, ChunkKey, ChunkMove};
use domain::container::{BlobName, BlockId, ContainerAccess};
use domain::job::{Job, JobId, JobKey, SealedCredential};
use domain::secret::Secret;
use domain::tally::Tally;
use fakes::jobs::altered;
use ports::clock::Clock;
use ports::container::{Container, ContainerError, Containers};
use ports::seal::{SealError, Sealer};
use ports::source::Piece;
use ports::store::{
    Audit, Changes, ChunkLists, Chunks, Grant, Grants, Jobs, Plans, Role, StoreError, WaitingJobs,
};
use time::OffsetDateTime;
use uuid::Uuid;

use super::calls::{Answer, Call, Failure, REPLAY, ask};

/// Asks the table; what is found, of the kind that such a call is answered with.
macro_rules! ask_for {
    ($kind:ident, $call:expr) => {
        match ask($call).await {
            Answer::$kind(found) => Ok(found),
            answer => Err(store_error(&answer)),
        }
    };
}

fn store_error(answer: &Answer) -> StoreError {
    let Answer::Failed(failure) = answer else {
        panic!("the table answers {answer:?}")
    };
    match failure {
        Failure::Conflict => StoreError::Conflict {
            item: "the item".to_owned(),
        },
        Failure::NoAnswer => StoreError::Unavailable {
            cause: "no answer".into(),
        },
        Failure::Denied | Failure::BlocksGone | Failure::Refused => {
            panic!("the table answers {failure:?}")
        }
    }
}

fn written(answer: &Answer) -> Result<(), StoreError> {
    if matches!(answer, Answer::Done) {
        Ok(())
    } else {
        Err(store_error(answer))
    }
}

/// A job once it is written, without its history: two ways into one state would be two states.
pub(crate) fn job_written(job: Job) -> Job {
    let at = job.created;
    altered(job.written(at), |job| job.history.clear())
}

/// The exports table, as the handlers know it.
pub(crate) struct Table;

#[async_trait]
impl Grants for Table {
    async fn role(&self, _: &str, _: &AppScope) -> Result<Option<Role>, StoreError> {
        Ok(Some(Role::Contributor))
    }

    async fn put_grant(&self, _: &Grant) -> Result<(), StoreError> {
        Ok(())
    }
}

#[async_trait]
impl Jobs for Table {
    async fn job(&self, _: &JobKey, _: OffsetDateTime) -> Result<Option<Job>, StoreError> {
        Ok(ask_for!(Job, Call::ReadJob)?.map(|job| Job::clone(&job)))
    }

    async fn put_job(&self, job: Job) -> Result<Job, StoreError> {
        written(&ask(Call::PutJob(Box::new(job.clone()))).await)?;
        Ok(job_written(job))
    }

    async fn tally(&self, job: &Job) -> Result<Tally, StoreError> {
        let mut sum = Tally::default();
        for shard in 0..job.shards {
            sum = sum + ask_for!(Tally, Call::ReadTally { shard })?;
        }
        Ok(sum)
    }
}

#[async_trait]
impl Changes for Table {
    /// Who did it is of no state: nobody reads it.
    async fn put_change(&self, job: Job, _: Audit) -> Result<Job, StoreError> {
        self.put_job(job).await
    }
}

#[async_trait]
impl WaitingJobs for Table {
    async fn waiting(&self, after: Option<&JobKey>) -> Result<Vec<JobKey>, StoreError> {
        ask_for!(
            Waiting,
            Call::ReadWaiting {
                after: after.is_some()
            }
        )
    }

    async fn unlist(&self, _: &JobKey) -> Result<(), StoreError> {
        written(&ask(Call::Unlist).await)
    }
}

#[async_trait]
impl Plans for Table {
    async fn put_page(
        &self,
        job: Job,
        chunks: Vec<Chunk>,
        moves: Vec<ChunkMove>,
    ) -> Result<Job, StoreError> {
        written(&ask(Call::PutPage(Box::new(job.clone()), chunks, moves)).await)?;
        Ok(job_written(job))
    }

    async fn reopen(&self, job: &Job, steps: Vec<ChunkMove>) -> Result<(), StoreError> {
        if steps.is_empty() {
            return Ok(());
        }
        written(
            &ask(Call::Reopen {
                revision: job.revision,
                steps,
            })
            .await,
        )
    }
}

#[async_trait]
impl Chunks for Table {
    async fn chunk(&self, key: &ChunkKey) -> Result<Option<Chunk>, StoreError> {
        let chunk = ask_for!(Chunk, Call::ReadChunk(key.clone()))?;
        Ok(chunk.map(|chunk| Chunk::clone(&chunk)))
    }

    async fn apply(&self, step: ChunkMove) -> Result<Chunk, StoreError> {
        written(&ask(Call::Apply(Box::new(step.clone()))).await)?;
        Ok(step.chunk.written())
    }
}

#[async_trait]
impl ChunkLists for Table {
    async fn chunks(
        &self,
        _: &JobKey,
        shard: u16,
        after: Option<u32>,
    ) -> Result<Vec<Chunk>, StoreError> {
        let chunks = ask_for!(Chunks, Call::ReadChunks { shard, after })?;
        Ok(chunks.iter().map(|chunk| Chunk::clone(chunk)).collect())
    }
}

/// The client's storage, as the handlers know it.
pub(crate) struct Storage;

impl Containers for Storage {
    fn open(&self, access: &ContainerAccess) -> Result<Arc<dyn Container>, ContainerError> {
        Ok(Arc::new(SignedContainer {
            signature: access.signature.reveal().to_owned(),
        }))
    }
}

struct SignedContainer {
    signature: String,
}

#[async_trait]
impl Container for SignedContainer {
    async fn stage_block(
        &self,
        blob: &BlobName,
        block: BlockId,
        data: Bytes,
    ) -> Result<(), ContainerError> {
        stored(
            &ask(Call::Stage {
                signature: self.signature.clone(),
                blob: blob.clone(),
                block,
                data,
            })
            .await,
        )
    }

    async fn commit_blocks(
        &self,
        blob: &BlobName,
        blocks: &[BlockId],
        content_type: &str,
    ) -> Result<(), ContainerError> {
        let (signature, blob, blocks) = (self.signature.clone(), blob.clone(), blocks.to_vec());
        stored(
            &ask(Call::Commit {
                signature,
                blob,
                blocks,
                content_type: content_type.to_owned(),
            })
            .await,
        )
    }
}

fn stored(answer: &Answer) -> Result<(), ContainerError> {
    let Answer::Failed(failure) = answer else {
        return Ok(());
    };
    let code = "Code".to_owned();
    Err(match failure {
        Failure::Denied => ContainerError::Denied { code },
        Failure::BlocksGone => ContainerError::BlocksGone,
        Failure::Refused => ContainerError::Refused { code },
        Failure::NoAnswer => ContainerError::unavailable("no answer"),
        Failure::Conflict => panic!("storage knows no conflict"),
    })
}

/// Seals nothing, so that a replay finds the same bytes.
pub(crate) struct OpenSealer;

#[async_trait]
impl Sealer for OpenSealer {
    async fn seal(&self, _: JobId, credential: &Secret) -> Result<SealedCredential, SealError> {
        Ok(SealedCredential(credential.reveal().as_bytes().to_vec()))
    }

    async fn open(&self, _: JobId, sealed: &SealedCredential) -> Result<Secret, SealError> {
        let text = String::from_utf8(sealed.0.clone()).map_err(|_| SealError::Unreadable)?;
        Ok(Secret::new(text))
    }
}

/// The time of the process that is replayed.
pub(crate) struct ReplayClock;

impl Clock for ReplayClock {
    fn now(&self) -> OffsetDateTime {
        REPLAY.with_borrow(|replay| replay.now)
    }

    fn fresh_id(&self) -> Uuid {
        panic!("no process of the model draws ids")
    }
}

/// What an attempt at a chunk reads: a source that changes between any two of them, as the registry
/// may, has each attempt's own number for `@`.
pub(crate) fn as_read_by_the_attempt(piece: Piece) -> Piece {
    let attempt = REPLAY.with_borrow(|replay| replay.attempt).to_string();
    match piece {
        Piece::Text { origin, text } => {
            let text = String::from_utf8_lossy(&text).replace('@', &attempt);
            let text = text.into();
            Piece::Text { origin, text }
        }
        other @ (Piece::Stored { .. } | Piece::End { .. } | Piece::Unreadable { .. }) => other,
    }
}
