//! What phase a job is in, and the names of the phases.

use strum::{Display, EnumString, IntoStaticStr, VariantArray};
use time::OffsetDateTime;

use super::{Cancellation, Outcome};
use crate::container::PreparedFile;

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
        self.kind().into()
    }

    /// The phase, without what is true in it.
    pub fn kind(&self) -> PhaseName {
        match self {
            Self::Queued => PhaseName::Queued,
            Self::Planning => PhaseName::Planning,
            Self::Running => PhaseName::Running,
            Self::AwaitingCredential { .. } => PhaseName::AwaitingCredential,
            Self::Resuming => PhaseName::Resuming,
            Self::Cancelling { .. } => PhaseName::Cancelling,
            Self::Finishing { .. } => PhaseName::Finishing,
            Self::Ended { outcome, .. } => match outcome {
                Outcome::Succeeded => PhaseName::Succeeded,
                Outcome::Incomplete { .. } => PhaseName::Incomplete,
                Outcome::Failed { .. } => PhaseName::Failed,
                Outcome::Cancelled { .. } => PhaseName::Cancelled,
            },
        }
    }

    /// The state of the contract that this phase is seen as.
    pub fn wire_state(&self) -> &'static str {
        self.kind().wire_state()
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
}

/// The name of a phase: an end's is its outcome.
#[derive(
    Debug,
    Clone,
    Copy,
    PartialEq,
    Eq,
    Hash,
    PartialOrd,
    Ord,
    Display,
    EnumString,
    IntoStaticStr,
    VariantArray,
)]
#[strum(serialize_all = "kebab-case")]
pub enum PhaseName {
    /// [`Phase::Queued`].
    Queued,
    /// [`Phase::Planning`].
    Planning,
    /// [`Phase::Running`].
    Running,
    /// [`Phase::AwaitingCredential`].
    AwaitingCredential,
    /// [`Phase::Resuming`].
    Resuming,
    /// [`Phase::Cancelling`].
    Cancelling,
    /// [`Phase::Finishing`].
    Finishing,
    /// Ended by [`Outcome::Succeeded`].
    Succeeded,
    /// Ended by [`Outcome::Incomplete`].
    Incomplete,
    /// Ended by [`Outcome::Failed`].
    Failed,
    /// Ended by [`Outcome::Cancelled`].
    Cancelled,
}

impl PhaseName {
    /// Every phase.
    pub const ALL: &[Self] = Self::VARIANTS;

    /// Reads a stored name; `None` when it is no phase's.
    pub fn from_name(name: &str) -> Option<Self> {
        name.parse().ok()
    }

    /// The state of the contract that a job in this phase is seen as.
    pub fn wire_state(self) -> &'static str {
        match self {
            Self::Queued | Self::Planning => "Queued",
            Self::Running
            | Self::AwaitingCredential
            | Self::Resuming
            | Self::Cancelling
            | Self::Finishing => "Started",
            Self::Succeeded => "Succeeded",
            Self::Incomplete | Self::Failed | Self::Cancelled => "Failed",
        }
    }
}
