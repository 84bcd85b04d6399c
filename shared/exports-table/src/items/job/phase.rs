//! The stored form of a job's phase, beside its name.

use std::ops::Not;

use domain::job::{Cancellation, Outcome, Phase, PhaseName, Wait};
use serde::{Deserialize, Serialize};
use time::OffsetDateTime;

use crate::items::{FileAttribute, unreadable};

/// What version 1 tells the owner of a job that could not be resumed, behind “because”.
const NOT_RESUMED: &str =
    "the service failed at every attempt to go on, for which PATCH with `{}` is enough";

/// What is stored of a phase beside its name.
#[derive(Default)]
pub(super) struct PhaseAttributes {
    pub(super) awaiting: Option<AwaitingAttribute>,
    pub(super) cancelled: Option<CancellationAttribute>,
    pub(super) manifest: Option<FileAttribute>,
    pub(super) outcome: Option<OutcomeAttribute>,
    pub(super) ended: Option<OffsetDateTime>,
    pub(super) manifest_written: Option<bool>,
}

impl From<&Phase> for PhaseAttributes {
    fn from(phase: &Phase) -> Self {
        match phase {
            Phase::Queued | Phase::Planning | Phase::Running | Phase::Resuming => Self::default(),
            Phase::AwaitingCredential { since, why } => Self {
                awaiting: Some(AwaitingAttribute::of(*since, why)),
                ..Self::default()
            },
            Phase::Cancelling { why } => Self {
                cancelled: Some((*why).into()),
                ..Self::default()
            },
            Phase::Finishing {
                cancelled,
                manifest,
            } => Self {
                cancelled: cancelled.map(Into::into),
                manifest: manifest.as_ref().map(|(file, _)| file.into()),
                outcome: manifest.as_ref().map(|(_, outcome)| outcome.into()),
                ..Self::default()
            },
            Phase::Ended {
                at,
                outcome,
                has_manifest,
            } => Self {
                outcome: Some(outcome.into()),
                ended: Some(*at),
                manifest_written: (*has_manifest && !outcome.needs_manifest()).then_some(true),
                ..Self::default()
            },
        }
    }
}

impl PhaseAttributes {
    /// The phase that is stored by this name.
    pub(super) fn into_phase(self, name: &str) -> Result<Phase, String> {
        let wrong = || unreadable("phase", name);
        let kind = PhaseName::from_name(name).ok_or_else(wrong)?;
        let phase = match kind {
            PhaseName::Queued => Some(Phase::Queued),
            PhaseName::Planning => Some(Phase::Planning),
            PhaseName::Running => Some(Phase::Running),
            PhaseName::Resuming => Some(Phase::Resuming),
            PhaseName::AwaitingCredential => self.awaiting.map(Phase::from),
            PhaseName::Cancelling => self
                .cancelled
                .map(|why| Phase::Cancelling { why: why.into() }),
            PhaseName::Finishing => self.finishing(),
            PhaseName::Succeeded
            | PhaseName::Incomplete
            | PhaseName::Failed
            | PhaseName::Cancelled => self.ended(),
        };
        phase.filter(|phase| phase.kind() == kind).ok_or_else(wrong)
    }

    fn finishing(self) -> Option<Phase> {
        let manifest = match (self.manifest, self.outcome) {
            (None, _) => None,
            (Some(file), outcome) => Some((file.into(), outcome?.into())),
        };
        Some(Phase::Finishing {
            cancelled: self.cancelled.map(Into::into),
            manifest,
        })
    }

    fn ended(self) -> Option<Phase> {
        let outcome = Outcome::from(self.outcome?);
        Some(Phase::Ended {
            at: self.ended?,
            has_manifest: self
                .manifest_written
                .unwrap_or_else(|| outcome.needs_manifest()),
            outcome,
        })
    }
}

/// Since when and why a job waits for its owner.
#[derive(Debug, Serialize, Deserialize)]
pub(super) struct AwaitingAttribute {
    #[serde(with = "time::serde::rfc3339")]
    since: OffsetDateTime,
    /// Version 1 tells it to the owner whatever `not_resumed` says.
    reason: String,
    /// Absent, and unknown to version 1, of a credential that was refused.
    #[serde(default, skip_serializing_if = "Not::not")]
    not_resumed: bool,
}

impl AwaitingAttribute {
    fn of(since: OffsetDateTime, why: &Wait) -> Self {
        let (reason, not_resumed) = match why {
            Wait::Refused { reason } => (reason.clone(), false),
            Wait::NotResumed => (NOT_RESUMED.to_owned(), true),
        };
        Self {
            since,
            reason,
            not_resumed,
        }
    }
}

impl From<AwaitingAttribute> for Phase {
    fn from(awaiting: AwaitingAttribute) -> Self {
        let AwaitingAttribute {
            since,
            reason,
            not_resumed,
        } = awaiting;
        let why = if not_resumed {
            Wait::NotResumed
        } else {
            Wait::Refused { reason }
        };
        Self::AwaitingCredential { since, why }
    }
}

/// Why a job is ended early.
#[derive(Debug, Clone, Copy, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum CancellationAttribute {
    Asked,
    CredentialOverdue,
}

/// How a job ended, or will end once its manifest is committed.
#[derive(Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum OutcomeAttribute {
    Succeeded,
    Incomplete(String),
    Failed(String),
    Cancelled(String),
}

impl From<Cancellation> for CancellationAttribute {
    fn from(why: Cancellation) -> Self {
        match why {
            Cancellation::Asked => Self::Asked,
            Cancellation::CredentialOverdue => Self::CredentialOverdue,
        }
    }
}

impl From<CancellationAttribute> for Cancellation {
    fn from(why: CancellationAttribute) -> Self {
        match why {
            CancellationAttribute::Asked => Self::Asked,
            CancellationAttribute::CredentialOverdue => Self::CredentialOverdue,
        }
    }
}

impl From<&Outcome> for OutcomeAttribute {
    fn from(outcome: &Outcome) -> Self {
        match outcome {
            Outcome::Succeeded => Self::Succeeded,
            Outcome::Incomplete { details } => Self::Incomplete(details.clone()),
            Outcome::Failed { details } => Self::Failed(details.clone()),
            Outcome::Cancelled { details } => Self::Cancelled(details.clone()),
        }
    }
}

impl From<OutcomeAttribute> for Outcome {
    fn from(outcome: OutcomeAttribute) -> Self {
        match outcome {
            OutcomeAttribute::Succeeded => Self::Succeeded,
            OutcomeAttribute::Incomplete(details) => Self::Incomplete { details },
            OutcomeAttribute::Failed(details) => Self::Failed { details },
            OutcomeAttribute::Cancelled(details) => Self::Cancelled { details },
        }
    }
}
