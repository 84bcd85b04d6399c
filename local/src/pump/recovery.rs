//! What a start makes good: the events that were under way when the last process ended.
//!
//! Queues and bus live in memory, so a restart forgets what they held. That loses nothing, because
//! an event says only "look at this item": everything that it led to, or should have, stands in the
//! table. So the start sends the event of every item that waits for somebody once more. A function
//! that gets it twice finds the work done or held, and stops.
//!
//! | item that waits | what is sent | why that is enough |
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
use std::fmt::Display;

use aws_config::SdkConfig;
use aws_sdk_dynamodb::Client;
use aws_sdk_dynamodb::types::AttributeValue;
use domain::chunk::ChunkStateName;
use domain::job::{JobId, PhaseName};
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
    let phases = PhaseName::ALL
        .iter()
        .filter(|phase| phase_to_send(**phase).is_some());
    let (phases, of_phases) = values("phase", phases);
    let (states, of_states) = values("state", &UNDER_WAY);
    let pages = Client::new(config)
        .scan()
        .table_name(table)
        .consistent_read(true)
        .filter_expression(format!("phase IN ({phases}) OR #state IN ({states})"))
        .expression_attribute_names("#state", "state");
    let pages = of_phases
        .into_iter()
        .chain(of_states)
        .fold(pages, |scan, (name, value)| {
            scan.expression_attribute_values(name, value)
        });
    let mut pages = pages.into_paginator().send();
    let mut sent = Vec::new();
    while let Some(page) = pages.next().await {
        let page = page.map_err(|error| PumpError::Unread(error.into()))?;
        sent.extend(page.items().iter().filter_map(|item| event_of(item, now)));
    }
    Ok(sent)
}

/// The states of a chunk that a message was under way for, or a run was at.
const UNDER_WAY: [ChunkStateName; 3] = [
    ChunkStateName::Pending,
    ChunkStateName::Running,
    ChunkStateName::Prepared,
];

/// The phase that is sent for a job in this one; `None` when it waits for nobody but its owner.
fn phase_to_send(phase: PhaseName) -> Option<PhaseName> {
    match phase {
        PhaseName::Queued | PhaseName::Planning => Some(PhaseName::Queued),
        PhaseName::Running | PhaseName::Finishing => Some(PhaseName::Running),
        PhaseName::Resuming | PhaseName::Cancelling => Some(phase),
        PhaseName::AwaitingCredential
        | PhaseName::Succeeded
        | PhaseName::Incomplete
        | PhaseName::Failed
        | PhaseName::Cancelled => None,
    }
}

/// The list of an `IN` over these names, and the values that it refers to
/// (<https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/Expressions.OperatorsAndFunctions.html>).
fn values<'a, T: Display + 'a>(
    kind: &str,
    names: impl IntoIterator<Item = &'a T>,
) -> (String, Vec<(String, AttributeValue)>) {
    let values: Vec<_> = (names.into_iter().enumerate())
        .map(|(place, name)| {
            (
                format!(":{kind}{place}"),
                AttributeValue::S(name.to_string()),
            )
        })
        .collect();
    let list: Vec<_> = values.iter().map(|(name, _)| name.as_str()).collect();
    (list.join(", "), values)
}

/// What is sent for the item; `None` when it is none of the service's, or waits for nobody.
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
    let phase = phase_to_send(PhaseName::from_name(&text("phase")?)?)?.to_string();
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
