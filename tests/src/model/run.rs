//! A chunk run, step by step as `run-export-chunk` takes them.

use run_export_chunk::ChunkError;
use shared::chunk::{Chunk, ChunkMove, Claim, Lease, Output};
use shared::container::{BlobName, BlockId, PreparedFile};
use shared::job::{Job, Phase};
use time::OffsetDateTime;

use super::Variant;
use super::storage::Block;
use super::stored::Stored;
use super::world::{Actor, Fate, LEASE, World};

/// A run in progress, with the job as it read it.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(super) struct Run {
    pub(super) chunk: u32,
    pub(super) job: Stored<Job>,
    pub(super) at: At,
}

/// Its next step.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(super) enum At {
    ReadToPark,
    ParkIdle(Stored<Chunk>, OffsetDateTime),
    CheckParked,
    ReadToClaim,
    Claim(Stored<Chunk>, OffsetDateTime),
    Stage {
        lease: Stored<Chunk>,
        staging: u8,
        index: u32,
    },
    Prepare {
        lease: Stored<Chunk>,
        staging: u8,
    },
    Commit(Stored<Chunk>),
    Restage(Stored<Chunk>),
    Record(Stored<Chunk>),
    /// The broken variant's: commits what is not prepared.
    CommitUnprepared {
        lease: Stored<Chunk>,
        staging: u8,
    },
    ReadDenied(Stored<Chunk>),
    AwaitCredential(Stored<Chunk>, Stored<Job>),
    Park(Stored<Chunk>),
    Release(Stored<Chunk>),
}

/// What follows a step.
pub(super) enum Next<A> {
    /// Another one.
    Go(A),
    /// The message or event is done with.
    Done,
    /// It is to be delivered again.
    Again,
}

impl Run {
    /// A delivery, which begins by reading the job; `None` when that is the end of it.
    pub(super) fn delivered(chunk: u32, world: &World) -> Option<Self> {
        let at = match world.job.phase {
            Phase::Cancelling { .. } | Phase::Ended { .. } => return None,
            Phase::AwaitingCredential { .. } => At::ReadToPark,
            Phase::Queued | Phase::Planning | Phase::Running | Phase::Resuming | Phase::Finishing { .. } => {
                At::ReadToClaim
            }
        };
        Some(Self { chunk, job: world.job.clone(), at })
    }

    pub(super) fn is_write(&self) -> bool {
        !matches!(self.at, At::ReadToPark | At::CheckParked | At::ReadToClaim | At::ReadDenied(_))
    }

    pub(super) fn step(self, world: &mut World, fate: Fate, variant: Variant) -> Next<Actor> {
        let lease = self.lease();
        match self.clone().attempt(world, fate, variant) {
            Ok(Some(at)) => Next::Go(Actor::Run(Self { at, ..self })),
            Ok(None) => Next::Done,
            Err(ChunkError::Retry { .. }) => self.after_error(lease.map(At::Release)),
            Err(ChunkError::Credential { .. }) => self.after_error(lease.map(At::ReadDenied)),
            Err(ChunkError::Superseded | ChunkError::Fail { .. }) => Next::Again,
        }
    }

    /// A run without a lease, or one that is giving it back, just stops.
    fn after_error(self, at: Option<At>) -> Next<Actor> {
        at.map_or(Next::Again, |at| Next::Go(Actor::Run(Self { at, ..self })))
    }

    /// The lease that an error of this step is answered with.
    fn lease(&self) -> Option<Stored<Chunk>> {
        match &self.at {
            At::Stage { lease, .. }
            | At::Prepare { lease, .. }
            | At::CommitUnprepared { lease, .. }
            | At::Commit(lease)
            | At::Restage(lease)
            | At::Record(lease) => Some(lease.clone()),
            At::ReadToPark
            | At::ParkIdle(..)
            | At::CheckParked
            | At::ReadToClaim
            | At::Claim(..)
            | At::ReadDenied(_)
            | At::AwaitCredential(..)
            | At::Park(_)
            | At::Release(_) => None,
        }
    }

    fn attempt(self, world: &mut World, fate: Fate, variant: Variant) -> Result<Option<At>, ChunkError> {
        let now = world.now();
        let next = match self.at {
            At::ReadToPark => match world.chunk(self.chunk).take().park(now) {
                Claim::Closed => At::CheckParked,
                Claim::Held { .. } => return Err(retry()),
                Claim::Free(_) => At::ParkIdle(world.chunk(self.chunk), now),
            },
            At::ParkIdle(chunk, read_at) => {
                world.apply(free(chunk.take().park(read_at)), fate)?;
                At::CheckParked
            }
            At::CheckParked => {
                let waits = matches!(world.job.phase, Phase::AwaitingCredential { .. });
                return if waits { Ok(None) } else { Err(retry()) };
            }
            At::ReadToClaim => match world.chunk(self.chunk).take().claim(now, LEASE) {
                Claim::Closed => return Ok(None),
                Claim::Held { .. } => return Err(retry()),
                Claim::Free(_) => At::Claim(world.chunk(self.chunk), now),
            },
            At::Claim(chunk, read_at) => advance(world.apply(free(chunk.take().claim(read_at, LEASE)), fate)?, world),
            At::Stage { lease, staging, index } => {
                let id = BlockId { attempt: lease.attempt, index };
                world.stage(&self.job, self.chunk as usize, id, Block::Rows { staging, index }, fate)?;
                match index + 1 {
                    index if index < world.blocks => At::Stage { lease, staging, index },
                    _ if variant == Variant::CommitBeforePrepare => At::CommitUnprepared { lease, staging },
                    _ => At::Prepare { lease, staging },
                }
            }
            At::CommitUnprepared { lease, staging } => {
                let list = output(&lease, staging, world.blocks).file.map(|file| file.block_ids()).unwrap_or_default();
                world.commit(&self.job, self.chunk as usize, &list, fate)?;
                At::Prepare { lease, staging }
            }
            At::Prepare { lease, staging } => {
                let prepared = held(&lease).prepare(output(&lease, staging, world.blocks))?;
                At::Commit(world.apply(prepared, fate)?)
            }
            At::Commit(lease) => {
                let list = lease.prepared().and_then(|output| output.file.as_ref()).map(PreparedFile::block_ids);
                match world.commit(&self.job, self.chunk as usize, &list.unwrap_or_default(), fate) {
                    Err(shared::container::ContainerError::BlocksGone) => At::Restage(lease),
                    committed => {
                        committed?;
                        At::Record(lease)
                    }
                }
            }
            At::Restage(lease) => advance(world.apply(held(&lease).restage()?, fate)?, world),
            At::Record(lease) => {
                let step = held(&lease).record()?;
                if variant == Variant::RecordWithoutRevision {
                    world.overwrite(step, fate)?;
                } else {
                    world.apply(step, fate)?;
                }
                return Ok(None);
            }
            At::ReadDenied(lease) if world.job.credentials_given != self.job.credentials_given => At::Release(lease),
            At::ReadDenied(lease) => match world.job.take().await_credential(now, String::new()) {
                Ok(_) => At::AwaitCredential(lease, world.job.clone()),
                Err(_) => At::Park(lease),
            },
            At::AwaitCredential(lease, job) => {
                world.put_job(job.take().await_credential(now, String::new())?, fate)?;
                At::Park(lease)
            }
            At::Park(lease) => {
                world.apply(held(&lease).park(), fate)?;
                At::CheckParked
            }
            At::Release(lease) => {
                world.apply(held(&lease).release(now), fate)?;
                return Err(retry());
            }
        };
        Ok(Some(next))
    }
}

/// Where a run goes on that was given the lease: to commit what is prepared, else to stage.
fn advance(lease: Stored<Chunk>, world: &mut World) -> At {
    if lease.prepared().is_some() {
        return At::Commit(lease);
    }
    let staging = &mut world.stagings[lease.key.number as usize];
    *staging += 1;
    At::Stage { staging: *staging, lease, index: 0 }
}

fn held(lease: &Stored<Chunk>) -> Lease {
    Lease::of(lease.take()).unwrap()
}

fn free(claim: Claim) -> ChunkMove {
    match claim {
        Claim::Free(step) => *step,
        Claim::Held { .. } | Claim::Closed => unreachable!("it was free when it was read"),
    }
}

fn output(chunk: &Chunk, staging: u8, blocks: u32) -> Output {
    let file = PreparedFile {
        name: BlobName::from_stored(""),
        attempt: chunk.attempt,
        blocks,
        size_bytes: u64::from(blocks),
        sha256: staging.to_string(),
        crc64: String::new(),
    };
    let rows = u64::from(blocks);
    Output { rows_read: rows, rows, bad_records: 0, earliest: None, latest: None, file: Some(file) }
}

fn retry() -> ChunkError {
    ChunkError::Retry { reason: String::new() }
}
