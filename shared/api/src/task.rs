//! A job as its owner sees it: the contract's export task, and more.

use domain::container::BlobName;
use domain::counts::Counts;
use domain::job::{Job, Outcome, Phase, Plan, Wait};
use domain::listing::Ignored;
use domain::tally::Tally;
use domain::warning::{Warning, WarningCode};
use serde::Serialize;
use time::{Duration, OffsetDateTime, UtcOffset};

/// How long before its expiry a signature is worth a warning: what a new one must last at least,
/// too.
const EXPIRES_SOON: Duration = Duration::minutes(15);

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
    #[serde(skip_serializing_if = "Option::is_none")]
    credential_expires: Option<String>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    warnings: Vec<Warning>,
    /// Objects of the lake that are not read.
    #[serde(skip_serializing_if = "Option::is_none")]
    ignored: Option<Ignored>,
    #[serde(skip_serializing_if = "Option::is_none")]
    manifest_url: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    progress: Option<Progress>,
}

/// How far a job has come. It stands only in the answer about one task: a list would have to read
/// every tally.
#[derive(Debug, Clone, Serialize)]
#[serde(rename_all = "camelCase")]
struct Progress {
    /// Absent until the plan is complete.
    #[serde(skip_serializing_if = "Option::is_none")]
    chunks_total: Option<u64>,
    chunks_done: u64,
    #[serde(flatten, with = "domain::counts::wire")]
    counts: Counts,
    percent: u64,
}

/// A page of an app's tasks.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct TaskList {
    /// The tasks of this page, without their progress.
    pub value: Vec<Task>,
    /// The absolute URL of the next page; absent on the last one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub next_link: Option<String>,
}

impl Task {
    /// The job as a task, without its progress.
    pub fn of(job: &Job) -> Self {
        let (ended, error_details) = ending(&job.phase);
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
            credential_expires: credential_expires(job).map(rfc3339),
            warnings: job.warnings.clone(),
            ignored: job.listing.ignored(),
            manifest_url: manifest_url(job),
            progress: None,
        }
    }

    /// Whether the task has not ended.
    pub fn is_running(&self) -> bool {
        self.status == IN_PROGRESS
    }

    /// Adds what is to be said of one call alone.
    #[must_use]
    pub(crate) fn with_warning(mut self, warning: Option<Warning>) -> Self {
        self.warnings.extend(warning);
        self
    }

    /// Adds how far the job has come, and a warning when its signature may not last until its end.
    #[must_use]
    pub fn with_progress(mut self, job: &Job, tally: &Tally, now: OffsetDateTime) -> Self {
        let chunks_total =
            matches!(job.plan, Plan::Complete { .. }).then_some(u64::from(job.chunks));
        let progress = Progress {
            chunks_total,
            chunks_done: tally.recorded,
            counts: tally.counts,
            percent: percent(&job.phase, chunks_total, tally.recorded),
        };
        self.warnings.extend(signature_warning(job, tally, now));
        Self {
            progress: Some(progress),
            ..self
        }
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

/// Why a job waits, and what its owner should send.
fn what_to_do(since: OffsetDateTime, why: &Wait) -> String {
    let since = rfc3339(since);
    match why {
        Wait::Refused { reason } => format!(
            "Waiting since {since} for a new signature of the container, because {reason}. Nothing is lost: send PATCH \
             to this task with a new `containerUrl` of the same container, and the export goes on from the files that \
             it has."
        ),
        Wait::NotResumed => format!(
            "Waiting since {since} to be resumed again, because the service failed at every attempt to go on; the \
             signature of the container is not the cause. Nothing is lost: send PATCH to this task with `{{}}`, and the \
             export goes on from the files that it has. When it waits again, tell the service's operator the task's id."
        ),
    }
}

/// When the signature expires, as far as it says and as long as it matters.
fn credential_expires(job: &Job) -> Option<OffsetDateTime> {
    let matters = !matches!(job.phase, Phase::Ended { .. });
    job.credential.as_ref().filter(|_| matters)?.expires
}

/// What is to be done about a signature that ends before the job, while a new one can still be
/// given ahead.
fn signature_warning(job: &Job, tally: &Tally, now: OffsetDateTime) -> Option<Warning> {
    match job.phase {
        Phase::Queued | Phase::Planning | Phase::Running | Phase::Resuming => {}
        Phase::AwaitingCredential { .. }
        | Phase::Cancelling { .. }
        | Phase::Finishing { .. }
        | Phase::Ended { .. } => {
            return None;
        }
    }
    let expires = credential_expires(job)?;
    let expiry = rfc3339(expires);
    let problem = match expected_end(job, tally, now) {
        _ if expires <= now => format!("has expired at {expiry}"),
        Some(end) if expires < end => {
            format!(
                "expires at {expiry}, and the export is expected to end at about {}",
                rfc3339(end)
            )
        }
        _ if expires - now <= EXPIRES_SOON => format!("expires soon, at {expiry}"),
        Some(_) | None => return None,
    };
    let message = format!(
        "The signature of the container {problem}: send PATCH to this task with a new `containerUrl` of the same \
         container. Without it the export waits at that moment, and nothing is lost."
    );
    Some(Warning::new(WarningCode::SignatureExpires, message))
}

/// When the job ends if it goes on as it did since its creation; unknown until its plan is complete
/// and a chunk recorded.
fn expected_end(job: &Job, tally: &Tally, now: OffsetDateTime) -> Option<OffsetDateTime> {
    if !matches!(job.plan, Plan::Complete { .. }) || tally.recorded == 0 {
        return None;
    }
    let per_chunk = (now - job.created) / i32::try_from(tally.recorded).ok()?;
    now.checked_add(per_chunk.checked_mul(i32::try_from(tally.open).ok()?)?)
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

/// Whole percent of the chunks; 100 is kept for success.
fn percent(phase: &Phase, chunks_total: Option<u64>, chunks_done: u64) -> u64 {
    if matches!(
        phase,
        Phase::Ended {
            outcome: Outcome::Succeeded,
            ..
        }
    ) {
        return 100;
    }
    let done = chunks_total.and_then(|total| chunks_done.saturating_mul(100).checked_div(total));
    done.unwrap_or(0).min(99)
}

/// RFC 3339 in UTC, to the millisecond: some clients read at most seven decimals.
pub(super) fn rfc3339(moment: OffsetDateTime) -> String {
    let moment = moment.checked_to_offset(UtcOffset::UTC).unwrap_or(moment);
    let (hour, minute, second, millisecond) = moment.time().as_hms_milli();
    format!(
        "{}T{hour:02}:{minute:02}:{second:02}.{millisecond:03}Z",
        moment.date()
    )
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

    #[test]
    fn only_success_is_a_hundred_percent() {
        let ended = |outcome| Phase::Ended {
            at: OffsetDateTime::UNIX_EPOCH,
            outcome,
            has_manifest: true,
        };
        let incomplete = ended(Outcome::Incomplete {
            details: String::new(),
        });
        for (phase, total, done, expected) in [
            (Phase::Queued, None, 0, 0),
            (Phase::Planning, None, 7, 0),
            (Phase::Running, Some(3), 1, 33),
            (Phase::Running, Some(3), 3, 99),
            (Phase::Running, Some(0), 0, 0),
            (incomplete, Some(200), 199, 99),
            (ended(Outcome::Succeeded), Some(0), 0, 100),
        ] {
            assert_eq!(percent(&phase, total, done), expected, "{phase:?}");
        }
    }
}
