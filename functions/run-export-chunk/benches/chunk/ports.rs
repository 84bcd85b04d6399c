//! A chunk run's surroundings, of which only the lake is real: what is measured is the run.

use std::path::Path;
use std::sync::Arc;

use anyhow::Context;
use async_trait::async_trait;
use aws_lambda_events::sqs::SqsEvent;
use bytes::Bytes;
use container::writer::WriterSettings;
use domain::app::AppScope;
use domain::chunk::{Chunk, ChunkKey, ChunkSource, ChunkState, ObjectRef};
use domain::container::{BlobName, BlockId, ContainerAccess, ContainerAddress};
use domain::counts::Counts;
use domain::job::{Credential, Job, JobId, JobKey, SealedCredential};
use domain::secret::Secret;
use domain::selection::{Compression, ExportFormat, ExportRequest};
use fakes::requests::events;
use fakes::sources::NoRows;
use fakes::store::MemoryStore;
use object_store::local::LocalFileSystem;
use object_store::{ObjectStore, ObjectStoreExt};
use ports::clock::Clock;
use ports::container::{Container, ContainerError, Containers};
use ports::seal::{SealError, Sealer};
use ports::source::Sources;
use ports::store::{Chunks, Jobs, Plans};
use run_export_chunk::{Ports, Settings};
use serde_json::json;
use sources::lake::Lake;
use time::Duration;
use wiring::SystemClock;
use wiring::config::ROW_GROUP_BYTES;

use crate::data::DAY;

/// How long a block is under way: longer than the next one takes to fill, so that as many as
/// allowed are.
const UPLOAD: std::time::Duration = std::time::Duration::from_millis(200);

/// One chunk of one file of events.
pub(crate) struct World {
    pub(crate) lake: Arc<Lake>,
    pub(crate) job: Job,
    pub(crate) chunk: Chunk,
    table: Arc<MemoryStore>,
    uploads: Uploads,
}

/// What becomes of blocks.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Uploads {
    /// They are under way for a while: as many are held as may be.
    TakeTime,
    /// They are dropped at once.
    AreDropped,
}

impl World {
    pub(crate) async fn over(
        file: &Path,
        format: ExportFormat,
        compression: Compression,
        uploads: Uploads,
    ) -> anyhow::Result<Self> {
        let folder = file.parent().context("a file in a folder")?;
        let store: Arc<dyn ObjectStore> = Arc::new(LocalFileSystem::new_with_prefix(folder)?);
        let table = Arc::new(MemoryStore::default());
        let job = table.put_job(job(format, compression)).await?;
        let key = ChunkKey {
            job: job.key.clone(),
            shard: 0,
            number: 0,
        };
        let source = ChunkSource::Objects {
            day: DAY,
            folder: DAY,
            objects: vec![pinned(store.as_ref(), file).await?],
        };
        let chunk = Chunk::planned(key, source, job.expires);
        table
            .put_page(job.clone(), vec![chunk.clone()], Vec::new())
            .await?;
        let lake = Arc::new(Lake::new(store, object_store::path::Path::default(), 1));
        Ok(Self {
            lake,
            job,
            chunk,
            table,
            uploads,
        })
    }

    /// The ports, with the default settings of the functions.
    pub(crate) fn ports(&self) -> Ports {
        Ports {
            chunks: Arc::clone(&self.table) as _,
            sources: Sources {
                lake: Arc::clone(&self.lake) as _,
                registry: Arc::new(NoRows::default()),
            },
            containers: Arc::new(Nowhere(self.uploads)),
            sealer: Arc::new(Nowhere(self.uploads)),
            clock: Arc::new(SystemClock),
            settings: Settings {
                writer: WriterSettings::default(),
                row_group_bytes: ROW_GROUP_BYTES.default,
                time_limit: Duration::minutes(15),
            },
        }
    }

    /// The message that asks for the chunk.
    pub(crate) fn message(&self) -> anyhow::Result<SqsEvent> {
        let (scope, job) = (self.job.key.scope.as_str(), self.job.key.id.to_string());
        let body = json!({ "scope": scope, "job": job, "shard": "0", "chunk": "0" }).to_string();
        Ok(serde_json::from_value(
            json!({ "Records": [{ "messageId": "1", "body": body }] }),
        )?)
    }

    /// What the run recorded.
    ///
    /// # Errors
    /// When it did not.
    pub(crate) async fn recorded(&self) -> anyhow::Result<Counts> {
        let chunk = self.table.chunk(&self.chunk.key).await?;
        match chunk.map(|chunk| chunk.state) {
            Some(ChunkState::Recorded { output }) => Ok(output.counts),
            other => anyhow::bail!("the chunk is not recorded: {other:?}"),
        }
    }
}

fn job(format: ExportFormat, compression: Compression) -> Job {
    let request = ExportRequest {
        format,
        compression,
        ..events(DAY, DAY)
    };
    let key = JobKey {
        scope: AppScope::from_canonical("/apps/chess"),
        id: JobId::new(SystemClock.fresh_id()),
    };
    let address = ContainerAddress::new("https://account1.blob.core.windows.net/exports");
    let credential = Credential {
        sealed: SealedCredential(Vec::new()),
        expires: None,
    };
    Job::queued(
        key,
        request,
        address,
        credential,
        SystemClock.now(),
        Duration::DAY,
    )
}

async fn pinned(store: &dyn ObjectStore, file: &Path) -> anyhow::Result<ObjectRef> {
    let name = file
        .file_name()
        .and_then(|name| name.to_str())
        .context("a name that is text")?;
    let meta = store.head(&name.into()).await?;
    let etag = meta.e_tag.context("a file has an ETag")?;
    Ok(ObjectRef {
        path: name.to_owned(),
        etag,
        size_bytes: meta.size,
    })
}

/// Takes everything and keeps nothing.
#[derive(Clone, Copy)]
struct Nowhere(Uploads);

impl Containers for Nowhere {
    fn open(&self, _: &ContainerAccess) -> Result<Arc<dyn Container>, ContainerError> {
        Ok(Arc::new(*self))
    }
}

#[async_trait]
impl Container for Nowhere {
    async fn stage_block(&self, _: &BlobName, _: BlockId, _: Bytes) -> Result<(), ContainerError> {
        if self.0 == Uploads::TakeTime {
            tokio::time::sleep(UPLOAD).await;
        }
        Ok(())
    }

    async fn commit_blocks(
        &self,
        _: &BlobName,
        _: &[BlockId],
        _: &str,
    ) -> Result<(), ContainerError> {
        Ok(())
    }
}

#[async_trait]
impl Sealer for Nowhere {
    async fn seal(&self, _: JobId, _: &Secret) -> Result<SealedCredential, SealError> {
        Ok(SealedCredential(Vec::new()))
    }

    async fn open(&self, _: JobId, _: &SealedCredential) -> Result<Secret, SealError> {
        Ok(Secret::new(""))
    }
}
