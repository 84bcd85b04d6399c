//! Events and messages, as the bus and the queue deliver them.

use aws_lambda_events::eventbridge::EventBridgeEvent;
use aws_lambda_events::sqs::SqsEvent;
use domain::job::JobKey;
use edge::event::{ChunkMessage, JobEvent};
use serde_json::{Value, json};

pub(super) fn event_in(text: &impl Fn(&str) -> String) -> JobEvent {
    JobEvent {
        kind: text("kind"),
        scope: text("scope"),
        job: text("job"),
        phase: text("phase"),
    }
}

pub(super) fn job_event(key: &JobKey, phase: &str) -> JobEvent {
    JobEvent {
        kind: "job".to_owned(),
        scope: key.scope.as_str().to_owned(),
        job: key.id.to_string(),
        phase: phase.to_owned(),
    }
}

pub(super) fn chunk_message(key: &JobKey, shard: u16, chunk: u32) -> ChunkMessage {
    ChunkMessage {
        scope: key.scope.as_str().to_owned(),
        job: key.id.to_string(),
        shard: shard.to_string(),
        chunk: chunk.to_string(),
    }
}

pub(crate) fn envelope(event: &JobEvent) -> Value {
    json!({
        "version": "0", "id": "e1", "detail-type": edge::event::EVENT_DETAIL_TYPE, "source": edge::event::EVENT_SOURCE,
        "account": "1", "time": "2026-02-01T00:00:00Z", "region": "eu-west-1", "resources": [], "detail": event,
    })
}

pub(crate) fn bus_event(event: &JobEvent) -> EventBridgeEvent<JobEvent> {
    serde_json::from_value(envelope(event)).unwrap()
}

pub(crate) fn sqs_event(body: &Value) -> SqsEvent {
    serde_json::from_value(json!({"Records": [{"messageId": "m1", "body": body.to_string()}]}))
        .unwrap()
}
