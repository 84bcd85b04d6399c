//! `docs/DATA_MODEL.md` and `docs/ERRORS.md` tell of items, attributes, phases and states what is
//! in the table.

use std::collections::{BTreeMap, BTreeSet};

use aws_lc_rs::digest;
use domain::chunk::ChunkStateName;
use domain::counts::Counts;
use domain::job::{Cancellation, Outcome, Phase, PhaseName, Wait};
use domain::listing::Ignored;
use domain::manifest::{
    FileEntry, Filtered, Head, MANIFEST_VERSION, Manifest, Missing, RejectedEntry, SchemaEntry,
    Selected, SourceEntry, Totals, WithoutRows,
};
use domain::warning::{Warning, WarningCode};
use serde_json::Value;
use time::OffsetDateTime;
use time::macros::date;
use tokio::sync::OnceCell;
use uuid::Uuid;

use crate::stories::lives::Life;
use crate::world::World;

const DATA_MODEL: &str = include_str!("../../docs/DATA_MODEL.md");
const ERRORS: &str = include_str!("../../docs/ERRORS.md");

type Names = BTreeSet<String>;

/// Every image that the lives of jobs leave in the table's stream. They are played once for all
/// tests.
async fn images() -> &'static [Value] {
    static IMAGES: OnceCell<Vec<Value>> = OnceCell::const_new();
    IMAGES.get_or_init(play_lives).await
}

async fn play_lives() -> Vec<Value> {
    let mut images = Vec::new();
    for life in Life::ALL {
        let world = World::new().await;
        life.play(&world).await;
        images.extend(world.table.take_outbox());
    }
    images
}

fn text<'a>(image: &'a Value, name: &str) -> &'a str {
    image[name]["S"]
        .as_str()
        .or(image[name]["N"].as_str())
        .unwrap_or_default()
}

/// The rows of the table below this heading, by their cells.
fn rows(page: &'static str, heading: &str) -> Vec<Vec<&'static str>> {
    let (_, table) = page.split_once(heading).unwrap();
    let rows = table
        .lines()
        .skip(2)
        .take_while(|line| line.starts_with('|'));
    rows.map(|line| line.trim_matches('|').split(" | ").map(str::trim).collect())
        .collect()
}

/// The names in code within a cell.
fn names(cell: &str) -> Names {
    cell.split('`')
        .skip(1)
        .step_by(2)
        .map(str::to_owned)
        .collect()
}

/// The names in code of the cell that tells what an attribute is, up to the first word that is no
/// name.
fn values(attribute: &str) -> Names {
    let rows = rows(DATA_MODEL, "| attribute | of | what it is | absent |");
    let row = rows
        .into_iter()
        .find(|row| names(row[0]).contains(attribute))
        .unwrap();
    names(row[2].split(';').next().unwrap())
}

/// A key with placeholders for what differs from item to item.
fn pattern(key: &str, image: &Value) -> String {
    let mut pattern = key.to_owned();
    let scope = World::scope();
    let hash = rows_hash(scope.as_str());
    // Rows and marks say their ids in their keys alone.
    let id = key
        .split_once('#')
        .filter(|(kind, _)| matches!(*kind, "ROW" | "MARK"));
    // So do audits, of which each has an id of its own.
    let own_id = Uuid::try_parse(key).map_or("", |_| key);
    let day = text(image, "at").split('T').next().unwrap_or_default();
    let digits = text(image, "chunk")
        .parse()
        .map(|number: u32| format!("{number:010}"))
        .unwrap_or_default();
    let known = [
        ("REQUEST#", text(image, "key"), "REQUEST#{key}"),
        ("CLIENT#", text(image, "body_hash"), "CLIENT#{body_hash}"),
        ("#", text(image, "key"), "#{key}"),
        ("CHUNK#", &digits, "CHUNK#{number}"),
        ("PRINCIPAL#", "analyst", "PRINCIPAL#{subject}"),
        ("SCOPE#", text(image, "path"), "SCOPE#{path}"),
        ("APP#", &hash, "APP#{hash}"),
        ("", text(image, "scope"), "{scope}"),
        ("", scope.as_str(), "{scope}"),
        ("", text(image, "job"), "{id}"),
        ("#", id.map_or("", |(_, id)| id), "#{id}"),
        ("", own_id, "{id}"),
        ("AUDIT#", day, "AUDIT#{day}"),
    ];
    for (before, value, placeholder) in known.into_iter().filter(|(_, value, _)| !value.is_empty())
    {
        pattern = pattern.replace(&format!("{before}{value}"), placeholder);
    }
    match pattern.strip_prefix("JOB#{id}#") {
        Some(_) => "JOB#{id}#{shard}".to_owned(),
        None => pattern,
    }
}

/// The hash by which an app's rows are kept.
fn rows_hash(scope: &str) -> String {
    let hash = digest::digest(&digest::SHA256, scope.as_bytes());
    hex::encode(&hash.as_ref()[..16])
}

#[tokio::test]
async fn the_table_of_keys_is_that_of_the_stored_items() {
    let images = images().await;
    let stored = images.iter().map(|image| {
        let key = |name: &str| format!("`{}`", pattern(text(image, name), image));
        [format!("`{}`", text(image, "kind")), key("pk"), key("sk")]
    });
    let documented = rows(DATA_MODEL, "| item | `pk` | `sk` | written by |");
    let documented: BTreeSet<_> = documented
        .into_iter()
        .map(|row| [row[0], row[1], row[2]].map(str::to_owned))
        .collect();
    let stored: BTreeSet<_> = stored.collect();
    assert_eq!(stored, documented);
}

#[tokio::test]
async fn the_table_of_attributes_is_that_of_the_stored_items() {
    let mut stored: BTreeMap<String, Names> = BTreeMap::new();
    for image in images().await {
        let attributes = image.as_object().unwrap().keys().cloned();
        stored
            .entry(text(image, "kind").to_owned())
            .or_default()
            .extend(attributes);
    }
    let mut documented: BTreeMap<String, Names> = stored
        .keys()
        .map(|kind| (kind.clone(), Names::new()))
        .collect();
    for row in rows(DATA_MODEL, "| attribute | of | what it is | absent |") {
        for (kind, attributes) in &mut documented {
            if row[1] == "all" || row[1].split(", ").any(|of| of == kind) {
                attributes.extend(names(row[0]));
            }
        }
    }
    assert_eq!(stored, documented);
}

#[tokio::test]
async fn the_phases_and_states_that_are_told_are_those_that_are_stored() {
    let images = images().await;
    let stored = |kind: &str, name: &str| -> Names {
        images
            .iter()
            .filter(|image| text(image, "kind") == kind)
            .map(|image| text(image, name).to_owned())
            .collect()
    };
    let phases = stored("job", "phase");
    assert_eq!(
        phases,
        PhaseName::ALL.iter().map(PhaseName::to_string).collect()
    );
    assert_eq!(values("phase"), phases);
    let states = ChunkStateName::ALL.iter().map(ChunkStateName::to_string);
    assert_eq!(stored("chunk", "state"), states.collect());
    assert_eq!(values("state"), stored("chunk", "state"));
}

/// A job in every phase. A new phase is missed until it stands here.
pub(crate) fn phases_of_the_code() -> Vec<Phase> {
    let at = OffsetDateTime::UNIX_EPOCH;
    let ended = |outcome| Phase::Ended {
        at,
        outcome,
        has_manifest: true,
    };
    let details = String::new;
    let all = vec![
        Phase::Queued,
        Phase::Planning,
        Phase::Running,
        Phase::AwaitingCredential {
            since: at,
            why: Wait::NotResumed,
        },
        Phase::Resuming,
        Phase::Cancelling {
            why: Cancellation::Asked,
        },
        Phase::Finishing {
            cancelled: None,
            manifest: None,
        },
        ended(Outcome::Succeeded),
        ended(Outcome::Incomplete { details: details() }),
        ended(Outcome::Failed { details: details() }),
        ended(Outcome::Cancelled { details: details() }),
    ];
    assert_eq!(
        all.iter().map(Phase::kind).collect::<Vec<_>>(),
        PhaseName::ALL
    );
    all
}

#[test]
fn the_four_states_are_told_with_the_phases_that_each_stands_for() {
    let mut states: BTreeMap<String, Names> = BTreeMap::new();
    for phase in PhaseName::ALL {
        states
            .entry(format!("`{}`", phase.state().name()))
            .or_default()
            .insert(phase.to_string());
    }
    let documented = rows(ERRORS, "| `state` | is a task in `phase` |").into_iter();
    assert_eq!(
        documented
            .map(|row| (row[0].to_owned(), names(row[1])))
            .collect::<BTreeMap<_, _>>(),
        states
    );
}

#[test]
fn the_pages_for_readers_do_not_name_a_contract_that_they_do_not_have() {
    let pages = [
        include_str!("../../README.md"),
        ERRORS,
        DATA_MODEL,
        include_str!("../../docs/OPERATIONS.md"),
    ];
    for page in pages {
        let lines: Vec<_> = page
            .lines()
            .filter(|line| line.contains("the contract"))
            .collect();
        assert!(lines.is_empty(), "{lines:?}");
    }
}

/// What a manifest says of the whole export, nothing absent.
fn full_head() -> Head {
    let text = || "x".to_owned();
    Head {
        manifest_version: MANIFEST_VERSION,
        job_id: text(),
        export_type: text(),
        format: text(),
        compression: Some(text()),
        columns: Some(vec![text()]),
        byte_order_mark: true,
        escape_formulas: true,
        max_file_bytes: Some(1),
        scope: text(),
        description: Some(text()),
        date_created: text(),
        schema: Some(SchemaEntry {
            name: text(),
            bytes: 1,
            sha256: text(),
            crc64: text(),
        }),
        selection: Selected::Devices,
        filter: Some(Filtered {
            names: None,
            device_ids: None,
            session: None,
            from: None,
            to: None,
        }),
        read_up_to: Some(text()),
        complete: true,
        warnings: vec![Warning::new(WarningCode::NoObjects, "none")],
        ignored: Some(Ignored {
            objects: 1,
            bytes: 1,
            first: Vec::new(),
        }),
        totals: Totals {
            chunks: 1,
            failed_chunks: 1,
            counts: Counts::default(),
        },
    }
}

/// A manifest in which no member is absent.
fn full_manifest() -> Manifest {
    let day = Some(date!(2026 - 01 - 05));
    let text = || "x".to_owned();
    let object = SourceEntry::Object {
        object: text(),
        etag: text(),
        bytes: 1,
    };
    Manifest {
        head: full_head(),
        files: vec![FileEntry {
            name: text(),
            chunk: 0,
            part: Some(1),
            day,
            counts: Counts::default(),
            sha256: text(),
            crc64: text(),
            min_timestamp: Some(text()),
            max_timestamp: Some(text()),
            sources: vec![object.clone()],
        }],
        without_rows: vec![WithoutRows {
            chunk: 0,
            day,
            counts: Counts::default(),
            sources: vec![object.clone()],
        }],
        rejected: vec![RejectedEntry {
            name: text(),
            chunk: 0,
            records_rejected: 1,
            bytes: 1,
            sha256: text(),
            crc64: text(),
        }],
        missing: vec![Missing {
            chunk: Some(0),
            day,
            object: Some(text()),
            reason: text(),
            sources: vec![object],
        }],
        leftovers: vec![text()],
    }
}

#[test]
fn the_page_tells_of_every_member_of_the_manifest_and_of_no_other() {
    let manifest = serde_json::to_value(full_manifest()).unwrap();
    let table = rows(DATA_MODEL, "| member | of | what it is | absent |");
    let page = |kind: &str| -> Names {
        let of_kind = table
            .iter()
            .filter(|row| row[1].split(", ").any(|it| it == kind));
        of_kind.flat_map(|row| names(row[0])).collect()
    };
    let members = |value: &Value| -> Names { value.as_object().unwrap().keys().cloned().collect() };
    let mut totals = page("totals");
    totals.extend(["chunks".to_owned(), "failedChunks".to_owned()]);
    assert_eq!(totals, members(&manifest["totals"]));
    assert_eq!(page("manifest"), members(&manifest));
    for (kind, entry) in [
        ("file", &manifest["files"][0]),
        ("chunk without rows", &manifest["withoutRows"][0]),
        ("file of rejects", &manifest["rejected"][0]),
        ("missing", &manifest["missing"][0]),
    ] {
        assert_eq!(page(kind), members(entry), "{kind}");
    }
}
