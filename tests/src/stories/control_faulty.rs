//! Resumptions and cancellations that crash, meet each other, or wake late: the job always ends,
//! exact or honest.

use std::sync::Arc;

use async_trait::async_trait;
use aws_lambda_events::apigw::ApiGatewayV2httpResponse;
use domain::job::{JobId, JobKey, SealedCredential};
use domain::secret::Secret;
use ports::seal::{SealError, Sealer};
use ports::store::Jobs;
use serde_json::json;

use super::control::{
    NEW_SIGNATURE, assert_exact, assert_honest, grant, half_done, new_credential, planned, posted,
    recorded, revoke, states,
};
use super::rows::small_lake;
use crate::faults::Fault;
use crate::world::{Deliveries, SIGNATURE, World};

/// What is asked of the job.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Ask {
    Patch,
    Delete,
}

async fn send(ask: Ask, world: &World, key: &JobKey) -> ApiGatewayV2httpResponse {
    match ask {
        Ask::Patch => world.patch(key, &new_credential()).await,
        Ask::Delete => world.delete(key).await,
    }
}

/// Asks until there is an answer that is no 5xx, as a stock client does.
async fn ask(ask: Ask, world: &World, key: &JobKey) -> i64 {
    for _ in 0..5 {
        if let Some(answer) = world.faults.survive(send(ask, world, key)).await
            && answer.status_code < 500
        {
            return answer.status_code;
        }
    }
    panic!("{ask:?} was never answered");
}

/// A job that waits for a signature, which there is.
async fn waiting(world: &World) -> JobKey {
    let (key, deliveries) = half_done(world).await;
    revoke(world, SIGNATURE);
    world.settle_on(deliveries).await;
    grant(world, NEW_SIGNATURE);
    key
}

/// Resumes with the fault at the n-th call from the PATCH on; whether there was such a call.
async fn resumed_with_fault(call: usize, fault: Fault) -> bool {
    let world = World::new().await;
    let rows = small_lake(&world).await;
    let key = waiting(&world).await;
    let kept = recorded(&world, &key).await;
    world.faults.arm(call, fault);
    assert_eq!(
        ask(Ask::Patch, &world, &key).await,
        202,
        "{fault:?} at call {call}"
    );
    let job = world.drive(&key).await;
    assert_exact(&world, &job, &rows, &kept).await;
    !world.faults.is_armed()
}

/// Cancels with the fault at the n-th call from the DELETE on; whether there was such a call.
async fn cancelled_with_fault(call: usize, fault: Fault) -> bool {
    let world = World::new().await;
    let rows = small_lake(&world).await;
    let (key, deliveries) = half_done(&world).await;
    world.faults.arm(call, fault);
    assert_eq!(
        ask(Ask::Delete, &world, &key).await,
        202,
        "{fault:?} at call {call}"
    );
    let job = world.drive_on(&key, deliveries).await;
    assert_eq!(
        job.phase.name(),
        "cancelled",
        "{fault:?} at call {call}: {:?}",
        job.phase
    );
    assert_honest(&world, &job, &rows).await;
    !world.faults.is_armed()
}

const FAULTS: [Fault; 4] = [
    Fault::CrashBefore,
    Fault::CrashAfter,
    Fault::Refused,
    Fault::AnswerLost,
];

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_fault_at_any_call_of_a_resumption_loses_and_doubles_nothing() {
    for fault in FAULTS {
        let mut calls = 0;
        while resumed_with_fault(calls, fault).await {
            calls += 1;
        }
        assert!(calls > 30, "{fault:?} met only {calls} calls");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_fault_at_any_call_of_a_cancellation_leaves_a_true_manifest() {
    for fault in FAULTS {
        let mut calls = 0;
        while cancelled_with_fault(calls, fault).await {
            calls += 1;
        }
        assert!(calls > 15, "{fault:?} met only {calls} calls");
    }
}

/// One request stands still before its n-th call while another is answered; whether there was such
/// a call.
async fn two_at_once(first: Ask, second: Ask, call: usize) -> bool {
    let world = World::new().await;
    let rows = small_lake(&world).await;
    let key = waiting(&world).await;
    world.faults.arm(call, Fault::Stall);
    let mut slow = Box::pin(send(first, &world, &key));
    tokio::select! {
        _ = &mut slow => return false,
        () = world.faults.stalled() => {}
    }
    let quick = send(second, &world, &key).await.status_code;
    world.faults.wake();
    let slow = slow.await.status_code;
    let context = format!("{first:?} with {slow} stalled at call {call} for {second:?}");
    assert_eq!(quick, 202, "{context}");
    let expected = if (first, second) == (Ask::Patch, Ask::Delete) {
        409
    } else {
        202
    };
    assert_eq!(slow, expected, "{context}");
    let job = world.drive(&key).await;
    if (first, second) == (Ask::Patch, Ask::Patch) {
        assert_exact(&world, &job, &rows, &[]).await;
        return true;
    }
    assert_eq!(job.phase.name(), "cancelled", "{context}: {:?}", job.phase);
    grant(&world, NEW_SIGNATURE);
    assert_eq!(ask(Ask::Patch, &world, &key).await, 202);
    assert_exact(&world, &world.drive(&key).await, &rows, &[]).await;
    true
}

#[tokio::test]
async fn of_two_requests_at_once_both_are_answered_by_what_the_job_has_become() {
    for (first, second) in [
        (Ask::Patch, Ask::Patch),
        (Ask::Patch, Ask::Delete),
        (Ask::Delete, Ask::Patch),
        (Ask::Delete, Ask::Delete),
    ] {
        let mut call = 0;
        while two_at_once(first, second, call).await {
            call += 1;
        }
        assert!(call >= 3, "{first:?} made only {call} calls");
    }
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

/// A key service that opens nothing.
struct Shut(fn() -> SealError);

#[async_trait]
impl Sealer for Shut {
    async fn seal(&self, _: JobId, _: &Secret) -> Result<SealedCredential, SealError> {
        Err((self.0)())
    }

    async fn open(&self, _: JobId, _: &SealedCredential) -> Result<Secret, SealError> {
        Err((self.0)())
    }
}

#[tokio::test]
async fn a_cancellation_waits_for_the_key_service_and_keeps_what_is_prepared() {
    let mut world = World::new().await;
    let rows = small_lake(&world).await;
    let (key, deliveries) = half_done(&world).await;
    assert_eq!(world.delete(&key).await.status_code, 202);
    let unavailable = || SealError::Unavailable {
        cause: "503".into(),
    };
    let sealer = std::mem::replace(&mut world.finish.sealer, Arc::new(Shut(unavailable)));
    let cancelling = World::event_of(&key, "cancelling");
    finish_export::handle(cancelling.clone(), &world.finish)
        .await
        .unwrap_err();
    assert_eq!(
        states(&world, &key).await[..3],
        ["recorded", "prepared", "pending"]
    );
    world.finish.sealer = sealer;
    finish_export::handle(cancelling, &world.finish)
        .await
        .unwrap();
    assert_eq!(
        recorded(&world, &key).await.len(),
        2,
        "what was prepared is kept"
    );
    let job = world.drive_on(&key, deliveries).await;
    assert_eq!(job.phase.name(), "cancelled");
    assert_honest(&world, &job, &rows).await;
}

#[tokio::test]
async fn a_cancellation_gives_up_what_only_a_lost_credential_could_commit() {
    let mut world = World::new().await;
    small_lake(&world).await;
    let (key, _) = half_done(&world).await;
    assert_eq!(world.delete(&key).await.status_code, 202);
    world.finish.sealer = Arc::new(Shut(|| SealError::Unreadable));
    finish_export::handle(World::event_of(&key, "cancelling"), &world.finish)
        .await
        .unwrap();
    let task = world.task(&key).await;
    assert_eq!(
        (&task["phase"], task.get("manifestUrl")),
        (&json!("cancelled"), None)
    );
    assert_eq!(
        states(&world, &key).await,
        [
            "recorded",
            "cancelled",
            "cancelled",
            "cancelled",
            "cancelled"
        ]
    );
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
