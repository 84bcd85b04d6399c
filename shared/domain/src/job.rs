//! A job: what a client asked for, and where its export stands.
//!
//! ```text
//! queued ──▶ planning ──▶ running ──▶ finishing ──▶ succeeded | incomplete | failed | cancelled
//!   ▲            │           ▲ │          ▲                        │ (all but succeeded)
//!   └────────────┘           │ │          │                        ▼
//!    out of time             │ │      cancelling ◀── asked, or   resuming ──▶ planning
//!                            │ ▼                     overdue       ▲
//!                      planning, awaiting-credential ──────────────┘
//! ```
//!
//! Chunk runs start while the plan is still being written. A job finishes when its plan is closed
//! and no chunk is open, or when it is being cancelled and every open chunk has been closed. The
//! moves are in `job/moves.rs`.

mod moves;
mod outcome;
mod stored;
mod warnings;

use std::fmt;

use thiserror::Error;
use time::OffsetDateTime;
use uuid::Uuid;

pub use self::outcome::{Cancellation, Outcome};
pub use self::stored::{ImpossibleJob, Job, MAX_SHARDS, StoredJob};
use crate::app::AppScope;
use crate::container::PreparedFile;

/// A job's id: a `UUIDv7`, so that ids sort by creation.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct JobId(Uuid);

impl JobId {
    /// Wraps a fresh `UUIDv7`.
    pub const fn new(id: Uuid) -> Self {
        Self(id)
    }

    /// Reads an id, in any of the spellings of a UUID; `None` when it is none.
    pub fn parse(text: &str) -> Option<Self> {
        Uuid::try_parse(text).ok().map(Self)
    }
}

impl fmt::Display for JobId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.as_hyphenated().fmt(f)
    }
}

/// Which job of which app.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct JobKey {
    /// The app.
    pub scope: AppScope,
    /// The job.
    pub id: JobId,
}

/// A move that the present state does not allow.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[error("cannot {what} what is {state}")]
pub struct IllegalMove {
    what: &'static str,
    state: &'static str,
}

impl IllegalMove {
    /// `what` was asked of something in `state`.
    pub fn new(what: &'static str, state: &'static str) -> Self {
        Self { what, state }
    }
}

/// Where the source's listing goes on. Only the source reads it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PlanCursor(pub String);

/// How far the cutting of the selection into chunks has come.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Plan {
    /// More is to be planned.
    Open {
        /// Where to go on; absent before the first page.
        cursor: Option<PlanCursor>,
    },
    /// Everything that there was at this moment is planned, whatever came later and is planned too.
    Complete {
        /// When the source was first listed: data that came later may not be in the export.
        read_up_to: OffsetDateTime,
    },
    /// The selection could not be cut into chunks.
    Failed {
        /// Why, for the job's owner.
        reason: String,
        /// Where a retry goes on.
        cursor: Option<PlanCursor>,
    },
}

/// The name of the phase [`Phase::AwaitingCredential`].
pub const AWAITING_CREDENTIAL: &str = "awaiting-credential";

/// A job's phase, with what is true in it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Phase {
    /// Accepted; waits for a planner.
    Queued,
    /// Being cut into chunks; the first chunks run already.
    Planning,
    /// Planned; chunks run.
    Running,
    /// Storage refuses the credential; chunk runs park until the owner gives a new one.
    AwaitingCredential {
        /// Since when.
        since: OffsetDateTime,
        /// What storage said.
        reason: String,
    },
    /// Goes on: chunks that are not recorded are being reopened.
    Resuming,
    /// Open chunks are being closed; files that are prepared are still committed.
    Cancelling {
        /// Why.
        why: Cancellation,
    },
    /// No chunk is open; the manifest is being written.
    Finishing {
        /// Why it ends early, if it does.
        cancelled: Option<Cancellation>,
        /// The manifest's durable block list and the outcome that it tells, once prepared.
        manifest: Option<(PreparedFile, Outcome)>,
    },
    /// Ended.
    Ended {
        /// When.
        at: OffsetDateTime,
        /// How.
        outcome: Outcome,
        /// Whether a manifest says what it holds; always after success, and when only chunks are
        /// missing ([`Outcome::is_told_by_its_manifest`]).
        has_manifest: bool,
    },
}

impl Phase {
    /// The phase's name, as stored, as the pipe's filter reads it and as clients see it.
    pub fn name(&self) -> &'static str {
        match self {
            Self::Queued => "queued",
            Self::Planning => "planning",
            Self::Running => "running",
            Self::AwaitingCredential { .. } => AWAITING_CREDENTIAL,
            Self::Resuming => "resuming",
            Self::Cancelling { .. } => "cancelling",
            Self::Finishing { .. } => "finishing",
            Self::Ended {
                outcome: Outcome::Succeeded,
                ..
            } => "succeeded",
            Self::Ended {
                outcome: Outcome::Incomplete { .. },
                ..
            } => "incomplete",
            Self::Ended {
                outcome: Outcome::Failed { .. },
                ..
            } => "failed",
            Self::Ended {
                outcome: Outcome::Cancelled { .. },
                ..
            } => "cancelled",
        }
    }

    /// Why a job in this phase ends early, if it does.
    pub fn cancellation(&self) -> Option<Cancellation> {
        match self {
            Self::Cancelling { why } => Some(*why),
            Self::Finishing { cancelled, .. } => *cancelled,
            Self::Queued
            | Self::Planning
            | Self::Running
            | Self::AwaitingCredential { .. }
            | Self::Resuming
            | Self::Ended { .. } => None,
        }
    }

    /// How a job in this phase has ended, or will once its prepared manifest is committed.
    pub fn outcome(&self) -> Option<&Outcome> {
        match self {
            Self::Ended { outcome, .. }
            | Self::Finishing {
                manifest: Some((_, outcome)),
                ..
            } => Some(outcome),
            Self::Queued
            | Self::Planning
            | Self::Running
            | Self::AwaitingCredential { .. }
            | Self::Resuming
            | Self::Cancelling { .. }
            | Self::Finishing { manifest: None, .. } => None,
        }
    }

    /// The state of the contract that this phase is seen as.
    pub fn wire_state(&self) -> &'static str {
        match self {
            Self::Queued | Self::Planning => "Queued",
            Self::Running
            | Self::AwaitingCredential { .. }
            | Self::Resuming
            | Self::Cancelling { .. }
            | Self::Finishing { .. } => "Started",
            Self::Ended {
                outcome: Outcome::Succeeded,
                ..
            } => "Succeeded",
            Self::Ended { .. } => "Failed",
        }
    }
}

/// A shared access signature as sealed for one job; only who sealed it opens it.
#[derive(Clone, PartialEq, Eq)]
pub struct SealedCredential(pub Vec<u8>);

impl fmt::Debug for SealedCredential {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("[sealed]")
    }
}

/// The signature of a job's container.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Credential {
    /// The signature, sealed.
    pub sealed: SealedCredential,
    /// When it expires, as far as it says.
    pub expires: Option<OffsetDateTime>,
}

#[cfg(test)]
mod tests;
