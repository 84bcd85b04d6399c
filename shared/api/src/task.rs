//! A job as its owner sees it: the contract's export task, and more.

mod asked;
mod progress;
mod signature;

use domain::container::BlobName;
use domain::job::{Job, Phase, Stage};
use domain::listing::Ignored;
use domain::warning::Warning;
use ports::store::{Counted, Role};
use serde::Serialize;
use time::format_description::well_known::Rfc3339;
use time::{OffsetDateTime, UtcOffset};

pub(crate) use self::asked::Options;
use self::asked::{Asked, Extent};
use self::progress::Progress;
use self::signature::{credential_expires, signature_warning, what_to_do};

/// The status of a task that has not ended.
const IN_PROGRESS: &str = "InProgress";

/// An export task. The fields after `error_details` are additions to the contract.
#[derive(Debug, Clone, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Task {
    id: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    description: Option<String>,
    state: &'static str,
    date_created: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    date_completed: Option<String>,
    export_type: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    error_details: Option<String>,
    /// What pollers of Azure Resource Manager look at.
    status: &'static str,
    phase: &'static str,
    /// Absent of jobs that an older version moved last.
    #[serde(skip_serializing_if = "Option::is_none")]
    phase_since: Option<String>,
    /// When the source was first listed.
    #[serde(skip_serializing_if = "Option::is_none")]
    date_started: Option<String>,
    #[serde(flatten)]
    asked: Asked,
    /// The container, and the folder in it, without its signature.
    container: String,
    /// For those alone who may change the task.
    #[serde(skip_serializing_if = "Option::is_none")]
    asked_by: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    credential_expires: Option<String>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    warnings: Vec<Warning>,
    /// Objects of the lake that are not read.
    #[serde(skip_serializing_if = "Option::is_none")]
    ignored: Option<Ignored>,
    #[serde(skip_serializing_if = "Option::is_none")]
    manifest_url: Option<String>,
    /// Only where one task is asked for.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    history: Vec<Came>,
    #[serde(skip_serializing_if = "Option::is_none")]
    progress: Option<Progress>,
}

/// A phase that the job came into.
#[derive(Debug, Clone, Serialize)]
struct Came {
    phase: &'static str,
    /// Absent where it was in that phase before anybody wrote it down.
    #[serde(skip_serializing_if = "Option::is_none")]
    since: Option<String>,
}

/// A page of an app's tasks.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct TaskList {
    /// The tasks of this page, without their history; those that run without their progress, too.
    pub value: Vec<Task>,
    /// The absolute URL of the next page; absent on the last one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub next_link: Option<String>,
}

impl Task {
    /// The job as a task, as short as in a list: without its history, and with its progress only when
    /// it stands in the job itself, which has ended then.
    pub fn of(job: &Job, viewer: Role) -> Self {
        let (ended, error_details) = ending(&job.phase);
        let phase_since = job.history.last().and_then(|stage| stage.since);
        Self {
            id: job.key.id.to_string(),
            description: job.request.description.clone(),
            state: job.phase.wire_state(),
            date_created: rfc3339(job.created),
            date_completed: ended.map(rfc3339),
            export_type: job.request.export_type().name(),
            error_details,
            status: operation_status(&job.phase),
            phase: job.phase.name(),
            phase_since: phase_since.map(rfc3339),
            date_started: job.listing.since.map(rfc3339),
            asked: Asked::of(&job.request, &job.asking, Extent::First),
            container: job.destination.to_string(),
            asked_by: asked_by(job, viewer),
            credential_expires: credential_expires(job).map(rfc3339),
            warnings: job.warnings.clone(),
            ignored: job.listing.ignored(),
            manifest_url: manifest_url(job),
            history: Vec::new(),
            progress: totals(job).map(|counted| Progress::of(job, &counted)),
        }
    }

    /// Adds the history, and all of a long filter: what stands in the answer about one task.
    #[must_use]
    pub fn in_full(self, job: &Job) -> Self {
        Self {
            asked: Asked::of(&job.request, &job.asking, Extent::Whole),
            history: job.history.iter().map(Came::of).collect(),
            ..self
        }
    }

    /// Whether the task has not ended.
    pub fn is_running(&self) -> bool {
        self.status == IN_PROGRESS
    }

    /// Whether it says how far the job has come.
    pub fn has_progress(&self) -> bool {
        self.progress.is_some()
    }

    /// Adds what is to be said of one call alone.
    #[must_use]
    pub(crate) fn with_warning(mut self, warning: Option<Warning>) -> Self {
        self.warnings.extend(warning);
        self
    }

    /// Adds how far the job has come, and a warning when its signature may not last until its end.
    #[must_use]
    pub fn with_progress(mut self, job: &Job, counted: &Counted, now: OffsetDateTime) -> Self {
        self.warnings.extend(signature_warning(job, counted, now));
        Self {
            progress: Some(Progress::of(job, counted)),
            ..self
        }
    }
}

impl Came {
    fn of(stage: &Stage) -> Self {
        Self {
            phase: stage.phase.into(),
            since: stage.since.map(rfc3339),
        }
    }
}

/// What the job itself says of its chunks: only once it has ended.
fn totals(job: &Job) -> Option<Counted> {
    let counted = |tally| Counted {
        tally,
        changed: None,
    };
    job.totals.map(counted)
}

/// Who asked, for whom it concerns.
fn asked_by(job: &Job, viewer: Role) -> Option<String> {
    match viewer {
        Role::Reader => None,
        Role::Contributor => job.asking.by.clone(),
    }
}

/// What is left to wait for, and the end, in the words of Azure Resource Manager
/// (<https://learn.microsoft.com/en-us/azure/azure-resource-manager/management/async-operations#provisioning-states>).
fn operation_status(phase: &Phase) -> &'static str {
    match phase {
        Phase::Queued
        | Phase::Planning
        | Phase::Running
        | Phase::AwaitingCredential { .. }
        | Phase::Resuming
        | Phase::Cancelling { .. }
        | Phase::Finishing { .. } => IN_PROGRESS,
        Phase::Ended { .. } => phase.wire_state(),
    }
}

/// When the job ended, and what its owner should know or do.
fn ending(phase: &Phase) -> (Option<OffsetDateTime>, Option<String>) {
    match phase {
        Phase::Queued
        | Phase::Planning
        | Phase::Running
        | Phase::Resuming
        | Phase::Cancelling { .. }
        | Phase::Finishing { .. } => (None, None),
        Phase::AwaitingCredential { since, why } => (None, Some(what_to_do(*since, why))),
        Phase::Ended { at, outcome, .. } => (Some(*at), outcome.details().map(str::to_owned)),
    }
}

/// Where the manifest of the job's end is, if one was written. That of an earlier end may still lie
/// there.
fn manifest_url(job: &Job) -> Option<String> {
    let is_written = matches!(
        job.phase,
        Phase::Ended {
            has_manifest: true,
            ..
        }
    );
    is_written.then(|| {
        job.destination
            .blob_url(&BlobName::manifest(job.request.export_type(), job.key.id))
    })
}

/// RFC 3339 in UTC, to the millisecond: some clients read at most seven decimals.
pub(crate) fn rfc3339(moment: OffsetDateTime) -> String {
    let moment = moment.checked_to_offset(UtcOffset::UTC).unwrap_or(moment);
    let (hour, minute, second, millisecond) = moment.time().as_hms_milli();
    format!(
        "{}T{hour:02}:{minute:02}:{second:02}.{millisecond:03}Z",
        moment.date()
    )
}

/// What a caller named, as [`rfc3339`], but with all its digits: cut, it would be another moment.
pub(crate) fn exact(moment: OffsetDateTime) -> String {
    if moment.nanosecond().is_multiple_of(1_000_000) {
        return rfc3339(moment);
    }
    let moment = moment.checked_to_offset(UtcOffset::UTC).unwrap_or(moment);
    moment.format(&Rfc3339).unwrap_or_else(|_| rfc3339(moment))
}

#[cfg(test)]
mod tests {
    use time::macros::datetime;

    use super::*;

    #[test]
    fn moments_are_written_in_utc_to_the_millisecond() {
        assert_eq!(
            rfc3339(datetime!(2026-11-21 01:02:03.987654321 +02:00)),
            "2026-11-20T23:02:03.987Z"
        );
    }
}
