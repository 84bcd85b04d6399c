//! `audit list`: who changed which export, and how.

use clap::{Args, Subcommand};
use client::console::{Output, counted};
use client::ending::Ending;
use client::failure::Failure;
use client::verify::{shown, shown_up_to};
use domain::app::{AppPath, AppScope};
use exports_table::Audited;
use ports::clock::Clock;
use serde_json::{Value, json};
use time::Date;
use wiring::SystemClock;
use wiring::config::AUDIT_DAYS;

use crate::checks::MOST_SHOWN;
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
    /// The first day (UTC); the last one unless it is given.
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
    let (from, to) = arguments.days()?;
    let table = deployment.exports_table()?;
    let (mut day, mut listed, mut unread) = (from, Vec::new(), Vec::new());
    while day <= to {
        let found = table.audited(day).await;
        let found = found.map_err(|error| failures::of_table(&error, table.table()))?;
        for audited in found {
            match audited {
                Ok(audited) if arguments.wants(&audited) => {
                    output.line(line(&audited));
                    listed.push(document(&audited));
                }
                Ok(_) => {}
                Err(error) => {
                    let problem = failures::of_table(&error, table.table()).message;
                    output.line(format_args!("✗ {}", shown_up_to(&problem, MOST_SHOWN)));
                    unread.push(problem);
                }
            }
        }
        let Some(next) = day.next_day() else { break };
        day = next;
    }
    if !output.quiet {
        let changes = counted(listed.len() as u64, "change");
        let asked = arguments.asked();
        output.line(format_args!("· {changes}{asked} from {from} to {to} (UTC)"));
        if let Some(first) = first_kept(deployment)?.filter(|first| from < *first) {
            output.line(format_args!(
                "· days before {first} are forgotten (AUDIT_DAYS, the parameter AuditDays)"
            ));
        }
    }
    let ending = if unread.is_empty() {
        Ending::Done
    } else {
        Ending::Wrong
    };
    output.document(&json!({"changes": listed, "unread": unread, "exitCode": ending.code()}));
    Ok(ending)
}

/// The first day of which what was changed is kept.
fn first_kept(deployment: &Deployment) -> Result<Option<Date>, Failure> {
    let kept = deployment.wiring().env().get(&AUDIT_DAYS);
    let kept = kept.map_err(|error| failures::of_setting(&error))?;
    Ok(SystemClock.now().date().checked_sub(kept))
}

impl ListArguments {
    /// The days that are meant.
    ///
    /// # Errors
    /// When there are none.
    fn days(&self) -> Result<(Date, Date), Failure> {
        let today = SystemClock.now().date();
        match (self.from, self.to) {
            (Some(from), Some(to)) if to < from => Err(Failure::usage(format!(
                "--to {to} is before --from {from}: give the first day first"
            ))),
            (Some(from), None) if today < from => Err(Failure::usage(format!(
                "--from {from} is after today, which is {today} (UTC): nothing was changed yet"
            ))),
            (from, to) => {
                let to = to.unwrap_or(today);
                Ok((from.unwrap_or(to), to))
            }
        }
    }

    /// What else was asked for, in words.
    fn asked(&self) -> String {
        let by = self.subject.as_ref();
        let by = by.map_or_else(String::new, |by| format!(" by {}", shown(by)));
        let below = self.path.as_ref();
        let below = below.map_or_else(String::new, |path| format!(" at or below {path}"));
        by + &below
    }

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
