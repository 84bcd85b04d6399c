//! Exports one chunk into one file.
//!
//! Triggered by the chunk queue, a message a chunk. Reads the chunk and its job from the exports
//! table, the chunk's data from its source; writes blocks into the client's container and the
//! chunk's state into the table.
//!
//! A retry finds where the chunk stands and goes on from there: a recorded chunk is left alone, a
//! prepared one is committed and recorded, any other is staged anew under a new attempt. A run that
//! lost its lease changes nothing that is visible.

mod error;
mod run;
mod stage;

use std::sync::Arc;

use aws_lambda_events::sqs::{BatchItemFailure, SqsBatchResponse, SqsEvent, SqsMessage};
use container::writer::WriterSettings;
use edge::event::ChunkMessage;
use ports::clock::Clock;
use ports::container::Containers;
use ports::seal::Sealer;
use ports::source::Sources;
use ports::store::Chunks;
use time::Duration;
use tracing::{error, warn};
use wiring::config::{ConfigError, Environment};
use wiring::{Wiring, WiringError};

use error::ChunkError;
use run::run_chunk;

/// How a chunk run goes about its work.
#[derive(Debug, Clone, Copy)]
pub struct RunSettings {
    /// How the file is cut into blocks and sent.
    pub writer: WriterSettings,
    /// Whether malformed records are skipped and counted, instead of ending the chunk.
    pub skip_bad_records: bool,
    /// How long the function may take.
    pub time_limit: Duration,
}

impl RunSettings {
    /// How long a lease lasts: until the function that took it is dead for certain.
    fn lease(&self) -> Duration {
        self.time_limit + Duration::seconds(5)
    }

    /// When a run gives up by itself, with time left to give its lease back: a twentieth, at most
    /// 10 s, early.
    fn give_up_after(&self) -> Duration {
        let margin: Duration = self.time_limit / 20;
        self.time_limit - margin.min(Duration::seconds(10))
    }
}

/// What a chunk run needs of the world.
#[derive(Clone)]
pub struct Ports {
    /// The chunks and their jobs.
    pub chunks: Arc<dyn Chunks>,
    /// The raw data.
    pub sources: Sources,
    /// The clients' containers.
    pub containers: Arc<dyn Containers>,
    /// Opens the jobs' credentials.
    pub sealer: Arc<dyn Sealer>,
    /// The time.
    pub clock: Arc<dyn Clock>,
    /// The settings.
    pub settings: RunSettings,
}

impl Ports {
    /// Builds the ports from the settings.
    ///
    /// # Errors
    /// [`WiringError`] when a setting does not fit.
    pub fn wire(wiring: &Wiring) -> Result<Self, WiringError> {
        let settings = RunSettings {
            writer: WriterSettings::of(wiring.env())?,
            skip_bad_records: skips_bad_records(wiring.env())?,
            time_limit: wiring.time_limit()?,
        };
        Ok(Self {
            chunks: exports_table::wire(wiring)?,
            sources: sources::wire(wiring)?,
            containers: container::wire(wiring)?,
            sealer: sealing::wire(wiring)?,
            clock: wiring.clock(),
            settings,
        })
    }
}

/// Whether malformed records are skipped.
fn skips_bad_records(env: &Environment) -> Result<bool, ConfigError> {
    match env.text("ON_BAD_RECORD")? {
        "fail" => Ok(false),
        "skip" => Ok(true),
        other => Err(Environment::invalid(
            "ON_BAD_RECORD",
            other,
            "`fail` or `skip`",
        )),
    }
}

/// Runs the chunks of the messages, one after the other, and names the messages that are to be
/// delivered again (<https://docs.aws.amazon.com/lambda/latest/dg/services-sqs-errorhandling.html#services-sqs-batchfailurereporting>).
pub async fn handle(event: SqsEvent, ports: &Ports) -> SqsBatchResponse {
    let mut response = SqsBatchResponse::default();
    for message in event.records {
        if !handle_message(&message, ports).await {
            let mut failure = BatchItemFailure::default();
            failure.item_identifier = message.message_id.unwrap_or_default();
            response.batch_item_failures.push(failure);
        }
    }
    response
}

/// Whether the message is done with.
async fn handle_message(message: &SqsMessage, ports: &Ports) -> bool {
    let key = match ChunkMessage::parse(message.body.as_deref().unwrap_or_default()) {
        Ok(key) => key,
        Err(error) => {
            error!(error = %error, "a message of the chunk queue cannot be read");
            return false;
        }
    };
    match Box::pin(run_chunk(&key, ports)).await {
        Ok(()) => true,
        Err(error) => {
            warn!(
                job.id = %key.job.id, chunk.id = key.number, error = %error,
                "the chunk run stopped; the message will be delivered again"
            );
            false
        }
    }
}
