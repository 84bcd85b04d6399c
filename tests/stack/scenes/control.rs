//! Exports that storage holds up: it takes blocks and refuses to commit them.

use std::sync::Arc;

use local::sample::DAYS;
use ports::clock::Clock;
use reqwest::Method;
use serde_json::json;
use time::Duration;
use time::format_description::well_known::Rfc3339;
use wiring::SystemClock;

use super::Stage;
use crate::run::HELD;

/// A job that waits for a credential, because its container is held.
async fn waiting(stage: &Stage, container: &str) -> String {
    let day = DAYS[0].to_string();
    let body = stage.days(container, "JsonBlob", [&day, &day]);
    let id = stage.caller.create("events", &body).await;
    stage.caller.reaches(&id, "awaiting-credential").await;
    id
}

pub(super) async fn a_new_credential(stage: Arc<Stage>) {
    let [container, others @ ..] = HELD;
    let id = waiting(&stage, container).await;
    stage.emulator.aws.hold(&others).await;
    let url = stage.emulator.container_url(container, "w");
    let body = json!({ "containerUrl": url });
    stage.caller.change(Method::PATCH, &id, Some(&body)).await;
    stage.caller.reaches(&id, "succeeded").await;
}

pub(super) async fn a_cancellation(stage: Arc<Stage>) {
    let id = waiting(&stage, HELD[1]).await;
    stage.caller.change(Method::DELETE, &id, None).await;
    stage.caller.reaches(&id, "cancelled").await;
}

/// The job's wait is put back by eight days, and the hourly run comes.
pub(super) async fn too_long_a_wait(stage: Arc<Stage>) {
    let id = waiting(&stage, HELD[2]).await;
    let items = stage.items(&id, "job").await;
    let [job] = items.as_slice() else {
        panic!("{items:?}")
    };
    let long_ago = SystemClock.now() - Duration::days(8);
    let since = json!({"S": long_ago.format(&Rfc3339).unwrap()});
    stage.alter(job, "awaiting.since", &since).await;
    let function = stage.deployed.id("ExpireJobs");
    let event = json!({"FunctionName": function, "Payload": "{}"});
    let answer = stage.emulator.aws.call("lambda", "invoke", event).await;
    assert_eq!(answer.get("FunctionError"), None, "{answer}");
    let task = stage.caller.reaches(&id, "failed").await;
    let why = task["errorDetails"].as_str().unwrap();
    assert!(why.contains("waited too long"), "{task}");
}
