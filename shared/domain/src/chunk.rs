//! A chunk: the part of a job that one run exports into files, mostly one, and the moves of its
//! life.
//!
//! ```text
//! pending ──claim──▶ running ──prepare──▶ prepared ──record──▶ recorded
//!    ▲                │   ▲                │
//!    │                │   └────restage─────┤ (its block list is gone)
//!    │                ├──────▶ failed ◀────┤
//!    │                ├────▶ cancelled     │ (the job is cancelled)
//!    │                └─────▶ parked ◀─────┘ (the job waits for a credential)
//!    └──reopen── all but recorded
//! ```
//!
//! Every move consumes the chunk and returns the next one with the change of its shard's tally; the
//! store persists both on condition that the chunk is still the one that was read (its revision). A
//! move that a chunk's state does not allow is an [`IllegalMove`].

mod lease;
mod output;
mod source;
mod state;

use std::collections::BTreeSet;
use std::fmt;

use time::{Duration, OffsetDateTime};

pub use self::lease::Lease;
pub use self::output::{FileKind, Output, OutputFile};
pub use self::source::{ChunkSource, MissingParts, ObjectRef};
pub use self::state::{ChunkState, ChunkStateName};
use crate::container::BlobName;
use crate::job::{IllegalMove, JobKey};
use crate::tally::TallyChange;

/// Which chunk of which job.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct ChunkKey {
    /// The job that it is a part of.
    pub job: JobKey,
    /// The shard of the job that counts this chunk.
    pub shard: u16,
    /// The chunk's number within the job, from 0.
    pub number: u32,
}

impl fmt::Display for ChunkKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "chunk {} of job {}", self.number, self.job.id)
    }
}

/// The most files of a chunk: its item, which holds all of them, stays below DynamoDB's 400 KB
/// (<https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/Constraints.html>).
const MAX_FILES: usize = 256;

/// The most files of rows of a chunk, beside which it may have one of rejects.
pub const MOST_FILES_OF_ROWS: usize = MAX_FILES - 1;

/// A chunk as last read from or written to the store.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Chunk {
    /// Its job, shard and number; no move changes them.
    pub key: ChunkKey,
    /// What its runs read; [`Chunk::hand_over`] takes out of it what could not be exported.
    pub source: ChunkSource,
    /// When it may be forgotten, with its job.
    pub expires: OffsetDateTime,
    /// How many runs have claimed or restaged it; block ids carry it.
    pub attempt: u32,
    /// How far it is, with the lease, the files or the reason that belong to that.
    pub state: ChunkState,
    /// Files that were prepared and then given up: each may have been committed, and nothing takes it
    /// back. An output that is prepared later mostly has files of the same names, which replace them.
    pub given_up: BTreeSet<BlobName>,
    /// Counts the writes of the stored item; the condition of the next one.
    pub revision: u64,
}

/// A chunk's next state and what it does to the tally: written together or not at all.
#[derive(Debug, Clone, PartialEq, Eq)]
#[must_use = "a move is nothing until the store has applied it"]
pub struct ChunkMove {
    /// The chunk after the move, with the revision that it had before.
    pub chunk: Chunk,
    /// What changes in its shard's tally.
    pub tally: TallyChange,
}

/// The answer to asking for a chunk's lease.
#[derive(Debug)]
pub enum Claim {
    /// The chunk may be taken by applying this move.
    Free(Box<ChunkMove>),
    /// Another run holds it until then.
    Held {
        /// The end of the other run's lease.
        until: OffsetDateTime,
    },
    /// Nothing is to be done.
    Closed,
}

impl Chunk {
    /// A new chunk that waits for its first run.
    pub fn planned(key: ChunkKey, source: ChunkSource, expires: OffsetDateTime) -> Self {
        Self {
            key,
            source,
            expires,
            attempt: 0,
            state: ChunkState::Pending { prepared: None },
            given_up: BTreeSet::new(),
            revision: 0,
        }
    }

    /// Asks for the chunk's lease: free when nobody holds it and no end was recorded. (A parked
    /// chunk whose job goes on is as good as pending.)
    pub fn claim(self, now: OffsetDateTime, lease: Duration) -> Claim {
        let until = now + lease;
        self.if_idle(now, |chunk| {
            let next = Self {
                attempt: chunk.attempt + 1,
                ..chunk
            };
            let state = match next.prepared().cloned() {
                Some(output) => ChunkState::Prepared { until, output },
                None => ChunkState::Running {
                    until,
                    missing: next.missing(),
                },
            };
            next.to(state)
        })
    }

    /// Sets the chunk aside until its job has a new credential.
    pub fn park(self, now: OffsetDateTime) -> Claim {
        if matches!(self.state, ChunkState::Parked { .. }) {
            return Claim::Closed;
        }
        self.if_idle(now, |chunk| {
            let prepared = chunk.prepared().cloned();
            chunk.to(ChunkState::Parked { prepared })
        })
    }

    /// Ends a chunk whose every run crashed. A chunk that is still held is left alone.
    pub fn abandon(self, now: OffsetDateTime, reason: &str) -> Claim {
        self.if_idle(now, |chunk| {
            chunk.ended(ChunkState::Failed {
                reason: reason.to_owned(),
            })
        })
    }

    /// Closes an open chunk of a cancelled job, whatever run holds it: that run then finds the
    /// lease gone.
    pub fn cancel(self) -> Option<ChunkMove> {
        match self.state {
            ChunkState::Pending { .. }
            | ChunkState::Running { .. }
            | ChunkState::Prepared { .. }
            | ChunkState::Parked { .. } => Some(self.ended(ChunkState::Cancelled)),
            ChunkState::Recorded { .. } | ChunkState::Failed { .. } | ChunkState::Cancelled => None,
        }
    }

    /// What of it may lie in the container though it is no part of the export: files that were given
    /// up, and not replaced by those that are recorded.
    pub fn leftovers(&self) -> impl Iterator<Item = &BlobName> {
        let recorded = self.output().map_or(&[][..], |output| &output.files);
        let is_recorded = |name: &BlobName| recorded.iter().any(|file| file.prepared.name == *name);
        self.given_up.iter().filter(move |name| !is_recorded(name))
    }

    /// Whether it is recorded and could not export some of its parts.
    pub fn is_partial(&self) -> bool {
        self.output()
            .is_some_and(|output| !output.missing.is_empty())
    }

    /// What it came to, once that is recorded.
    pub fn output(&self) -> Option<&Output> {
        match &self.state {
            ChunkState::Recorded { output } => Some(output),
            ChunkState::Pending { .. }
            | ChunkState::Running { .. }
            | ChunkState::Prepared { .. }
            | ChunkState::Parked { .. }
            | ChunkState::Failed { .. }
            | ChunkState::Cancelled => None,
        }
    }

    /// Hands what a recorded chunk could not export over to a new one, in a job that is resumed: there
    /// alone it is tried again. `None` when nothing is missing.
    pub fn hand_over(self, to: ChunkKey) -> Option<(ChunkMove, Self)> {
        let ChunkState::Recorded { ref output } = self.state else {
            return None;
        };
        if output.missing.is_empty() {
            return None;
        }
        let mut output = output.clone();
        let missing = std::mem::take(&mut output.missing);
        let (source, taken) = self.source.split(&missing);
        let next = Self::planned(to, taken, self.expires);
        let whole = Self { source, ..self }.to(ChunkState::Recorded { output });
        let tally = TallyChange {
            partial: -1,
            ..TallyChange::default()
        };
        Some((ChunkMove { tally, ..whole }, next))
    }

    /// Lets a chunk that has no recorded file run again, in a job that is resumed. An open chunk
    /// too: its message may have been done with while the job was not at work. A run that holds it
    /// finds the lease gone.
    pub fn reopen(self) -> Option<ChunkMove> {
        match self.state {
            ChunkState::Pending { .. }
            | ChunkState::Running { .. }
            | ChunkState::Prepared { .. }
            | ChunkState::Parked { .. } => {
                let prepared = self.prepared().cloned();
                Some(self.to(ChunkState::Pending { prepared }))
            }
            ChunkState::Failed { .. } | ChunkState::Cancelled => {
                let tally = TallyChange {
                    open: 1,
                    failed: -1,
                    ..TallyChange::default()
                };
                Some(ChunkMove {
                    tally,
                    ..self.to(ChunkState::Pending { prepared: None })
                })
            }
            ChunkState::Recorded { .. } => None,
        }
    }

    /// The files whose block lists are durable, if there are some and they are not recorded yet.
    pub fn prepared(&self) -> Option<&Output> {
        match &self.state {
            ChunkState::Pending { prepared } | ChunkState::Parked { prepared } => prepared.as_ref(),
            ChunkState::Prepared { output, .. } => Some(output),
            ChunkState::Running { .. }
            | ChunkState::Recorded { .. }
            | ChunkState::Failed { .. }
            | ChunkState::Cancelled => None,
        }
    }

    /// Counts the prepared files, which must be committed, for good.
    ///
    /// # Errors
    /// [`IllegalMove`] when no file is prepared.
    pub fn record(self) -> Result<ChunkMove, IllegalMove> {
        let Some(output) = self.prepared().cloned() else {
            return Err(self.illegal("record"));
        };
        let tally = TallyChange {
            open: -1,
            recorded: 1,
            partial: (!output.missing.is_empty()).into(),
            counts: output.counts,
            ..TallyChange::default()
        };
        Ok(ChunkMove {
            tally,
            ..self.to(ChunkState::Recorded { output })
        })
    }

    /// Moves a chunk that is open and held by nobody.
    fn if_idle(self, now: OffsetDateTime, step: impl FnOnce(Self) -> ChunkMove) -> Claim {
        match self.state {
            ChunkState::Running { until, .. } | ChunkState::Prepared { until, .. }
                if now < until =>
            {
                Claim::Held { until }
            }
            ChunkState::Pending { .. }
            | ChunkState::Running { .. }
            | ChunkState::Prepared { .. }
            | ChunkState::Parked { .. } => Claim::Free(Box::new(step(self))),
            ChunkState::Recorded { .. } | ChunkState::Failed { .. } | ChunkState::Cancelled => {
                Claim::Closed
            }
        }
    }

    /// What a run found that cannot be exported, and left to the next one to know.
    fn missing(&self) -> MissingParts {
        match &self.state {
            ChunkState::Running { missing, .. } => missing.clone(),
            ChunkState::Pending { .. }
            | ChunkState::Prepared { .. }
            | ChunkState::Recorded { .. }
            | ChunkState::Parked { .. }
            | ChunkState::Failed { .. }
            | ChunkState::Cancelled => MissingParts::new(),
        }
    }

    fn illegal(&self, what: &'static str) -> IllegalMove {
        IllegalMove::new(what, self.state.name())
    }

    fn to(self, state: ChunkState) -> ChunkMove {
        ChunkMove {
            chunk: Self { state, ..self },
            tally: TallyChange::default(),
        }
    }

    /// Gives up what is prepared, if anything is.
    fn give_up(mut self) -> Self {
        let prepared = self.prepared().map(Output::names).unwrap_or_default();
        self.given_up.extend(prepared);
        self
    }

    fn ended(self, state: ChunkState) -> ChunkMove {
        let tally = TallyChange {
            open: -1,
            failed: 1,
            ..TallyChange::default()
        };
        ChunkMove {
            tally,
            ..self.give_up().to(state)
        }
    }
}

/// What the store does to a chunk, which is no move.
impl Chunk {
    /// The chunk once it is written: its stored item has been written once more.
    #[must_use]
    pub fn written(self) -> Self {
        let revision = self.revision + 1;
        Self { revision, ..self }
    }
}

#[cfg(test)]
mod tests;
