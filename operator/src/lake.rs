//! `lake check`: what an export of some days would read, and what not.

use clap::{Args, Subcommand};
use client::console::Output;
use client::ending::Ending;
use client::failure::Failure;
use domain::app::AppScope;
use domain::filter::Filter;
use domain::operation::{OPERATIONS, SelectionKind};
use domain::selection::{DateRange, History, HistoryType};
use time::Date;
use time::format_description::BorrowedFormatItem;
use time::macros::format_description;
use wiring::config::MAX_RANGE_DAYS;

use crate::deployment::Deployment;
use crate::registry::app;
use crate::rehearsal::Rehearsal;
use crate::survey::{Sample, Survey};
use crate::{endings, failures};

const FULL_DATE: &[BorrowedFormatItem<'_>] = format_description!("[year]-[month]-[day]");

/// What is done about the lake.
#[derive(Debug, Subcommand)]
pub(crate) enum LakeCommand {
    /// Says what an export of these days would read, what it would leave out and why, and which
    /// records of a sample it would reject. Nothing is written.
    #[command(after_help = endings::help())]
    Check(CheckArguments),
}

/// Which days of which app.
#[derive(Debug, Args)]
pub(crate) struct CheckArguments {
    #[command(flatten)]
    pub(crate) days: DaysArguments,
    /// How many chunks are read to their end, evenly spread over the days; `all` reads everything.
    #[arg(long, value_name = "CHUNKS", default_value = "4", value_parser = sample)]
    sample: Sample,
}

/// Days of an app, as an export selects them.
#[derive(Debug, Args)]
pub(crate) struct DaysArguments {
    /// The app: its path, in any spelling.
    #[arg(long, value_name = "PATH", value_parser = app)]
    pub(crate) app: AppScope,
    /// The type, by its folder in the lake: activities, events, jobs, errors, sessions or crashes.
    #[arg(long = "type", value_name = "TYPE", value_parser = history_type)]
    pub(crate) of: HistoryType,
    /// The first day (UTC), such as 2026-01-05.
    #[arg(long, value_name = "DAY", value_parser = day)]
    pub(crate) from: Date,
    /// The last day (UTC), which is included.
    #[arg(long, value_name = "DAY", value_parser = day)]
    pub(crate) to: Date,
}

impl DaysArguments {
    /// What an export of it selects.
    ///
    /// # Errors
    /// When the last day is before the first, or the days are more than an export may span.
    pub(crate) fn history(&self, most: u32) -> Result<History, Failure> {
        let (start, end) = (self.from, self.to);
        if end < start {
            let message = format!("--to {end} is before --from {start}: give the first day first");
            return Err(Failure::usage(message));
        }
        let days = DateRange { start, end };
        if days.days() > i64::from(most) {
            let (many, setting) = (days.days(), MAX_RANGE_DAYS.name);
            let message = format!(
                "{many} days are more than an export may span ({setting}={most}): ask for fewer days at a time"
            );
            return Err(Failure::usage(message));
        }
        Ok(History { of: self.of, days })
    }
}

/// Does what is asked.
///
/// # Errors
/// What cannot be found out.
pub(crate) async fn run(
    command: LakeCommand,
    deployment: &Deployment,
    output: Output,
) -> Result<Ending, Failure> {
    let LakeCommand::Check(CheckArguments { days, sample }) = command;
    deployment.remark_on_lake(output)?;
    let most = deployment.wiring().env().get(&MAX_RANGE_DAYS);
    let history = days.history(most.map_err(|error| failures::of_setting(&error))?)?;
    let title = format!(
        "{} from {} to {}",
        folder(days.of),
        history.days.start,
        history.days.end
    );
    let wiring = deployment.wiring();
    let rehearsal = Rehearsal::plan(wiring, &days.app, history.into(), Filter::default()).await?;
    let survey = Survey::of(title, rehearsal, sample, output).await?;
    survey.tell(output);
    output.document(&survey.document());
    Ok(survey.ending())
}

/// The name of a type in the API's paths, and of its folder.
pub(crate) fn folder(of: HistoryType) -> &'static str {
    let mut operations = OPERATIONS.iter();
    let operation = operations.find(|it| it.selection == SelectionKind::Days(of));
    operation.map_or("", |operation| operation.name)
}

fn history_type(name: &str) -> Result<HistoryType, String> {
    let mut operations = OPERATIONS.iter();
    let found = operations.find_map(|operation| match operation.selection {
        SelectionKind::Days(of) if operation.name.eq_ignore_ascii_case(name) => Some(of),
        SelectionKind::Days(_)
        | SelectionKind::Devices(_)
        | SelectionKind::Campaigns
        | SelectionKind::ActiveCampaigns => None,
    });
    found.ok_or_else(|| {
        let names = OPERATIONS
            .iter()
            .filter(|it| matches!(it.selection, SelectionKind::Days(_)))
            .map(|it| it.name);
        format!("give one of {}", names.collect::<Vec<_>>().join(", "))
    })
}

fn sample(text: &str) -> Result<Sample, String> {
    if text.eq_ignore_ascii_case("all") {
        return Ok(Sample::All);
    }
    let number = text.parse().map(Sample::Chunks);
    number.map_err(|_| "give a number of chunks, or `all`".to_owned())
}

/// A day of the calendar.
pub(crate) fn day(text: &str) -> Result<Date, String> {
    Date::parse(text, FULL_DATE).map_err(|_| "give a day such as 2026-01-31".to_owned())
}
