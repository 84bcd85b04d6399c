//! Which exports could hold a device, and where their files are.

use client::console::Output;
use client::failure::Failure;
use client::verify::shown;
use domain::app::AppScope;
use domain::filter::DeviceId;
use domain::job::Job;
use domain::selection::Selection;
use ports::clock::Clock;
use ports::store::{JobLists, Page, SortKey, Wanted};
use serde_json::{Value, json};
use wiring::SystemClock;

use super::found::Found;
use crate::deployment::Deployment;
use crate::failures;

/// How many jobs are asked for at once.
const PAGE: usize = 100;

/// The exports of the app that could hold the device, told and as JSON.
///
/// # Errors
/// What the exports table refuses, or that it does not answer.
pub(super) async fn exports(
    deployment: &Deployment,
    app: &AppScope,
    device: DeviceId,
    lake: &Found,
    output: Output,
) -> Result<Vec<Value>, Failure> {
    let (table, now) = (deployment.exports_table()?, SystemClock.now());
    let mut exports = Vec::new();
    let mut page = Page {
        wanted: Wanted::default(),
        sort: SortKey::Id,
        descending: false,
        skip: 0,
        top: PAGE,
    };
    loop {
        let listed = table.jobs(app, page, now).await;
        let listed = listed.map_err(|error| failures::of_table(&error, table.table()))?;
        for job in listed.jobs.iter().filter(|job| could_hold(job, device)) {
            let is_found = is_found(job, lake);
            output.line(line(job, is_found));
            exports.push(document(job, is_found));
        }
        if !listed.more {
            return Ok(exports);
        }
        page.skip += PAGE;
    }
}

/// Unless it was asked for other devices alone, or nothing of it was ever planned.
fn could_hold(job: &Job, device: DeviceId) -> bool {
    let wanted = job.request.filter.device_ids.as_ref();
    job.chunks > 0 && wanted.is_none_or(|ids| ids.contains(&device))
}

/// Whether the lake still holds the device on the days of the export; unknown of a snapshot.
fn is_found(job: &Job, lake: &Found) -> Option<bool> {
    match &job.request.selection {
        Selection::History(history) => Some(lake.holds(history.of.into(), history.days)),
        Selection::Snapshot(_) => None,
    }
}

fn line(job: &Job, is_found: Option<bool>) -> String {
    let what = match &job.request.selection {
        Selection::History(history) => format!(
            "{} from {} to {}",
            job.request.export_type().name(),
            history.days.start,
            history.days.end
        ),
        Selection::Snapshot(_) => format!(
            "{} as of {}",
            job.request.export_type().name(),
            job.created.date()
        ),
    };
    let found = match is_found {
        Some(true) => ", and the lake holds the device there",
        Some(false) => ", where the lake does not hold the device now",
        None => "",
    };
    let folder = format!(
        "{}/{}/{}/",
        job.destination,
        job.request.export_type().name(),
        job.key.id
    );
    format!(
        "! export {} ({what}{found}, {}): {}",
        job.key.id,
        job.phase.name(),
        shown(&folder)
    )
}

fn document(job: &Job, is_found: Option<bool>) -> Value {
    let days = match &job.request.selection {
        Selection::History(history) => Some(history.days),
        Selection::Snapshot(_) => None,
    };
    json!({
        "jobId": job.key.id.to_string(), "exportType": job.request.export_type().name(),
        "startDate": days.map(|days| days.start.to_string()), "endDate": days.map(|days| days.end.to_string()),
        "created": job.created.date().to_string(), "phase": job.phase.name(), "container": job.destination.as_str(),
        "lakeHoldsDevice": is_found,
    })
}
