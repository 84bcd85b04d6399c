//! A job that goes on after an end that was not success.

use ports::store::Jobs;

use super::days;
use super::rows::{exported_events, small_lake};
use crate::world::{Deliveries, World};

/// The job ends before any chunk has run, all messages are done with, and it is resumed; `claimed`
/// chunks were taken up before by runs that died.
async fn resumed_without_messages(claimed: u32) {
    let world = World::new().await;
    let rows = small_lake(&world).await;
    let key = world
        .post("events", &days("JsonBlob", "2026-01-05", "2026-01-07"))
        .await;
    let mut deliveries = Deliveries::default();
    plan_export::handle(World::event_of(&key, "queued"), &world.plan)
        .await
        .unwrap();
    for chunk in 0..claimed {
        world.faults.arm(3, crate::faults::Fault::CrashBefore);
        let run = run_export_chunk::handle(World::message_of(&key, 0, chunk), &world.run);
        assert!(world.faults.survive(run).await.is_none());
    }
    let job = world
        .job(&key)
        .await
        .end_without_manifest(world.run.clock.now(), "every attempt at it failed")
        .unwrap();
    let job = world.store.put_job(job).await.unwrap();
    world.round(&mut deliveries).await;
    world.store.put_job(job.resume().unwrap()).await.unwrap();
    let job = world.drive_on(&key, deliveries).await;
    assert_eq!(exported_events(&world.files(&job)), rows);
}

#[tokio::test]
async fn chunks_whose_messages_came_while_the_job_had_ended_run_after_a_resume() {
    resumed_without_messages(0).await;
}

#[tokio::test]
async fn chunks_whose_runs_died_before_the_job_ended_run_after_a_resume() {
    resumed_without_messages(2).await;
}
