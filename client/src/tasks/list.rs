//! `engagement-export list`: the exports of the app.

use clap::builder::PossibleValuesParser;
use clap::{Args, ValueEnum};
use domain::job::State;
use domain::selection::ExportType;
use serde_json::{Value, json};

use crate::api::Api;
use crate::console::Output;
use crate::create::moment;
use crate::ending::Ending;
use crate::failure::Failure;
use crate::task::Task;

/// The most tasks that the service puts on a page.
const MOST_PER_PAGE: usize = 40;

/// Which exports are listed, and in which order.
#[derive(Debug, Args)]
pub(crate) struct ListArguments {
    /// Exports in this state only.
    #[arg(long, ignore_case = true, value_parser = PossibleValuesParser::new(states()))]
    state: Option<String>,
    /// Exports of this type only.
    #[arg(long = "type", ignore_case = true, value_parser = PossibleValuesParser::new(types()))]
    export_type: Option<String>,
    /// Exports created later than this moment, such as 2026-01-31T08:00:00Z.
    #[arg(long, value_name = "MOMENT", value_parser = moment)]
    created_after: Option<String>,
    /// What they are sorted by.
    #[arg(long, value_enum, default_value_t = SortBy::Created)]
    sort: SortBy,
    /// The least first, or the oldest, instead of the last.
    #[arg(long)]
    ascending: bool,
    /// How many at most.
    #[arg(long, value_name = "COUNT", default_value_t = 20)]
    limit: usize,
    /// All of them, whatever the limit.
    #[arg(long)]
    all: bool,
}

/// What exports can be sorted by.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum SortBy {
    /// When they were created.
    Created,
    /// When they ended; those that have not are last.
    Completed,
    /// Their state.
    State,
    /// Why they failed.
    Error,
}

impl SortBy {
    /// As the service calls it. Ids are in the order of creation, and cost least.
    fn wire(self) -> &'static str {
        match self {
            Self::Created => "taskId",
            Self::Completed => "dateCompleted",
            Self::State => "taskStatus",
            Self::Error => "errorDetails",
        }
    }
}

fn states() -> impl Iterator<Item = &'static str> {
    State::ALL.iter().map(|state| state.name())
}

fn types() -> impl Iterator<Item = &'static str> {
    ExportType::ALL.iter().map(|of| of.name())
}

impl ListArguments {
    fn most(&self) -> usize {
        if self.all { usize::MAX } else { self.limit }
    }

    /// The query of the page behind so many tasks.
    fn query(&self, skip: usize) -> Vec<(String, String)> {
        let direction = if self.ascending { "asc" } else { "desc" };
        let mut query = vec![
            ("$skip", skip.to_string()),
            ("$top", MOST_PER_PAGE.to_string()),
            ("$orderby", format!("{} {direction}", self.sort.wire())),
        ];
        // An older service does not know these, and lists everything: see `Task::fits`.
        let wanted = [
            ("state", &self.state),
            ("exportType", &self.export_type),
            ("createdAfter", &self.created_after),
        ];
        let given = wanted.into_iter();
        query.extend(given.filter_map(|(name, value)| Some((name, value.clone()?))));
        query
            .into_iter()
            .map(|(name, value)| (name.to_owned(), value))
            .collect()
    }

    fn takes(&self, task: &Task) -> bool {
        task.fits(
            self.state.as_deref(),
            self.export_type.as_deref(),
            self.created_after.as_deref(),
        )
    }
}

/// Lists the exports of the app. A page is held in memory, and, for JSON, all that is listed.
///
/// # Errors
/// What the service refuses, or that it does not answer.
pub(crate) async fn list(
    api: &Api,
    arguments: &ListArguments,
    output: Output,
) -> Result<Ending, Failure> {
    let (mut skip, mut listed) = (0, 0);
    let mut values = Vec::new();
    if !output.quiet {
        output.line(Task::head());
    }
    while listed < arguments.most() {
        let page = api.page(&arguments.query(skip)).await?.body;
        let is_last = page.get("nextLink").is_none_or(Value::is_null);
        let Some(tasks) = page.get("value").and_then(Value::as_array) else {
            let message = "what answers is not this service: its list has no `value`";
            return Err(Failure::unknown(message));
        };
        skip += tasks.len();
        for said in tasks {
            let task = Task::of(said.clone())?;
            if listed < arguments.most() && arguments.takes(&task) {
                listed += 1;
                output.line(task.row());
                values.extend(output.json.then_some(task.said));
            }
        }
        if is_last || tasks.is_empty() {
            break;
        }
    }
    output.document(&json!({"value": values}));
    Ok(Ending::Done)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn everything_that_can_be_sorted_by_is_known_to_the_service() {
        for sort in SortBy::value_variants() {
            let query = format!("$orderby={} desc", sort.wire());
            assert!(api::query::Query::parse(&query).page().is_ok(), "{sort:?}");
        }
    }
}
