//! A job that is cancelled keeps what is whole, and a resumption completes it.

use domain::job::{Outcome, Phase};

use serde_json::json;

use crate::faults::Fault;
use crate::stories::days;
use crate::stories::rows::{lake_of_small_pages, large_lake, small_lake};
use crate::stories::scenes::{
    assert_exact, assert_honest, half_done, posted, recorded, revoke, states,
};
use crate::world::{SIGNATURE, World};

/// Cancels while any function stands still before the n-th call of the whole export; whether there
/// was such a call.
async fn cancelled_at(call: usize) -> bool {
    let world = World::new().await;
    let rows = small_lake(&world).await;
    let key = posted(&world).await;
    world.faults.arm(call, Fault::Stall);
    let mut zombie = Box::pin(world.drive(&key));
    tokio::select! {
        _ = &mut zombie => return false,
        () = world.faults.stalled() => {}
    }
    let answer = world.delete(&key).await;
    world.settle().await;
    let ended = world.job(&key).await;
    if answer.status_code == 202 {
        assert!(
            matches!(ended.phase, Phase::Ended { .. }),
            "cancelled at call {call}: {:?}",
            ended.phase
        );
        assert_eq!(
            world.delete(&key).await.status_code,
            if ended.phase.name() == "cancelled" {
                202
            } else {
                409
            }
        );
    }
    let before = matches!(ended.phase, Phase::Ended { .. }).then(|| world.files(&ended));
    world.faults.wake();
    let job = zombie.await;
    assert_honest(&world, &job, &rows).await;
    if let Some(before) = before {
        assert_eq!(
            (world.files(&job), &job),
            (before, &ended),
            "the zombie of call {call} changed something"
        );
    }
    if job.phase.name() == "succeeded" {
        return true;
    }
    assert!(
        matches!(
            job.phase,
            Phase::Ended {
                outcome: Outcome::Cancelled { .. },
                ..
            }
        ),
        "{:?}",
        job.phase
    );
    let kept = recorded(&world, &key).await;
    assert_eq!(world.patch(&key, &json!({})).await.status_code, 202);
    assert_exact(&world, &world.drive(&key).await, &rows, &kept).await;
    true
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_cancellation_at_any_call_keeps_what_is_whole_and_a_resumption_completes_it() {
    let mut call = 0;
    while Box::pin(cancelled_at(call)).await {
        call += 1;
    }
    assert!(call > 40, "the export made only {call} calls");
}

#[tokio::test]
async fn a_cancellation_commits_what_is_prepared_and_starts_nothing() {
    let world = World::new().await;
    let rows = small_lake(&world).await;
    let (key, deliveries) = half_done(&world).await;
    assert_eq!(world.delete(&key).await.status_code, 202);
    let job = world.drive_on(&key, deliveries).await;
    assert_eq!(job.phase.name(), "cancelled");
    assert_honest(&world, &job, &rows).await;
    assert_eq!(
        states(&world, &key).await,
        [
            "recorded",
            "recorded",
            "cancelled",
            "cancelled",
            "cancelled"
        ]
    );
    let task = world.task(&key).await;
    assert_eq!(
        (&task["state"], &task["progress"]["chunksDone"]),
        (&json!("Failed"), &json!(2))
    );
    assert!(
        task["errorDetails"]
            .as_str()
            .unwrap()
            .starts_with("The job was cancelled. The files of 2 of 5 chunks")
    );
}

#[tokio::test]
async fn a_job_that_is_cancelled_while_storage_refuses_is_cancelled_without_a_manifest() {
    let world = World::new().await;
    small_lake(&world).await;
    let (key, deliveries) = half_done(&world).await;
    revoke(&world, SIGNATURE);
    world.settle_on(deliveries).await;
    assert_eq!(world.delete(&key).await.status_code, 202);
    let job = world.drive(&key).await;
    let Phase::Ended {
        outcome: Outcome::Cancelled { details },
        ..
    } = &job.phase
    else {
        panic!("{:?}", job.phase)
    };
    assert!(
        details.contains("was cancelled") && details.contains("storage refused the signature"),
        "{details}"
    );
    assert_eq!(world.manifest(&job), None);
}

#[tokio::test]
async fn a_large_job_is_closed_and_reopened_in_batches_of_every_shard() {
    for max_shards in [1, 3] {
        let mut world = World::new().await;
        world.plan.settings.max_shards = max_shards;
        let rows = large_lake(&world).await;
        let key = world
            .post("events", &days("JsonBlob", "2026-01-05", "2026-01-05"))
            .await;
        plan_export::handle(World::event_of(&key, "queued"), &world.plan)
            .await
            .unwrap();
        for chunk in 0..5 {
            let shard = u16::try_from(chunk).unwrap() % max_shards;
            run_export_chunk::handle(World::message_of(&key, shard, chunk), &world.run).await;
        }
        world.delete(&key).await;
        let job = world.drive(&key).await;
        assert_honest(&world, &job, &rows).await;
        let kept = recorded(&world, &key).await;
        assert_eq!(
            (job.phase.name(), job.chunks, kept.len()),
            ("cancelled", 150, 5)
        );
        assert_eq!(world.patch(&key, &json!({})).await.status_code, 202);
        assert_exact(&world, &world.drive(&key).await, &rows, &kept).await;
    }
}

#[tokio::test]
async fn a_job_that_is_cancelled_while_it_is_planned_goes_on_with_its_plan_when_it_is_resumed() {
    for call in 1..10 {
        let mut world = World::new().await;
        let rows = lake_of_small_pages(&mut world).await;
        let key = world
            .post("events", &days("JsonBlob", "2026-01-05", "2026-01-05"))
            .await;
        world.faults.arm(call, Fault::Stall);
        let mut planner = Box::pin(plan_export::handle(
            World::event_of(&key, "queued"),
            &world.plan,
        ));
        tokio::select! {
            _ = &mut planner => break,
            () = world.faults.stalled() => {}
        }
        world.delete(&key).await;
        world.faults.wake();
        planner.await.unwrap();
        let job = world.drive(&key).await;
        assert_eq!(job.phase.name(), "cancelled");
        assert_honest(&world, &job, &rows).await;
        world.patch(&key, &json!({})).await;
        assert_exact(&world, &world.drive(&key).await, &rows, &[]).await;
    }
}
