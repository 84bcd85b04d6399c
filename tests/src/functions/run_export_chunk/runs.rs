//! Runs that storage refuses, that stand still, or that other encoders were to do.

use domain::container::ContainerAddress;
use domain::job::Phase;
use domain::secret::Secret;
use formats::encode::ENCODERS_VERSION;

use crate::faults::{Call, Fault};
use crate::stories::days;
use crate::stories::rows::{exported_events, small_lake};
use crate::stories::scenes::{
    NEW_SIGNATURE, assert_exact, grant, new_credential, planned, revoke, states,
};
use crate::world::deliveries::Deliveries;
use crate::world::{CONTAINER, SIGNATURE, World};

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

#[tokio::test]
async fn a_chunk_that_other_encoders_were_to_write_fails_and_says_so() {
    let mut world = World::new().await;
    small_lake(&world).await;
    world.plan.settings.rules.encoders = 99;
    let key = planned(&world).await;
    let details = world.drive(&key).await.phase.outcome().cloned().unwrap();
    let said = format!(
        "the job was planned for files of encoders 99, and this version of the service has encoders \
         {ENCODERS_VERSION}: create the export again"
    );
    assert!(details.details().unwrap().contains(&said), "{details:?}");
}
