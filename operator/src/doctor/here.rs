//! The settings, the tables and the lake, by the adapters of the functions.

use client::ending::Ending;
use client::failure::Failure;
use domain::app::AppScope;
use domain::cause::in_one_line;
use domain::selection::{DateRange, DeviceType, History, HistoryType, Selection, Snapshot};
use ports::clock::Clock;
use ports::source::Unanswered;
use ports::store::WaitingJobs;
use wiring::{SystemClock, Wiring};

use crate::checks::{Check, Light};
use crate::deployment::Deployment;
use crate::failures;

/// An app that nobody has: what is asked for it is answered quickly.
const NOBODY: &str = "/subscriptions/doctor";

/// Every setting that is given, read as the functions read it.
pub(super) fn settings(deployment: &Deployment) -> Vec<Check> {
    let wiring = deployment.wiring();
    let read: [(&str, Result<(), String>); 4] = [
        ("planner", said(plan_export::Settings::of(wiring))),
        ("runs", said(run_export_chunk::Settings::of(wiring))),
        ("sources", said(sources::wire_to_plan(wiring))),
        ("retention", said(wiring.job_lives())),
    ];
    let wrong: Vec<Check> = read
        .into_iter()
        .filter_map(|(of, read)| Some((of, read.err()?)))
        .map(|(of, problem)| Check::red(format!("settings of the {of}"), problem))
        .collect();
    if wrong.is_empty() {
        vec![Check::green(
            "settings",
            "each fits, as the functions read them",
        )]
    } else {
        wrong
    }
}

fn said<T>(read: Result<T, impl std::error::Error + 'static>) -> Result<(), String> {
    read.map(drop).map_err(|error| in_one_line(&error))
}

/// Whether the exports table answers, and who waits in it.
pub(super) async fn exports_table(deployment: &Deployment) -> Check {
    let name = "exports table";
    let table = match deployment.exports_table() {
        Ok(table) => table,
        Err(failure) => return Check::red(name, failure.message),
    };
    match table.waiting(None).await {
        Ok(waiting) if waiting.is_empty() => {
            Check::green(name, "it answers; no job waits for a signature")
        }
        Ok(_) => Check::green(
            name,
            "it answers; jobs wait for a signature, which their clients give",
        ),
        Err(error) => of(name, failures::of_table(&error, table.table())),
    }
}

/// Whether the registry answers.
pub(super) async fn registry(deployment: &Deployment) -> Check {
    let devices = Snapshot::Devices(DeviceType::Device);
    asked(deployment.wiring(), "registry", devices.into()).await
}

/// Whether the lake can be listed.
pub(super) async fn lake(deployment: &Deployment) -> Check {
    let day = SystemClock.now().date();
    let history = History {
        of: HistoryType::Event,
        days: DateRange {
            start: day,
            end: day,
        },
    };
    asked(deployment.wiring(), "lake", history.into()).await
}

async fn asked(wiring: &Wiring, name: &str, selection: Selection) -> Check {
    let sources = match sources::wire_to_plan(wiring) {
        Ok(sources) => sources,
        Err(error) => return Check::red(name, in_one_line(&error)),
    };
    let scope = AppScope::from_canonical(NOBODY);
    let planned = sources.plan(&scope, &selection, None, 1, Unanswered::IsRetried);
    match planned.await.map(|page| page.missing) {
        Ok(missing) if missing.is_empty() => Check::green(name, "it answers"),
        Ok(missing) => {
            let reasons = missing.into_iter().map(|day| day.reason);
            Check::red(name, reasons.collect::<Vec<_>>().join("; "))
        }
        Err(error) => of(name, failures::of_source(&error)),
    }
}

/// What does not answer is not known to be wrong.
fn of(name: &str, failure: Failure) -> Check {
    let light = if failure.ending == Ending::Unknown {
        Light::Unknown
    } else {
        Light::Red
    };
    Check::new(light, name, failure.message)
}
