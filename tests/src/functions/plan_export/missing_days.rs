//! Days that cannot be listed, or not to their end: they are missing by name, the others are
//! exported, and a retry goes on behind what was planned.

use std::sync::Arc;

use object_store::path::Path;
use serde_json::json;
use sources::lake::Lake;
use time::Duration;

use crate::broken::{BreaksOff, Broken};
use crate::stories::days;
use crate::stories::rows::{exported_events, small_lake};
use crate::world::World;

/// The world's lake, of which one folder is listed to its second object only, until it is healed.
fn break_off(world: &mut World, folder: &str, is_silent: bool) -> Arc<Broken> {
    let store = Arc::new(Broken::over(&world.lake));
    store.break_off(BreaksOff {
        folder: folder.to_owned(),
        after: 2,
        is_silent,
    });
    let lake = Lake::new(Arc::clone(&store) as _, Path::from("lake"), 2_000).listing_in_order();
    world.plan.sources.lake = Arc::new(lake);
    store
}

#[tokio::test]
async fn a_day_that_is_not_listed_to_its_end_is_missing_and_a_retry_plans_nothing_twice() {
    let mut world = World::new().await;
    let rows = small_lake(&world).await;
    world
        .put_object("events", "2026-01-05", "z.tmp", "left out")
        .await;
    let store = break_off(&mut world, "date=2026-01-05", false);
    let key = world
        .post("events", &days("JsonBlob", "2026-01-05", "2026-01-07"))
        .await;
    let job = world.drive(&key).await;
    assert_eq!(job.phase.name(), "incomplete");
    let task = world.task(&key).await;
    let details = task["errorDetails"].as_str().unwrap();
    assert!(
        details.starts_with("1 day could not be exported: 2026-01-05: "),
        "{details}"
    );
    assert!(details.contains("the key `a//b` is none"), "{details}");
    let manifest = world.manifest(&job).unwrap();
    assert!(!manifest.head.complete);
    let day = manifest.missing[0].day.map(|day| day.to_string());
    assert_eq!(
        (manifest.missing.len(), day.as_deref()),
        (1, Some("2026-01-05"))
    );
    assert_eq!(
        exported_events(&world.files(&job)).len(),
        48,
        "one object is not listed"
    );
    let read_up_to = manifest.head.read_up_to;

    assert_eq!(world.patch(&key, &json!({})).await.status_code, 202);
    let still = world.drive(&key).await;
    assert_eq!(
        (still.phase.name(), still.chunks),
        ("incomplete", job.chunks)
    );

    store.heal();
    assert_eq!(world.patch(&key, &json!({})).await.status_code, 202);
    let done = world.drive(&key).await;
    assert_eq!(
        (done.phase.name(), done.chunks),
        ("succeeded", job.chunks + 1)
    );
    assert_eq!(exported_events(&world.files(&done)), rows);
    let manifest = world.manifest(&done).unwrap();
    assert!(manifest.head.complete && manifest.missing.is_empty());
    assert_eq!(
        manifest.head.read_up_to, read_up_to,
        "what came later may be missing"
    );
    let codes: Vec<&str> = done.warnings.iter().map(|it| it.code.as_str()).collect();
    assert_eq!(codes, ["DaysWithoutObjects", "ObjectsLeftOut"]);
}

/// Exports a range in which the listing of one day never answers; the rows that are there.
async fn with_a_silent_day(start: &str, silent: &'static str) {
    let mut world = World::new().await;
    small_lake(&world).await;
    let asked = days("JsonBlob", start, "2026-01-07");
    let whole = world.post("events", &asked).await;
    let whole = world.drive(&whole).await;
    let rows = exported_events(&world.files(&whole));
    let store = break_off(&mut world, silent, true);
    world.clock.advance(Duration::minutes(11));
    let key = world.post("events", &asked).await;
    for delivery in 1..plan_export::DELIVERIES {
        let error = plan_export::handle(World::event_of(&key, "queued"), &world.plan).await;
        assert!(error.is_err(), "delivery {delivery}");
        assert!(world.job(&key).await.missing_days.is_empty());
    }
    plan_export::handle(World::event_of(&key, "queued"), &world.plan)
        .await
        .unwrap();
    let missing = world.job(&key).await.missing_days.clone();
    let named: Vec<String> = missing
        .iter()
        .map(|it| format!("date={}", it.day))
        .collect();
    assert_eq!(named, [silent], "from {start}");
    let job = world.drive(&key).await;
    assert_eq!(job.phase.name(), "incomplete");
    let task = world.task(&key).await;
    let details = task["errorDetails"].as_str().unwrap();
    assert!(details.contains("does not answer"), "{details}");
    assert!(!world.manifest(&job).unwrap().head.complete);

    store.heal();
    assert_eq!(world.patch(&key, &json!({})).await.status_code, 202);
    let done = world.drive(&key).await;
    assert_eq!(done.phase.name(), "succeeded");
    assert_eq!(done.failed_deliveries, 0);
    assert_eq!(exported_events(&world.files(&done)), rows);
}

#[tokio::test]
async fn a_day_whose_listing_fails_at_every_delivery_is_missing_and_a_retry_exports_exactly_it() {
    with_a_silent_day("2026-01-05", "date=2026-01-05").await;
    with_a_silent_day("2026-01-05", "date=2026-01-07").await;
    with_a_silent_day("2026-01-06", "date=2026-01-07").await;
}
