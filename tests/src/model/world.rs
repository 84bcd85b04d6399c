//! The state of the world: the exports table, the client's container, what is on its way, and who is at work.
//!
//! Every method that writes is one atomic step of an actor, with the conditions that the real port has.

use shared::app::AppScope;
use shared::chunk::{Chunk, ChunkKey, ChunkMove, ChunkSource, ChunkState};
use shared::container::{BlockId, ContainerAddress, ContainerError};
use shared::job::{Credential, Job, JobId, JobKey, Phase, SealedCredential};
use shared::selection::{ExportFormat, ExportRequest, ExportType, Selection};
use shared::store::StoreError;
use shared::tally::{Tally, TallyChange};
use time::{Duration, OffsetDateTime};
use uuid::Uuid;

use super::finisher::Finisher;
use super::planner::Planner;
use super::run::Run;
use super::storage::{Blob, Block};
use super::stored::{Stored, staging_of};

/// How long a lease lasts; an expiry moves the clock by twice of it.
pub(super) const LEASE: Duration = Duration::HOUR;

/// Wakes and messages of one kind that wait at once. More would be read together anyway: they say nothing but whose
/// item changed.
const MOST_WAITING: u8 = 2;

/// What may still go wrong or be asked for, each so many times.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Hash)]
pub(super) struct Budget {
    /// An actor dies between two steps.
    pub(super) crashes: u8,
    /// A write is not answered; it happened or it did not.
    pub(super) timeouts: u8,
    /// The clock jumps past every lease while actors are at work: they become zombies.
    pub(super) expiries: u8,
    /// A message or an event is delivered once more than it was sent.
    pub(super) duplicates: u8,
    /// Storage refuses every credential given so far.
    pub(super) revocations: u8,
    /// The owner gives a new credential, and resumes the job if it can be.
    pub(super) credentials: u8,
    /// The owner retries a job that ended without success.
    pub(super) retries: u8,
    /// The owner cancels.
    pub(super) cancels: u8,
    /// Storage drops all uncommitted blocks: a week has passed.
    pub(super) losses: u8,
    /// A chunk's message was received too often.
    pub(super) dead_chunks: u8,
    /// A job's event failed at every attempt.
    pub(super) dead_events: u8,
}

/// What becomes of a write.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(super) enum Fate {
    /// It is answered.
    Answered,
    /// It happens, and the answer is lost.
    AnswerLost,
    /// It does not happen, and there is no answer.
    RequestLost,
}

/// Who is at work.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(super) enum Actor {
    Run(Run),
    Finisher(Finisher),
    Planner(Planner),
}

/// Everything.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(super) struct World {
    pub(super) job: Stored<Job>,
    pub(super) chunks: Vec<Stored<Chunk>>,
    /// Blocks of each chunk's file; each holds one row.
    pub(super) blocks: u32,
    pub(super) tally: Stored<Tally>,
    /// A blob for each chunk that can be planned, then the manifest's.
    pub(super) blobs: Vec<Blob>,
    /// How often each chunk was staged.
    pub(super) stagings: Vec<u8>,
    /// The staging that was recorded of each chunk, from the first time on.
    pub(super) witnessed: Vec<Option<u8>>,
    /// Messages that wait, of each chunk.
    pub(super) messages: Vec<u8>,
    pub(super) plan_wakes: u8,
    pub(super) finish_wakes: u8,
    pub(super) actors: Vec<Option<Actor>>,
    /// Storage refuses the job's first so many credentials.
    pub(super) revoked: u32,
    /// How often the clock jumped.
    pub(super) jumps: u8,
    pub(super) left: Budget,
}

impl World {
    /// A job that waits for its planner.
    pub(super) fn queued(chunks: usize, blocks: u32, actors: usize, left: Budget) -> Self {
        let mut world = Self {
            job: Stored::new(queued_job()),
            chunks: Vec::new(),
            blocks,
            tally: Stored::new(Tally::default()),
            blobs: vec![Blob::default(); chunks + 1],
            stagings: vec![0; chunks],
            witnessed: vec![None; chunks],
            messages: vec![0; chunks],
            plan_wakes: 0,
            finish_wakes: 0,
            actors: vec![None; actors],
            revoked: 0,
            jumps: 0,
            left,
        };
        world.put_job(world.job.take(), Fate::Answered).unwrap();
        world
    }

    pub(super) fn now(&self) -> OffsetDateTime {
        OffsetDateTime::UNIX_EPOCH + LEASE * 2 * i32::from(self.jumps)
    }

    /// Whether nothing is on its way and nobody is at work.
    pub(super) fn is_quiet(&self) -> bool {
        let waiting = self.plan_wakes + self.finish_wakes + self.messages.iter().sum::<u8>();
        waiting == 0 && self.actors.iter().all(Option::is_none)
    }

    /// Persists a job on condition of the revision that was read, and wakes whom the stream's filters wake.
    pub(super) fn put_job(&mut self, mut job: Job, fate: Fate) -> Result<Stored<Job>, StoreError> {
        if job.revision != self.job.revision {
            return Err(conflict("the job"));
        }
        if fate == Fate::RequestLost {
            return Err(no_answer());
        }
        job.revision += 1;
        self.job = Stored::new(job);
        match self.job.phase {
            Phase::Queued | Phase::Resuming => self.wake_planner(),
            Phase::Running | Phase::Cancelling { .. } => self.wake_finisher(),
            Phase::Planning | Phase::AwaitingCredential { .. } | Phase::Finishing { .. } | Phase::Ended { .. } => {}
        }
        if fate == Fate::AnswerLost { Err(no_answer()) } else { Ok(self.job.clone()) }
    }

    /// Persists a page of the plan: the job after the move and one new chunk.
    pub(super) fn put_page(&mut self, job: Job, chunk: Chunk, fate: Fate) -> Result<Stored<Job>, StoreError> {
        let number = self.chunks.len();
        let put = self.put_job(job, fate);
        if put.is_ok() || (fate == Fate::AnswerLost && matches!(put, Err(StoreError::Unavailable { .. }))) {
            self.chunks.push(Stored::new(Chunk { revision: 1, ..chunk }));
            self.count(TallyChange { planned: 1, open: 1, ..TallyChange::default() });
            self.send(number);
        }
        put
    }

    /// Persists a chunk's move and its change of the tally, on condition of the revision that was read.
    pub(super) fn apply(&mut self, step: ChunkMove, fate: Fate) -> Result<Stored<Chunk>, StoreError> {
        let stored = self.chunk(step.chunk.key.number);
        if step.chunk.revision != stored.revision {
            return Err(conflict("the chunk"));
        }
        self.overwrite(step, fate)
    }

    /// Persists a chunk's move whatever is stored: what the protocol never does, for the broken variant.
    pub(super) fn overwrite(&mut self, step: ChunkMove, fate: Fate) -> Result<Stored<Chunk>, StoreError> {
        if fate == Fate::RequestLost {
            return Err(no_answer());
        }
        let ChunkMove { mut chunk, tally } = step;
        chunk.revision += 1;
        let number = chunk.key.number as usize;
        if let ChunkState::Recorded { output } = &chunk.state {
            self.witnessed[number] = self.witnessed[number].or(staging_of(output));
        }
        if matches!(chunk.state, ChunkState::Pending { .. }) {
            self.send(number);
        }
        if tally != TallyChange::default() {
            self.count(tally);
        }
        self.chunks[number] = Stored::new(chunk);
        if fate == Fate::AnswerLost { Err(no_answer()) } else { Ok(self.chunks[number].clone()) }
    }

    /// A chunk, read consistently.
    pub(super) fn chunk(&self, number: u32) -> Stored<Chunk> {
        self.chunks[number as usize].clone()
    }

    /// Put Block, with the credential of the job as the actor read it.
    pub(super) fn stage(
        &mut self,
        job: &Job,
        blob: usize,
        id: BlockId,
        block: Block,
        fate: Fate,
    ) -> Result<(), ContainerError> {
        self.write_blob(job, blob, fate, |blob| {
            blob.stage(id, block);
            Ok(())
        })
    }

    /// Put Block List, with the credential of the job as the actor read it.
    pub(super) fn commit(
        &mut self,
        job: &Job,
        blob: usize,
        list: &[BlockId],
        fate: Fate,
    ) -> Result<(), ContainerError> {
        self.write_blob(job, blob, fate, |blob| blob.commit(list))
    }

    fn write_blob(
        &mut self,
        job: &Job,
        blob: usize,
        fate: Fate,
        write: impl FnOnce(&mut Blob) -> Result<(), ContainerError>,
    ) -> Result<(), ContainerError> {
        let no_answer = || Err(ContainerError::Unavailable { reason: "time-out".to_owned() });
        match fate {
            Fate::RequestLost => return no_answer(),
            Fate::Answered | Fate::AnswerLost if job.credentials_given <= self.revoked => {
                return Err(ContainerError::Denied { code: "AuthenticationFailed".to_owned() });
            }
            Fate::Answered | Fate::AnswerLost => {}
        }
        write(&mut self.blobs[blob])?;
        if fate == Fate::AnswerLost { no_answer() } else { Ok(()) }
    }

    pub(super) fn send(&mut self, chunk: usize) {
        self.messages[chunk] = MOST_WAITING.min(self.messages[chunk] + 1);
    }

    pub(super) fn wake_planner(&mut self) {
        self.plan_wakes = MOST_WAITING.min(self.plan_wakes + 1);
    }

    pub(super) fn wake_finisher(&mut self) {
        self.finish_wakes = MOST_WAITING.min(self.finish_wakes + 1);
    }

    fn count(&mut self, change: TallyChange) {
        let add = |count: u64, change: i64| count.checked_add_signed(change).unwrap_or(u64::MAX);
        let tally = Tally {
            planned: add(self.tally.planned, change.planned),
            open: add(self.tally.open, change.open),
            recorded: add(self.tally.recorded, change.recorded),
            failed: add(self.tally.failed, change.failed),
            rows: add(self.tally.rows, change.rows),
            bytes: add(self.tally.bytes, change.bytes),
            bad_records: add(self.tally.bad_records, change.bad_records),
        };
        if tally.open == 0 {
            self.wake_finisher();
        }
        self.tally = Stored::new(tally);
    }
}

/// The job's next chunk, as the planner cuts it.
pub(super) fn next_chunk(job: &Job) -> Chunk {
    let key = ChunkKey { job: job.key.clone(), shard: 0, number: job.chunks };
    Chunk::planned(key, ChunkSource::Partitions(Vec::new()), job.expires)
}

/// A new credential.
pub(super) fn credential() -> Credential {
    Credential { sealed: SealedCredential(Vec::new()), expires: None }
}

fn queued_job() -> Job {
    let request = ExportRequest {
        export_type: ExportType::Tag,
        selection: Selection::Devices,
        format: ExportFormat::JsonBlob,
        description: None,
        export_user_id: false,
    };
    let key = JobKey { scope: AppScope::from_canonical("/"), id: JobId::new(Uuid::nil()) };
    let now = OffsetDateTime::UNIX_EPOCH;
    Job::queued(key, request, ContainerAddress::new(""), credential(), now, Duration::days(90))
}

fn conflict(item: &str) -> StoreError {
    StoreError::Conflict { item: item.to_owned() }
}

fn no_answer() -> StoreError {
    StoreError::Unavailable { reason: "time-out".to_owned() }
}
