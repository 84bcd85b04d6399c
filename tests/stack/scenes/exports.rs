//! Exports that nothing comes between.

use std::sync::Arc;

use client::verify::{ContainerPlace, Export, Finding, JobName, Manifest};
use domain::secret::Secret;
use local::sample::{APPS, DAYS};
use reqwest::Method;
use serde_json::{Value, json};
use tokio::runtime::Handle;

use super::Stage;
use crate::run::{CONTAINER, SAMPLE};

const FORMATS: [&str; 4] = ["JsonBlob", "CsvBlob", "JsonLinesBlob", "ParquetBlob"];

/// The campaign whose feedback is asked for.
const CAMPAIGN: i64 = 1;

/// A kind of source: a path of the API, the type, the rest of the body, and the rows that there are.
struct Kind {
    path: &'static str,
    of: &'static str,
    body: Value,
    rows: usize,
}

fn kinds() -> [Kind; 4] {
    let [app, ..] = &APPS;
    let devices: Vec<_> = SAMPLE.device_list(app).collect();
    let feedback = devices.iter().flat_map(|device| &device.feedback);
    let answers = feedback.filter(|one| one.campaign == CAMPAIGN).count();
    let window = json!({
        "campaignType": "Announcement", "campaignWindowStart": "2000-01-01T00:00:00Z",
        "campaignWindowEnd": "2100-01-01T00:00:00Z",
    });
    [
        Kind {
            path: "events",
            of: "Event",
            body: json!({"startDate": DAYS[0].to_string(), "endDate": DAYS[1].to_string()}),
            rows: events(),
        },
        Kind {
            path: "devices",
            of: "Device",
            body: json!({}),
            rows: devices.len(),
        },
        Kind {
            path: "feedbackByCampaign",
            of: "Push",
            body: json!({"campaignType": "Announcement", "campaignIds": [CAMPAIGN]}),
            rows: answers,
        },
        Kind {
            path: "feedbackByDate",
            of: "Push",
            body: window,
            rows: answers,
        },
    ]
}

/// The events of the first two days.
fn events() -> usize {
    let folder = tempfile::tempdir().unwrap();
    let counts = SAMPLE.write_lake(folder.path()).unwrap();
    let of = |day| counts[&(APPS[0].name, "Event", Some(day))];
    usize::try_from(of(DAYS[0]) + of(DAYS[1])).unwrap()
}

pub(super) async fn every_kind_in_every_format(stage: Arc<Stage>) {
    let mut made = Vec::new();
    for kind in kinds() {
        assert!(kind.rows > 0, "no {}", kind.of);
        for format in FORMATS {
            let mut body = kind.body.clone();
            body["exportFormat"] = format.into();
            body["containerUrl"] = stage.emulator.container_url(CONTAINER, "cw").into();
            let id = stage.caller.create(kind.path, &body).await;
            made.push((id, kind.of, kind.rows));
        }
    }
    for (id, of, rows) in made {
        stage.caller.reaches(&id, "succeeded").await;
        // The future is not `Send`, by a limit of the compiler: this one is not polled there.
        let verified = || Handle::current().block_on(verified(&stage, of, &id));
        assert_eq!(tokio::task::block_in_place(verified), rows, "{of} {id}");
    }
}

/// The rows of the files, which are as the manifest says, and all of them.
async fn verified(stage: &Stage, of: &str, id: &str) -> usize {
    let url = Secret::new(stage.emulator.container_url(CONTAINER, "rl"));
    let name = JobName::parse(&format!("{of}/{id}")).unwrap();
    let (place, opened) = ContainerPlace::open(&url, name).await.unwrap();
    let manifest = Manifest::read(opened).await.unwrap();
    let export = Export {
        manifest: &manifest,
        place: &place,
        keep_rows: false,
    };
    let mut found = Vec::new();
    let mut tell = |finding: &Finding| found.push(finding.clone());
    let verdict = export.verify(&mut tell, &|_| {}).await.unwrap();
    assert!(found.is_empty() && verdict.complete, "{found:?}");
    usize::try_from(verdict.rows).unwrap()
}

/// A request that is repeated makes one task; tasks, chunks and files are listed.
pub(super) async fn lists_and_repeats(stage: Arc<Stage>) {
    let days = [DAYS[0], DAYS[0]].map(|day| day.to_string());
    let body = stage.days(CONTAINER, "CsvBlob", [&days[0], &days[1]]);
    let path = format!("{}/events", APPS[0].exports_path());
    let key = [("idempotency-key", "once")];
    let caller = &stage.caller;
    let first = caller
        .ask_path(Method::POST, &path, Some(&body), &key)
        .await;
    let again = caller
        .ask_path(Method::POST, &path, Some(&body), &key)
        .await;
    assert_eq!((first.0, &first.1["id"]), (202, &again.1["id"]));
    let id = first.1["id"].as_str().unwrap();
    caller.reaches(id, "succeeded").await;
    for path in [
        "",
        "?state=Succeeded",
        &format!("/{id}/chunks"),
        &format!("/{id}/files"),
    ] {
        let (status, list) = caller.ask(Method::GET, path, None).await;
        assert_eq!(status, 200, "{path}: {list}");
        assert!(
            !list["value"].as_array().unwrap().is_empty(),
            "{path}: {list}"
        );
    }
}
