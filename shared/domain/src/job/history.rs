//! Which phases a job came into, and when.

use time::OffsetDateTime;

use super::{Phase, PhaseName};

/// The most stages that a job's item holds; the first are forgotten.
pub(super) const MOST_STAGES: usize = 50;

/// A phase that a job came into.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Stage {
    /// The phase.
    pub phase: PhaseName,
    /// Since when it was in it; unknown of the phase in which a job was when its history began.
    pub since: Option<OffsetDateTime>,
}

impl Phase {
    /// Since when a job is in this phase, where the phase itself says it.
    fn says_since(&self) -> Option<OffsetDateTime> {
        match self {
            Self::AwaitingCredential { since, .. } => Some(*since),
            Self::Ended { at, .. } => Some(*at),
            Self::Queued
            | Self::Planning
            | Self::Running
            | Self::Resuming
            | Self::Cancelling { .. }
            | Self::Finishing { .. } => None,
        }
    }

    /// What is known of the history of a job that kept none: an older version wrote it.
    pub fn known_history(&self) -> Vec<Stage> {
        vec![Stage {
            phase: self.kind(),
            since: self.says_since(),
        }]
    }

    /// The history of a job that is written at `at` in this phase. A write that leaves the phase as
    /// it is leaves the history so, too.
    pub(super) fn append_to(&self, history: &mut Vec<Stage>, at: OffsetDateTime) {
        let phase = self.kind();
        let since = self.says_since();
        if history.last().is_some_and(|last| last.phase == phase) {
            return;
        }
        let since = Some(since.unwrap_or(at));
        history.push(Stage { phase, since });
        let surplus = history.len().saturating_sub(MOST_STAGES);
        history.drain(..surplus);
    }
}
