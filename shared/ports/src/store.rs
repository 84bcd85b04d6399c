//! The ports to the exports table. Each handler takes the narrowest that it needs.
//!
//! Every write of a job or a chunk is on condition of the revision that was read, and leaves the
//! next one. A write that loses to another is [`StoreError::Conflict`]; one whose answer was lost
//! but which did happen is a success.
//!
//! Every call may answer [`StoreError::Unavailable`], when the table did not answer or throttled at
//! every try, and [`StoreError::Corrupt`], when it refuses the request for good or holds what nobody
//! can read. What else a call may answer stands beside it.

use async_trait::async_trait;
use domain::app::AppScope;
use domain::cause::Cause;
use domain::chunk::{Chunk, ChunkKey, ChunkMove};
use domain::job::{Job, JobId, JobKey, State};
use domain::selection::ExportType;
use domain::tally::Tally;
use thiserror::Error;
use time::OffsetDateTime;

/// Why the table did not do what it was asked.
#[derive(Debug, Error)]
pub enum StoreError {
    /// Somebody else changed the item first. Reading it again says what is to be done now.
    #[error("{item} was changed by somebody else")]
    Conflict {
        /// The item's key; of a transaction that of its first item.
        item: String,
    },
    /// No answer, or throttled, after the client's own retries.
    #[error("the exports table does not answer")]
    Unavailable {
        /// What the client says of it.
        #[source]
        cause: Cause,
    },
    /// A newer version of the service wrote the item, in a layout that this one does not know: two
    /// versions run side by side during a deployment, and after a rollback.
    #[error(
        "{item} has layout {layout}, which only a newer version of the service reads; it is retried \
         until that version runs"
    )]
    Newer {
        /// The item's key, both parts: `item {pk} {sk}`.
        item: String,
        /// The version of its layout, above this code's own.
        layout: u32,
    },
    /// An item cannot be read, or the table refuses a request for good: a defect or a wrong
    /// deployment.
    #[error("{item} cannot be used")]
    Corrupt {
        /// The item's key, or that of the partition that was asked for.
        item: String,
        /// What is wrong with it, or what the table says of the request.
        #[source]
        cause: Cause,
    },
}

/// What a creation is remembered under. The two kinds never meet, whatever their texts.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub enum RequestKey {
    /// A key that stands for one request: another request under it is a mistake.
    Idempotency(String),
    /// An id that a client may send with every request. It stands for one request only together
    /// with what is asked.
    Client {
        /// What the client gave as `x-ms-client-request-id`.
        id: String,
        /// The hash of what is asked (lower-case hex).
        body_hash: String,
    },
}

/// A request that was accepted under a client's own key.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AcceptedRequest {
    /// The client's key, by which a repeat of the request is known.
    pub key: RequestKey,
    /// The job that it created.
    pub job: JobId,
    /// The hash of what was asked (lower-case hex).
    pub body_hash: String,
    /// Until when the key is remembered.
    pub expires: OffsetDateTime,
}

/// What became of a creation.
#[derive(Debug)]
pub enum Created {
    /// The job is stored.
    New(Box<Job>),
    /// The client's key was used before.
    Repeated(AcceptedRequest),
}

/// The order of a list of jobs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SortKey {
    /// By id, which is by creation too.
    Id,
    /// By the state of the contract.
    State,
    /// By the time of creation, which is the order of the ids.
    Created,
    /// By completion; jobs that have not completed come last when ascending.
    Completed,
    /// By the [`beginning`] of the error details; jobs without any come last when ascending.
    ErrorDetails,
}

/// How many bytes of error details a list is sorted by, at most.
const SORTED_BYTES: usize = 80;

/// What a list sorted by error details looks at: equal ones are in the order of their ids.
pub fn beginning(details: &str) -> &str {
    let end = details.floor_char_boundary(SORTED_BYTES);
    details.get(..end).unwrap_or_default()
}

/// Which of an app's jobs are listed; what is absent is not asked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Wanted {
    /// Those in this state.
    pub state: Option<State>,
    /// Those of this type.
    pub export_type: Option<ExportType>,
    /// Those that were created later than this.
    pub created_after: Option<OffsetDateTime>,
}

impl Wanted {
    /// Whether a job is among them.
    pub fn fits(&self, state: State, export_type: ExportType, created: OffsetDateTime) -> bool {
        self.state.is_none_or(|wanted| wanted == state)
            && self.export_type.is_none_or(|wanted| wanted == export_type)
            && self.created_after.is_none_or(|after| created > after)
    }
}

/// A part of an app's list of jobs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Page {
    /// Which jobs there are to list.
    pub wanted: Wanted,
    /// By what the jobs are sorted; ascending unless `descending`.
    pub sort: SortKey,
    /// Whether the order is reversed.
    pub descending: bool,
    /// Jobs to leave out at the front.
    pub skip: usize,
    /// Jobs to return at most.
    pub top: usize,
}

/// A page of jobs.
#[derive(Debug)]
pub struct Listed {
    /// At most [`Page::top`] jobs, in the order that was asked for.
    pub jobs: Vec<Job>,
    /// Whether jobs follow behind these.
    pub more: bool,
}

/// What a subject may do.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Role {
    /// May see jobs and list them.
    Reader,
    /// May also create and change them.
    Contributor,
}

impl Role {
    /// The role's name, as stored.
    pub fn name(self) -> &'static str {
        match self {
            Self::Reader => "Reader",
            Self::Contributor => "Contributor",
        }
    }

    /// Reads [`Role::name`], exactly as stored; one that this version does not know allows nothing.
    pub fn from_name(name: &str) -> Option<Self> {
        [Self::Reader, Self::Contributor]
            .into_iter()
            .find(|role| role.name() == name)
    }
}

/// A role over every app at or below a path.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Grant {
    /// Whom it is given to: the token's subject.
    pub subject: String,
    /// The canonical path ([`AppScope`]) at or below which it holds; `/` is everything.
    pub path: String,
    /// What it allows; of several grants the highest role holds.
    pub role: Role,
}

/// Who may do what.
#[async_trait]
pub trait Grants: Send + Sync {
    /// The highest role that the subject's grants give it over the app; `None` when there is none.
    ///
    /// # Errors
    /// [`StoreError::Newer`] when one of the subject's grants is of a newer layout.
    async fn role(&self, subject: &str, scope: &AppScope) -> Result<Option<Role>, StoreError>;

    /// Adds a grant, or changes its role, whatever it was.
    ///
    /// # Errors
    /// [`StoreError::Unavailable`] and [`StoreError::Corrupt`] only.
    async fn put_grant(&self, grant: &Grant) -> Result<(), StoreError>;
}

/// The most bytes of a subject: with its prefix it is a partition key of the table, and the operator
/// writes it.
pub const MOST_SUBJECT_BYTES: usize = 256;

/// What the key of a grant begins with; behind it stands its path. Only one that was written by hand has
/// another, and it holds all the same.
pub const GRANT_KEY_PREFIX: &str = "SCOPE#";

/// A grant as it is stored, by whomever.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StoredGrant {
    /// Whom it is given to.
    pub subject: String,
    /// Its key among the subject's grants.
    pub key: String,
    /// What it says; or, in words, why nobody can read it.
    pub says: Result<GrantText, String>,
}

impl StoredGrant {
    /// The path that it is stored under.
    pub fn stored_at(&self) -> &str {
        self.key.strip_prefix(GRANT_KEY_PREFIX).unwrap_or(&self.key)
    }
}

/// What a stored grant says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct GrantText {
    /// The path at or below which it holds, when it is canonical; the one that it is stored under, where
    /// the service's own command wrote it.
    pub path: String,
    /// The name of its role, which may be none of [`Role`].
    pub role: String,
}

/// The grants, as the operator keeps them. No function of the service takes this port.
#[async_trait]
pub trait GrantBook: Grants {
    /// The subject's grants, by the paths that they are stored under.
    ///
    /// # Errors
    /// [`StoreError::Newer`] when one of them is of a newer layout.
    async fn grants(&self, subject: &str) -> Result<Vec<StoredGrant>, StoreError>;

    /// Everybody's grants, by subject. It reads the whole table.
    ///
    /// # Errors
    /// [`StoreError::Newer`] when one of them is of a newer layout.
    async fn all_grants(&self) -> Result<Vec<StoredGrant>, StoreError>;

    /// Takes a grant away, by its key; whether there was one.
    ///
    /// # Errors
    /// [`StoreError::Unavailable`] and [`StoreError::Corrupt`] only.
    async fn remove_grant(&self, subject: &str, key: &str) -> Result<bool, StoreError>;
}

/// What a caller did with a job.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Act {
    /// Made it.
    Create,
    /// Gave it another credential.
    Renew,
    /// Let it go on with the credential that it has.
    Resume,
    /// Ended it early.
    Cancel,
}

impl Act {
    /// The act's name, as stored.
    pub fn name(self) -> &'static str {
        match self {
            Self::Create => "create",
            Self::Renew => "renew",
            Self::Resume => "resume",
            Self::Cancel => "cancel",
        }
    }
}

/// Who did what with a job, and when. It is stored with the change itself, so that there is no change
/// without it, and nobody who could make one can take it away.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Audit {
    /// The subject of the caller's token.
    pub by: String,
    /// What was done.
    pub act: Act,
    /// When it was asked for.
    pub at: OffsetDateTime,
    /// Until when this is kept.
    pub expires: OffsetDateTime,
}

/// Creation of jobs; a repeat under a known key creates none.
#[async_trait]
pub trait Intake: Send + Sync {
    /// What was accepted under a key that is still remembered at `now`; `None` when nothing was.
    ///
    /// # Errors
    /// [`StoreError::Newer`] when the request's item is of a newer layout.
    async fn accepted(
        &self,
        scope: &AppScope,
        key: &RequestKey,
        now: OffsetDateTime,
    ) -> Result<Option<AcceptedRequest>, StoreError>;

    /// Stores a new job and, in the same transaction, who made it and the key that it was accepted
    /// under, at the moment that `audit` says.
    ///
    /// # Errors
    /// [`StoreError::Conflict`] when a job has this id already, or when the key was used and then
    /// forgotten at the same moment; [`StoreError::Newer`] when what the key stands for is of a newer
    /// layout.
    async fn create(
        &self,
        job: Job,
        request: Option<AcceptedRequest>,
        audit: Audit,
    ) -> Result<Created, StoreError>;
}

/// Jobs, read and moved.
#[async_trait]
pub trait Jobs: Send + Sync {
    /// The job, read consistently; `None` when there is none, or when its retention is over.
    ///
    /// # Errors
    /// [`StoreError::Newer`] when it is of a newer layout.
    async fn job(&self, key: &JobKey, now: OffsetDateTime) -> Result<Option<Job>, StoreError>;

    /// Persists a job after a move; the answer has the new revision.
    ///
    /// # Errors
    /// [`StoreError::Conflict`] when the stored job has another revision than the one that was moved.
    async fn put_job(&self, job: Job) -> Result<Job, StoreError>;

    /// The tallies of all shards, summed, each read consistently but not all at one moment. A shard
    /// without chunks counts as zero.
    ///
    /// # Errors
    /// [`StoreError::Newer`] when one is of a newer layout.
    async fn tally(&self, job: &Job) -> Result<Tally, StoreError>;
}

/// Jobs, as callers change them.
#[async_trait]
pub trait Changes: Jobs {
    /// As [`Jobs::put_job`], and in the same transaction who did it.
    ///
    /// # Errors
    /// As there.
    async fn put_change(&self, job: Job, audit: Audit) -> Result<Job, StoreError>;
}

/// How far a job has come, as its tallies say.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Counted {
    /// The tallies of all shards, summed.
    pub tally: Tally,
    /// When one of them was last changed; unknown before the first chunk is planned, and where only an
    /// older version changed them.
    pub changed: Option<OffsetDateTime>,
}

/// Tallies with the moment of their last change.
#[async_trait]
pub trait Tallies: Jobs {
    /// As [`Jobs::tally`], and when that was.
    ///
    /// # Errors
    /// As there.
    async fn counted(&self, job: &Job) -> Result<Counted, StoreError>;
}

/// The jobs that wait for a credential. A job is put on this list in the transaction that makes it
/// wait, and taken off once it is found to wait no longer.
#[async_trait]
pub trait WaitingJobs: Jobs {
    /// Some of the listed jobs, those after `after`, in a stable order; empty at the end.
    ///
    /// # Errors
    /// [`StoreError::Newer`] when an entry is of a newer layout.
    async fn waiting(&self, after: Option<&JobKey>) -> Result<Vec<JobKey>, StoreError>;

    /// Takes a job off the list, unless it waits at that very moment. One that is not on it is left
    /// so.
    ///
    /// # Errors
    /// [`StoreError::Conflict`] when the job waits.
    async fn unlist(&self, key: &JobKey) -> Result<(), StoreError>;
}

/// The list of an app's jobs.
#[async_trait]
pub trait JobLists: Send + Sync {
    /// A page of the app's jobs whose retention is not over at `now`.
    ///
    /// # Errors
    /// [`StoreError::Newer`] when one of the app's jobs is of a newer layout.
    async fn jobs(
        &self,
        scope: &AppScope,
        page: Page,
        now: OffsetDateTime,
    ) -> Result<Listed, StoreError>;
}

/// What a planner writes: a page of a plan, or chunks that are opened again.
#[async_trait]
pub trait Plans: Jobs {
    /// In one transaction: the job after the move, the new chunks, the moves of others that go with
    /// them, the shards' tallies. At most [`PLAN_PAGE_CHUNKS`] chunks, new and moved.
    ///
    /// # Errors
    /// [`StoreError::Conflict`], and nothing is written, when somebody else moved the job or one of the
    /// moved chunks, or when one of the new ones is stored already.
    async fn put_page(
        &self,
        job: Job,
        chunks: Vec<Chunk>,
        moves: Vec<ChunkMove>,
    ) -> Result<Job, StoreError>;

    /// Persists moves of chunks of one shard, at most [`PLAN_PAGE_CHUNKS`], in one transaction and
    /// on condition that nobody moved the job since it was read: a job that is cancelled
    /// meanwhile gets no chunk opened behind its back.
    ///
    /// # Errors
    /// [`StoreError::Conflict`], and nothing is written, when somebody else moved the job or one of the
    /// chunks.
    async fn reopen(&self, job: &Job, steps: Vec<ChunkMove>) -> Result<(), StoreError>;
}

/// Chunks of one page of a plan: with up to 32 tallies, the job and its row they fit DynamoDB's limit
/// of 100 items a transaction (<https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/transaction-apis.html>).
pub const PLAN_PAGE_CHUNKS: usize = 64;

/// Chunks, read and moved.
#[async_trait]
pub trait Chunks: Jobs {
    /// The chunk, read consistently; `None` when there is none.
    ///
    /// # Errors
    /// [`StoreError::Newer`] when it is of a newer layout.
    async fn chunk(&self, key: &ChunkKey) -> Result<Option<Chunk>, StoreError>;

    /// Persists a move, and its change of the tally in the same transaction when there is one; the
    /// answer has the new revision.
    ///
    /// # Errors
    /// [`StoreError::Conflict`] when the stored chunk has another revision than the one that was moved.
    async fn apply(&self, step: ChunkMove) -> Result<Chunk, StoreError>;
}

/// Chunks, listed for the manifest.
#[async_trait]
pub trait ChunkLists: Jobs {
    /// The shard's chunks with numbers above `after`, in order, read consistently, a page at a
    /// time; empty at the end.
    ///
    /// # Errors
    /// [`StoreError::Newer`] when one of them is of a newer layout.
    async fn chunks(
        &self,
        job: &JobKey,
        shard: u16,
        after: Option<u32>,
    ) -> Result<Vec<Chunk>, StoreError>;
}
