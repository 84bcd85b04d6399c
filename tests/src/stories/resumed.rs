//! A job that goes on after a wait, or after an end that was not success, from what it has.

use ports::store::{ChunkLists, Jobs, WaitingJobs};
use serde_json::json;

use crate::stories::days;
use crate::stories::rows::{exported_events, small_lake};
use crate::stories::scenes::{
    NEW_SIGNATURE, assert_exact, assert_honest, grant, half_done, new_credential, planned,
    recorded, revoke, states,
};
use crate::world::deliveries::Deliveries;
use crate::world::{SIGNATURE, World, body_of};

#[tokio::test]
async fn a_job_whose_signature_is_revoked_goes_on_from_what_it_has_with_a_new_one() {
    let world = World::new().await;
    let rows = small_lake(&world).await;
    let (key, deliveries) = half_done(&world).await;
    let kept = recorded(&world, &key).await;
    let staged = world.store.chunks(&key, 0, None).await.unwrap()[1]
        .prepared()
        .cloned()
        .unwrap();
    revoke(&world, SIGNATURE);
    world.settle_on(deliveries).await;
    assert_eq!(world.task(&key).await["phase"], "awaiting-credential");
    assert_eq!(
        states(&world, &key).await,
        ["recorded", "parked", "parked", "parked", "parked"]
    );
    let calls = world.faults.storage_calls();
    for chunk in 0..5 {
        run_export_chunk::handle(World::message_of(&key, 0, chunk), &world.run).await;
    }
    world.settle().await;
    assert_eq!(
        world.faults.storage_calls(),
        calls,
        "storage is left alone while the job waits"
    );
    grant(&world, NEW_SIGNATURE);
    assert_eq!(world.patch(&key, &new_credential()).await.status_code, 202);
    let job = world.drive(&key).await;
    assert_exact(&world, &job, &rows, &kept).await;
    assert_exact(&world, &job, &rows, &[(1, staged)]).await;
    assert_eq!(job.credential, None);
}

#[tokio::test]
async fn a_signature_that_works_again_is_enough_for_an_empty_patch() {
    let world = World::new().await;
    let rows = small_lake(&world).await;
    let (key, deliveries) = half_done(&world).await;
    revoke(&world, SIGNATURE);
    world.settle_on(deliveries).await;
    let refused = world.patch(&key, &json!({})).await;
    assert_eq!(
        (refused.status_code, &body_of(&refused)["error"]["code"]),
        (400, &json!("NewCredentialNeeded"))
    );
    grant(&world, SIGNATURE);
    assert_eq!(world.patch(&key, &json!({})).await.status_code, 202);
    assert_exact(&world, &world.drive(&key).await, &rows, &[]).await;
}

#[tokio::test]
async fn a_signature_may_be_replaced_before_it_expires() {
    let world = World::new().await;
    let rows = small_lake(&world).await;
    let (key, deliveries) = half_done(&world).await;
    grant(&world, NEW_SIGNATURE);
    assert_eq!(world.patch(&key, &new_credential()).await.status_code, 202);
    revoke(&world, SIGNATURE);
    let job = world.drive_on(&key, deliveries).await;
    assert_exact(&world, &job, &rows, &[]).await;
    assert!(
        world.store.waiting(None).await.unwrap().is_empty(),
        "the job never waited"
    );
}

#[tokio::test]
async fn a_retry_runs_only_what_is_missing_any_number_of_times() {
    let world = World::new().await;
    let rows = small_lake(&world).await;
    let key = planned(&world).await;
    world.bury(&key, 0, 1).await;
    let mut job = world.drive(&key).await;
    let kept = recorded(&world, &key).await;
    for _ in 0..2 {
        assert_eq!(
            (job.phase.name(), kept.len()),
            ("incomplete", 4),
            "{:?}",
            job.phase
        );
        assert_honest(&world, &job, &rows).await;
        let answer = world.patch(&key, &json!({})).await;
        assert_eq!(
            (answer.status_code, &body_of(&answer)["phase"]),
            (202, &json!("resuming"))
        );
        assert_eq!(
            world.task(&key).await.get("manifestUrl"),
            None,
            "the manifest of the first end is out of date"
        );
        plan_export::handle(World::event_of(&key, "resuming"), &world.plan)
            .await
            .unwrap();
        assert_eq!(
            states(&world, &key).await,
            ["recorded", "pending", "recorded", "recorded", "recorded"]
        );
        world.bury(&key, 0, 1).await;
        job = world.drive(&key).await;
    }
    world.patch(&key, &json!({})).await;
    let before = world.faults.storage_calls();
    let job = world.drive(&key).await;
    assert_exact(&world, &job, &rows, &kept).await;
    let output = recorded(&world, &key).await.swap_remove(1).1;
    let blocks = usize::try_from(output.files[0].prepared.blocks).unwrap();
    assert!(world.faults.storage_calls() - before < 2 * (blocks + 4));
    let refused = world.patch(&key, &json!({})).await;
    assert_eq!(
        (refused.status_code, &body_of(&refused)["error"]["code"]),
        (409, &json!("TaskSucceeded"))
    );
}

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
