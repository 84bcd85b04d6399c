//! Planners that die, run out of time, or wake late.

use domain::job::Phase;

use serde_json::json;

use crate::faults::Fault;
use crate::stories::days;
use crate::stories::rows::{exported_events, lake_of_small_pages, small_lake};
use crate::stories::scenes::{assert_exact, assert_honest, planned};
use crate::world::World;
use crate::world::deliveries::Deliveries;

#[tokio::test]
async fn a_planner_that_dies_half_way_goes_on_where_it_was() {
    for call in 3..12 {
        let mut world = World::new().await;
        let rows = lake_of_small_pages(&mut world).await;
        let key = world
            .post("events", &days("JsonBlob", "2026-01-05", "2026-01-05"))
            .await;
        world.faults.arm(call, Fault::CrashAfter);
        let job = world.drive(&key).await;
        assert!(!world.faults.is_armed());
        assert_eq!((job.chunks, job.shards), (10, 3));
        assert_eq!(
            exported_events(&world.files(&job)),
            rows,
            "crash after call {call}"
        );
    }
}

#[tokio::test]
async fn a_planner_without_time_hands_over() {
    let mut world = World::new().await;
    let rows = lake_of_small_pages(&mut world).await;
    let key = world
        .post("events", &days("JsonBlob", "2026-01-05", "2026-01-05"))
        .await;
    world.plan.settings.time_limit = -time::Duration::SECOND;
    plan_export::handle(World::event_of(&key, "queued"), &world.plan)
        .await
        .unwrap();
    assert_eq!(world.job(&key).await.phase, Phase::Queued);
    world.plan.settings.time_limit = time::Duration::MINUTE;
    let job = world.drive(&key).await;
    assert_eq!(exported_events(&world.files(&job)), rows);
}

/// A planner that reopens chunks stands still before its n-th call while the job is cancelled, and
/// wakes when it has ended; whether there was such a call.
async fn reopening_that_wakes_late(call: usize) -> bool {
    let world = World::new().await;
    let rows = small_lake(&world).await;
    let key = planned(&world).await;
    world.bury(&key, 0, 1).await;
    world.bury(&key, 0, 3).await;
    world.drive(&key).await;
    assert_eq!(world.patch(&key, &json!({})).await.status_code, 202);
    world.faults.arm(call, Fault::Stall);
    let mut zombie = Box::pin(plan_export::handle(
        World::event_of(&key, "resuming"),
        &world.plan,
    ));
    tokio::select! {
        _ = &mut zombie => return false,
        () = world.faults.stalled() => {}
    }
    assert_eq!(world.delete(&key).await.status_code, 202);
    let ended = world.drive_on(&key, Deliveries::default()).await;
    world.faults.wake();
    zombie.await.unwrap();
    world.settle().await;
    assert_eq!(
        world.job(&key).await,
        ended,
        "the planner of call {call} changed the job"
    );
    assert_eq!(ended.phase.name(), "cancelled", "{:?}", ended.phase);
    assert_honest(&world, &ended, &rows).await;
    assert_eq!(world.patch(&key, &json!({})).await.status_code, 202);
    assert_exact(&world, &world.drive(&key).await, &rows, &[]).await;
    true
}

#[tokio::test]
async fn a_planner_that_wakes_late_opens_no_chunk_of_a_cancelled_job() {
    let mut call = 0;
    while reopening_that_wakes_late(call).await {
        call += 1;
    }
    assert!(call >= 4, "the planner made only {call} calls");
}
