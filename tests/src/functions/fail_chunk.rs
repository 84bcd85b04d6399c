//! What failed at every attempt is ended honestly, and what must not be ended yet stays.

use domain::chunk::ChunkKey;
use ports::store::{Chunks, Jobs};
use serde_json::json;

use crate::faults::Fault;
use crate::stories::days;
use crate::stories::rows::small_lake;
use crate::stories::scenes::{assert_exact, assert_honest, half_done, posted};
use crate::world::World;
use crate::world::deliveries::Deliveries;

#[tokio::test]
async fn a_chunk_that_crashes_every_attempt_ends_the_job_honestly() {
    let mut world = World::new().await;
    world.max_receives = 5;
    small_lake(&world).await;
    let key = world
        .post("events", &days("JsonBlob", "2026-01-05", "2026-01-05"))
        .await;
    plan_export::handle(World::event_of(&key, "queued"), &world.plan)
        .await
        .unwrap();
    let mut deliveries = Deliveries::of_chunk(&key, 0, 1);
    // The message was received once before.
    for attempt in 1..world.max_receives {
        // Read job, read chunk, claim, open the credential: the run has the chunk and dies at its
        // next call.
        world.faults.arm(4, Fault::CrashAfter);
        assert!(
            world.deliver_again(&mut deliveries).await,
            "attempt {attempt} ends without a crash"
        );
        assert!(
            !world.faults.is_armed(),
            "attempt {attempt} did not come so far"
        );
        let chunk = world
            .store
            .chunk(&ChunkKey {
                job: key.clone(),
                shard: 0,
                number: 1,
            })
            .await
            .unwrap()
            .unwrap();
        assert_eq!((chunk.attempt, chunk.state.name()), (attempt, "running"));
    }
    assert!(
        !world.deliver_again(&mut deliveries).await,
        "the dead letter is not dealt with"
    );

    let job = world.drive(&key).await;
    assert_eq!(job.phase.name(), "incomplete", "{:?}", job.phase);
    let task = world.task(&key).await;
    assert_eq!(task["state"], "Failed");
    let details = task["errorDetails"].as_str().unwrap();
    assert!(
        details.starts_with(
            "1 chunk could not be exported: chunk 1: every run crashed or ran out of time, the last in attempt 4."
        ),
        "{details}"
    );
    let manifest = world.manifest(&job).unwrap();
    assert!(!manifest.head.complete);
    assert_eq!(
        manifest
            .missing
            .iter()
            .map(|missing| missing.chunk)
            .collect::<Vec<_>>(),
        [Some(1)]
    );
    assert_eq!(world.files(&job).len(), 2, "the other chunks are exported");
}

#[tokio::test]
async fn a_dead_letter_does_not_end_a_cancelled_job_whose_chunks_are_open() {
    let world = World::new().await;
    let rows = small_lake(&world).await;
    let (key, deliveries) = half_done(&world).await;
    assert_eq!(world.delete(&key).await.status_code, 202);
    assert!(
        !world.bury_event(&key, "cancelling").await,
        "the dead letter stays in its queue"
    );
    let job = world.drive_on(&key, deliveries).await;
    assert_eq!(job.phase.name(), "cancelled");
    assert_honest(&world, &job, &rows).await;
}

#[tokio::test]
async fn a_job_that_cannot_be_resumed_waits_and_goes_on_with_the_signature_that_it_has() {
    let world = World::new().await;
    let rows = small_lake(&world).await;
    let (key, deliveries) = half_done(&world).await;
    let job = world.job(&key).await;
    let refused = job.await_credential(world.run.clock.now(), "storage refused it".to_owned());
    world.store.put_job(refused.unwrap()).await.unwrap();
    let details = world.task(&key).await["errorDetails"].to_string();
    assert!(details.contains("with a new `containerUrl`"), "{details}");

    assert_eq!(world.patch(&key, &json!({})).await.status_code, 202);
    assert!(world.bury_event(&key, "resuming").await);
    let task = world.task(&key).await;
    assert_eq!(task["phase"], "awaiting-credential");
    let details = task["errorDetails"].to_string();
    assert!(
        details.contains("the signature of the container is not the cause")
            && details.contains("send PATCH to this task with `{}`"),
        "{details}"
    );
    assert_eq!(world.patch(&key, &json!({})).await.status_code, 202);
    let job = world.drive_on(&key, deliveries).await;
    assert_exact(&world, &job, &rows, &[]).await;
}

#[tokio::test]
async fn a_cancelled_job_that_cannot_be_finished_is_cancelled_all_the_same() {
    for finishing in [false, true] {
        let world = World::new().await;
        let rows = small_lake(&world).await;
        let key = posted(&world).await;
        assert_eq!(world.delete(&key).await.status_code, 202);
        if finishing {
            let job = world.job(&key).await;
            world
                .store
                .put_job(job.begin_finishing().unwrap())
                .await
                .unwrap();
        }
        assert!(world.bury_event(&key, "cancelling").await);
        let task = world.task(&key).await;
        let details =
            "The job was cancelled. The manifest could not be written: every attempt at it failed.";
        assert_eq!(
            (&task["phase"], &task["errorDetails"]),
            (&json!("cancelled"), &json!(details))
        );
        assert_eq!(task.get("manifestUrl"), None, "no manifest was written");
        assert_eq!(
            world.delete(&key).await.status_code,
            202,
            "a repeated DELETE is answered alike"
        );
        assert_eq!(world.patch(&key, &json!({})).await.status_code, 202);
        assert_exact(&world, &world.drive(&key).await, &rows, &[]).await;
        assert!(world.task(&key).await["manifestUrl"].is_string());
    }
}

#[tokio::test]
async fn a_dead_letter_that_comes_twice_leaves_a_job_that_cannot_be_planned_its_manifest() {
    let world = World::new().await;
    let key = posted(&world).await;
    for _ in 0..2 {
        assert!(world.bury_event(&key, "queued").await);
    }
    let job = world.drive(&key).await;
    assert_eq!(job.phase.name(), "failed");
    let manifest = world.manifest(&job).unwrap();
    assert!(!manifest.head.complete);
}
