//! What cannot be exported: records that are rejected, and objects that are missing by name, while
//! all others are exported.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use async_trait::async_trait;
use domain::app::AppScope;
use domain::chunk::{ChunkSource, ObjectRef};
use domain::job::{Job, Outcome, Phase, PlanCursor};
use domain::manifest::Manifest;
use domain::rules::OnBadRecord;
use domain::selection::History;
use futures::stream::{BoxStream, StreamExt};
use object_store::ObjectStoreExt;
use ports::source::{LakeSource, Piece, PlanPage, Source, SourceError, Unanswered};
use serde_json::{Value, json};

use crate::stories::days;
use crate::stories::rows::{event, exported_events, small_lake};
use crate::stories::scenes::planned;
use crate::world::World;

const DAY: &str = "2026-01-05";

/// An export of the small lake's days, driven to its end.
async fn export(world: &World) -> Job {
    let key = world
        .post("events", &days("JsonBlob", DAY, "2026-01-07"))
        .await;
    world.drive(&key).await
}

fn incomplete(job: &Job) -> &str {
    let Phase::Ended {
        outcome: Outcome::Incomplete { details },
        ..
    } = &job.phase
    else {
        panic!("{:?}", job.phase)
    };
    details
}

/// The objects that a manifest says are missing, by their names within the day's folder.
fn missing(manifest: &Manifest) -> Vec<(&str, &str)> {
    let name = |path: &'_ str| path.rfind('=').map_or(0, |at| at + 12);
    manifest
        .missing
        .iter()
        .map(|one| {
            let object = one.object.as_deref().unwrap();
            (&object[name(object)..], one.reason.as_str())
        })
        .collect()
}

#[tokio::test]
async fn records_that_cannot_be_exported_stand_in_a_file_of_their_own() {
    let world = World::new().await;
    let rows = small_lake(&world).await;
    let good = event(DAY, 99);
    let bad = format!("nonsense\n{good}\n{{}}{good}[] \n{{\"deviceId\":\"x\",\"name\":\"n\"}}\n");
    world.put_object("events", DAY, "bad.ndjson", bad).await;
    let job = export(&world).await;
    assert_eq!(job.phase.name(), "succeeded");
    assert_eq!(exported_events(&world.files(&job)).len(), rows.len() + 2);
    let manifest = world.manifest(&job).unwrap();
    let counts = manifest.head.totals.counts;
    assert!(manifest.head.complete);
    assert_eq!((counts.read, counts.rows, counts.rejected), (66, 62, 4));
    let rejects = world.rejects(&job);
    let found: Vec<(Value, Value, Value, Value)> = rejects
        .iter()
        .map(|it| {
            let it = |name: &str| it[name].clone();
            (it("line"), it("offset"), it("code"), it("record"))
        })
        .collect();
    let glued = 9 + good.len() as u64 + 1;
    let record = |line: u64, offset: Value, code: &str, record: &str| {
        (json!(line), offset, json!(code), json!(record))
    };
    assert_eq!(
        found,
        [
            record(1, Value::Null, "NotJson", "nonsense"),
            record(3, Value::Null, "MissingField", "{}"),
            record(3, json!(glued + 2 + good.len() as u64), "NotAnObject", "[]"),
            record(
                4,
                Value::Null,
                "WrongValue",
                "{\"deviceId\":\"x\",\"name\":\"n\"}"
            ),
        ]
    );
    let object = rejects[0]["object"].as_str().unwrap();
    assert!(object.ends_with("date=2026-01-05/bad.ndjson"), "{object}");
    assert!(
        manifest.rejected[0]
            .name
            .ends_with("/_rejected/part-00000.ndjson")
    );
    let codes: Vec<&str> = job.warnings.iter().map(|it| it.code.as_str()).collect();
    assert!(codes.contains(&"RecordsRejected"), "{codes:?}");
}

#[tokio::test]
async fn a_record_that_is_no_utf_8_costs_none_of_those_that_it_is_glued_to() {
    let world = World::new().await;
    let rows = small_lake(&world).await;
    let good = event(DAY, 99);
    let bad = good.replace("event 99", "event ?").into_bytes();
    let bad = bad
        .into_iter()
        .map(|byte| if byte == b'?' { 0xff } else { byte });
    let good = good.as_bytes();
    let line = [good, good, &bad.collect::<Vec<_>>(), good, good, b"\n"].concat();
    world.put_object("events", DAY, "bad.ndjson", line).await;
    let job = export(&world).await;
    assert_eq!(exported_events(&world.files(&job)).len(), rows.len() + 4);
    let [reject] = world.rejects(&job).try_into().unwrap();
    assert_eq!(reject["code"], "NotUtf8");
    assert_eq!(reject["offset"], json!(2 * good.len()));
}

#[tokio::test]
async fn a_record_that_is_too_long_is_kept_in_part_and_the_job_is_incomplete() {
    let world = World::new().await;
    small_lake(&world).await;
    let long = format!(
        "{{\"a\":\"{}\"}}\n{}\n",
        "é".repeat(1 << 20),
        event(DAY, 99)
    );
    world.put_object("events", DAY, "bad.ndjson", long).await;
    let job = export(&world).await;
    let details = incomplete(&job);
    assert!(
        details.starts_with("1 rejected record of more than 1 MiB"),
        "{details}"
    );
    assert!(!world.manifest(&job).unwrap().head.complete);
    let [reject] = world.rejects(&job).try_into().unwrap();
    assert_eq!(
        (&reject["code"], &reject["bytes"]),
        (&json!("TooLong"), &json!((2 << 20) + 8))
    );
    assert_eq!(reject["record"].as_str().unwrap().len(), 4_096);
}

#[tokio::test]
async fn where_bad_records_are_to_fail_their_chunk_it_fails_by_name_and_spares_the_others() {
    let mut world = World::new().await;
    world.plan.settings.rules.on_bad_record = OnBadRecord::Fail;
    small_lake(&world).await;
    world
        .put_object(
            "events",
            "2026-01-06",
            "bad.ndjson",
            "\n{\"deviceId\": \"secret content\"}\n",
        )
        .await;
    let job = export(&world).await;
    let details = incomplete(&job);
    assert!(details.contains("bad.ndjson, line 2: "), "{details}");
    assert!(!details.contains("secret content"), "{details}");
    let manifest = world.manifest(&job).unwrap();
    assert!(!manifest.head.complete);
    assert_eq!(manifest.missing.len(), 1);
    assert_eq!(
        exported_events(&world.files(&job)).len(),
        60,
        "the other days"
    );
    let task = world.task(&job.key).await;
    assert_eq!(task["state"], "Failed");
    assert_eq!(task["errorDetails"].as_str(), Some(details));
}

#[tokio::test]
async fn a_job_keeps_to_what_was_set_when_it_was_planned() {
    let mut world = World::new().await;
    small_lake(&world).await;
    world
        .put_object("events", DAY, "bad.ndjson", "nonsense\n")
        .await;
    let key = planned(&world).await;
    world.plan.settings.rules.on_bad_record = OnBadRecord::Fail;
    let job = world.drive(&key).await;
    assert_eq!(job.phase.name(), "succeeded");
    let counts = world.manifest(&job).unwrap().head.totals.counts;
    assert_eq!((counts.rows, counts.rejected), (60, 1));
}

#[tokio::test]
async fn an_object_that_is_no_file_of_records_is_missing_by_name_and_costs_no_other_row() {
    let world = World::new().await;
    let rows = small_lake(&world).await;
    let mostly_bad = format!("{}\n", event(DAY, 99)).repeat(49) + &"x\n".repeat(51);
    let half_bad = format!("{}\n", event(DAY, 98)).repeat(50) + &"x\n".repeat(50);
    for (name, body) in [
        ("a-array.json", "[{}]".to_owned()),
        ("b-mostly-bad.ndjson", mostly_bad),
        ("c-half-bad.ndjson", half_bad),
        ("d-none-good.ndjson", "{}\n{}\n".to_owned()),
        ("e.csv", "deviceId,name\n1,2\n".to_owned()),
        ("f.parquet", "PAR1".to_owned()),
    ] {
        world.put_object("events", DAY, name, body).await;
    }
    let job = export(&world).await;
    let details = incomplete(&job);
    assert!(
        details.starts_with("5 objects could not be exported: "),
        "{details}"
    );
    assert_eq!(exported_events(&world.files(&job)).len(), rows.len() + 50);
    assert_eq!(world.rejects(&job).len(), 50, "of the one that is half bad");
    let manifest = world.manifest(&job).unwrap();
    let counts = manifest.head.totals.counts;
    assert_eq!(counts.read, counts.rows + counts.rejected);
    let missing = missing(&manifest);
    let expected = [
        ("a-array.json", "one JSON array"),
        (
            "b-mostly-bad.ndjson",
            "51 of 100 records cannot be exported (line 50: not JSON",
        ),
        (
            "d-none-good.ndjson",
            "2 of 2 records cannot be exported (line 1: missing required field",
        ),
        (
            "e.csv",
            "2 of 2 records cannot be exported (line 1: not JSON",
        ),
        ("f.parquet", "it is Parquet"),
    ];
    for ((name, reason), (expected, words)) in missing.iter().zip(expected) {
        assert_eq!(*name, expected);
        assert!(reason.contains(words), "{reason}");
    }
    assert_eq!(missing.len(), expected.len());
    for file in &manifest.files {
        let sources = serde_json::to_string(&file.sources).unwrap();
        assert!(
            !sources.contains("array") && !sources.contains("mostly"),
            "{sources}"
        );
    }
}

#[tokio::test]
async fn an_object_changed_after_planning_is_missing_by_name() {
    let world = World::new().await;
    small_lake(&world).await;
    let key = planned(&world).await;
    let other = event("2026-01-07", 1);
    world
        .put_object("events", "2026-01-07", "part-0.ndjson", other)
        .await;
    let path = format!(
        "lake/events/app={}/date=2026-01-07/part-1.ndjson",
        World::scope().folder()
    );
    world.lake.delete(&path.as_str().into()).await.unwrap();
    let job = world.drive(&key).await;
    let details = incomplete(&job);
    assert!(
        details.contains("trying again cannot bring that version back"),
        "{details}"
    );
    let manifest = world.manifest(&job).unwrap();
    let names: Vec<&str> = missing(&manifest)
        .into_iter()
        .map(|(name, _)| name)
        .collect();
    assert_eq!(names, ["part-0.ndjson", "part-1.ndjson"]);
    assert_eq!(
        exported_events(&world.files(&job)).len(),
        36,
        "the first day is whole"
    );
}

/// A lake that may not read one object until it is told otherwise.
struct Forbidding {
    inner: Arc<LakeSource>,
    object: &'static str,
    is_open: AtomicBool,
}

#[async_trait]
impl Source for Forbidding {
    type Selected = History;
    type Part = ObjectRef;

    async fn plan(
        &self,
        scope: &AppScope,
        history: &History,
        cursor: Option<&PlanCursor>,
        limit: usize,
        unanswered: Unanswered,
    ) -> Result<PlanPage, SourceError> {
        self.inner
            .plan(scope, history, cursor, limit, unanswered)
            .await
    }

    fn read(
        &self,
        objects: &[ObjectRef],
        history: &History,
    ) -> BoxStream<'static, Result<Piece, SourceError>> {
        let place = objects.iter().position(|it| it.path.ends_with(self.object));
        let is_open = self.is_open.load(Ordering::SeqCst);
        let forbid = move |piece| match piece {
            Piece::End { origin } if Some(origin) == place && !is_open => Piece::Unreadable {
                origin,
                error: SourceError::Denied {
                    object: "it".to_owned(),
                },
            },
            Piece::Text { .. }
            | Piece::Stored { .. }
            | Piece::End { .. }
            | Piece::Unreadable { .. } => piece,
        };
        let pieces = self.inner.read(objects, history);
        pieces.map(move |piece| piece.map(forbid)).boxed()
    }
}

#[tokio::test]
async fn a_retry_exports_what_was_missing_and_nothing_else() {
    let mut world = World::new().await;
    let rows = small_lake(&world).await;
    let forbidding = Arc::new(Forbidding {
        inner: Arc::clone(&world.run.sources.lake),
        object: "2026-01-05/part-1.ndjson",
        is_open: AtomicBool::new(false),
    });
    world.run.sources.lake = Arc::clone(&forbidding) as _;
    let job = export(&world).await;
    let first = world.manifest(&job).unwrap();
    assert_eq!(
        missing(&first),
        [("part-1.ndjson", "may not be read by the service")]
    );
    assert_eq!(exported_events(&world.files(&job)).len(), 48);
    assert_eq!(world.patch(&job.key, &json!({})).await.status_code, 202);
    let still = world.drive(&job.key).await;
    let chunks = still.chunks;
    assert_eq!(chunks, job.chunks + 1);
    assert_eq!(missing(&world.manifest(&still).unwrap()).len(), 1);

    forbidding.is_open.store(true, Ordering::SeqCst);
    assert_eq!(world.patch(&job.key, &json!({})).await.status_code, 202);
    let done = world.drive(&job.key).await;
    assert_eq!((done.phase.name(), done.chunks), ("succeeded", chunks + 1));
    assert_eq!(exported_events(&world.files(&done)), rows);
    let last = world.manifest(&done).unwrap();
    assert!(last.head.complete && last.missing.is_empty());
    let names = |manifest: &Manifest| -> BTreeSet<String> {
        manifest
            .files
            .iter()
            .map(|file| file.name.clone())
            .collect()
    };
    assert!(
        names(&first).is_subset(&names(&last)),
        "what was whole is as it was"
    );
    assert_eq!(names(&last).len(), names(&first).len() + 1);
}

/// A lake that says of one object that it is larger than any run can export.
struct Inflating {
    inner: Arc<LakeSource>,
    object: &'static str,
}

#[async_trait]
impl Source for Inflating {
    type Selected = History;
    type Part = ObjectRef;

    async fn plan(
        &self,
        scope: &AppScope,
        history: &History,
        cursor: Option<&PlanCursor>,
        limit: usize,
        unanswered: Unanswered,
    ) -> Result<PlanPage, SourceError> {
        let mut page = self
            .inner
            .plan(scope, history, cursor, limit, unanswered)
            .await?;
        for chunk in &mut page.chunks {
            let ChunkSource::Objects { objects, .. } = chunk else {
                continue;
            };
            let mut these = objects.iter_mut();
            if let Some(object) = these.find(|it| it.path.ends_with(self.object)) {
                object.size_bytes = 1_000_000_000_000;
            }
        }
        Ok(page)
    }

    fn read(
        &self,
        objects: &[ObjectRef],
        history: &History,
    ) -> BoxStream<'static, Result<Piece, SourceError>> {
        self.inner.read(objects, history)
    }
}

#[tokio::test]
async fn an_object_that_no_run_can_export_in_its_time_is_missing_by_name_and_size() {
    let mut world = World::new().await;
    small_lake(&world).await;
    world.plan.sources.lake = Arc::new(Inflating {
        inner: Arc::clone(&world.plan.sources.lake),
        object: "2026-01-05/part-1.ndjson",
    });
    let job = export(&world).await;
    let manifest = world.manifest(&job).unwrap();
    let [(name, reason)] = missing(&manifest).try_into().unwrap();
    assert_eq!(name, "part-1.ndjson");
    let words = "has 1000000000000 bytes, more than a run exports in the 900 seconds";
    assert!(reason.contains(words), "{reason}");
    assert_eq!(exported_events(&world.files(&job)).len(), 48);
}
