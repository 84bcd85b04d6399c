//! The same export with one fault at every possible call: exact rows at the end, or an honest
//! failure.

use domain::chunk::ChunkKey;
use domain::container::ContainerAddress;
use domain::job::Phase;
use domain::secret::Secret;
use ports::store::Chunks;

use super::days;
use super::rows::{event, exported_events, small_lake, sorted};
use crate::faults::{Call, Fault};
use crate::world::{CONTAINER, Deliveries, SIGNATURE, World};

/// Exports the small lake with the fault at the n-th call; whether there was such a call.
async fn export_with_fault(call: usize, fault: Fault) -> bool {
    let world = World::new().await;
    let rows = small_lake(&world).await;
    world.faults.arm(call, fault);
    let key = world
        .post("events", &days("JsonBlob", "2026-01-05", "2026-01-07"))
        .await;
    let job = world.drive(&key).await;
    let played = !world.faults.is_armed();
    assert_eq!(
        job.phase.wire_state(),
        "Succeeded",
        "{fault:?} at call {call}: {:?}",
        job.phase
    );
    assert_eq!(
        exported_events(&world.files(&job)),
        rows,
        "{fault:?} at call {call}"
    );
    played
}

async fn at_every_call(fault: Fault) {
    let mut calls = 0;
    while export_with_fault(calls, fault).await {
        calls += 1;
    }
    assert!(calls > 40, "the fault met only {calls} calls");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_crash_before_any_call_loses_and_doubles_nothing() {
    at_every_call(Fault::CrashBefore).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_crash_after_any_call_loses_and_doubles_nothing() {
    at_every_call(Fault::CrashAfter).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_throttle_or_503_at_any_call_loses_and_doubles_nothing() {
    at_every_call(Fault::Refused).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_lost_answer_at_any_call_loses_and_doubles_nothing() {
    at_every_call(Fault::AnswerLost).await;
}

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
async fn a_revoked_signature_makes_the_job_wait_and_says_what_to_do() {
    let world = World::new().await;
    small_lake(&world).await;
    let key = world
        .post("events", &days("JsonBlob", "2026-01-05", "2026-01-05"))
        .await;
    world
        .containers
        .revoke(&ContainerAddress::new(CONTAINER), &Secret::new(SIGNATURE));
    world.settle().await;
    let task = world.task(&key).await;
    assert_eq!(
        (&task["state"], &task["phase"]),
        (&"Started".into(), &"awaiting-credential".into())
    );
    assert!(
        task["errorDetails"]
            .as_str()
            .unwrap()
            .contains("send PATCH to this task with a new `containerUrl`"),
        "{task}"
    );
}

#[tokio::test]
async fn blocks_that_are_gone_before_the_commit_are_staged_again() {
    let world = World::new().await;
    let rows = small_lake(&world).await;
    let key = world
        .post("events", &days("JsonBlob", "2026-01-05", "2026-01-07"))
        .await;
    let mut deliveries = Deliveries::default();
    world.faults.refuse(Some(Call::Commit));
    world.round(&mut deliveries).await;
    world.round(&mut deliveries).await;
    world.faults.refuse(None);
    assert!(
        world
            .containers
            .list(&ContainerAddress::new(CONTAINER))
            .is_empty()
    );
    world
        .containers
        .drop_uncommitted(&ContainerAddress::new(CONTAINER));
    let job = world.drive_on(&key, deliveries).await;
    assert_eq!(exported_events(&world.files(&job)), rows);
}

/// A lake of many small objects, each a chunk of its own: three pages of a plan, over several
/// shards.
pub(crate) async fn large_lake(world: &World) -> Vec<String> {
    let mut rows = Vec::new();
    for part in 0..150 {
        let line = event("2026-01-05", part);
        let padding = " ".repeat(1_900);
        world
            .put_object(
                "events",
                "2026-01-05",
                &format!("part-{part:03}.ndjson"),
                line.clone() + &padding,
            )
            .await;
        rows.push(line);
    }
    sorted(rows.iter().map(|line| serde_json::from_str(line).unwrap()))
}

#[tokio::test]
async fn a_planner_that_dies_half_way_goes_on_where_it_was() {
    for call in 3..12 {
        let world = World::new().await;
        let rows = large_lake(&world).await;
        let key = world
            .post("events", &days("JsonBlob", "2026-01-05", "2026-01-05"))
            .await;
        world.faults.arm(call, Fault::CrashAfter);
        let job = world.drive(&key).await;
        assert!(!world.faults.is_armed());
        assert_eq!((job.chunks, job.shards), (150, 3));
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
    let rows = large_lake(&world).await;
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
