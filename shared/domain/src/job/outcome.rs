//! How a job ends, and what decides it.

use super::Plan;
use crate::manifest::{Missing, Shortfall};
use crate::plural::counted;
use crate::tally::Tally;

/// Why a job is ended before all of its chunks are.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Cancellation {
    /// Its owner asked for it.
    Asked,
    /// It waited too long for its owner to resume it, with a new credential mostly.
    CredentialOverdue,
}

impl Cancellation {
    /// What `errorDetails` says first of such a job.
    pub fn sentence(self) -> &'static str {
        match self {
            Self::Asked => "The job was cancelled.",
            Self::CredentialOverdue => "The job waited too long to be resumed.",
        }
    }
}

/// How a job ended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Outcome {
    /// Every chunk is recorded: complete and exact.
    Succeeded,
    /// Some chunks could not be exported.
    Incomplete {
        /// Which and why, in words.
        details: String,
    },
    /// The job as a whole could not be done.
    Failed {
        /// What failed, in words: the plan, the manifest or the wait for a credential.
        details: String,
    },
    /// The owner cancelled it before all chunks were recorded.
    Cancelled {
        /// What is whole all the same, in words.
        details: String,
    },
}

impl Outcome {
    /// How a job ends whose manifest lists this much as missing, beside the files of all others.
    pub(crate) fn of_manifest(
        plan: &Plan,
        cancelled: Option<Cancellation>,
        tally: &Tally,
        missing: &Shortfall,
    ) -> Self {
        let whole = format!(
            "The files of {} of {} are whole and listed in the manifest.",
            tally.recorded,
            counted(tally.planned, "chunk")
        );
        match (plan, cancelled) {
            (Plan::Complete { .. }, _) if missing.entries() == 0 && tally.is_complete() => {
                Self::Succeeded
            }
            (_, Some(why)) => Self::of_cancellation(why, &whole),
            (Plan::Failed { reason, .. }, None) => Self::Failed {
                details: format!("The selection could not be planned: {reason}. {whole}"),
            },
            (Plan::Complete { .. } | Plan::Open { .. }, None) => Self::Incomplete {
                details: incomplete(tally, missing, &whole),
            },
        }
    }

    /// How a job ends early, or fails, whose manifest cannot be written; `reason` goes on after a
    /// colon.
    pub(super) fn without_manifest(cancelled: Option<Cancellation>, reason: &str) -> Self {
        let details = format!("The manifest could not be written: {reason}.");
        match cancelled {
            None => Self::Failed { details },
            Some(why) => Self::of_cancellation(why, &details),
        }
    }

    /// How a job ends that was ended early; `details` follow after why.
    fn of_cancellation(why: Cancellation, details: &str) -> Self {
        let details = format!("{} {details}", why.sentence());
        match why {
            Cancellation::Asked => Self::Cancelled { details },
            Cancellation::CredentialOverdue => Self::Failed { details },
        }
    }

    /// What `errorDetails` says; absent when the job succeeded.
    pub fn details(&self) -> Option<&str> {
        match self {
            Self::Succeeded => None,
            Self::Incomplete { details }
            | Self::Failed { details }
            | Self::Cancelled { details } => Some(details),
        }
    }

    /// Whether a job ends so only once its manifest is written.
    pub fn needs_manifest(&self) -> bool {
        match self {
            Self::Succeeded | Self::Incomplete { .. } => true,
            Self::Failed { .. } | Self::Cancelled { .. } => false,
        }
    }
}

/// What of a planned job is missing, and why.
fn incomplete(tally: &Tally, missing: &Shortfall, whole: &str) -> String {
    let counts = [
        (missing.chunks, "chunk"),
        (missing.objects, "object"),
        (missing.days, "day"),
    ];
    let counts = counts
        .into_iter()
        .filter(|(count, _)| *count > 0)
        .map(|(count, what)| counted(count, what));
    let counts = counts.collect::<Vec<_>>().join(" and ");
    let mut said = Vec::new();
    if missing.entries() > 0 {
        let reasons = reasons(missing);
        said.push(format!("{counts} could not be exported: {reasons}."));
    }
    let cut = tally.counts.rejected_in_part;
    if cut > 0 {
        let records = counted(cut, "rejected record");
        said.push(format!(
            "{records} of more than 1 MiB: only the beginning is in the files of rejects."
        ));
    }
    said.push(whole.to_owned());
    said.join(" ")
}

/// The first few reasons; the manifest lists them all.
fn reasons(missing: &Shortfall) -> String {
    let named = missing
        .first
        .iter()
        .map(|one: &Missing| match (one.day, &one.object, one.chunk) {
            (Some(day), _, _) => format!("{day}: {}", one.reason),
            (None, None, Some(chunk)) => format!("chunk {chunk}: {}", one.reason),
            (None, Some(object), _) => format!("{object} {}", one.reason),
            (None, None, None) => one.reason.clone(),
        });
    let named = named.collect::<Vec<_>>().join("; ");
    if missing.entries() > missing.first.len() as u64 {
        named + "; the manifest lists the others"
    } else {
        named
    }
}
