//! Finishing, step by step as `finish-export` takes them: close what a cancelled job has open, count, write the
//! manifest, end the job.

use shared::chunk::{Chunk, ChunkState};
use shared::container::{BlobName, BlockId, ContainerError, PreparedFile};
use shared::job::{Cancellation, IllegalMove, Job, Outcome, Phase, Plan};
use shared::store::StoreError;
use shared::tally::Tally;

use super::Variant;
use super::run::Next;
use super::storage::Block;
use super::stored::{Stored, staging_of};
use super::world::{Actor, Fate, World};

/// A finisher at work, with the job as it last read or wrote it.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(super) struct Finisher {
    pub(super) job: Stored<Job>,
    pub(super) at: At,
}

/// Its next step.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(super) enum At {
    /// Lists the chunks of a cancelled job.
    ListOpen,
    /// Reads again the first of these, which somebody else has changed.
    Reread(Vec<Stored<Chunk>>),
    /// Commits the file that the first of these has prepared.
    CommitPrepared(Vec<Stored<Chunk>>),
    /// Records or cancels the first of these.
    Close {
        chunks: Vec<Stored<Chunk>>,
        committed: bool,
    },
    Count,
    Begin(Stored<Tally>),
    List(Stored<Tally>),
    Stage(Listing),
    Prepare(Listing),
    Commit,
    DropManifest,
    AwaitCredential,
    End(Ending),
    /// Reads the job again, which somebody else has changed.
    ReadJob,
}

/// What a manifest is going to say: of each chunk the staging that is recorded; and how the job ends.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(super) struct Listing {
    chunks: Vec<Option<u8>>,
    ending: Ending,
}

/// An outcome, without words.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(super) enum Ending {
    Succeeded,
    Incomplete,
    Failed,
    Cancelled,
}

/// Why finishing stops.
enum Stop {
    /// Somebody else has moved the job on.
    Conflict,
    /// The event is to be delivered again.
    Again,
    /// Storage refuses the credential.
    Denied,
    /// No repeat will help.
    Final,
}

impl From<StoreError> for Stop {
    fn from(error: StoreError) -> Self {
        match error {
            StoreError::Conflict { .. } => Self::Conflict,
            StoreError::Unavailable { .. } | StoreError::Corrupt { .. } => Self::Again,
        }
    }
}

impl From<ContainerError> for Stop {
    fn from(error: ContainerError) -> Self {
        match error {
            ContainerError::Denied { .. } => Self::Denied,
            error if error.is_passing() => Self::Again,
            _ => Self::Final,
        }
    }
}

impl From<IllegalMove> for Stop {
    fn from(_: IllegalMove) -> Self {
        Self::Again
    }
}

impl Finisher {
    /// A delivery, which begins by reading the job; `None` when it is not time to finish.
    pub(super) fn delivered(world: &World) -> Option<Self> {
        let job = world.job.clone();
        let at = match (&job.phase, &job.plan) {
            (Phase::Cancelling { .. }, _) => At::ListOpen,
            (Phase::Finishing { .. }, _) | (Phase::Running, Plan::Complete { .. } | Plan::Failed { .. }) => At::Count,
            (
                Phase::Queued
                | Phase::Planning
                | Phase::Running
                | Phase::AwaitingCredential { .. }
                | Phase::Resuming
                | Phase::Ended { .. },
                _,
            ) => return None,
        };
        Some(Self { job, at })
    }

    pub(super) fn is_write(&self) -> bool {
        !matches!(self.at, At::ListOpen | At::Reread(_) | At::Count | At::List(_) | At::ReadJob)
    }

    pub(super) fn step(mut self, world: &mut World, fate: Fate, variant: Variant) -> Next<Actor> {
        let next = match self.attempt(world, fate, variant) {
            Ok(Some(at)) => at,
            Ok(None) => return Next::Done,
            Err(Stop::Conflict) => At::ReadJob,
            Err(Stop::Again) => return Next::Again,
            Err(Stop::Denied) => At::AwaitCredential,
            Err(Stop::Final) => At::End(Ending::Failed),
        };
        Next::Go(Actor::Finisher(Self { at: next, ..self }))
    }

    fn attempt(&mut self, world: &mut World, fate: Fate, variant: Variant) -> Result<Option<At>, Stop> {
        let next = match self.at.clone() {
            At::ReadJob if world.job.finish_attempts != self.job.finish_attempts => return Ok(None),
            At::ReadJob => match Self::delivered(world) {
                Some(finisher) => {
                    self.job = finisher.job;
                    finisher.at
                }
                None => return Ok(None),
            },
            At::ListOpen => close_next(world.chunks.clone()),
            At::Reread(mut chunks) => {
                chunks[0] = world.chunk(chunks[0].key.number);
                close_next(chunks)
            }
            At::CommitPrepared(chunks) => self.commit_prepared(chunks, world, fate)?,
            At::Close { chunks, committed } => close(chunks, committed, world, fate)?,
            At::Count if world.tally.open > 0 && variant != Variant::SealWithOpenChunks => return Ok(None),
            At::Count => At::Begin(world.tally.clone()),
            At::Begin(tally) => {
                self.job = world.put_job(self.job.take().begin_finishing()?, fate)?;
                self.publish(tally)
            }
            At::List(tally) => At::Stage(self.list(world, &tally, variant)?),
            At::Stage(listing) => {
                let id = BlockId { attempt: self.job.finish_attempts, index: 0 };
                let block = Block::Listing(listing.chunks.clone());
                world.stage(&self.job, world.blobs.len() - 1, id, block, fate)?;
                At::Prepare(listing)
            }
            At::Prepare(listing) => {
                let prepared = (manifest(&self.job), listing.ending.outcome());
                self.job = world.put_job(self.job.take().prepare_manifest(Some(prepared))?, fate)?;
                At::Commit
            }
            At::Commit => self.commit(world, fate)?,
            At::DropManifest => {
                let dropped = self.job.take().prepare_manifest(None)?.begin_finishing()?;
                self.job = world.put_job(dropped, fate)?;
                At::List(world.tally.clone())
            }
            At::AwaitCredential => match self.job.take().await_credential(world.now(), String::new()) {
                Ok(job) => {
                    world.put_job(job, fate)?;
                    return Ok(None);
                }
                Err(_) => At::End(Ending::Failed),
            },
            At::End(ending) => {
                world.put_job(self.job.take().end(world.now(), ending.outcome())?, fate)?;
                return Ok(None);
            }
        };
        Ok(Some(next))
    }

    /// A manifest that is prepared is committed as it is.
    fn publish(&self, tally: Stored<Tally>) -> At {
        if matches!(self.job.phase, Phase::Finishing { manifest: Some(_), .. }) { At::Commit } else { At::List(tally) }
    }

    fn commit_prepared(&self, chunks: Vec<Stored<Chunk>>, world: &mut World, fate: Fate) -> Result<At, Stop> {
        let file = chunks[0].prepared().and_then(|output| output.file.clone());
        let list = file.map(|file| file.block_ids()).unwrap_or_default();
        match world.commit(&self.job, chunks[0].key.number as usize, &list, fate) {
            Ok(()) => Ok(At::Close { chunks, committed: true }),
            Err(error) if error.is_passing() => Err(Stop::Again),
            Err(_) => Ok(At::Close { chunks, committed: false }),
        }
    }

    fn list(&self, world: &World, tally: &Tally, variant: Variant) -> Result<Listing, Stop> {
        let chunks: Vec<_> = world.chunks.iter().map(|chunk| recorded(chunk)).collect();
        let open = world.chunks.iter().filter(|chunk| chunk.take().cancel().is_some()).count();
        let recorded = chunks.iter().flatten().count();
        let counted = (chunks.len() as u64, recorded as u64, open as u64);
        if counted != (tally.planned, tally.recorded, tally.open) {
            return Err(Stop::Final);
        }
        let missing = chunks.len() - recorded - if variant == Variant::SealWithOpenChunks { open } else { 0 };
        let Phase::Finishing { cancelled, .. } = self.job.phase else { return Err(Stop::Again) };
        let ending = match (&self.job.plan, cancelled) {
            (Plan::Complete { .. }, _) if missing == 0 => Ending::Succeeded,
            (_, Some(Cancellation::Asked)) => Ending::Cancelled,
            (_, Some(Cancellation::CredentialOverdue)) | (Plan::Failed { .. }, None) => Ending::Failed,
            (Plan::Complete { .. } | Plan::Open { .. }, None) => Ending::Incomplete,
        };
        Ok(Listing { chunks, ending })
    }

    fn commit(&self, world: &mut World, fate: Fate) -> Result<At, Stop> {
        let Phase::Finishing { manifest: Some((file, outcome)), .. } = &self.job.phase else {
            return Err(Stop::Again);
        };
        match world.commit(&self.job, world.blobs.len() - 1, &file.block_ids(), fate) {
            Ok(()) => Ok(At::End(Ending::of(outcome))),
            Err(ContainerError::BlocksGone) => Ok(At::DropManifest),
            Err(error) => Err(error.into()),
        }
    }
}

fn recorded(chunk: &Chunk) -> Option<u8> {
    if let ChunkState::Recorded { output } = &chunk.state { staging_of(output) } else { None }
}

fn close_next(chunks: Vec<Stored<Chunk>>) -> At {
    match chunks.first() {
        None => At::Count,
        Some(chunk) if chunk.prepared().is_some() => At::CommitPrepared(chunks),
        Some(chunk) if chunk.take().cancel().is_none() => close_next(chunks.into_iter().skip(1).collect()),
        Some(_) => At::Close { chunks, committed: false },
    }
}

fn close(chunks: Vec<Stored<Chunk>>, committed: bool, world: &mut World, fate: Fate) -> Result<At, Stop> {
    let chunk = chunks[0].take();
    let step = if committed { chunk.record().ok() } else { chunk.cancel() };
    match step.map(|step| world.apply(step, fate)) {
        Some(Err(StoreError::Conflict { .. })) => Ok(At::Reread(chunks)),
        Some(Err(error)) => Err(error.into()),
        Some(Ok(_)) | None => Ok(close_next(chunks.into_iter().skip(1).collect())),
    }
}

fn manifest(job: &Job) -> PreparedFile {
    PreparedFile {
        name: BlobName::from_stored(""),
        attempt: job.finish_attempts,
        blocks: 1,
        size_bytes: 1,
        sha256: String::new(),
        crc64: String::new(),
    }
}

impl Ending {
    fn outcome(self) -> Outcome {
        let details = String::new();
        match self {
            Self::Succeeded => Outcome::Succeeded,
            Self::Incomplete => Outcome::Incomplete { details },
            Self::Failed => Outcome::Failed { details },
            Self::Cancelled => Outcome::Cancelled { details },
        }
    }

    fn of(outcome: &Outcome) -> Self {
        match outcome {
            Outcome::Succeeded => Self::Succeeded,
            Outcome::Incomplete { .. } => Self::Incomplete,
            Outcome::Failed { .. } => Self::Failed,
            Outcome::Cancelled { .. } => Self::Cancelled,
        }
    }
}
