//! Resumptions and cancellations that crash, meet each other, or wake late: the job always ends,
//! exact or honest.

use aws_lambda_events::apigw::ApiGatewayV2httpResponse;
use domain::job::JobKey;

use super::rows::small_lake;
use super::scenes::{
    NEW_SIGNATURE, assert_exact, assert_honest, grant, half_done, new_credential, recorded, revoke,
};
use crate::faults::Fault;
use crate::world::{SIGNATURE, World};

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
