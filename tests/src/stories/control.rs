//! A job that waits for a signature, is resumed, is cancelled: what it has is kept, and what it
//! says at the end is true.

use domain::chunk::{ChunkState, Output};
use domain::container::ContainerAddress;
use domain::job::{Job, JobId, JobKey, Outcome, Phase};
use domain::secret::Secret;
use ports::store::{ChunkLists, Jobs, WaitingJobs};
use serde_json::{Value, json};
use time::Duration;

use super::days;
use super::faulty::large_lake;
use super::rows::{exported_events, small_lake};
use crate::faults::{Call, Fault};
use crate::world::{APP_PATH, CONTAINER, Deliveries, SIGNATURE, World, body_of, url_with};

pub(crate) const NEW_SIGNATURE: &str =
    "sv=2024-11-04&sr=c&sp=w&se=2026-07-31T00%3A00%3A00Z&sig=bmV3LXNpZ25hdHVyZQ%3D%3D";

pub(crate) fn new_credential() -> Value {
    json!({"containerUrl": url_with(NEW_SIGNATURE)})
}

pub(crate) fn revoke(world: &World, signature: &str) {
    world
        .containers
        .revoke(&ContainerAddress::new(CONTAINER), &Secret::new(signature));
}

pub(crate) fn grant(world: &World, signature: &str) {
    let write = fakes::container::Permission::Write;
    world.containers.grant(
        &ContainerAddress::new(CONTAINER),
        &Secret::new(signature),
        write,
    );
}

/// What is recorded, by the chunks' numbers.
pub(super) async fn recorded(world: &World, key: &JobKey) -> Vec<(u32, Output)> {
    let mut recorded = Vec::new();
    for shard in 0..world.job(key).await.shards {
        for chunk in world.store.chunks(key, shard, None).await.unwrap() {
            if let ChunkState::Recorded { output } = chunk.state {
                recorded.push((chunk.key.number, output));
            }
        }
    }
    recorded
}

pub(super) async fn states(world: &World, key: &JobKey) -> Vec<&'static str> {
    world
        .store
        .chunks(key, 0, None)
        .await
        .unwrap()
        .iter()
        .map(|chunk| chunk.state.name())
        .collect()
}

pub(crate) async fn posted(world: &World) -> JobKey {
    world
        .post("events", &days("JsonBlob", "2026-01-05", "2026-01-07"))
        .await
}

pub(crate) async fn planned(world: &World) -> JobKey {
    let key = posted(world).await;
    plan_export::handle(World::event_of(&key, "queued"), &world.plan)
        .await
        .unwrap();
    key
}

/// A planned job with one chunk recorded and one prepared, and the message that is still under way.
pub(crate) async fn half_done(world: &World) -> (JobKey, Deliveries) {
    let key = planned(world).await;
    run_export_chunk::handle(World::message_of(&key, 0, 0), &world.run).await;
    world.faults.refuse(Some(Call::Commit));
    run_export_chunk::handle(World::message_of(&key, 0, 1), &world.run).await;
    world.faults.refuse(None);
    assert_eq!(
        states(world, &key).await[..3],
        ["recorded", "prepared", "pending"]
    );
    let deliveries = Deliveries::of_chunk(&key, 0, 1);
    (key, deliveries)
}

/// Ends as a success with exactly these rows, and with these files as they were.
pub(super) async fn assert_exact(
    world: &World,
    job: &Job,
    rows: &[String],
    kept: &[(u32, Output)],
) {
    assert_eq!(job.phase.name(), "succeeded", "{:?}", job.phase);
    assert!(world.manifest(job).unwrap().head.complete);
    assert_eq!(exported_events(&world.files(job)), rows);
    let now = recorded(world, &job.key).await;
    assert!(
        kept.iter().all(|file| now.contains(file)),
        "a recorded file was changed"
    );
}

/// The manifest is true of what is there: only whole files, no other file, no open chunk.
pub(super) async fn assert_honest(world: &World, job: &Job, rows: &[String]) {
    let manifest = world.manifest(job).unwrap();
    let exported = exported_events(&world.files(job));
    assert!(exported.iter().all(|row| rows.contains(row)) && exported.len() <= rows.len());
    assert_eq!(
        manifest.head.complete,
        job.phase.name() == "succeeded",
        "{:?}",
        job.phase
    );
    assert_eq!(manifest.head.complete, exported == rows);
    let tally = world.store.tally(job).await.unwrap();
    assert_eq!(
        (tally.open, tally.recorded + tally.failed),
        (0, tally.planned)
    );
    let files = recorded(world, &job.key)
        .await
        .iter()
        .map(|(_, output)| output.files.len())
        .sum::<usize>();
    assert_eq!(manifest.files.len(), files);
}

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
async fn a_run_that_meets_the_refusal_after_the_replacement_is_repeated() {
    let world = World::new().await;
    let rows = small_lake(&world).await;
    let key = planned(&world).await;
    world.faults.arm(3, Fault::Stall);
    let mut run = Box::pin(run_export_chunk::handle(
        World::message_of(&key, 0, 0),
        &world.run,
    ));
    tokio::select! {
        _ = &mut run => panic!("the run stands still"),
        () = world.faults.stalled() => {}
    }
    grant(&world, NEW_SIGNATURE);
    assert_eq!(world.patch(&key, &new_credential()).await.status_code, 202);
    revoke(&world, SIGNATURE);
    world.faults.wake();
    assert_eq!(run.await.batch_item_failures.len(), 1);
    assert_eq!(world.job(&key).await.phase, Phase::Running);
    assert_exact(
        &world,
        &world.drive_on(&key, Deliveries::of_chunk(&key, 0, 0)).await,
        &rows,
        &[],
    )
    .await;
}

#[tokio::test]
async fn runs_that_meet_the_refusal_together_all_park_their_chunks() {
    for call in 0..8 {
        let world = World::new().await;
        let rows = small_lake(&world).await;
        let key = planned(&world).await;
        revoke(&world, SIGNATURE);
        world.faults.arm(call, Fault::Stall);
        let mut run = Box::pin(run_export_chunk::handle(
            World::message_of(&key, 0, 0),
            &world.run,
        ));
        tokio::select! {
            _ = &mut run => {}
            () = world.faults.stalled() => {
                run_export_chunk::handle(World::message_of(&key, 0, 1), &world.run).await;
                world.faults.wake();
                run.await;
            }
        }
        assert_eq!(
            states(&world, &key).await[0],
            "parked",
            "stalled at call {call}"
        );
        grant(&world, NEW_SIGNATURE);
        assert_eq!(world.patch(&key, &new_credential()).await.status_code, 202);
        assert_exact(&world, &world.drive(&key).await, &rows, &[]).await;
    }
}

#[tokio::test]
async fn a_signature_revoked_while_the_manifest_is_written_costs_no_chunk() {
    for is_prepared in [false, true] {
        let world = World::new().await;
        let rows = small_lake(&world).await;
        let key = planned(&world).await;
        for chunk in 0..5 {
            run_export_chunk::handle(World::message_of(&key, 0, chunk), &world.run).await;
        }
        let kept = recorded(&world, &key).await;
        if is_prepared {
            world.faults.refuse(Some(Call::Commit));
            finish_export::handle(World::event_of(&key, "running"), &world.finish)
                .await
                .unwrap_err();
            world.faults.refuse(None);
            assert!(matches!(
                world.job(&key).await.phase,
                Phase::Finishing {
                    manifest: Some(_),
                    ..
                }
            ));
        }
        revoke(&world, SIGNATURE);
        finish_export::handle(World::event_of(&key, "drained"), &world.finish)
            .await
            .unwrap();
        let task = world.task(&key).await;
        assert_eq!(
            (&task["phase"], task.get("manifestUrl")),
            (&json!("awaiting-credential"), None)
        );
        grant(&world, NEW_SIGNATURE);
        assert_eq!(world.patch(&key, &new_credential()).await.status_code, 202);
        let job = world.drive(&key).await;
        assert_eq!(kept.len(), 5);
        assert_exact(&world, &job, &rows, &kept).await;
    }
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
    while cancelled_at(call).await {
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
        let world = World::new().await;
        let rows = large_lake(&world).await;
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

/// A job that waits since the world's present moment.
pub(super) async fn waiting(world: &World) -> JobKey {
    let (key, deliveries) = half_done(world).await;
    revoke(world, SIGNATURE);
    world.settle_on(deliveries).await;
    assert_eq!(world.job(&key).await.phase.name(), "awaiting-credential");
    key
}

#[tokio::test]
async fn a_fault_at_one_waiting_job_keeps_no_other_from_its_end() {
    for call in 0..8 {
        let world = World::new().await;
        small_lake(&world).await;
        let first = waiting(&world).await;
        grant(&world, SIGNATURE);
        let body = days("JsonBlob", "2026-01-05", "2026-01-07");
        let event = World::http("POST", &format!("{APP_PATH}/events"), Some(&body));
        let id = body_of(&create_job::handle(event, &world.create).await)["id"]
            .as_str()
            .unwrap()
            .to_owned();
        let second = JobKey {
            id: JobId::parse(&id).unwrap(),
            ..first.clone()
        };
        revoke(&world, SIGNATURE);
        world.settle().await;
        assert_eq!(
            world.store.waiting(None).await.unwrap(),
            [first.clone(), second.clone()]
        );
        world.clock.advance(Duration::days(8));
        world.faults.arm(call, Fault::Refused);
        expire_jobs::handle(json!({}), &world.expire)
            .await
            .unwrap_err();
        let phases = [
            world.job(&first).await.phase.name(),
            world.job(&second).await.phase.name(),
        ];
        // The first two calls read the list: the entries of the older version, and the others.
        assert!(
            call < 2 || phases.contains(&"cancelling"),
            "{phases:?} after call {call}"
        );
        expire(&world).await;
        for key in [first, second] {
            assert_eq!(
                world.job(&key).await.phase.name(),
                "cancelling",
                "call {call}"
            );
        }
        assert!(world.store.waiting(None).await.unwrap().is_empty());
    }
}

async fn expire(world: &World) {
    expire_jobs::handle(json!({"detail-type": "Scheduled Event"}), &world.expire)
        .await
        .unwrap();
}

#[tokio::test]
async fn a_job_that_waits_too_long_fails_with_its_partial_manifest() {
    let world = World::new().await;
    let rows = small_lake(&world).await;
    let key = waiting(&world).await;
    expire(&world).await;
    assert_eq!(world.job(&key).await.phase.name(), "awaiting-credential");
    world.clock.advance(Duration::days(7));
    grant(&world, SIGNATURE);
    expire(&world).await;
    assert!(world.store.waiting(None).await.unwrap().is_empty());
    let job = world.drive(&key).await;
    let Phase::Ended {
        outcome: Outcome::Failed { details },
        ..
    } = &job.phase
    else {
        panic!("{:?}", job.phase)
    };
    assert!(details.starts_with(
        "The job waited too long for a new signature of the container. The files of 2 of 5"
    ));
    assert_honest(&world, &job, &rows).await;
    let kept = recorded(&world, &key).await;
    assert_eq!(world.patch(&key, &json!({})).await.status_code, 202);
    assert_exact(&world, &world.drive(&key).await, &rows, &kept).await;
}

#[tokio::test]
async fn a_job_that_waits_too_long_for_a_storage_that_still_refuses_fails_and_says_both() {
    let world = World::new().await;
    let rows = small_lake(&world).await;
    let key = waiting(&world).await;
    world.clock.advance(Duration::days(8));
    expire(&world).await;
    let job = world.drive(&key).await;
    let Phase::Ended {
        outcome: Outcome::Failed { details },
        ..
    } = &job.phase
    else {
        panic!("{:?}", job.phase)
    };
    assert!(
        details.starts_with("The job waited too long")
            && details.contains("manifest could not be written")
    );
    assert_eq!(world.manifest(&job), None);
    grant(&world, NEW_SIGNATURE);
    let kept = recorded(&world, &key).await;
    assert_eq!(
        (
            world.patch(&key, &new_credential()).await.status_code,
            kept.len()
        ),
        (202, 1)
    );
    assert_exact(&world, &world.drive(&key).await, &rows, &kept).await;
}

#[tokio::test]
async fn a_job_that_went_on_is_struck_off_the_list_and_one_that_waits_again_is_not() {
    let world = World::new().await;
    small_lake(&world).await;
    let key = waiting(&world).await;
    world.store.strike(&key).await.unwrap_err();
    assert_eq!(
        world.store.waiting(None).await.unwrap(),
        std::slice::from_ref(&key)
    );
    grant(&world, NEW_SIGNATURE);
    world.patch(&key, &new_credential()).await;
    assert_eq!(
        world.store.waiting(None).await.unwrap(),
        std::slice::from_ref(&key)
    );
    world.clock.advance(Duration::days(8));
    expire(&world).await;
    assert_eq!(world.job(&key).await.phase, Phase::Resuming);
    assert!(world.store.waiting(None).await.unwrap().is_empty());
    revoke(&world, NEW_SIGNATURE);
    world.settle().await;
    assert_eq!(world.store.waiting(None).await.unwrap(), [key]);
}
