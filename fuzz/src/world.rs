//! The world that the events come into: one job, a table that holds nothing else, a container that
//! takes everything.

use std::future::Future;
use std::sync::Arc;

use async_trait::async_trait;
use bytes::Bytes;
use domain::app::AppScope;
use domain::chunk::{Chunk, ChunkKey, ChunkMove};
use domain::container::{BlobName, BlockId, ContainerAccess, ContainerAddress};
use domain::job::{Credential, Job, JobId, JobKey, SealedCredential};
use domain::selection::{DeviceType, Snapshot};
use domain::tally::Tally;
use fakes::requests::request;
use ports::clock::Clock;
use ports::container::{Container, ContainerError, Containers};
use ports::seal::Sealer;
use ports::store::{
    AcceptedRequest, ChunkLists, Chunks, Created, Grant, Grants, Intake, JobLists, Jobs, Listed,
    Page, Plans, RequestKey, Role, StoreError,
};
use sealing::key::KeySealer;
use time::macros::datetime;
use time::{Duration, OffsetDateTime};
use uuid::Uuid;

use crate::signature::is_shown_in;

/// The present moment.
pub(crate) const NOW: OffsetDateTime = datetime!(2026-11-21 12:00 UTC);

/// The one job's id, and the id of every job that is created.
const JOB: Uuid = Uuid::from_u128(0x0198_f7a4_0000_7000_8000_0000_0000_0000);

/// A clock that stands still.
pub(crate) struct Standstill;

impl Clock for Standstill {
    fn now(&self) -> OffsetDateTime {
        NOW
    }

    fn fresh_id(&self) -> Uuid {
        JOB
    }
}

/// A table with one queued job. It accepts every write and remembers none.
pub(crate) struct OneJob(Job);

impl Default for OneJob {
    fn default() -> Self {
        let path = "subscriptions/s/resourceGroups/g/providers/Microsoft.MobileEngagement/appcollections/c/apps/a";
        let key = JobKey {
            scope: AppScope::from_segments(path.split('/')),
            id: JobId::new(JOB),
        };
        let request = request(Snapshot::Devices(DeviceType::Device));
        let destination = ContainerAddress::new("https://account.blob.core.windows.net/exports");
        let credential = Credential {
            sealed: SealedCredential(Vec::new()),
            expires: None,
        };
        Self(Job::queued(
            key,
            request,
            destination,
            credential,
            NOW,
            Duration::days(90),
        ))
    }
}

impl OneJob {
    /// Whether a key is that of the job.
    pub(crate) fn is(&self, key: &JobKey) -> bool {
        self.0.key == *key
    }

    /// What a job would be stored as, looked through.
    fn stored(job: Job) -> Job {
        assert!(!is_shown_in(&format!("{job:?}")), "{job:?}");
        job.written()
    }
}

#[async_trait]
impl Grants for OneJob {
    async fn role(&self, subject: &str, _: &AppScope) -> Result<Option<Role>, StoreError> {
        Ok((subject == "alice").then_some(Role::Contributor))
    }

    async fn put_grant(&self, _: &Grant) -> Result<(), StoreError> {
        Ok(())
    }
}

#[async_trait]
impl Intake for OneJob {
    async fn accepted(
        &self,
        _: &AppScope,
        _: &RequestKey,
        _: OffsetDateTime,
    ) -> Result<Option<AcceptedRequest>, StoreError> {
        Ok(None)
    }

    async fn create(
        &self,
        job: Job,
        _: Option<AcceptedRequest>,
        _: OffsetDateTime,
    ) -> Result<Created, StoreError> {
        Ok(Created::New(Box::new(Self::stored(job))))
    }
}

#[async_trait]
impl Jobs for OneJob {
    async fn job(&self, key: &JobKey, _: OffsetDateTime) -> Result<Option<Job>, StoreError> {
        Ok(self.is(key).then(|| self.0.clone()))
    }

    async fn put_job(&self, job: Job) -> Result<Job, StoreError> {
        Ok(Self::stored(job))
    }

    async fn tally(&self, _: &Job) -> Result<Tally, StoreError> {
        Ok(Tally::default())
    }
}

#[async_trait]
impl JobLists for OneJob {
    async fn jobs(
        &self,
        scope: &AppScope,
        page: Page,
        _: OffsetDateTime,
    ) -> Result<Listed, StoreError> {
        let is_here = self.0.key.scope == *scope && page.skip == 0;
        Ok(Listed {
            jobs: is_here.then(|| self.0.clone()).into_iter().collect(),
            more: is_here,
        })
    }
}

#[async_trait]
impl Chunks for OneJob {
    async fn chunk(&self, _: &ChunkKey) -> Result<Option<Chunk>, StoreError> {
        Ok(None)
    }

    async fn apply(&self, step: ChunkMove) -> Result<Chunk, StoreError> {
        Err(StoreError::Conflict {
            item: format!("{step:?}"),
        })
    }
}

#[async_trait]
impl ChunkLists for OneJob {
    async fn chunks(&self, _: &JobKey, _: u16, _: Option<u32>) -> Result<Vec<Chunk>, StoreError> {
        Ok(Vec::new())
    }
}

#[async_trait]
impl Plans for OneJob {
    async fn put_page(
        &self,
        job: Job,
        _: Vec<Chunk>,
        _: Vec<ChunkMove>,
    ) -> Result<Job, StoreError> {
        Ok(Self::stored(job))
    }

    async fn reopen(&self, _: &Job, _: Vec<ChunkMove>) -> Result<(), StoreError> {
        Ok(())
    }
}

/// Containers that take every block.
pub(crate) struct Willing;

impl Containers for Willing {
    fn open(&self, _: &ContainerAccess) -> Result<Arc<dyn Container>, ContainerError> {
        Ok(Arc::new(Self))
    }
}

#[async_trait]
impl Container for Willing {
    async fn stage_block(&self, _: &BlobName, _: BlockId, _: Bytes) -> Result<(), ContainerError> {
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

/// A sealer with a key that everybody knows.
pub(crate) fn sealer() -> Arc<dyn Sealer> {
    Arc::new(KeySealer::new(&[7; 32]).expect("32 bytes are a key"))
}

thread_local! {
    static RUNTIME: tokio::runtime::Runtime =
        tokio::runtime::Builder::new_current_thread().enable_time().build().expect("a runtime needs nothing");
}

/// Runs what may ask for the time.
pub(crate) fn block_on<T>(work: impl Future<Output = T>) -> T {
    RUNTIME.with(|runtime| runtime.block_on(work))
}
