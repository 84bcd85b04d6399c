//! The world of the API in memory: a store with revisions and conditions, containers that remember,
//! a fixed clock.

use std::collections::{HashMap, VecDeque};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use async_trait::async_trait;
use bytes::Bytes;
use domain::app::AppScope;
use domain::container::{BlobName, BlockId, ContainerAccess};
use domain::job::{Job, JobId, JobKey, SealedCredential};
use domain::secret::Secret;
use domain::tally::Tally;
use ports::clock::Clock;
use ports::container::{Container, ContainerError, Containers};
use ports::seal::{SealError, Sealer};
use ports::store::{
    AcceptedRequest, Created, Grant, Grants, Intake, JobLists, Jobs, Listed, Page, RequestKey,
    Role, SortKey, StoreError,
};
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

#[derive(Default)]
struct Tables {
    jobs: HashMap<JobKey, Job>,
    tallies: HashMap<JobId, Tally>,
    accepted: HashMap<(AppScope, RequestKey), AcceptedRequest>,
    grants: Vec<Grant>,
    failure: Option<fn() -> StoreError>,
    looks_up_early: bool,
    /// Moves that somebody else makes just before a job is put, in order.
    meddling: VecDeque<fn(Job) -> Job>,
}

/// The exports table.
#[derive(Default)]
pub(crate) struct FakeStore(Mutex<Tables>);

impl FakeStore {
    /// From now on every call fails.
    pub(crate) fn fail_with(&self, failure: fn() -> StoreError) {
        lock(&self.0).failure = Some(failure);
    }

    /// From now on request ids are looked up just before another run stores them.
    pub(crate) fn look_up_too_early(&self) {
        lock(&self.0).looks_up_early = true;
    }

    /// Every job, as it would be stored.
    pub(crate) fn stored(&self) -> Vec<Job> {
        lock(&self.0).jobs.values().cloned().collect()
    }

    /// Lets somebody else move the job just before it is put the next time.
    pub(crate) fn meddle(&self, step: fn(Job) -> Job) {
        lock(&self.0).meddling.push_back(step);
    }

    pub(crate) fn set_tally(&self, job: JobId, tally: Tally) {
        lock(&self.0).tallies.insert(job, tally);
    }

    fn tables(&self) -> Result<MutexGuard<'_, Tables>, StoreError> {
        let tables = lock(&self.0);
        tables.failure.map_or(Ok(tables), |failure| Err(failure()))
    }
}

#[async_trait]
impl Grants for FakeStore {
    async fn role(&self, subject: &str, scope: &AppScope) -> Result<Option<Role>, StoreError> {
        let tables = self.tables()?;
        let reaching = tables
            .grants
            .iter()
            .filter(|grant| grant.subject == subject && scope.is_within(&grant.path));
        Ok(reaching.map(|grant| grant.role).max())
    }

    async fn put_grant(&self, grant: &Grant) -> Result<(), StoreError> {
        let mut tables = self.tables()?;
        tables
            .grants
            .retain(|other| (&other.subject, &other.path) != (&grant.subject, &grant.path));
        tables.grants.push(grant.clone());
        Ok(())
    }
}

#[async_trait]
impl Intake for FakeStore {
    async fn accepted(
        &self,
        scope: &AppScope,
        key: &RequestKey,
        now: OffsetDateTime,
    ) -> Result<Option<AcceptedRequest>, StoreError> {
        let tables = self.tables()?;
        let known = tables
            .accepted
            .get(&(scope.clone(), key.clone()))
            .filter(|request| now < request.expires);
        Ok(known.filter(|_| !tables.looks_up_early).cloned())
    }

    async fn create(
        &self,
        job: Job,
        request: Option<AcceptedRequest>,
        now: OffsetDateTime,
    ) -> Result<Created, StoreError> {
        let mut tables = self.tables()?;
        if let Some(request) = request {
            let key = (job.key.scope.clone(), request.key.clone());
            if let Some(earlier) = tables
                .accepted
                .get(&key)
                .filter(|earlier| now < earlier.expires)
            {
                return Ok(Created::Repeated(earlier.clone()));
            }
            tables.accepted.insert(key, request);
        }
        let job = job.written();
        tables.jobs.insert(job.key.clone(), job.clone());
        Ok(Created::New(Box::new(job)))
    }
}

#[async_trait]
impl Jobs for FakeStore {
    async fn job(&self, key: &JobKey, now: OffsetDateTime) -> Result<Option<Job>, StoreError> {
        Ok(self
            .tables()?
            .jobs
            .get(key)
            .filter(|job| now < job.expires)
            .cloned())
    }

    async fn put_job(&self, job: Job) -> Result<Job, StoreError> {
        let mut tables = self.tables()?;
        if let Some(step) = tables.meddling.pop_front()
            && let Some(stored) = tables.jobs.get_mut(&job.key)
        {
            *stored = step(stored.clone()).written();
        }
        let stored = tables
            .jobs
            .get_mut(&job.key)
            .filter(|stored| stored.revision == job.revision);
        let stored = stored.ok_or_else(|| StoreError::Conflict {
            item: format!("job {}", job.key.id),
        })?;
        *stored = job.written();
        Ok(stored.clone())
    }

    async fn tally(&self, job: &Job) -> Result<Tally, StoreError> {
        Ok(self
            .tables()?
            .tallies
            .get(&job.key.id)
            .copied()
            .unwrap_or_default())
    }
}

#[async_trait]
impl JobLists for FakeStore {
    async fn jobs(
        &self,
        scope: &AppScope,
        page: Page,
        now: OffsetDateTime,
    ) -> Result<Listed, StoreError> {
        let tables = self.tables()?;
        let mut jobs: Vec<Job> = tables
            .jobs
            .values()
            .filter(|job| job.key.scope == *scope && now < job.expires)
            .cloned()
            .collect();
        jobs.sort_by_key(|job| job.key.id);
        match page.sort {
            SortKey::State => jobs.sort_by_key(|job| job.phase.wire_state()),
            SortKey::Created => jobs.sort_by_key(|job| job.created),
            SortKey::Id | SortKey::Completed | SortKey::ErrorDetails => {}
        }
        if page.descending {
            jobs.reverse();
        }
        let more = jobs.len() > page.skip + page.top;
        Ok(Listed {
            jobs: jobs.into_iter().skip(page.skip).take(page.top).collect(),
            more,
        })
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

/// Seals by reversing: enough to see that what is stored is not the signature.
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
