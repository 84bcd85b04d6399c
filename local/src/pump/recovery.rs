//! What a start makes good: the events that were under way when the last process ended.
//!
//! Queues and bus live in memory, so a restart forgets what they held. That loses nothing, because
//! an event says only "look at this item": everything that it led to, or should have, stands in the
//! table. So the start tells once more of every item that waits for somebody. A function that is
//! told twice finds the work done or held, and stops.
//!
//! | item that waits | what it is told as | why that is enough |
//! |---|---|---|
//! | job queued or planning | job queued | plan-export goes on at the plan's cursor |
//! | job resuming | job resuming | plan-export reopens what is not open yet |
//! | job cancelling | job cancelling | finish-export closes what is still open |
//! | job running or finishing | job running | finish-export looks at every shard, so drained tallies need no event of their own |
//! | chunk pending, running or prepared | chunk message | run-export-chunk claims it when the lease of the dead run ends |

#![expect(
    clippy::disallowed_types,
    reason = "this is the adapter that scans the table"
)]

use std::collections::HashMap;

use aws_config::SdkConfig;
use aws_sdk_dynamodb::Client;
use aws_sdk_dynamodb::error::DisplayErrorContext;
use aws_sdk_dynamodb::types::AttributeValue;
use domain::job::JobId;
use edge::event::{ChunkMessage, JobEvent};
use time::OffsetDateTime;

use super::PumpError;
use super::message::{Sent, bus_event};

/// The events of all items that wait.
pub(crate) async fn waiting(
    config: &SdkConfig,
    table: &str,
    now: OffsetDateTime,
) -> Result<Vec<Sent>, PumpError> {
    let pages = Client::new(config)
        .scan()
        .table_name(table)
        .consistent_read(true)
        .filter_expression(
            "phase IN (:queued, :planning, :resuming, :running, :cancelling, :finishing) OR #state IN (:pending, :running, :prepared)",
        )
        .expression_attribute_names("#state", "state");
    let words = [
        "queued",
        "planning",
        "resuming",
        "running",
        "cancelling",
        "finishing",
        "pending",
        "prepared",
    ];
    let pages = words.into_iter().fold(pages, |scan, word| {
        scan.expression_attribute_values(format!(":{word}"), AttributeValue::S(word.to_owned()))
    });
    let mut pages = pages.into_paginator().send();
    let mut sent = Vec::new();
    while let Some(page) = pages.next().await {
        let page = page.map_err(|error| PumpError::Unread {
            reason: DisplayErrorContext(error).to_string(),
        })?;
        sent.extend(page.items().iter().filter_map(|item| event_of(item, now)));
    }
    Ok(sent)
}

/// What the item is told as; `None` when it is none of the service's.
fn event_of(item: &HashMap<String, AttributeValue>, now: OffsetDateTime) -> Option<Sent> {
    let text = |name: &str| {
        item.get(name)
            .and_then(|value| value.as_s().or_else(|_| value.as_n()).ok())
            .cloned()
    };
    let (kind, scope, job) = (text("kind")?, text("scope")?, text("job")?);
    JobId::parse(&job)?;
    if kind == "chunk" {
        return Some(Sent::Chunk(ChunkMessage {
            scope,
            job,
            shard: text("shard")?,
            chunk: text("chunk")?,
        }));
    }
    let phase = match text("phase")?.as_str() {
        "planning" => "queued".to_owned(),
        "finishing" => "running".to_owned(),
        told => told.to_owned(),
    };
    let id = format!("recovered-{job}");
    Some(Sent::Job(bus_event(
        &id,
        &JobEvent {
            kind,
            scope,
            job,
            phase,
        },
        now,
    )))
}
