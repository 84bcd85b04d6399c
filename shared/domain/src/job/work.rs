//! How long a job was at work, and when it may end.

use time::{Duration, OffsetDateTime};

use super::{Job, Phase, PhaseName, Plan};
use crate::tally::Tally;

impl Job {
    /// How long the job was at work from its creation to a moment, without the times in which it
    /// waited for its owner or had ended, as far as its history goes back.
    pub fn worked(&self, until: OffsetDateTime) -> Duration {
        let begins = self.history.iter();
        let ends = begins.clone().skip(1).map(|stage| stage.since);
        let rests = begins.zip(ends).filter(|(stage, _)| rests(stage.phase));
        let rest = rests.filter_map(|(stage, end)| Some(end? - stage.since?));
        (until - self.created - rest.sum::<Duration>()).max(Duration::ZERO)
    }

    /// When the job was last asked to go on: by its creation, or by a resumption that its history
    /// knows of.
    pub fn last_begun(&self) -> OffsetDateTime {
        let mut stages = self.history.iter().rev();
        let resumed = stages.find(|stage| stage.phase == PhaseName::Resuming);
        resumed
            .and_then(|stage| stage.since)
            .unwrap_or(self.created)
    }

    /// When the job ends, if its chunks go on as those did that were recorded up to `as_of`: unknown
    /// until its plan is complete and a chunk recorded, and while it waits, is about to end or has
    /// ended.
    pub fn expected_end(&self, tally: &Tally, as_of: OffsetDateTime) -> Option<OffsetDateTime> {
        match self.phase {
            Phase::Queued | Phase::Planning | Phase::Running | Phase::Resuming => {}
            Phase::AwaitingCredential { .. }
            | Phase::Cancelling { .. }
            | Phase::Finishing { .. }
            | Phase::Ended { .. } => return None,
        }
        let is_planned = matches!(self.plan, Plan::Complete { .. });
        let recorded = i32::try_from(tally.recorded)
            .ok()
            .filter(|&count| count > 0)?;
        let per_chunk = self.worked(as_of) / recorded;
        let rest = per_chunk.checked_mul(i32::try_from(tally.open).ok()?)?;
        as_of.checked_add(rest).filter(|_| is_planned)
    }
}

/// Whether a job in this phase is at rest until its owner asks for more.
fn rests(phase: PhaseName) -> bool {
    match phase {
        PhaseName::AwaitingCredential
        | PhaseName::Succeeded
        | PhaseName::Incomplete
        | PhaseName::Failed
        | PhaseName::Cancelled => true,
        PhaseName::Queued
        | PhaseName::Planning
        | PhaseName::Running
        | PhaseName::Resuming
        | PhaseName::Cancelling
        | PhaseName::Finishing => false,
    }
}
