//! The event bus: rules that choose events, and Lambda's asynchronous invocation of their targets.

use std::sync::Arc;
use std::time::Duration;

use aws_lambda_events::event::eventbridge::EventBridgeEvent;
use domain::cause::in_one_line;
use edge::event::JobEvent;
use futures::future::BoxFuture;
use futures::stream::{FuturesUnordered, StreamExt};
use serde_json::Value;
use tokio::sync::mpsc;
use tokio::time::sleep;
use tokio_util::task::AbortOnDropHandle;
use tracing::warn;

use super::FunctionError;
use super::message::to_eventbridge;
use super::pattern::Pattern;
use super::queue::Queue;

/// The function that a rule wakes.
pub(crate) type Target = Arc<
    dyn Fn(EventBridgeEvent<JobEvent>) -> BoxFuture<'static, Result<(), FunctionError>>
        + Send
        + Sync,
>;

/// A rule and its target.
pub(crate) struct Rule {
    /// The function's name in the log: `plan-export` or `finish-export`.
    pub(crate) function: &'static str,
    pub(crate) pattern: Pattern,
    pub(crate) target: Target,
}

/// How often a target is tried.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Retries {
    /// Attempts after the first one
    /// (<https://docs.aws.amazon.com/lambda/latest/dg/invocation-async-error-handling.html>).
    pub(crate) more: u32,
    /// The pause before each of them.
    pub(crate) pause: Duration,
}

/// The bus's sending end.
#[derive(Debug, Clone)]
pub(crate) struct Bus {
    events: mpsc::UnboundedSender<Value>,
}

impl Bus {
    /// Starts the bus, which ends when the handle is dropped, and the runs in flight with it. An
    /// event that a target failed at every attempt goes to the dead-letter queue as it is.
    pub(crate) fn start(
        rules: Vec<Rule>,
        retries: Retries,
        dead_letters: Queue,
    ) -> (Self, AbortOnDropHandle<()>) {
        let (sender, mut events) = mpsc::unbounded_channel::<Value>();
        let task = tokio::spawn(async move {
            let mut running = FuturesUnordered::new();
            loop {
                tokio::select! {
                    Some(event) = events.recv() => {
                        for rule in rules.iter().filter(|rule| rule.pattern.matches(&event)) {
                            running.push(invoke(rule, retries, event.clone(), dead_letters.clone()));
                        }
                    }
                    Some(()) = running.next() => {}
                    else => return,
                }
            }
        });
        (Self { events: sender }, AbortOnDropHandle::new(task))
    }

    /// Puts an event on the bus; nothing happens when the bus has ended.
    pub(crate) fn put(&self, event: Value) {
        drop(self.events.send(event));
    }
}

async fn invoke(rule: &Rule, retries: Retries, event: Value, dead_letters: Queue) {
    for attempt in 0..=retries.more {
        if attempt > 0 {
            sleep(retries.pause).await;
        }
        match attempt_once(rule, &event).await {
            Ok(()) => return,
            Err(error) => {
                warn!(
                    function = rule.function,
                    attempt,
                    error = in_one_line(error.as_ref()),
                    "an event was not dealt with"
                );
            }
        }
    }
    let id = event.get("id").and_then(Value::as_str).unwrap_or_default();
    dead_letters.send(id, &event.to_string());
}

/// Runs the function in a task of its own, so that its panic is a failed attempt, as in Lambda.
async fn attempt_once(rule: &Rule, event: &Value) -> Result<(), FunctionError> {
    let run = (rule.target)(to_eventbridge(event)?);
    AbortOnDropHandle::new(tokio::spawn(run)).await?
}
