//! Jobs as a test needs them, without the way that leads there.

use domain::job::{Job, Outcome, Phase, Plan, StoredJob};
use time::OffsetDateTime;

/// A job that is otherwise.
///
/// # Panics
/// When no job can be so.
#[expect(clippy::panic, reason = "a fake for tests, which are to fail")]
#[expect(clippy::disallowed_methods, reason = "stands for what was stored")]
pub fn altered(job: Job, change: impl FnOnce(&mut StoredJob)) -> Job {
    let mut stored = job.into_stored();
    change(&mut stored);
    Job::restore(stored).unwrap_or_else(|error| panic!("{error}"))
}

/// A job in a phase, with what is true of every job that has come there.
///
/// # Panics
/// When no job can be so.
pub fn in_phase(job: Job, phase: Phase) -> Job {
    altered(job, |stored| {
        if phase.outcome() == Some(&Outcome::Succeeded) {
            let read_up_to = stored.created;
            stored.plan = Plan::Complete { read_up_to };
            if matches!(phase, Phase::Ended { .. }) {
                stored.credential = None;
            }
        }
        stored.phase = phase;
    })
}

/// A job that has ended so, with a manifest that says so.
///
/// # Panics
/// When no job can be so.
pub fn ended(job: Job, at: OffsetDateTime, outcome: Outcome) -> Job {
    in_phase(
        job,
        Phase::Ended {
            at,
            outcome,
            has_manifest: true,
        },
    )
}
