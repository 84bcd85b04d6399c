//! What the pipes make of a change of the exports table, and the envelopes in which functions
//! receive it.

use std::collections::HashMap;

use aws_lambda_events::event::eventbridge::EventBridgeEvent;
use aws_lambda_events::event::sqs::SqsEvent;
use aws_sdk_dynamodbstreams::types::{AttributeValue, Record};
use edge::event::{
    ChunkMessage, EVENT_DETAIL_TYPE, EVENT_SOURCE, JobEvent, chunks_filters, jobs_filters,
};
use serde_json::{Value, json};
use thiserror::Error;
use time::OffsetDateTime;
use time::format_description::well_known::Rfc3339;

use super::pattern::Pattern;
use crate::dynamodb::REGION;

/// The account number that AWS's documentation uses for examples.
const ACCOUNT: &str = "123456789012";

/// An item that a pipe lets through and whose template it cannot fill.
#[derive(Debug, Error)]
#[error("the item has no attribute `{name}`")]
pub struct MissingAttribute {
    name: &'static str,
}

/// The texts and numbers of an item's image, each in the stream's JSON form, `{"S": …}` or `{"N":
/// …}`. Nothing else is filtered on or sent.
pub(crate) fn image(item: &HashMap<String, AttributeValue>) -> Value {
    let attribute = |value: &AttributeValue| match (value.as_s(), value.as_n()) {
        (Ok(text), _) => Some(json!({ "S": text })),
        (_, Ok(number)) => Some(json!({ "N": number })),
        (Err(_), Err(_)) => None,
    };
    item.iter()
        .filter_map(|(name, value)| Some((name.clone(), attribute(value)?)))
        .collect()
}

/// The record as a pipe sees it
/// (<https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-pipes-dynamodb.html#pipes-dynamodb-example-event>).
pub fn pipe_event(record: &Record) -> Option<Value> {
    let change = record.dynamodb()?;
    Some(json!({
        "eventID": record.event_id()?,
        "eventName": record.event_name()?.as_str(),
        "eventSource": "aws:dynamodb",
        "dynamodb": { "NewImage": image(change.new_image()?), "SequenceNumber": change.sequence_number() },
    }))
}

/// What a pipe sends on.
#[derive(Debug, Clone, PartialEq)]
pub enum Sent {
    /// A message to the chunk queue.
    Chunk(ChunkMessage),
    /// An event to the bus, in its envelope.
    Job(Value),
}

/// The two pipes: filters and templates.
#[derive(Debug)]
pub struct Pipes {
    jobs: Vec<Pattern>,
    chunks: Vec<Pattern>,
}

impl Default for Pipes {
    /// The pipes of the template.
    fn default() -> Self {
        Self {
            jobs: jobs_filters().map(Pattern::from).into(),
            chunks: chunks_filters().map(Pattern::from).into(),
        }
    }
}

impl Pipes {
    /// What the two pipes send for a record.
    ///
    /// # Errors
    /// [`MissingAttribute`] when a record that is let through lacks a field of the template.
    pub fn send(&self, event: &Value, now: OffsetDateTime) -> Result<Vec<Sent>, MissingAttribute> {
        let image = event.pointer("/dynamodb/NewImage").unwrap_or(&Value::Null);
        let mut sent = Vec::new();
        if self.chunks.iter().any(|filter| filter.matches(event)) {
            sent.push(Sent::Chunk(chunk_message(image)?));
        }
        if self.jobs.iter().any(|filter| filter.matches(event)) {
            let id = event
                .get("eventID")
                .and_then(Value::as_str)
                .unwrap_or_default();
            sent.push(Sent::Job(bus_event(id, &job_event(image)?, now)));
        }
        Ok(sent)
    }
}

fn text(image: &Value, name: &'static str) -> Result<String, MissingAttribute> {
    let attribute = image
        .get(name)
        .and_then(|value| value.get("S").or_else(|| value.get("N")));
    let text = attribute.and_then(Value::as_str).map(str::to_owned);
    text.ok_or(MissingAttribute { name })
}

pub(crate) fn chunk_message(image: &Value) -> Result<ChunkMessage, MissingAttribute> {
    Ok(ChunkMessage {
        scope: text(image, "scope")?,
        job: text(image, "job")?,
        shard: text(image, "shard")?,
        chunk: text(image, "chunk")?,
    })
}

pub(crate) fn job_event(image: &Value) -> Result<JobEvent, MissingAttribute> {
    Ok(JobEvent {
        kind: text(image, "kind")?,
        scope: text(image, "scope")?,
        job: text(image, "job")?,
        phase: text(image, "phase")?,
    })
}

/// The event in the bus's envelope
/// (<https://docs.aws.amazon.com/eventbridge/latest/ref/overiew-event-structure.html>).
pub(crate) fn bus_event(id: &str, detail: &JobEvent, now: OffsetDateTime) -> Value {
    json!({
        "version": "0",
        "id": id,
        "detail-type": EVENT_DETAIL_TYPE,
        "source": EVENT_SOURCE,
        "account": ACCOUNT,
        "time": now.format(&Rfc3339).unwrap_or_default(),
        "region": REGION,
        "resources": [],
        "detail": detail,
    })
}

/// The bus's event as the function's type.
pub(crate) fn to_eventbridge(
    event: &Value,
) -> Result<EventBridgeEvent<JobEvent>, serde_json::Error> {
    serde_json::from_value(event.clone())
}

/// A batch of one message, as the queue hands it to a function
/// (<https://docs.aws.amazon.com/lambda/latest/dg/with-sqs.html#example-standard-queue-message-event>).
pub(crate) fn sqs_event(
    queue: &str,
    id: &str,
    body: &str,
    receives: u32,
) -> Result<SqsEvent, serde_json::Error> {
    serde_json::from_value(json!({ "Records": [{
        "messageId": id,
        "receiptHandle": format!("{id}-{receives}"),
        "body": body,
        "attributes": { "ApproximateReceiveCount": receives.to_string() },
        "messageAttributes": {},
        "eventSource": "aws:sqs",
        "eventSourceARN": format!("arn:aws:sqs:{REGION}:{ACCOUNT}:{queue}"),
        "awsRegion": REGION,
    }] }))
}

#[cfg(test)]
mod tests {
    use super::*;

    const JOB: &str = "0198f7a4-0000-7000-8000-000000000000";

    fn change(image: &Value) -> Value {
        json!({ "eventID": "e1", "eventName": "MODIFY", "dynamodb": { "NewImage": image } })
    }

    fn send(image: &Value) -> Vec<Sent> {
        Pipes::default()
            .send(&change(image), OffsetDateTime::UNIX_EPOCH)
            .unwrap()
    }

    fn chunk(state: &str) -> Value {
        json!({
            "kind": {"S": "chunk"}, "scope": {"S": "/apps/a"}, "job": {"S": JOB}, "shard": {"N": "3"},
            "chunk": {"N": "35"}, "state": {"S": state},
        })
    }

    #[test]
    fn a_pending_chunk_becomes_a_message_that_the_function_reads() {
        let sent = send(&chunk("pending"));
        let [Sent::Chunk(message)] = sent.as_slice() else {
            panic!("{sent:?}")
        };
        let key = ChunkMessage::parse(&serde_json::to_string(message).unwrap()).unwrap();
        assert_eq!(
            (key.shard, key.number, key.job.scope.as_str()),
            (3, 35, "/apps/a")
        );
    }

    #[test]
    fn a_chunk_that_runs_is_nobodys_news() {
        assert_eq!(send(&chunk("running")), []);
    }

    #[test]
    fn jobs_and_drained_shards_become_events_on_the_bus() {
        let job = json!({"kind": {"S": "job"}, "scope": {"S": "/a"}, "job": {"S": JOB}, "phase": {"S": "queued"}});
        let tally = |open: &str| {
            json!({
                "kind": {"S": "tally"}, "scope": {"S": "/a"}, "job": {"S": JOB}, "phase": {"S": "drained"},
                "open": {"N": open},
            })
        };
        for (image, phase) in [(job, "queued"), (tally("0"), "drained")] {
            let sent = send(&image);
            let [Sent::Job(event)] = sent.as_slice() else {
                panic!("{sent:?}")
            };
            let event = to_eventbridge(event).unwrap();
            assert_eq!(
                (event.source.as_str(), event.detail.phase.as_str()),
                (EVENT_SOURCE, phase)
            );
            assert_eq!(event.detail.key().unwrap().id.to_string(), JOB);
        }
        assert_eq!(send(&tally("2")), []);
    }

    #[test]
    fn an_item_without_a_field_of_the_template_is_an_error() {
        let image = json!({"kind": {"S": "job"}, "phase": {"S": "queued"}});
        assert!(
            Pipes::default()
                .send(&change(&image), OffsetDateTime::UNIX_EPOCH)
                .is_err()
        );
    }
}
