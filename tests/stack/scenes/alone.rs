//! Scenes that stop a pipe, or make a function fail, and so want no other beside them.

use std::sync::Arc;
use std::time::{Duration, Instant};

use domain::selection::HistoryType;
use edge::event::{EVENT_DETAIL_TYPE, EVENT_SOURCE};
use local::sample::{APPS, DAYS, folder};
use reqwest::Method;
use serde_json::{Value, json};

use super::Stage;
use crate::aws::REGION;
use crate::deployment::BUCKET;
use crate::run::CONTAINER;

/// The pipe that leads to the queue, and the one to the bus.
const CHUNKS: &str = "ChunksPipe";
const JOBS: &str = "JobsPipe";

const PATIENCE: Duration = Duration::from_mins(2);
const POLL: Duration = Duration::from_millis(200);

/// A layout that this version does not know.
const NEWER: &str = "99";

async fn posted(stage: &Stage, day: time::Date) -> String {
    let day = day.to_string();
    let body = stage.days(CONTAINER, "JsonLinesBlob", [&day, &day]);
    stage.caller.create("events", &body).await
}

/// A job that is planned, and whose chunks are not announced; and the chunks.
async fn planned(stage: &Stage, day: time::Date) -> (String, Vec<Value>) {
    stage.pipes.pause(Some(CHUNKS));
    let id = posted(stage, day).await;
    stage.caller.reaches(&id, "running").await;
    let chunks = stage.items(&id, "chunk").await;
    assert!(!chunks.is_empty());
    (id, chunks)
}

/// An object that is deleted after the plan is missing by name: the function can tell that it is
/// gone.
pub(super) async fn an_object_that_goes(stage: Arc<Stage>) {
    let (id, _) = planned(&stage, DAYS[6]).await;
    let prefix = format!("lake/{}/", folder(HistoryType::Event, &APPS[0], DAYS[6]));
    let aws = &stage.emulator.aws;
    let listed = json!({"Bucket": BUCKET, "Prefix": prefix});
    let listed = aws.call("s3", "list_objects_v2", listed).await;
    let key = listed["Contents"][0]["Key"].clone();
    let gone = json!({"Bucket": BUCKET, "Key": key});
    aws.call("s3", "delete_object", gone).await;
    stage.pipes.pause(None);
    let task = stage.caller.reaches(&id, "incomplete").await;
    let name = key.as_str().unwrap().rsplit('/').next().unwrap();
    assert!(
        task["errorDetails"].as_str().unwrap().contains(name),
        "{task}"
    );
}

/// Messages that are not dealt with come again soon, as if time had passed.
async fn hurry(stage: &Stage) {
    let soon = json!({"QueueUrl": stage.deployed.id("ChunkQueue"), "Attributes": {"VisibilityTimeout": "2"}});
    stage
        .emulator
        .aws
        .call("sqs", "set_queue_attributes", soon)
        .await;
}

pub(super) async fn a_chunk_that_always_fails(stage: Arc<Stage>) {
    hurry(&stage).await;
    let aws = &stage.emulator.aws;
    let role = stage.deployed.role_of("RunExportChunk");
    // Before a run has claimed its chunk: it would hold it for longer than a test may last.
    aws.fail(&[(role, "GetItem")]).await;
    let id = posted(&stage, DAYS[1]).await;
    let task = stage.caller.reaches(&id, "incomplete").await;
    assert!(!task["errorDetails"].is_null(), "{task}");
    aws.fail(&[]).await;
    stage
        .caller
        .change(Method::PATCH, &id, Some(&json!({})))
        .await;
    stage.caller.reaches(&id, "succeeded").await;
}

/// A job whose planner fails at every delivery of its event is ended by fail-chunk, which Lambda's own
/// dead letter tells of.
pub(super) async fn an_event_that_always_fails(stage: Arc<Stage>) {
    stage.pipes.pause(Some(JOBS));
    let id = posted(&stage, DAYS[1]).await;
    let event = json!({
        "version": "0", "id": id, "detail-type": EVENT_DETAIL_TYPE, "source": EVENT_SOURCE,
        "account": "123456789012", "time": "2026-01-05T00:00:00Z", "region": REGION, "resources": [],
        "detail": {"version": "1", "kind": "job", "scope": APPS[0].scope().as_str(), "job": id, "phase": "queued"},
    });
    let queue = stage.deployed.id("EventDeadLetters");
    let letter = json!({"QueueUrl": queue, "MessageBody": event.to_string()});
    stage.emulator.aws.call("sqs", "send_message", letter).await;
    // Its plan has failed, and the finisher is told.
    stage.caller.reaches(&id, "running").await;
    stage.pipes.pause(None);
    stage.caller.reaches(&id, "failed").await;
}

/// Items that another version has written, while both are deployed: this one leaves them to it. Its
/// dead letters go back on the queue.
pub(super) async fn items_of_a_newer_version(stage: Arc<Stage>) {
    hurry(&stage).await;
    let (id, chunks) = planned(&stage, DAYS[1]).await;
    let jobs = stage.items(&id, "job").await;
    let ours = jobs[0]["v"].clone();
    stage.alter(&jobs[0], "v", &json!({ "N": NEWER })).await;
    let (status, answer) = stage.caller.ask(Method::GET, &format!("/{id}"), None).await;
    assert_eq!(status, 503, "{answer}");
    stage.alter(&jobs[0], "v", &ours).await;
    for chunk in &chunks {
        stage.alter(chunk, "v", &json!({ "N": NEWER })).await;
    }
    let before = stage.items(&id, "chunk").await;
    stage.pipes.pause(None);
    comes_back(&stage).await;
    assert_eq!(stage.items(&id, "chunk").await, before, "left alone");
    for chunk in &chunks {
        stage.alter(chunk, "v", &chunk["v"]).await;
    }
    stage.caller.reaches(&id, "succeeded").await;
}

/// Waits until a message is on the chunk queue that is not to be seen yet.
async fn comes_back(stage: &Stage) {
    let queue = stage.deployed.id("ChunkQueue");
    let asked =
        json!({"QueueUrl": queue, "AttributeNames": ["ApproximateNumberOfMessagesDelayed"]});
    let begun = Instant::now();
    loop {
        let aws = &stage.emulator.aws;
        let said = aws.call("sqs", "get_queue_attributes", asked.clone()).await;
        if said["Attributes"]["ApproximateNumberOfMessagesDelayed"] != "0" {
            return;
        }
        assert!(
            begun.elapsed() < PATIENCE,
            "no dead letter comes back: {said}"
        );
        tokio::time::sleep(POLL).await;
    }
}
