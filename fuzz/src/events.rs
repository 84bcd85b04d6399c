//! Every event that a function takes, as Lambda delivers it.

mod api;

use std::collections::BTreeSet;
use std::sync::Arc;

use aws_lambda_events::eventbridge::EventBridgeEvent;
use aws_lambda_events::sqs::{SqsBatchResponse, SqsEvent, SqsMessage};
use container::writer::WriterSettings;
use domain::chunk::ChunkKey;
use domain::rules::Rules;
use edge::event::{ChunkMessage, EVENT_DETAIL_TYPE, EVENT_SOURCE, JobEvent};
use formats::encode::ENCODERS_VERSION;
use ports::source::Sources;
use serde_json::{Value, json};
use time::Duration;

use crate::world::{Standstill, Willing, assert_nothing_shown, block_on, sealer, store};
use fakes::sources::NoRows;

/// The first byte chooses what follows: an event as JSON (`p` of API Gateway, `c` of the chunk
/// queue, `b` of the bus, `d` of the dead letters' queue), or what is inside of one (`q` a request
/// in lines, `m` a chunk message, `j` the detail of a bus event, `l` a dead letter).
pub fn events(input: &[u8]) -> bool {
    let [letter, text @ ..] = input else {
        return false;
    };
    let Ok(text) = std::str::from_utf8(text) else {
        return false;
    };
    match letter {
        b'p' => api::event(text),
        b'q' => api::request(text),
        b'c' => chunk_queue(text),
        b'm' => chunk_queue(&queue_of(text)),
        b'b' => bus(text),
        b'j' => bus(&bus_event(text)),
        b'd' => dead_letters(text),
        b'l' => dead_letters(&queue_of(text)),
        _ => false,
    }
}

/// A queue's event with the same body twice.
pub(crate) fn queue_of(body: &str) -> String {
    let message = |id: &str| json!({"messageId": id, "body": body});
    json!({"Records": [message("first"), message("second")]}).to_string()
}

/// An event on the bus; a detail that is no JSON stands in it as text.
pub(crate) fn bus_event(detail: &str) -> String {
    let detail = serde_json::from_str(detail).unwrap_or_else(|_| Value::String(detail.to_owned()));
    json!({"detail-type": EVENT_DETAIL_TYPE, "source": EVENT_SOURCE, "detail": detail}).to_string()
}

/// A message comes again exactly when it cannot be read, or names a chunk that is not there though
/// its job is.
fn chunk_queue(text: &str) -> bool {
    let Ok(event) = serde_json::from_str::<SqsEvent>(text) else {
        return false;
    };
    let store = store();
    let jobs = store.stored();
    let comes_again = |message: &&SqsMessage| {
        ChunkMessage::parse(body(message)).map_or(true, |ChunkKey { job, .. }| {
            jobs.iter().any(|stored| stored.key == job)
        })
    };
    let expected = ids(event.records.iter().filter(comes_again));
    let ports = run_export_chunk::Ports {
        chunks: Arc::clone(&store) as _,
        sources: no_rows(),
        containers: Arc::new(Willing),
        sealer: sealer(),
        clock: Arc::new(Standstill),
        settings: run_export_chunk::Settings {
            writer: WriterSettings {
                block_bytes: 1 << 20,
                uploads_in_flight: 1,
                retries: 0,
                retry_delay: std::time::Duration::ZERO,
            },
            row_group_bytes: 1 << 10,
            time_limit: Duration::minutes(15),
        },
    };
    let messages = event.records.len();
    assert_eq!(
        failed(&block_on(run_export_chunk::handle(event, &ports))),
        expected
    );
    assert_nothing_shown(&store);
    expected.len() < messages
}

/// A dead letter stays in its queue exactly when it cannot be read.
fn dead_letters(text: &str) -> bool {
    let Ok(event) = serde_json::from_str::<SqsEvent>(text) else {
        return false;
    };
    let stays = |message: &&SqsMessage| match serde_json::from_str::<EventBridgeEvent<JobEvent>>(
        body(message),
    ) {
        Ok(event) => event.detail.key().is_err(),
        Err(_) => ChunkMessage::parse(body(message)).is_err(),
    };
    let expected = ids(event.records.iter().filter(stays));
    let store = store();
    let ports = fail_chunk::Ports {
        chunks: Arc::clone(&store) as _,
        queue: None,
        clock: Arc::new(Standstill),
    };
    let messages = event.records.len();
    assert_eq!(
        failed(&block_on(fail_chunk::handle(event, &ports))),
        expected
    );
    assert_nothing_shown(&store);
    expected.len() < messages
}

/// An event that names a job is planned; what is written of it is read as the same.
fn bus(text: &str) -> bool {
    let Ok(event) = serde_json::from_str::<EventBridgeEvent<JobEvent>>(text) else {
        return false;
    };
    let written = serde_json::to_string(&event.detail).unwrap_or_default();
    assert_eq!(
        serde_json::from_str::<JobEvent>(&written).ok().as_ref(),
        Some(&event.detail)
    );
    let store = store();
    let ports = plan_export::Ports {
        plans: Arc::clone(&store) as _,
        lists: Arc::clone(&store) as _,
        sources: no_rows(),
        clock: Arc::new(Standstill),
        settings: plan_export::Settings {
            time_limit: Duration::minutes(15),
            max_shards: 32,
            rules: Rules::unless_planned(ENCODERS_VERSION),
        },
    };
    let names_a_job = event.detail.key().is_ok();
    assert_eq!(
        block_on(plan_export::handle(event, &ports)).is_ok(),
        names_a_job
    );
    assert_nothing_shown(&store);
    names_a_job
}

fn body(message: &SqsMessage) -> &str {
    message.body.as_deref().unwrap_or_default()
}

fn ids<'a>(messages: impl Iterator<Item = &'a SqsMessage>) -> BTreeSet<String> {
    messages
        .map(|message| message.message_id.clone().unwrap_or_default())
        .collect()
}

fn failed(response: &SqsBatchResponse) -> BTreeSet<String> {
    response
        .batch_item_failures
        .iter()
        .map(|failure| failure.item_identifier.clone())
        .collect()
}

fn no_rows() -> Sources {
    Sources {
        lake: Arc::new(NoRows::default()),
        registry: Arc::new(NoRows::default()),
    }
}
