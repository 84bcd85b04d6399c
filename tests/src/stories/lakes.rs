//! What an export of the lake holds, without faults.

use domain::job::Outcome;
use domain::job::Phase;
use domain::rules::OnBadRecord;
use object_store::ObjectStoreExt;

use super::control::planned;
use super::days;
use super::rows::{exported_events, small_lake};
use crate::world::World;

#[tokio::test]
async fn an_export_holds_every_row_of_its_days_once() {
    let world = World::new().await;
    let rows = small_lake(&world).await;
    let key = world
        .post("events", &days("JsonBlob", "2026-01-05", "2026-01-07"))
        .await;
    assert_eq!(world.task(&key).await["state"], "Queued");
    let job = world.drive(&key).await;
    assert_eq!(exported_events(&world.files(&job)), rows);
    let manifest = world.manifest(&job).unwrap();
    assert!(manifest.head.complete && manifest.missing.is_empty());
    assert_eq!(
        manifest.head.totals.counts.rows,
        u64::try_from(rows.len()).unwrap()
    );
    assert!(manifest.files.len() > 2, "more than one chunk a day");
    let task = world.task(&key).await;
    assert_eq!(
        (&task["state"], &task["progress"]["percent"]),
        (&"Succeeded".into(), &100.into())
    );
}

#[tokio::test]
async fn both_ends_of_the_range_are_included_and_nothing_beyond() {
    let world = World::new().await;
    small_lake(&world).await;
    let key = world
        .post("events", &days("JsonBlob", "2026-01-06", "2026-01-07"))
        .await;
    let job = world.drive(&key).await;
    let rows = exported_events(&world.files(&job));
    assert_eq!(rows.len(), 24);
    assert!(rows.iter().all(|row| row.contains("2026-01-07T")));
}

#[tokio::test]
async fn an_empty_selection_succeeds_with_a_manifest_that_says_so() {
    let world = World::new().await;
    let key = world
        .post("events", &days("CsvBlob", "2026-01-06", "2026-01-06"))
        .await;
    let job = world.drive(&key).await;
    assert_eq!(job.phase.wire_state(), "Succeeded");
    let manifest = world.manifest(&job).unwrap();
    assert!(
        manifest.head.complete && manifest.files.is_empty() && manifest.head.read_up_to.is_some()
    );
    assert!(world.files(&job).is_empty());
}

#[tokio::test]
async fn every_event_delivered_three_times_changes_nothing() {
    let mut world = World::new().await;
    world.copies = 3;
    let rows = small_lake(&world).await;
    let key = world
        .post("events", &days("JsonBlob", "2026-01-05", "2026-01-07"))
        .await;
    let job = world.drive(&key).await;
    assert_eq!(exported_events(&world.files(&job)), rows);
}

#[tokio::test]
async fn a_malformed_record_fails_its_chunk_by_name_and_spares_the_others() {
    let world = World::new().await;
    small_lake(&world).await;
    world
        .put_object(
            "events",
            "2026-01-06",
            "bad.ndjson",
            "\n{\"deviceId\": \"secret content\"}\n",
        )
        .await;
    let key = world
        .post("events", &days("JsonBlob", "2026-01-05", "2026-01-07"))
        .await;
    let job = world.drive(&key).await;
    let Phase::Ended {
        outcome: Outcome::Incomplete { details },
        ..
    } = &job.phase
    else {
        panic!("{:?}", job.phase)
    };
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
    assert_eq!(world.task(&key).await["state"], "Failed");
    assert_eq!(
        world.task(&key).await["errorDetails"].as_str(),
        Some(details.as_str())
    );
}

#[tokio::test]
async fn a_malformed_record_may_be_skipped_and_is_counted() {
    let mut world = World::new().await;
    world.plan.settings.rules.on_bad_record = OnBadRecord::Skip;
    small_lake(&world).await;
    world
        .put_object(
            "events",
            "2026-01-05",
            "bad.ndjson",
            "nonsense\n{}\n[]\n\"\\ud800\"\n",
        )
        .await;
    let key = world
        .post("events", &days("JsonBlob", "2026-01-05", "2026-01-07"))
        .await;
    let job = world.drive(&key).await;
    let manifest = world.manifest(&job).unwrap();
    assert_eq!(
        (
            manifest.head.complete,
            manifest.head.totals.counts.bad_records
        ),
        (true, 4)
    );
    assert_eq!(manifest.head.totals.counts.rows, 60);
}

#[tokio::test]
async fn a_job_keeps_to_what_was_set_when_it_was_planned() {
    let mut world = World::new().await;
    world.plan.settings.rules.on_bad_record = OnBadRecord::Skip;
    small_lake(&world).await;
    world
        .put_object("events", "2026-01-05", "bad.ndjson", "nonsense\n")
        .await;
    let key = planned(&world).await;
    world.plan.settings.rules.on_bad_record = OnBadRecord::Fail;
    world.run.settings.on_bad_record = OnBadRecord::Fail;
    let job = world.drive(&key).await;
    assert_eq!(job.phase.name(), "succeeded");
    let counts = world.manifest(&job).unwrap().head.totals.counts;
    assert_eq!((counts.rows, counts.bad_records), (60, 1));
}

#[tokio::test]
async fn a_chunk_that_other_encoders_were_to_write_fails_and_says_so() {
    let mut world = World::new().await;
    small_lake(&world).await;
    world.plan.settings.rules.encoders = 99;
    let key = planned(&world).await;
    let details = world.drive(&key).await.phase.outcome().cloned().unwrap();
    let said = "the job was planned for files of encoders 99, and this version of the service has \
                encoders 1: create the export again";
    assert!(details.details().unwrap().contains(said), "{details:?}");
}

#[tokio::test]
async fn an_object_changed_after_planning_fails_its_chunk_by_name() {
    let world = World::new().await;
    small_lake(&world).await;
    let key = world
        .post("events", &days("JsonBlob", "2026-01-05", "2026-01-07"))
        .await;
    plan_export::handle(World::event_of(&key, "queued"), &world.plan)
        .await
        .unwrap();
    world
        .put_object("events", "2026-01-07", "part-0.ndjson", "{}")
        .await;
    let path = format!(
        "lake/events/app={}/date=2026-01-07/part-1.ndjson",
        World::scope().folder()
    );
    world.lake.delete(&path.as_str().into()).await.unwrap();
    let job = world.drive(&key).await;
    let Phase::Ended {
        outcome: Outcome::Incomplete { details },
        ..
    } = &job.phase
    else {
        panic!("{:?}", job.phase)
    };
    assert!(
        details.contains("part-0.ndjson was replaced or deleted after the export was planned"),
        "{details}"
    );
    assert!(!world.manifest(&job).unwrap().head.complete);
    assert_eq!(
        exported_events(&world.files(&job)).len(),
        36,
        "the first day is whole"
    );
}
