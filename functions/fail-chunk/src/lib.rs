//! `fail-chunk`: ends what failed at every attempt, so that no job waits forever for what cannot be
//! done.
//!
//! *Started by* the dead-letter queues, a message at a time: chunk messages that were received too
//! often, and bus events that plan-export or finish-export failed at every attempt. *Reads* the
//! chunk, or the job and its tallies.
//!
//! *Writes* the chunk as failed, or the job's next phase, on condition that nobody moved it. It
//! sends the message of a chunk that a newer version of the service planned back to the chunk
//! queue, with all its receives to come: such a chunk has not crashed, this version's runs could
//! not read it.
//!
//! *A retry* leaves alone a chunk that is closed, and a job that has ended or waits. A message that
//! cannot be dealt with comes again; after ten receives SQS moves it to `StrandedMessages`, where
//! an alarm sees it.

use std::sync::Arc;
use std::time::Duration;

use aws_lambda_events::eventbridge::EventBridgeEvent;
use aws_lambda_events::sqs::{BatchItemFailure, SqsBatchResponse, SqsEvent};
use domain::cause::in_one_line;
use domain::chunk::{ChunkKey, Claim};
use domain::job::{IllegalMove, Phase};
use edge::event::{ChunkMessage, JobEvent, UnreadableMessage};
use ports::clock::Clock;
use ports::queue::{ChunkQueue, QueueError};
use ports::store::{Chunks, StoreError};
use thiserror::Error;
use time::OffsetDateTime;
use tracing::{error, info, warn};
use wiring::{Wiring, WiringError};

/// How long the message of a chunk of a newer layout waits on its queue: what remains of a deployment,
/// mostly.
const PUT_BACK_DELAY: Duration = Duration::from_mins(5);

/// What this function needs of the world.
#[derive(Clone)]
pub struct Ports {
    /// The chunks and jobs in the exports table; a write is on condition of the revision read.
    pub chunks: Arc<dyn Chunks>,
    /// The chunk queue, if there is one to put messages back on.
    pub queue: Option<Arc<dyn ChunkQueue>>,
    /// The present moment in UTC, and fresh ids.
    pub clock: Arc<dyn Clock>,
}

impl Ports {
    /// Builds the ports from the settings.
    ///
    /// # Errors
    /// [`WiringError`] when a setting does not fit.
    pub fn wire(wiring: &Wiring) -> Result<Self, WiringError> {
        Ok(Self {
            chunks: exports_table::wire(wiring)?,
            queue: chunk_queue::wire(wiring)?,
            clock: wiring.clock(),
        })
    }
}

/// Why a dead letter could not be dealt with; it stays in its queue.
#[derive(Debug, Error)]
pub(crate) enum FailError {
    /// It is not what this version of the service sends.
    #[error(transparent)]
    Message(#[from] UnreadableMessage),
    /// The exports table failed.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// The chunk is of a newer version, and its message did not get back on the queue.
    #[error(transparent)]
    Queue(#[from] QueueError),
    /// The job's state forbids it; a defect.
    #[error(transparent)]
    Illegal(#[from] IllegalMove),
    /// A run may still be at it.
    #[error("another run holds it until {until}")]
    Held {
        /// The end of that run's lease.
        until: OffsetDateTime,
    },
    /// Ended now, the job could not be resumed: its open chunks would neither run nor be reopened.
    #[error("chunks of the cancelled job are open; deliver its event to finish-export again")]
    ChunksOpen,
    /// The manifest only waits to be committed; ending the job now could contradict it.
    #[error("the job's manifest is prepared; deliver its event to finish-export again")]
    ManifestPrepared,
}

/// Ends what each dead letter is about, and answers the letters that are to be delivered again.
pub async fn handle(event: SqsEvent, ports: &Ports) -> SqsBatchResponse {
    let mut response = SqsBatchResponse::default();
    for message in event.records {
        let body = message.body.as_deref().unwrap_or_default();
        if let Err(error) = end(body, ports).await {
            error!(
                error = in_one_line(&error),
                "a dead letter could not be dealt with; it stays in its queue"
            );
            let mut failure = BatchItemFailure::default();
            failure.item_identifier = message.message_id.unwrap_or_default();
            response.batch_item_failures.push(failure);
        }
    }
    response
}

async fn end(body: &str, ports: &Ports) -> Result<(), FailError> {
    if let Ok(event) = serde_json::from_str::<EventBridgeEvent<JobEvent>>(body) {
        return end_job(&event.detail, ports).await;
    }
    let key = ChunkMessage::parse(body)?;
    match (end_chunk(&key, ports).await, &ports.queue) {
        (Err(FailError::Store(StoreError::Newer { layout, .. })), Some(queue)) => {
            queue.send(body, PUT_BACK_DELAY).await?;
            warn!(
                job.id = %key.job.id, chunk.id = key.number, layout,
                "the chunk is of a newer version of the service; its message is back on the chunk queue"
            );
            Ok(())
        }
        (ended, _) => ended,
    }
}

async fn end_chunk(key: &ChunkKey, ports: &Ports) -> Result<(), FailError> {
    let Some(chunk) = ports.chunks.chunk(key).await? else {
        return Ok(());
    };
    let reason = format!(
        "every run crashed or ran out of time, the last in attempt {}",
        chunk.attempt
    );
    match chunk.abandon(ports.clock.now(), &reason) {
        Claim::Closed => Ok(()),
        Claim::Held { until } => Err(FailError::Held { until }),
        Claim::Free(step) => {
            ports.chunks.apply(*step).await?;
            warn!(job.id = %key.job.id, chunk.id = key.number, reason, "the chunk failed for good");
            Ok(())
        }
    }
}

/// An event is delivered more than once: when another delivery was dealt with, and the job is at
/// another function's now, there is nothing to end.
///
/// A job that could not be planned fails by way of its manifest, one that could not be resumed
/// waits for its owner again, and one that could not be finished fails, or is cancelled as its
/// owner asked, without a manifest.
async fn end_job(event: &JobEvent, ports: &Ports) -> Result<(), FailError> {
    let (key, now) = (event.key()?, ports.clock.now());
    let Some(job) = ports.chunks.job(&key, now).await? else {
        return Ok(());
    };
    let is_planners = matches!(job.phase, Phase::Queued | Phase::Planning | Phase::Resuming);
    if event.is_for_planner() != is_planners {
        info!(job.id = %key.id, job.phase = job.phase.name(), "the job has gone on without the event");
        return Ok(());
    }
    let reason = "every attempt at it failed".to_owned();
    let job = match &job.phase {
        Phase::Queued | Phase::Planning => job.begin_planning()?.fail_plan(reason)?,
        Phase::Resuming => job.give_up_resuming(now)?,
        Phase::Running if ports.chunks.tally(&job).await?.open > 0 => return Ok(()),
        Phase::Cancelling { .. } if ports.chunks.tally(&job).await?.open > 0 => {
            return Err(FailError::ChunksOpen);
        }
        Phase::Running | Phase::Cancelling { .. } | Phase::Finishing { manifest: None, .. } => {
            job.end_without_manifest(now, &reason)?
        }
        Phase::Finishing {
            manifest: Some(_), ..
        } => return Err(FailError::ManifestPrepared),
        Phase::AwaitingCredential { .. } | Phase::Ended { .. } => return Ok(()),
    };
    let job = ports.chunks.put_job(job).await?;
    error!(job.id = %key.id, job.phase = job.phase.name(), "the job's events failed at every attempt");
    Ok(())
}
