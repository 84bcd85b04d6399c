//! Reconciles a job, writes its manifest and ends it.
//!
//! Triggered by the bus when a job's plan is closed and whenever a shard has no open chunk left. Goes on only when both
//! are true of the whole job. Reads the chunks; writes the manifest into the client's container and the end into the
//! exports table.
//!
//! A retry takes over from an earlier finisher, whose next write then fails. A manifest whose block list is durable is
//! committed as it is, never written anew.

mod manifest;

use std::sync::Arc;

use aws_lambda_events::eventbridge::EventBridgeEvent;
use shared::clock::Clock;
use shared::container::writer::WriterSettings;
use shared::container::{Container, ContainerAccess, ContainerError, Containers, PreparedFile};
use shared::event::{JobEvent, UnreadableMessage};
use shared::job::{IllegalMove, Job, Outcome, Phase, Plan};
use shared::seal::{SealError, Sealer};
use shared::store::{ChunkLists, StoreError};
use shared::tally::Tally;
use shared::wiring::{Wiring, WiringError};
use thiserror::Error;
use tracing::{error, info};

/// What the finisher needs of the world.
#[derive(Clone)]
pub struct Ports {
    /// The jobs and their chunks.
    pub chunks: Arc<dyn ChunkLists>,
    /// The clients' containers.
    pub containers: Arc<dyn Containers>,
    /// Opens the jobs' credentials.
    pub sealer: Arc<dyn Sealer>,
    /// The time.
    pub clock: Arc<dyn Clock>,
    /// How the manifest is cut into blocks and sent.
    pub writer: WriterSettings,
}

impl Ports {
    /// Builds the ports from the settings.
    ///
    /// # Errors
    /// [`WiringError`] when a setting does not fit.
    pub fn wire(wiring: &Wiring) -> Result<Self, WiringError> {
        Ok(Self {
            chunks: wiring.store()?,
            containers: wiring.containers()?,
            sealer: wiring.sealer()?,
            clock: wiring.clock(),
            writer: wiring.writer()?,
        })
    }
}

/// Why finishing stopped.
#[derive(Debug, Error)]
pub enum FinishError {
    /// The event is not what this version of the service sends.
    #[error(transparent)]
    Event(#[from] UnreadableMessage),
    /// The exports table failed.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// The client's container failed.
    #[error(transparent)]
    Container(#[from] ContainerError),
    /// The credential cannot be opened.
    #[error(transparent)]
    Seal(#[from] SealError),
    /// The chunks do not add up to what was counted.
    #[error("the counts do not reconcile: {0}")]
    Irreconcilable(String),
    /// The job's state forbids what the finisher wants; a defect.
    #[error(transparent)]
    Illegal(#[from] IllegalMove),
    /// The manifest cannot be written as JSON; a defect.
    #[error("the manifest cannot be written as JSON")]
    Json(#[from] serde_json::Error),
}

impl FinishError {
    /// Whether no repeat will help: the job must end without a manifest.
    fn is_final(&self) -> bool {
        match self {
            Self::Container(error) => match error {
                ContainerError::Denied { .. } | ContainerError::Missing { .. } | ContainerError::Refused { .. } => true,
                ContainerError::BlocksGone | ContainerError::Damaged { .. } | ContainerError::Unavailable { .. } => {
                    false
                }
            },
            Self::Seal(error) => matches!(error, SealError::Unreadable),
            Self::Irreconcilable(_) => true,
            Self::Event(_) | Self::Store(_) | Self::Illegal(_) | Self::Json(_) => false,
        }
    }
}

/// Ends the event's job, if it is time.
///
/// # Errors
/// [`FinishError`]: deliver the event again.
pub async fn handle(event: EventBridgeEvent<JobEvent>, ports: &Ports) -> Result<(), FinishError> {
    let key = event.detail.key()?;
    let Some(job) = ports.chunks.job(&key, ports.clock.now()).await? else { return Ok(()) };
    let ready = matches!(job.phase, Phase::Running | Phase::Finishing { .. });
    if !ready || matches!(job.plan, Plan::Open { .. }) {
        return Ok(());
    }
    let tally = ports.chunks.tally(&job).await?;
    if tally.open > 0 {
        return Ok(());
    }
    match finish(job, &tally, ports).await {
        Err(FinishError::Store(StoreError::Conflict { .. })) => {
            info!(job.id = %key.id, "another finisher has taken the job over");
            Ok(())
        }
        done => done,
    }
}

async fn finish(job: Job, tally: &Tally, ports: &Ports) -> Result<(), FinishError> {
    let mut job = ports.chunks.put_job(job.begin_finishing()?).await?;
    let outcome = match publish(&mut job, tally, ports).await {
        Ok(outcome) => outcome,
        Err(error) if error.is_final() => {
            error!(job.id = %job.key.id, error = %error, "the job ends without a manifest");
            Outcome::Failed { details: format!("The manifest could not be written: {error}.") }
        }
        Err(error) => return Err(error),
    };
    let job = ports.chunks.put_job(job.end(ports.clock.now(), outcome)?).await?;
    info!(job.id = %job.key.id, job.phase = job.phase.name(), rows = tally.rows, bytes = tally.bytes, "the job has ended");
    Ok(())
}

/// Writes the manifest, unless an earlier finisher did, makes it durable, and commits it.
async fn publish(job: &mut Job, tally: &Tally, ports: &Ports) -> Result<Outcome, FinishError> {
    let container = open_container(job, ports).await?;
    loop {
        let (file, outcome) = match &job.phase {
            Phase::Finishing { manifest: Some(prepared) } => prepared.clone(),
            Phase::Finishing { manifest: None }
            | Phase::Queued
            | Phase::Planning
            | Phase::Running
            | Phase::Ended { .. } => {
                let prepared = manifest::stage(job, tally, Arc::clone(&container), ports).await?;
                put(job, |job| job.prepare_manifest(Some(prepared.clone())), ports).await?;
                prepared
            }
        };
        match commit(container.as_ref(), &file).await {
            Ok(()) => return Ok(outcome),
            Err(ContainerError::BlocksGone) => {
                put(job, |job| job.prepare_manifest(None).and_then(Job::begin_finishing), ports).await?;
            }
            Err(error) => return Err(error.into()),
        }
    }
}

async fn put(
    job: &mut Job,
    step: impl FnOnce(Job) -> Result<Job, IllegalMove>,
    ports: &Ports,
) -> Result<(), FinishError> {
    *job = ports.chunks.put_job(step(job.clone())?).await?;
    Ok(())
}

async fn open_container(job: &Job, ports: &Ports) -> Result<Arc<dyn Container>, FinishError> {
    let sealed = job.credential.as_ref().ok_or(SealError::Unreadable)?;
    let signature = ports.sealer.open(job.key.id, sealed).await?;
    Ok(ports.containers.open(&ContainerAccess { address: job.destination.clone(), signature })?)
}

async fn commit(container: &dyn Container, file: &PreparedFile) -> Result<(), ContainerError> {
    container.commit_blocks(&file.name, &file.block_ids(), "application/json").await
}
