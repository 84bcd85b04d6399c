//! The world that the events come into: a table with two jobs, a container that takes everything.

use std::future::Future;
use std::sync::Arc;

use async_trait::async_trait;
use bytes::Bytes;
use domain::app::AppScope;
use domain::container::{BlobName, BlockId, ContainerAccess, ContainerAddress};
use domain::job::{Credential, Job, JobId, JobKey, SealedCredential};
use domain::selection::{DeviceType, Snapshot};
use fakes::requests::request;
use fakes::store::MemoryStore;
use ports::clock::Clock;
use ports::container::{Container, ContainerError, Containers};
use ports::seal::Sealer;
use ports::store::{Grant, Grants, Jobs, Role, StoreError};
use sealing::key::KeySealer;
use time::macros::datetime;
use time::{Duration, OffsetDateTime};
use uuid::Uuid;

use crate::signature::is_shown_in;

/// The present moment.
pub(crate) const NOW: OffsetDateTime = datetime!(2026-11-21 12:00 UTC);

/// The id of the job that the corpus asks for.
const JOB: Uuid = Uuid::from_u128(0x0198_f7a4_0000_7000_8000_0000_0000_0000);

/// The id of another job of its app.
const NEIGHBOUR: Uuid = Uuid::from_u128(JOB.as_u128() + 1);

/// The id of every job that is created.
const CREATED: Uuid = Uuid::from_u128(JOB.as_u128() + 2);

/// A clock that stands still.
pub(crate) struct Standstill;

impl Clock for Standstill {
    fn now(&self) -> OffsetDateTime {
        NOW
    }

    fn fresh_id(&self) -> Uuid {
        CREATED
    }
}

/// A table with two queued jobs of one app, so that a list of one goes on, over which alice may do
/// everything.
pub(crate) fn store() -> Arc<MemoryStore> {
    let store = MemoryStore::default();
    let alice = Grant {
        subject: "alice".to_owned(),
        path: "/".to_owned(),
        role: Role::Contributor,
    };
    block_on(async {
        store.put_grant(&alice).await?;
        for id in [JOB, NEIGHBOUR] {
            store.put_job(job(id)).await?;
        }
        Ok::<(), StoreError>(())
    })
    .expect("an empty table takes a grant and two jobs");
    Arc::new(store)
}

/// The app of all jobs.
pub(crate) fn scope() -> AppScope {
    let path = "subscriptions/s/resourceGroups/g/providers/Microsoft.MobileEngagement/appcollections/c/apps/a";
    AppScope::from_segments(path.split('/'))
}

fn job(id: Uuid) -> Job {
    let key = JobKey {
        scope: scope(),
        id: JobId::new(id),
    };
    let request = request(Snapshot::Devices(DeviceType::Device));
    let destination = ContainerAddress::new("https://account.blob.core.windows.net/exports");
    let credential = Credential {
        sealed: SealedCredential(Vec::new()),
        expires: None,
    };
    let retention = Duration::days(90);
    Job::queued(key, request, destination, credential, NOW, retention)
}

/// Looks through all that is stored.
pub(crate) fn assert_nothing_shown(store: &MemoryStore) {
    let stored = format!("{store:?}");
    assert!(!is_shown_in(&stored), "{stored}");
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
