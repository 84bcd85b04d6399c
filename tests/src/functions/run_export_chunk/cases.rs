//! Objects as other writers leave them in a lake (`tests/cases`), each with the right result.

use std::fs;
use std::path::{Path, PathBuf};

use domain::job::Job;
use serde_json::{Value, json};

use crate::documents::root;
use crate::world::World;

/// What an export of a case comes to.
struct Case {
    name: &'static str,
    rows: u64,
    rejected: u64,
    repaired: u64,
    /// What the reasons of rejects and of missing objects say.
    reasons: &'static [&'static str],
    /// What the warnings say.
    warns: &'static [&'static str],
}

const RIGHT: Case = Case {
    name: "",
    rows: 0,
    rejected: 0,
    repaired: 0,
    reasons: &[],
    warns: &[],
};

const CASES: [Case; 12] = [
    Case {
        name: "names-of-other-writers",
        rows: 18,
        ..RIGHT
    },
    Case {
        name: "glued-records",
        rows: 6,
        ..RIGHT
    },
    Case {
        name: "byte-order-mark",
        rows: 3,
        ..RIGHT
    },
    Case {
        name: "gzip-without-its-ending",
        rows: 3,
        ..RIGHT
    },
    Case {
        name: "compressed-twice",
        reasons: &["compressed twice"],
        ..RIGHT
    },
    Case {
        name: "stray-file",
        rows: 4,
        warns: &["1 object in the folders that are read (0 bytes): `date=2026-02-03/_SUCCESS`"],
        ..RIGHT
    },
    Case {
        name: "half-an-emoji",
        rows: 3,
        repaired: 1,
        ..RIGHT
    },
    Case {
        name: "too-deep",
        rows: 2,
        rejected: 1,
        reasons: &["nested too deeply: expected at most 32 levels"],
        ..RIGHT
    },
    Case {
        name: "infinite-number",
        rows: 2,
        rejected: 1,
        reasons: &["a number beyond a double"],
        ..RIGHT
    },
    Case {
        name: "json-array",
        reasons: &["one JSON array: expected are JSON objects"],
        ..RIGHT
    },
    Case {
        name: "yesterday-in-todays-folder",
        rows: 1,
        rejected: 1,
        reasons: &["2026-02-01", "LAKE_LATE_DAYS"],
        ..RIGHT
    },
    Case {
        name: "no-zone",
        rows: 6,
        ..RIGHT
    },
];

/// The files below a folder.
fn files(folder: &Path) -> Vec<PathBuf> {
    let entries = fs::read_dir(folder)
        .unwrap()
        .map(|entry| entry.unwrap().path());
    entries
        .flat_map(|path| {
            if path.is_dir() {
                files(&path)
            } else {
                vec![path]
            }
        })
        .collect()
}

/// Exports the whole of a case's lake.
async fn export(world: &World, name: &str) -> Job {
    let lake = root().join("tests/cases").join(name).join("lake");
    let mut operation = String::new();
    for file in files(&lake) {
        let path = file.strip_prefix(&lake).unwrap().to_str().unwrap();
        let (kind, below) = path.split_once('/').unwrap();
        let (day, object) = below.split_once('/').unwrap();
        let day = day.strip_prefix("date=").unwrap();
        world
            .put_object(kind, day, object, fs::read(&file).unwrap())
            .await;
        kind.clone_into(&mut operation);
    }
    let body = json!({
        "containerUrl": crate::world::container_url(), "exportFormat": "JsonBlob",
        "startDate": "2026-02-01", "endDate": "2026-02-03",
    });
    let key = world.post(&operation, &body).await;
    world.drive(&key).await
}

/// Every timestamp in a document.
fn timestamps<'a>(value: &'a Value, found: &mut Vec<&'a str>) {
    match value {
        Value::Array(items) => items.iter().for_each(|item| timestamps(item, found)),
        Value::Object(members) => {
            found.extend(members.get("timestamp").and_then(Value::as_str));
            members.values().for_each(|item| timestamps(item, found));
        }
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => {}
    }
}

#[tokio::test]
async fn objects_of_other_writers_are_exported_rejected_or_missing_by_name() {
    for case in CASES {
        let world = World::new().await;
        let job = export(&world, case.name).await;
        let manifest = world.manifest(&job).unwrap();
        let counts = manifest.head.totals.counts;
        assert_eq!(
            (counts.rows, counts.rejected, counts.repaired),
            (case.rows, case.rejected, case.repaired),
            "{}: {manifest:?}",
            case.name
        );
        assert_eq!(counts.read, counts.rows + counts.rejected, "{}", case.name);
        let rejects = world.rejects(&job);
        let mut reasons: Vec<&str> = manifest
            .missing
            .iter()
            .map(|it| it.reason.as_str())
            .collect();
        assert_eq!(manifest.head.complete, reasons.is_empty(), "{}", case.name);
        reasons.extend(rejects.iter().map(|it| it["reason"].as_str().unwrap()));
        for words in case.reasons {
            assert!(
                reasons.iter().any(|reason| reason.contains(words)),
                "{}: {reasons:?}",
                case.name
            );
        }
        assert_eq!(
            reasons.is_empty(),
            case.reasons.is_empty(),
            "{}: {reasons:?}",
            case.name
        );
        for words in case.warns {
            let warns = |warning: &domain::warning::Warning| warning.message.contains(words);
            assert!(
                job.warnings.iter().any(warns),
                "{}: {:?}",
                case.name,
                job.warnings
            );
        }
        for file in world.files(&job) {
            let file: Value = serde_json::from_slice(&file).unwrap();
            let mut found = Vec::new();
            timestamps(&file, &mut found);
            let is_in_one_form =
                |text: &&str| text.len() >= 20 && text.ends_with('Z') && &text[10..11] == "T";
            assert!(found.iter().all(is_in_one_form), "{}: {found:?}", case.name);
        }
    }
}

#[test]
fn every_case_is_told() {
    let mut there: Vec<String> = fs::read_dir(root().join("tests/cases"))
        .unwrap()
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .collect();
    there.sort_unstable();
    let mut listed = CASES.map(|case| case.name);
    listed.sort_unstable();
    assert_eq!(there, listed);
}
