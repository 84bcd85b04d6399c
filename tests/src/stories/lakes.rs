//! What an export of the lake holds, without faults.

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
