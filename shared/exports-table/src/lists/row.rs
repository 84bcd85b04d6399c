//! What a job is looked for and sorted by.

use std::cmp::Ordering;

use domain::job::{JobId, Outcome, PhaseName, State};
use domain::selection::ExportType;
use ports::store::{SortKey, Wanted, beginning};
use time::OffsetDateTime;

use crate::items::{JobRow, RowItem, unreadable};

/// A job in a list; equal ones are in the order of their ids.
pub(super) struct Row {
    pub(super) id: JobId,
    state: State,
    export_type: ExportType,
    created: OffsetDateTime,
    ended: Option<OffsetDateTime>,
    /// The beginning of its error.
    details: Option<String>,
}

impl TryFrom<JobRow> for Row {
    type Error = String;

    fn try_from(job: JobRow) -> Result<Self, String> {
        let phase = PhaseName::from_name(&job.phase);
        let outcome = job.outcome.map(Outcome::from);
        let details = job.ended.and(outcome.as_ref().and_then(Outcome::details));
        Ok(Self {
            id: id(&job.job)?,
            state: phase
                .ok_or_else(|| unreadable("phase", &job.phase))?
                .state(),
            export_type: export_type(&job.export_type)?,
            created: job.created,
            details: details.map(|details| beginning(details).to_owned()),
            ended: job.ended,
        })
    }
}

impl TryFrom<RowItem> for Row {
    type Error = String;

    fn try_from(item: RowItem) -> Result<Self, String> {
        Ok(Self {
            id: item.id()?,
            state: State::from_name(&item.state).ok_or_else(|| unreadable("state", &item.state))?,
            export_type: export_type(&item.export_type)?,
            created: item.created,
            ended: item.ended,
            details: item.details,
        })
    }
}

impl Row {
    pub(super) fn is_among(&self, wanted: &Wanted) -> bool {
        wanted.fits(self.state, self.export_type, self.created)
    }

    pub(super) fn compare(&self, other: &Self, sort: SortKey) -> Ordering {
        let order = match sort {
            SortKey::Id | SortKey::Created => Ordering::Equal,
            SortKey::State => self.state.name().cmp(other.state.name()),
            SortKey::Completed => absent_last(self.ended.as_ref(), other.ended.as_ref()),
            SortKey::ErrorDetails => absent_last(self.details.as_ref(), other.details.as_ref()),
        };
        order.then_with(|| self.id.cmp(&other.id))
    }
}

fn id(text: &str) -> Result<JobId, String> {
    JobId::parse(text).ok_or_else(|| unreadable("job", text))
}

fn export_type(name: &str) -> Result<ExportType, String> {
    ExportType::from_name(name).ok_or_else(|| unreadable("export_type", name))
}

fn absent_last<T: Ord>(one: Option<&T>, other: Option<&T>) -> Ordering {
    one.is_none()
        .cmp(&other.is_none())
        .then_with(|| one.cmp(&other))
}
