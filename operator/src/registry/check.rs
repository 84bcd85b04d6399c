//! `registry check`: what exports of what is known now would have.

use client::console::Output;
use client::ending::Ending;
use client::failure::Failure;
use client::verify::shown;
use domain::app::AppScope;
use domain::filter::Filter;
use domain::selection::{CampaignType, DeviceType, Snapshot};
use serde_json::json;
use time::OffsetDateTime;
use time::macros::datetime;

use crate::deployment::Deployment;
use crate::rehearsal::Rehearsal;
use crate::survey::{Sample, Survey};

/// Every campaign was active at some moment of these.
pub(crate) const ALWAYS: (OffsetDateTime, OffsetDateTime) = (
    datetime!(0001-01-01 00:00 UTC),
    datetime!(9999-12-31 23:59:59 UTC),
);

/// Rehearses an export of each kind, one after the other.
///
/// # Errors
/// What cannot be found out.
pub(super) async fn check(
    deployment: &Deployment,
    app: &AppScope,
    output: Output,
) -> Result<Ending, Failure> {
    let (mut endings, mut documents, mut items) = (Vec::new(), Vec::new(), 0);
    for (title, snapshot) in snapshots() {
        let wiring = deployment.wiring();
        let rehearsal = Rehearsal::plan(wiring, app, snapshot.into(), Filter::default()).await?;
        let survey = Survey::of(title, rehearsal, Sample::All, output).await?;
        survey.tell(output);
        items += survey.records();
        endings.push(survey.ending());
        documents.push(survey.document());
    }
    // Where something is wrong, that is why.
    if items == 0 && endings.iter().all(|ending| *ending == Ending::Done) {
        let app = shown(app.as_str());
        output.line(format_args!(
            "✗ the registry has nothing of the app {app}: is its path right, and is it loaded?"
        ));
        endings.push(Ending::Wrong);
    }
    let ending = endings.into_iter().fold(Ending::Done, Ending::worse);
    output.document(&json!({"exports": documents, "items": items, "exitCode": ending.code()}));
    Ok(ending)
}

/// What there is to be exported of what is known now.
fn snapshots() -> impl Iterator<Item = (String, Snapshot)> {
    let devices = [
        ("devices", DeviceType::Device),
        ("tags", DeviceType::Tag),
        ("tokens", DeviceType::Token),
    ];
    let devices = devices.map(|(title, of)| (title.to_owned(), Snapshot::Devices(of)));
    let (start, end) = ALWAYS;
    let feedback = CampaignType::ALL.iter().map(move |campaign_type| {
        let title = format!("feedback of campaigns of type {}", campaign_type.name());
        let snapshot = Snapshot::ActiveCampaigns {
            campaign_type: *campaign_type,
            start,
            end,
        };
        (title, snapshot)
    });
    devices.into_iter().chain(feedback)
}
