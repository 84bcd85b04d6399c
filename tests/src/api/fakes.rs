//! The world of the API in memory, beside its store: containers that remember, a fixed clock, a
//! sealer.

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use async_trait::async_trait;
use bytes::Bytes;
use domain::container::{BlobName, BlockId, ContainerAccess};
use domain::job::{JobId, SealedCredential};
use domain::secret::Secret;
use ports::clock::Clock;
use ports::container::{Container, ContainerError, Containers};
use ports::seal::{SealError, Sealer};
use time::OffsetDateTime;
use time::macros::datetime;
use uuid::{Builder, Uuid};

/// The moment at which the tests begin.
pub(crate) const NOW: OffsetDateTime = datetime!(2026-11-21 12:00 UTC);

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

/// A clock that moves when it is told to; its ids sort by creation.
pub(crate) struct FakeClock {
    now: Mutex<OffsetDateTime>,
    ids: AtomicU64,
}

impl FakeClock {
    pub(crate) fn set(&self, now: OffsetDateTime) {
        *lock(&self.now) = now;
    }
}

impl Default for FakeClock {
    fn default() -> Self {
        Self {
            now: Mutex::new(NOW),
            ids: AtomicU64::new(0),
        }
    }
}

impl Clock for FakeClock {
    fn now(&self) -> OffsetDateTime {
        *lock(&self.now)
    }

    fn fresh_id(&self) -> Uuid {
        let millis = u64::try_from(self.now().unix_timestamp_nanos() / 1_000_000).unwrap();
        let mut counter = [0; 10];
        counter[2..].copy_from_slice(&self.ids.fetch_add(1, Ordering::Relaxed).to_be_bytes());
        Builder::from_unix_timestamp_millis(millis, &counter).into_uuid()
    }
}

/// The clients' containers: one that takes every block, or refuses each of them.
#[derive(Default)]
pub(crate) struct FakeContainers(Arc<Staged>);

#[derive(Default)]
struct Staged {
    blocks: Mutex<Vec<(BlobName, BlockId)>>,
    refusal: Mutex<Option<ContainerError>>,
    opened: Mutex<Vec<Secret>>,
}

impl FakeContainers {
    pub(crate) fn refuse(&self, refusal: ContainerError) {
        *lock(&self.0.refusal) = Some(refusal);
    }

    /// The signatures that containers were opened with, in order.
    pub(crate) fn opened(&self) -> Vec<Secret> {
        lock(&self.0.opened).clone()
    }

    /// The blobs that blocks were staged for, in order.
    pub(crate) fn staged(&self) -> Vec<String> {
        lock(&self.0.blocks)
            .iter()
            .map(|(blob, _)| blob.to_string())
            .collect()
    }
}

impl Containers for FakeContainers {
    fn open(&self, access: &ContainerAccess) -> Result<Arc<dyn Container>, ContainerError> {
        lock(&self.0.opened).push(access.signature.clone());
        Ok(self.0.clone())
    }
}

#[async_trait]
impl Container for Staged {
    async fn stage_block(
        &self,
        blob: &BlobName,
        block: BlockId,
        _data: Bytes,
    ) -> Result<(), ContainerError> {
        if let Some(refusal) = lock(&self.refusal).clone() {
            return Err(refusal);
        }
        lock(&self.blocks).push((blob.clone(), block));
        Ok(())
    }

    async fn commit_blocks(
        &self,
        _: &BlobName,
        blocks: &[BlockId],
        _: &str,
    ) -> Result<(), ContainerError> {
        let staged = lock(&self.blocks);
        let all_there = blocks
            .iter()
            .all(|block| staged.iter().any(|(_, other)| other == block));
        all_there.then_some(()).ok_or(ContainerError::BlocksGone)
    }
}

/// Seals by reversing: enough to see that what is stored is not the signature. Of requests at the
/// same time none goes on before all have come here.
#[derive(Default)]
pub(crate) struct FakeSealer(Mutex<Option<fn() -> SealError>>);

impl FakeSealer {
    pub(crate) fn fail_with(&self, failure: fn() -> SealError) {
        *lock(&self.0) = Some(failure);
    }
}

#[async_trait]
impl Sealer for FakeSealer {
    async fn seal(&self, job: JobId, credential: &Secret) -> Result<SealedCredential, SealError> {
        tokio::task::yield_now().await;
        let sealed = format!(
            "{job}:{credential}",
            credential = credential.reveal().chars().rev().collect::<String>()
        );
        lock(&self.0).map_or(Ok(SealedCredential(sealed.into_bytes())), |failure| {
            Err(failure())
        })
    }

    async fn open(&self, job: JobId, sealed: &SealedCredential) -> Result<Secret, SealError> {
        let text = std::str::from_utf8(&sealed.0).map_err(|_| SealError::Unreadable)?;
        if let Some(failure) = *lock(&self.0) {
            return Err(failure());
        }
        let credential = text
            .strip_prefix(&format!("{job}:"))
            .ok_or(SealError::Unreadable)?;
        Ok(Secret::new(credential.chars().rev().collect::<String>()))
    }
}
