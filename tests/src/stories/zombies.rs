//! A run that stands still at any of its calls while the rest of the world goes on, and wakes when
//! all is over.

use super::days;
use super::rows::{exported_events, small_lake};
use crate::faults::Fault;
use crate::world::{Deliveries, World};

/// Lets the run of chunk 0 stand still before the n-th of its calls until the job has ended;
/// whether it did.
async fn chunk_run_that_wakes_late(call: usize) -> bool {
    let world = World::new().await;
    let rows = small_lake(&world).await;
    let key = world
        .post("events", &days("JsonBlob", "2026-01-05", "2026-01-07"))
        .await;
    plan_export::handle(World::event_of(&key, "queued"), &world.plan)
        .await
        .unwrap();
    world.faults.arm(call, Fault::Stall);
    let mut zombie = Box::pin(run_export_chunk::handle(
        World::message_of(&key, 0, 0),
        &world.run,
    ));
    tokio::select! {
        _ = &mut zombie => return false,
        () = world.faults.stalled() => {}
    }
    let job = world.drive_on(&key, Deliveries::of_chunk(&key, 0, 0)).await;
    let before = world.files(&job);
    world.faults.wake();
    zombie.await;
    assert_eq!(
        world.files(&job),
        before,
        "the zombie of call {call} changed a file"
    );
    assert_eq!(exported_events(&before), rows);
    assert_eq!(world.job(&key).await, job);
    true
}

#[tokio::test]
async fn a_chunk_run_that_wakes_late_changes_nothing() {
    let mut call = 0;
    while chunk_run_that_wakes_late(call).await {
        call += 1;
    }
    assert!(call >= 8, "the run made only {call} calls");
}

/// The same of a finisher.
async fn finisher_that_wakes_late(call: usize) -> bool {
    let world = World::new().await;
    let rows = small_lake(&world).await;
    let key = world
        .post("events", &days("JsonBlob", "2026-01-05", "2026-01-05"))
        .await;
    plan_export::handle(World::event_of(&key, "queued"), &world.plan)
        .await
        .unwrap();
    for chunk in 0..world.job(&key).await.chunks {
        run_export_chunk::handle(World::message_of(&key, 0, chunk), &world.run).await;
    }
    world.faults.arm(call, Fault::Stall);
    let mut zombie = Box::pin(finish_export::handle(
        World::event_of(&key, "running"),
        &world.finish,
    ));
    tokio::select! {
        _ = &mut zombie => return false,
        () = world.faults.stalled() => {}
    }
    let job = world.drive(&key).await;
    let manifest = world.manifest(&job);
    world.faults.wake();
    zombie.await.unwrap();
    assert_eq!(
        world.manifest(&job),
        manifest,
        "the zombie of call {call} changed the manifest"
    );
    assert_eq!(world.job(&key).await, job);
    assert_eq!(
        exported_events(&world.files(&job)).len(),
        rows.len() * 3 / 5
    );
    true
}

#[tokio::test]
async fn a_finisher_that_wakes_late_changes_nothing() {
    let mut call = 0;
    while finisher_that_wakes_late(call).await {
        call += 1;
    }
    assert!(call >= 6, "the finisher made only {call} calls");
}
