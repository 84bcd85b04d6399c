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
    /// The plan is closed; the job finishes once no chunk is open.
    Running,
    /// Waits for its owner, with a new credential mostly; chunk runs park until then.
    AwaitingCredential {
        /// When the wait began; [`Cancellation::CredentialOverdue`] counts from then.
        since: OffsetDateTime,
        /// What the owner is to do something about.
        why: Wait,
    },
    /// Goes on: chunks that are not recorded are being reopened.
    Resuming,
    /// Open chunks are being closed; files that are prepared are still committed.
    Cancelling {
        /// Whether its owner asked for it, or no new credential came in time.
        why: Cancellation,
    },
    /// No chunk is open; the manifest is being written.
    Finishing {
        /// Why it ends early, if it does.
        cancelled: Option<Cancellation>,
        /// The manifest's durable block list and the outcome that it states, once prepared.
        manifest: Option<(PreparedFile, Outcome)>,
    },
    /// Has come to its outcome; after any but success it may be resumed.
    Ended {
        /// When it ended; clients see it as `dateCompleted`.
        at: OffsetDateTime,
        /// How complete the export is, with the text of `errorDetails`.
        outcome: Outcome,
        /// Whether a manifest says what it holds; always after success, and when only chunks are
        /// missing ([`Outcome::needs_manifest`]).
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
        self.kind().state().name()
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

/// Why a job waits for its owner.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Wait {
    /// Storage refuses the credential: a new one is needed.
    Refused {
        /// What storage said, in words that follow “because”.
        reason: String,
    },
    /// The service could not resume the job, which is not because of its credential: the owner
    /// resumes it again.
    NotResumed,
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
    /// [`Phase::Queued`], after creation and whenever a planner hands over.
    Queued,
    /// [`Phase::Planning`]; clients see it as `Queued`.
    Planning,
    /// [`Phase::Running`], also after a plan that failed.
    Running,
    /// [`Phase::AwaitingCredential`], until the job is resumed or cancelled.
    AwaitingCredential,
    /// [`Phase::Resuming`], until a planner goes on.
    Resuming,
    /// [`Phase::Cancelling`], until no chunk of the job is open.
    Cancelling,
    /// [`Phase::Finishing`], of a job that ends early, too.
    Finishing,
    /// Ended by [`Outcome::Succeeded`], the one end that nothing follows.
    Succeeded,
    /// Ended by [`Outcome::Incomplete`]; clients see it as `Failed`.
    Incomplete,
    /// Ended by [`Outcome::Failed`], also because a new credential was overdue.
    Failed,
    /// Ended by [`Outcome::Cancelled`]; clients see it as `Failed`.
    Cancelled,
}

impl PhaseName {
    /// Every phase, the four ends included.
    pub const ALL: &[Self] = Self::VARIANTS;

    /// Reads a stored name; `None` when it is no phase's.
    pub fn from_name(name: &str) -> Option<Self> {
        name.parse().ok()
    }

    /// The state of the contract that a job in this phase is seen as.
    pub fn state(self) -> State {
        match self {
            Self::Queued | Self::Planning => State::Queued,
            Self::Running
            | Self::AwaitingCredential
            | Self::Resuming
            | Self::Cancelling
            | Self::Finishing => State::Started,
            Self::Succeeded => State::Succeeded,
            Self::Incomplete | Self::Failed | Self::Cancelled => State::Failed,
        }
    }
}

/// The state of the contract that a phase is seen as.
#[derive(
    Debug,
    Clone,
    Copy,
    PartialEq,
    Eq,
    Hash,
    PartialOrd,
    Ord,
    EnumString,
    IntoStaticStr,
    VariantArray,
)]
#[strum(ascii_case_insensitive)]
pub enum State {
    /// No chunk is known of yet, or not all.
    Queued,
    /// At work, or waiting for its owner.
    Started,
    /// Every row is in the files.
    Succeeded,
    /// Ended in any other way.
    Failed,
}

impl State {
    /// Every state, in the order of a job's life.
    pub const ALL: &[Self] = Self::VARIANTS;

    /// The name on the wire.
    pub fn name(self) -> &'static str {
        self.into()
    }

    /// Reads [`State::name`] ignoring case.
    pub fn from_name(name: &str) -> Option<Self> {
        name.parse().ok()
    }
}
