//! The stored form of a job's history, and of what it came to.

use domain::counts::Counts;
use domain::job::{Phase, PhaseName, Stage};
use domain::tally::Tally;
use serde::{Deserialize, Serialize};
use time::OffsetDateTime;

use crate::items::unreadable;

/// A phase that the job came into.
#[derive(Debug, Serialize, Deserialize)]
pub(super) struct StageAttribute {
    phase: String,
    /// Absent of the phase in which a job was when its history began.
    #[serde(
        default,
        skip_serializing_if = "Option::is_none",
        with = "time::serde::rfc3339::option"
    )]
    since: Option<OffsetDateTime>,
}

impl From<&Stage> for StageAttribute {
    fn from(stage: &Stage) -> Self {
        Self {
            phase: stage.phase.to_string(),
            since: stage.since,
        }
    }
}

impl TryFrom<StageAttribute> for Stage {
    type Error = String;

    fn try_from(attribute: StageAttribute) -> Result<Self, String> {
        let name = &attribute.phase;
        Ok(Self {
            phase: PhaseName::from_name(name).ok_or_else(|| unreadable("history", name))?,
            since: attribute.since,
        })
    }
}

/// The history of a job in this phase. That of an older item begins with the phase itself.
pub(super) fn stages(history: Vec<StageAttribute>, phase: &Phase) -> Result<Vec<Stage>, String> {
    if history.is_empty() {
        return Ok(phase.known_history());
    }
    history.into_iter().map(Stage::try_from).collect()
}

/// What the chunks of a job that has ended had come to.
#[derive(Debug, Serialize, Deserialize)]
pub(super) struct TotalsAttribute {
    planned: u64,
    open: u64,
    recorded: u64,
    failed: u64,
    partial: u64,
    #[serde(flatten, with = "domain::counts::stored")]
    counts: Counts,
}

impl From<&Tally> for TotalsAttribute {
    fn from(tally: &Tally) -> Self {
        Self {
            planned: tally.planned,
            open: tally.open,
            recorded: tally.recorded,
            failed: tally.failed,
            partial: tally.partial,
            counts: tally.counts,
        }
    }
}

impl From<TotalsAttribute> for Tally {
    fn from(totals: TotalsAttribute) -> Self {
        Self {
            planned: totals.planned,
            open: totals.open,
            recorded: totals.recorded,
            failed: totals.failed,
            partial: totals.partial,
            counts: totals.counts,
        }
    }
}
