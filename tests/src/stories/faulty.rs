//! The same export with one fault at every possible call: exact rows at the end, or an honest
//! failure.

use super::days;
use super::rows::{exported_events, small_lake};
use crate::faults::Fault;
use crate::world::World;

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
