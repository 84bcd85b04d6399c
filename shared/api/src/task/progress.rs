//! How far a job has come.

use domain::counts::Counts;
use domain::job::{Job, Outcome, Phase, Plan};
use domain::tally::Tally;
use ports::store::Counted;
use serde::Serialize;
use time::OffsetDateTime;

use super::rfc3339;

/// What the chunks have come to. Nothing of it moves with the clock alone: moments and rates are those
/// of the last change that was recorded.
#[derive(Debug, Clone, Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Progress {
    /// Absent until the plan is complete.
    #[serde(skip_serializing_if = "Option::is_none")]
    chunks_total: Option<u64>,
    chunks_done: u64,
    chunks_failed: u64,
    #[serde(flatten, with = "domain::counts::wire")]
    counts: Counts,
    percent: u64,
    /// Absent where no time has passed or nobody wrote down moments.
    #[serde(skip_serializing_if = "Option::is_none")]
    rows_per_second: Option<u64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    estimated_completion: Option<String>,
    /// Absent of jobs that only an older version changed.
    #[serde(skip_serializing_if = "Option::is_none")]
    as_of: Option<String>,
}

impl Progress {
    pub(super) fn of(job: &Job, counted: &Counted) -> Self {
        let tally = &counted.tally;
        let chunks_total =
            matches!(job.plan, Plan::Complete { .. }).then_some(u64::from(job.chunks));
        let as_of = as_of(job, counted);
        Self {
            chunks_total,
            chunks_done: tally.recorded,
            chunks_failed: tally.failed,
            counts: tally.counts,
            percent: percent(&job.phase, chunks_total, tally.recorded),
            rows_per_second: as_of.and_then(|at| rows_per_second(job, tally, at)),
            estimated_completion: expected_end(job, counted).map(rfc3339),
            as_of: as_of.map(rfc3339),
        }
    }
}

/// The last change that was recorded: of the job's phase, or of its tallies.
fn as_of(job: &Job, counted: &Counted) -> Option<OffsetDateTime> {
    if let Phase::Ended { at, .. } = job.phase {
        return Some(at);
    }
    let moved = job.history.last().and_then(|stage| stage.since);
    counted.changed.max(moved)
}

/// When the job is expected to end, as of the last change of its tallies.
pub(super) fn expected_end(job: &Job, counted: &Counted) -> Option<OffsetDateTime> {
    job.expected_end(&counted.tally, counted.changed?)
}

/// Over all the time that the job was at work, to the nearest whole number.
fn rows_per_second(job: &Job, tally: &Tally, as_of: OffsetDateTime) -> Option<u64> {
    let millis = u128::try_from(job.worked(as_of).whole_milliseconds()).ok()?;
    let rows = u128::from(tally.counts.rows) * 1_000 + millis / 2;
    u64::try_from(rows.checked_div(millis)?).ok()
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

#[cfg(test)]
mod tests {
    use super::*;

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
