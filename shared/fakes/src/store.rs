//! The exports table in memory: a fake with the revisions, conditions and tallies of the real one,
//! which passes the same contract suite.

mod tables;

use std::collections::BTreeSet;
use std::fmt;
use std::ops::Bound;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use async_trait::async_trait;
use domain::app::AppScope;
use domain::chunk::{Chunk, ChunkKey, ChunkMove};
use domain::job::{Job, JobKey};
use domain::tally::{Tally, TallyChange};
use ports::clock::Clock;
use ports::store::{
    AcceptedRequest, Audit, Changes, ChunkLists, Chunks, Counted, Created, GRANT_KEY_PREFIX, Grant,
    GrantBook, GrantText, Grants, Intake, JobLists, Jobs, Listed, PLAN_PAGE_CHUNKS, Page, Plans,
    RequestKey, Role, StoreError, StoredGrant, Tallies, WaitingJobs,
};
use time::OffsetDateTime;
use uuid::Uuid;

use self::tables::{Tables, compare, conflict, waits};

/// The most items of one answer: so few that a caller who reads only the first answer is found out.
const MOST_ITEMS: usize = 4;

/// The exports table.
pub struct MemoryStore {
    tables: Mutex<Tables>,
    clock: Arc<dyn Clock>,
}

/// A store for what looks at no moment: all that it writes is written in 1970.
impl Default for MemoryStore {
    fn default() -> Self {
        Self::by(Arc::new(StoppedClock))
    }
}

impl fmt::Debug for MemoryStore {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.tables.fmt(f)
    }
}

struct StoppedClock;

impl Clock for StoppedClock {
    fn now(&self) -> OffsetDateTime {
        OffsetDateTime::UNIX_EPOCH
    }

    fn fresh_id(&self) -> Uuid {
        Uuid::nil()
    }
}

impl MemoryStore {
    /// An empty store that writes down moments by this clock.
    pub fn by(clock: Arc<dyn Clock>) -> Self {
        Self {
            tables: Mutex::default(),
            clock,
        }
    }

    /// From now on every call fails.
    pub fn fail_with(&self, failure: fn() -> StoreError) {
        self.lock().failure = Some(failure);
    }

    /// Lets somebody else move the job just before it is put the next time.
    pub fn meddle(&self, step: fn(Job) -> Job) {
        self.lock().meddling.push_back(step);
    }

    /// Every job, in the order of ids, forgotten ones too.
    pub fn stored(&self) -> Vec<Job> {
        let mut jobs: Vec<Job> = self.lock().jobs.values().cloned().collect();
        jobs.sort_by_key(|job| job.key.id);
        jobs
    }

    /// Who did what with which job, in order.
    pub fn audits(&self) -> Vec<(JobKey, Audit)> {
        self.lock().audits.clone()
    }

    fn lock(&self) -> MutexGuard<'_, Tables> {
        self.tables.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn tables(&self) -> Result<MutexGuard<'_, Tables>, StoreError> {
        let tables = self.lock();
        tables.failure.map_or(Ok(tables), |failure| Err(failure()))
    }
}

#[async_trait]
impl Grants for MemoryStore {
    async fn role(&self, subject: &str, scope: &AppScope) -> Result<Option<Role>, StoreError> {
        let tables = self.tables()?;
        let grants = tables.grants.iter();
        let reaching = grants.filter(|((of, path), _)| of == subject && scope.is_within(path));
        Ok(reaching.map(|(_, role)| *role).max())
    }

    async fn put_grant(&self, grant: &Grant) -> Result<(), StoreError> {
        let place = (grant.subject.clone(), grant.path.clone());
        self.tables()?.grants.insert(place, grant.role);
        Ok(())
    }
}

#[async_trait]
impl GrantBook for MemoryStore {
    async fn grants(&self, subject: &str) -> Result<Vec<StoredGrant>, StoreError> {
        let mut grants = self.all_grants().await?;
        grants.retain(|grant| grant.subject == subject);
        Ok(grants)
    }

    async fn all_grants(&self) -> Result<Vec<StoredGrant>, StoreError> {
        let tables = self.tables()?;
        let stored = |((subject, path), role): (&(String, String), &Role)| StoredGrant {
            subject: subject.clone(),
            key: format!("{GRANT_KEY_PREFIX}{path}"),
            says: Ok(GrantText {
                path: path.clone(),
                role: role.name().to_owned(),
            }),
        };
        Ok(tables.grants.iter().map(stored).collect())
    }

    async fn remove_grant(&self, subject: &str, key: &str) -> Result<bool, StoreError> {
        let path = key.strip_prefix(GRANT_KEY_PREFIX).unwrap_or(key);
        let place = (subject.to_owned(), path.to_owned());
        Ok(self.tables()?.grants.remove(&place).is_some())
    }
}

#[async_trait]
impl Intake for MemoryStore {
    async fn accepted(
        &self,
        scope: &AppScope,
        key: &RequestKey,
        now: OffsetDateTime,
    ) -> Result<Option<AcceptedRequest>, StoreError> {
        Ok(self.tables()?.accepted(scope, key, now).cloned())
    }

    async fn create(
        &self,
        job: Job,
        request: Option<AcceptedRequest>,
        audit: Audit,
    ) -> Result<Created, StoreError> {
        let now = audit.at;
        let mut tables = self.tables()?;
        if let Some(request) = &request
            && let Some(earlier) = tables.accepted(&job.key.scope, &request.key, now)
        {
            return Ok(Created::Repeated(earlier.clone()));
        }
        if tables.jobs.contains_key(&job.key) {
            return Err(conflict(&job.key));
        }
        if let Some(request) = request {
            tables.put_request(&job.key.scope, request);
        }
        tables.audits.push((job.key.clone(), audit));
        Ok(Created::New(Box::new(tables.put_job(job, now))))
    }
}

#[async_trait]
impl Jobs for MemoryStore {
    async fn job(&self, key: &JobKey, now: OffsetDateTime) -> Result<Option<Job>, StoreError> {
        let tables = self.tables()?;
        let job = tables.jobs.get(key);
        Ok(job.filter(|job| now < job.expires).cloned())
    }

    async fn put_job(&self, job: Job) -> Result<Job, StoreError> {
        self.put(job, None)
    }

    async fn tally(&self, job: &Job) -> Result<Tally, StoreError> {
        Ok(self.counted(job).await?.tally)
    }
}

#[async_trait]
impl Changes for MemoryStore {
    async fn put_change(&self, job: Job, audit: Audit) -> Result<Job, StoreError> {
        self.put(job, Some(audit))
    }
}

impl MemoryStore {
    fn put(&self, job: Job, audit: Option<Audit>) -> Result<Job, StoreError> {
        let mut tables = self.tables()?;
        if let Some(step) = tables.meddling.pop_front()
            && let Some(stored) = tables.jobs.get(&job.key).cloned()
        {
            tables.put_job(step(stored), self.clock.now());
        }
        tables.check_job(&job)?;
        let audit = audit.map(|audit| (job.key.clone(), audit));
        tables.audits.extend(audit);
        Ok(tables.put_job(job, self.clock.now()))
    }
}

#[async_trait]
impl Tallies for MemoryStore {
    async fn counted(&self, job: &Job) -> Result<Counted, StoreError> {
        let counted = self.tables()?.counted(job);
        counted.map_err(|error| StoreError::Corrupt {
            item: format!("a tally of job {}", job.key.id),
            cause: error.into(),
        })
    }
}

#[async_trait]
impl WaitingJobs for MemoryStore {
    async fn waiting(&self, after: Option<&JobKey>) -> Result<Vec<JobKey>, StoreError> {
        let from = after.map_or(Bound::Unbounded, |key| Bound::Excluded(key.id));
        let tables = self.tables()?;
        let jobs = tables.waiting.range((from, Bound::Unbounded));
        Ok(jobs.map(|(_, key)| key.clone()).take(MOST_ITEMS).collect())
    }

    async fn unlist(&self, key: &JobKey) -> Result<(), StoreError> {
        let mut tables = self.tables()?;
        if tables.jobs.get(key).is_some_and(waits) {
            return Err(conflict(key));
        }
        tables.waiting.remove(&key.id);
        Ok(())
    }
}

#[async_trait]
impl JobLists for MemoryStore {
    async fn jobs(
        &self,
        scope: &AppScope,
        page: Page,
        now: OffsetDateTime,
    ) -> Result<Listed, StoreError> {
        let tables = self.tables()?;
        let is_wanted = |job: &Job| {
            let (state, export_type) = (job.phase.kind().state(), job.request.export_type());
            page.wanted.fits(state, export_type, job.created)
        };
        let is_listed = |job: &&Job| job.key.scope == *scope && now < job.expires && is_wanted(job);
        let mut jobs: Vec<&Job> = tables.jobs.values().filter(is_listed).collect();
        jobs.sort_by(|one, other| compare(one, other, page.sort));
        if page.descending {
            jobs.reverse();
        }
        let more = jobs.len() > page.skip + page.top;
        let jobs = jobs.into_iter().skip(page.skip).take(page.top);
        Ok(Listed {
            jobs: jobs.cloned().collect(),
            more,
        })
    }
}

#[async_trait]
impl Plans for MemoryStore {
    async fn put_page(
        &self,
        job: Job,
        chunks: Vec<Chunk>,
        moves: Vec<ChunkMove>,
    ) -> Result<Job, StoreError> {
        let tally = TallyChange {
            planned: 1,
            open: 1,
            ..TallyChange::default()
        };
        let new = chunks.into_iter().map(|chunk| ChunkMove { chunk, tally });
        let steps: Vec<ChunkMove> = new.chain(moves).collect();
        let mut tables = self.tables()?;
        check_size(&job, &steps)?;
        tables.check_job(&job)?;
        tables.put_chunks(steps, self.clock.now())?;
        Ok(tables.put_job(job, self.clock.now()))
    }

    async fn reopen(&self, job: &Job, steps: Vec<ChunkMove>) -> Result<(), StoreError> {
        if steps.is_empty() {
            return Ok(());
        }
        let mut tables = self.tables()?;
        check_size(job, &steps)?;
        tables.check_job(job)?;
        tables.put_chunks(steps, self.clock.now())
    }
}

#[async_trait]
impl Chunks for MemoryStore {
    async fn chunk(&self, key: &ChunkKey) -> Result<Option<Chunk>, StoreError> {
        Ok(self.tables()?.chunk(key).cloned())
    }

    async fn apply(&self, step: ChunkMove) -> Result<Chunk, StoreError> {
        let next = step.chunk.clone().written();
        self.tables()?.put_chunks(vec![step], self.clock.now())?;
        Ok(next)
    }
}

#[async_trait]
impl ChunkLists for MemoryStore {
    async fn chunks(
        &self,
        job: &JobKey,
        shard: u16,
        after: Option<u32>,
    ) -> Result<Vec<Chunk>, StoreError> {
        let from = after.map_or(Bound::Unbounded, Bound::Excluded);
        let tables = self.tables()?;
        let shard = tables.shards.get(&(job.id, shard)).into_iter();
        let chunks = shard.flat_map(|shard| shard.chunks.range((from, Bound::Unbounded)));
        let page = chunks.take(MOST_ITEMS);
        Ok(page.map(|(_, chunk)| chunk.clone()).collect())
    }
}

/// That a transaction is one: of as many chunks as the port allows, and of none of them twice
/// (<https://docs.aws.amazon.com/amazondynamodb/latest/APIReference/API_TransactWriteItems.html>).
fn check_size(job: &Job, steps: &[ChunkMove]) -> Result<(), StoreError> {
    let places = steps.iter().map(|step| &step.chunk.key);
    let places: BTreeSet<_> = places.map(|key| (key.shard, key.number)).collect();
    if places.len() == steps.len() && steps.len() <= PLAN_PAGE_CHUNKS {
        return Ok(());
    }
    Err(StoreError::Corrupt {
        item: format!("job {}", job.key.id),
        cause: "a transaction of too many chunks, or of one chunk twice".into(),
    })
}
