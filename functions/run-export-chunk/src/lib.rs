//! `run-export-chunk`: exports one chunk into its files, of rows and of what cannot be exported.
//!
//! *Started by* the chunk queue, a message a chunk. *Reads* the chunk and its job from the exports
//! table, the chunk's data from its source.
//!
//! *Writes* blocks into the client's container, commits them, and puts the chunk's state into the
//! table; when storage refuses the credential, also the job, which then waits for another.
//!
//! *A retry* finds where the chunk stands and goes on from there: a recorded chunk is left alone, a
//! prepared one is committed and recorded, any other is staged anew under a new attempt. A run that
//! lost its lease changes nothing that is visible.

mod error;
mod run;
mod stage;

use std::sync::Arc;

use aws_lambda_events::sqs::{BatchItemFailure, SqsBatchResponse, SqsEvent, SqsMessage};
use container::writer::WriterSettings;
use domain::cause::in_one_line;
use edge::event::ChunkMessage;
use ports::clock::Clock;
use ports::container::Containers;
use ports::seal::Sealer;
use ports::source::Sources;
use ports::store::Chunks;
use time::Duration;
use tracing::{Instrument, error, error_span, warn};
use wiring::config::{ConfigError, FUNCTION_TIMEOUT_SECONDS, ROW_GROUP_BYTES};
use wiring::{Held, Wiring, WiringError};

use error::ChunkError;
use run::run_chunk;

/// How this function goes about its work.
#[derive(Debug, Clone, Copy)]
pub struct Settings {
    /// How the file is cut into blocks and sent.
    pub writer: WriterSettings,
    /// How many bytes of values a row group of a `ParquetBlob` has when it is full.
    pub row_group_bytes: usize,
    /// How long the function may take.
    pub time_limit: Duration,
}

impl Settings {
    /// Reads them.
    ///
    /// # Errors
    /// [`ConfigError`] when one does not fit, or when the blocks do not fit into the function's
    /// memory.
    pub fn of(wiring: &Wiring) -> Result<Self, ConfigError> {
        let env = wiring.env();
        Ok(Self {
            writer: WriterSettings::of(wiring, Held::of_chunk(env)?)?,
            row_group_bytes: env.get(&ROW_GROUP_BYTES)?,
            time_limit: env.get(&FUNCTION_TIMEOUT_SECONDS)?,
        })
    }

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

/// What this function needs of the world.
#[derive(Clone)]
pub struct Ports {
    /// The chunks and jobs in the exports table; a write is on condition of the revision read.
    pub chunks: Arc<dyn Chunks>,
    /// The lake and the registry, which hold the raw data.
    pub sources: Sources,
    /// Opens a client's container with the signature that came with its URL.
    pub containers: Arc<dyn Containers>,
    /// Seals a container's signature for one job, and opens it again.
    pub sealer: Arc<dyn Sealer>,
    /// The present moment in UTC, and fresh ids.
    pub clock: Arc<dyn Clock>,
    /// Read and checked once, when the function starts.
    pub settings: Settings,
}

impl Ports {
    /// Builds the ports from the settings.
    ///
    /// # Errors
    /// [`WiringError`] when a setting does not fit.
    pub fn wire(wiring: &Wiring) -> Result<Self, WiringError> {
        Ok(Self {
            chunks: exports_table::wire(wiring)?,
            sources: sources::wire_to_read(wiring)?,
            containers: container::wire(wiring)?,
            sealer: sealing::wire(wiring)?,
            clock: wiring.clock(),
            settings: Settings::of(wiring)?,
        })
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
            error!(
                error = in_one_line(&error),
                "a message of the chunk queue cannot be read"
            );
            return false;
        }
    };
    // Whatever is logged meanwhile, by whatever crate, says of which chunk it is.
    let span = error_span!("chunk", job.id = %key.job.id, chunk.id = key.number);
    match Box::pin(run_chunk(&key, ports).instrument(span)).await {
        Ok(()) => true,
        Err(error) => {
            warn!(
                job.id = %key.job.id, chunk.id = key.number, error = in_one_line(&error),
                "the chunk run stopped; the message will be delivered again"
            );
            false
        }
    }
}
