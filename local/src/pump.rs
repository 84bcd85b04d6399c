//! The event pump: what the stream's pipes, the event bus, the queues and Lambda do in the cloud,
//! in one process.
//!
//! It reads the exports table's stream, lets through what the template's filters let through, and
//! runs the functions with the events that Lambda would hand them: at least once, again after a
//! failure, and to the dead letters when nothing helps. Its queues live in memory;
//! `pump/recovery.rs` says why nothing is lost with them.

mod bus;
mod message;
mod pattern;
mod queue;
mod recovery;
mod stream;

pub use message::{MissingAttribute, Pipes, Sent, pipe_event};
pub use pattern::Pattern;
pub use stream::StreamReader;

use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use aws_config::SdkConfig;
use aws_lambda_events::event::eventbridge::EventBridgeEvent;
use aws_lambda_events::event::sqs::{SqsBatchResponse, SqsEvent};
use domain::cause::Cause;
use edge::event::{JobEvent, finish_rule, plan_rule};
use ports::clock::Clock;
use thiserror::Error;
use tokio_util::task::AbortOnDropHandle;
use tracing::{error, warn};

use bus::{Bus, Retries, Rule};
use queue::{Queue, QueueSettings};

/// Why a function failed, in its own words.
pub type FunctionError = Box<dyn std::error::Error + Send + Sync>;

/// The functions that events wake, with the events that Lambda hands them.
#[async_trait]
pub trait Functions: Send + Sync + 'static {
    /// Woken by [`plan_rule`].
    async fn plan_export(&self, event: EventBridgeEvent<JobEvent>) -> Result<(), FunctionError>;
    /// Fed by the chunk queue.
    async fn run_export_chunk(&self, event: SqsEvent) -> Result<SqsBatchResponse, FunctionError>;
    /// Woken by [`finish_rule`].
    async fn finish_export(&self, event: EventBridgeEvent<JobEvent>) -> Result<(), FunctionError>;
    /// Fed by the dead-letter queue.
    async fn fail_chunk(&self, event: SqsEvent) -> Result<SqsBatchResponse, FunctionError>;
}

/// How the pump delivers.
#[derive(Debug, Clone)]
pub struct PumpSettings {
    /// The name of the exports table, whose stream is read.
    pub table: String,
    /// Chunk runs in flight, at most.
    pub chunk_concurrency: usize,
    /// How long after its receive a message that was not dealt with comes again.
    pub visibility: Duration,
    /// Receives after which a chunk message becomes a dead letter.
    pub max_receives: u32,
    /// Attempts at an event of the bus after the first one.
    pub event_retries: u32,
    /// The pause before each of them.
    pub event_retry_pause: Duration,
    /// How long to wait before an idle stream is asked again.
    pub poll: Duration,
    /// How many times each message and event is sent: 2 shows that a repeat is harmless.
    pub copies: usize,
}

impl PumpSettings {
    /// As the template has it, but with pauses that fit a person who waits. A chunk whose run died
    /// with an earlier process is redelivered until that run's lease is over, which takes a
    /// minute with the stack's settings.
    pub fn patient_person(table: impl Into<String>) -> Self {
        Self {
            table: table.into(),
            chunk_concurrency: 4,
            visibility: Duration::from_secs(20),
            max_receives: 8,
            event_retries: 2,
            event_retry_pause: Duration::from_secs(2),
            poll: Duration::from_millis(50),
            copies: 1,
        }
    }
}

/// Why the pump cannot start or go on.
#[derive(Debug, Error)]
pub enum PumpError {
    /// The table has no stream.
    #[error("the exports table has no stream")]
    NoStream,
    /// The stream or the table does not answer.
    #[error("the exports table cannot be read")]
    Unread(#[source] Cause),
}

/// A running pump; dropping it ends it and every run in flight, as if the machine had failed.
#[derive(Debug)]
pub struct Pump {
    _tasks: Vec<AbortOnDropHandle<()>>,
}

impl Pump {
    /// Starts the pump, beginning with what an earlier process left undone.
    ///
    /// # Errors
    /// [`PumpError`] when the table cannot be read or has no stream.
    pub async fn start(
        settings: PumpSettings,
        config: &SdkConfig,
        functions: Arc<dyn Functions>,
        clock: Arc<dyn Clock>,
    ) -> Result<Self, PumpError> {
        // The place in the stream comes first: what changes during the scan is in one of the two.
        let reader = StreamReader::at_the_end(config, &settings.table).await?;
        let left_undone = recovery::waiting(config, &settings.table, clock.now()).await?;
        let (outlets, mut tasks) = Outlets::start(&settings, &functions);
        for sent in left_undone {
            outlets.send(&sent);
        }
        let pipes = Pipes::default();
        let reading = tokio::spawn(read_stream(reader, settings.poll, pipes, outlets, clock));
        tasks.push(AbortOnDropHandle::new(reading));
        Ok(Self { _tasks: tasks })
    }
}

async fn read_stream(
    mut reader: StreamReader,
    poll: Duration,
    pipes: Pipes,
    outlets: Outlets,
    clock: Arc<dyn Clock>,
) {
    loop {
        let records = match reader.wait(poll).await {
            Ok(records) => records,
            Err(error) => {
                warn!(%error, "the stream does not answer");
                tokio::time::sleep(poll.max(Duration::from_secs(1))).await;
                continue;
            }
        };
        for event in records.iter().filter_map(pipe_event) {
            match pipes.send(&event, clock.now()) {
                Ok(sent) => sent.iter().for_each(|sent| outlets.send(sent)),
                Err(error) => error!(%error, "a pipe cannot make its message"),
            }
        }
    }
}

/// Where the pipes lead.
struct Outlets {
    chunks: Queue,
    bus: Bus,
    copies: usize,
}

impl Outlets {
    fn start(
        settings: &PumpSettings,
        functions: &Arc<dyn Functions>,
    ) -> (Self, Vec<AbortOnDropHandle<()>>) {
        let (dead_letters, burying) = dead_letter_queue(settings, functions);
        let (chunks, running) = chunk_queue(settings, functions, dead_letters.clone());
        let retries = Retries {
            more: settings.event_retries,
            pause: settings.event_retry_pause,
        };
        let (bus, waking) = Bus::start(rules(functions), retries, dead_letters);
        (
            Self {
                chunks,
                bus,
                copies: settings.copies,
            },
            vec![burying, running, waking],
        )
    }

    fn send(&self, sent: &Sent) {
        for _ in 0..self.copies {
            match sent {
                Sent::Chunk(message) => {
                    let body = serde_json::to_string(message).unwrap_or_default();
                    self.chunks
                        .send(&format!("{}-{}", message.job, message.chunk), &body);
                }
                Sent::Job(event) => self.bus.put(event.clone()),
            }
        }
    }
}

fn chunk_queue(
    settings: &PumpSettings,
    functions: &Arc<dyn Functions>,
    dead_letters: Queue,
) -> (Queue, AbortOnDropHandle<()>) {
    let functions = Arc::clone(functions);
    let queue = QueueSettings {
        name: "chunks",
        visibility: settings.visibility,
        max_receives: Some(settings.max_receives),
        concurrency: settings.chunk_concurrency,
    };
    let consumer = move |event| {
        let functions = Arc::clone(&functions);
        let run: futures::future::BoxFuture<'static, _> =
            Box::pin(async move { functions.run_export_chunk(event).await });
        run
    };
    Queue::start(queue, Arc::new(consumer), Some(dead_letters))
}

fn dead_letter_queue(
    settings: &PumpSettings,
    functions: &Arc<dyn Functions>,
) -> (Queue, AbortOnDropHandle<()>) {
    let functions = Arc::clone(functions);
    let queue = QueueSettings {
        name: "dead-letters",
        visibility: settings.visibility,
        max_receives: None,
        concurrency: 1,
    };
    let consumer = move |event| {
        let functions = Arc::clone(&functions);
        let run: futures::future::BoxFuture<'static, _> =
            Box::pin(async move { functions.fail_chunk(event).await });
        run
    };
    Queue::start(queue, Arc::new(consumer), None)
}

fn rules(functions: &Arc<dyn Functions>) -> Vec<Rule> {
    let (planner, finisher) = (Arc::clone(functions), Arc::clone(functions));
    vec![
        Rule {
            function: "plan-export",
            pattern: plan_rule().into(),
            target: Arc::new(move |event| {
                let functions = Arc::clone(&planner);
                Box::pin(async move { functions.plan_export(event).await })
            }),
        },
        Rule {
            function: "finish-export",
            pattern: finish_rule().into(),
            target: Arc::new(move |event| {
                let functions = Arc::clone(&finisher);
                Box::pin(async move { functions.finish_export(event).await })
            }),
        },
    ]
}
