//! `audit list`: who changed which export, and how.

use clap::{Args, Subcommand};
use client::console::{Output, counted};
use client::ending::Ending;
use client::failure::Failure;
use client::verify::shown;
use domain::app::{AppPath, AppScope};
use exports_table::Audited;
use ports::clock::Clock;
use serde_json::{Value, json};
use time::Date;
use wiring::SystemClock;

use crate::deployment::Deployment;
use crate::lake::day;
use crate::{endings, failures};

/// What is done about what was written down.
#[derive(Debug, Subcommand)]
pub(crate) enum AuditCommand {
    /// Lists the changes of some days: who created, renewed, resumed or cancelled which export.
    #[command(after_help = endings::help())]
    List(ListArguments),
}

/// Which changes are listed.
#[derive(Debug, Args)]
pub(crate) struct ListArguments {
    /// The first day (UTC); today unless it is given.
    #[arg(long, value_name = "DAY", value_parser = day)]
    from: Option<Date>,
    /// The last day (UTC), which is included; today unless it is given.
    #[arg(long, value_name = "DAY", value_parser = day)]
    to: Option<Date>,
    /// Only those by this subject.
    #[arg(long)]
    subject: Option<String>,
    /// Only those of apps at or below this path.
    #[arg(long, value_parser = path)]
    path: Option<AppPath>,
}

/// Does what is asked.
///
/// # Errors
/// What the exports table refuses, or that it does not answer.
pub(crate) async fn run(
    command: AuditCommand,
    deployment: &Deployment,
    output: Output,
) -> Result<Ending, Failure> {
    let AuditCommand::List(arguments) = command;
    let today = SystemClock.now().date();
    let (from, to) = (
        arguments.from.unwrap_or(today),
        arguments.to.unwrap_or(today),
    );
    if to < from {
        let message = format!("--to {to} is before --from {from}: give the first day first");
        return Err(Failure::usage(message));
    }
    let table = deployment.exports_table()?;
    let (mut day, mut listed) = (from, Vec::new());
    while day <= to {
        let found = table.audited(day).await;
        let found = found.map_err(|error| failures::of_table(&error))?;
        let found = found.into_iter().filter(|it| arguments.wants(it));
        for audited in found {
            output.line(line(&audited));
            listed.push(document(&audited));
        }
        let Some(next) = day.next_day() else { break };
        day = next;
    }
    if !output.quiet {
        let changes = counted(listed.len() as u64, "change");
        output.line(format_args!("· {changes} from {from} to {to}"));
    }
    output.document(&json!({"changes": listed}));
    Ok(Ending::Done)
}

impl ListArguments {
    fn wants(&self, audited: &Audited) -> bool {
        let scope = AppScope::from_canonical(audited.scope.as_str());
        self.subject.as_ref().is_none_or(|by| *by == audited.by)
            && self
                .path
                .as_ref()
                .is_none_or(|path| scope.is_within(path.as_str()))
    }
}

fn line(it: &Audited) -> String {
    let days = match (&it.from, &it.to) {
        (Some(from), Some(to)) => format!(" {from} to {to}"),
        (_, _) => String::new(),
    };
    let texts = [
        &it.at,
        &it.by,
        &it.act,
        &it.export_type,
        &days,
        &it.job,
        &it.scope,
        &it.container,
    ];
    let [at, by, act, of, days, job, scope, container] = texts.map(|text| shown(text));
    format!("{at}  {by}  {act} {of}{days}  {job}  {scope}  {container}")
}

fn document(it: &Audited) -> Value {
    json!({
        "at": it.at, "by": it.by, "act": it.act, "app": it.scope, "jobId": it.job, "exportType": it.export_type,
        "startDate": it.from, "endDate": it.to, "container": it.container,
    })
}

fn path(text: &str) -> Result<AppPath, String> {
    AppPath::parse(text).map_err(|error| error.to_string())
}
