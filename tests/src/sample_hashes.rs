//! The data files of the sample, byte for byte: every type in every format, and lines of events with
//! every compression, by the SHA-256 of each file.
//!
//! The sample, its plans and its files are the same for the same seed, so a line that changes is a
//! change of what clients get. `make sample-hashes` writes `tests/sample-hashes.txt` anew.

use std::fmt::Write;
use std::path::Path;

use aws_lc_rs::digest::{SHA256, digest};
use domain::container::BlobName;
use domain::operation::{OPERATIONS, Operation, SelectionKind};
use domain::selection::{Compression, ExportFormat, ExportType, HistoryType};
use local::dynamodb::{REGISTRY_TABLE, scratch_dir};
use local::sample::{APPS, CAMPAIGNS, DAYS, Sample, SampleApp, folder};
use serde_json::{Value, json};
use sources::registry::Registry;
use time::Duration;

use crate::world::deliveries::Deliveries;
use crate::world::{REGISTRY_SEGMENTS, World, container_url};

const KEPT: &str = include_str!("../sample-hashes.txt");

const SAMPLE: Sample = Sample {
    seed: 20_260_105,
    rows: 6_000,
};

/// The app whose data is exported.
const APP: SampleApp = APPS[0];

/// Puts the objects of one of the sample's folders where the world's app has them.
async fn fill_lake(world: &World, lake: &Path, of: HistoryType) {
    for day in DAYS {
        let folder = lake.join(folder(of, &APP, day));
        let Ok(files) = std::fs::read_dir(&folder) else {
            continue;
        };
        for file in files.map(Result::unwrap) {
            let (type_folder, name) = (
                folder.strip_prefix(lake).unwrap().iter().next().unwrap(),
                file.file_name(),
            );
            let (kind, name) = (type_folder.to_str().unwrap(), name.to_str().unwrap());
            world
                .put_object(
                    kind,
                    &day.to_string(),
                    name,
                    std::fs::read(file.path()).unwrap(),
                )
                .await;
        }
    }
}

async fn sample_world() -> World {
    let world = World::new().await;
    let lake = scratch_dir().unwrap();
    SAMPLE.write_lake(lake.path()).unwrap();
    for of in ExportType::ALL.iter().copied().filter_map(HistoryType::of) {
        fill_lake(&world, lake.path(), of).await;
    }
    let registry = Registry::new(world.client.clone(), REGISTRY_TABLE, REGISTRY_SEGMENTS);
    let (devices, feedback): (Vec<_>, Vec<_>) = SAMPLE
        .device_list(&APP)
        .map(|sample| (sample.device, sample.feedback))
        .unzip();
    registry
        .put_devices(&World::scope(), &devices)
        .await
        .unwrap();
    registry
        .put_feedback(&World::scope(), &feedback.concat())
        .await
        .unwrap();
    world
}

/// What is asked for, beside container and format; `None` for an operation that exports what
/// another one does too.
fn asked(operation: &Operation) -> Option<Value> {
    let [first, .., last] = DAYS;
    let (campaign, campaign_type) = CAMPAIGNS[0];
    match operation.selection {
        SelectionKind::Days(_) => {
            Some(json!({"startDate": first.to_string(), "endDate": last.to_string()}))
        }
        SelectionKind::Devices(_) => Some(json!({})),
        SelectionKind::Campaigns => {
            Some(json!({"campaignType": campaign_type.name(), "campaignIds": [campaign]}))
        }
        SelectionKind::ActiveCampaigns => None,
    }
}

/// A line for each data file of an export, with the job's id left out of its name.
async fn export(
    world: &World,
    operation: &Operation,
    format: ExportFormat,
    compression: Compression,
    lines: &mut String,
) {
    let Some(mut body) = asked(operation) else {
        return;
    };
    body["containerUrl"] = json!(container_url());
    body["exportFormat"] = json!(format.name());
    body["exportOptions"] = json!({"compression": compression.name()});
    // The world's client sends one request id for ever: it must be forgotten first.
    world.clock.advance(Duration::hours(25));
    let key = world.post(operation.name, &body).await;
    let job = world.drive_on(&key, Deliveries::of_job_alone(&key)).await;
    let manifest = world.manifest(&job).unwrap();
    assert!(
        manifest.head.complete && !manifest.files.is_empty(),
        "{} {format:?}",
        operation.name
    );
    for file in manifest.files {
        let data = world
            .containers
            .read(&job.destination, &BlobName::from_stored(&file.name))
            .unwrap()
            .data;
        let sha256 = hex::encode(digest(&SHA256, &data));
        let name = file.name.replacen(&format!("{}/", key.id), "", 1);
        writeln!(lines, "{sha256}  {name}  {} rows", file.counts.rows).unwrap();
    }
}

#[tokio::test]
async fn the_samples_files_are_those_whose_hashes_are_kept() {
    let world = sample_world().await;
    let mut lines = String::new();
    for &export_type in ExportType::ALL {
        let operation = OPERATIONS
            .iter()
            .find(|operation| operation.export_type() == export_type)
            .unwrap();
        for &format in ExportFormat::ALL {
            export(&world, operation, format, Compression::None, &mut lines).await;
        }
        for compression in [Compression::Gzip, Compression::Zstd] {
            if export_type == ExportType::Event {
                let format = ExportFormat::JsonLinesBlob;
                export(&world, operation, format, compression, &mut lines).await;
            }
        }
    }
    if std::env::args().any(|argument| argument == "renew=sample-hashes") {
        std::fs::write(
            concat!(env!("CARGO_MANIFEST_DIR"), "/sample-hashes.txt"),
            lines,
        )
        .unwrap();
        return;
    }
    let changed: Vec<_> = lines
        .lines()
        .filter(|line| !KEPT.lines().any(|kept| kept == *line))
        .collect();
    assert!(
        lines == KEPT,
        "changed, or new: {changed:#?}\nIf that is meant: make sample-hashes"
    );
}
