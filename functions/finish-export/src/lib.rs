//! Reconciles a job, writes its manifest and ends it; closes the open chunks of a job that is being
//! cancelled.
//!
//! Triggered by the bus when a job's plan is closed, when a job is being cancelled, and whenever a
//! shard has no open chunk left. Goes on only when the whole job has none. Reads the chunks; writes
//! the manifest into the client's container and the end into the exports table.
//!
//! A retry takes over from an earlier finisher, whose next write then fails: only that one is done
//! with its event. A finisher that cannot begin, or whose job got a new credential meanwhile, reads
//! the job again and goes on. A manifest whose block list is durable is committed as it is, never
//! written anew.

mod closing;
mod manifest;

use std::sync::Arc;

use aws_lambda_events::eventbridge::EventBridgeEvent;
use container::writer::{WriterSettings, commit};
use domain::container::{ContainerAccess, PreparedFile};
use domain::job::{IllegalMove, Job, Phase, Plan};
use domain::tally::Tally;
use edge::event::{JobEvent, UnreadableMessage};
use ports::clock::Clock;
use ports::container::{Container, ContainerError, Containers};
use ports::seal::{SealError, Sealer};
use ports::store::{ChunkLists, Chunks, StoreError};
use thiserror::Error;
use tracing::{error, info};
use wiring::config::ConfigError;
use wiring::{Wiring, WiringError};

use closing::close_open_chunks;

/// What the finisher needs of the world.
#[derive(Clone)]
pub struct Ports {
    /// The jobs and their chunks, moved.
    pub chunks: Arc<dyn Chunks>,
    /// The chunks, listed.
    pub lists: Arc<dyn ChunkLists>,
    /// The clients' containers.
    pub containers: Arc<dyn Containers>,
    /// Opens the jobs' credentials.
    pub sealer: Arc<dyn Sealer>,
    /// The time.
    pub clock: Arc<dyn Clock>,
    /// The settings.
    pub settings: Settings,
}

/// How the finisher goes about its work.
#[derive(Debug, Clone, Copy)]
pub struct Settings {
    /// How the manifest is cut into blocks and sent.
    pub writer: WriterSettings,
}

impl Settings {
    /// Reads them.
    ///
    /// # Errors
    /// [`ConfigError`] when one does not fit, or when the blocks do not fit into the function's
    /// memory.
    fn of(wiring: &Wiring) -> Result<Self, ConfigError> {
        Ok(Self {
            writer: WriterSettings::of(wiring)?,
        })
    }
}

impl Ports {
    /// Builds the ports from the settings.
    ///
    /// # Errors
    /// [`WiringError`] when a setting does not fit.
    pub fn wire(wiring: &Wiring) -> Result<Self, WiringError> {
        let store = exports_table::wire(wiring)?;
        Ok(Self {
            chunks: Arc::clone(&store) as _,
            lists: store,
            containers: container::wire(wiring)?,
            sealer: sealing::wire(wiring)?,
            clock: wiring.clock(),
            settings: Settings::of(wiring)?,
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
            Self::Container(error) => !error.is_passing(),
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
    let mut begun = None;
    while let Some(mut job) = ports.chunks.job(&key, ports.clock.now()).await? {
        let attempts = job.finish_attempts;
        if begun.is_some_and(|begun| begun < attempts) {
            info!(job.id = %key.id, "another finisher has taken the job over");
            return Ok(());
        }
        match Box::pin(finish_when_due(&mut job, ports)).await {
            Err(FinishError::Store(StoreError::Conflict { .. })) => {}
            done => return done,
        }
        if job.finish_attempts > attempts {
            begun = Some(job.finish_attempts);
        }
        info!(job.id = %key.id, "somebody else has moved the job; reading it again");
    }
    Ok(())
}

/// Leaves in `job` what this finisher knew of it last.
async fn finish_when_due(job: &mut Job, ports: &Ports) -> Result<(), FinishError> {
    match (&job.phase, &job.plan) {
        (Phase::Cancelling { .. }, _) => close_open_chunks(job, ports).await?,
        (Phase::Finishing { .. }, _)
        | (Phase::Running, Plan::Complete { .. } | Plan::Failed { .. }) => {}
        (
            Phase::Queued
            | Phase::Planning
            | Phase::Running
            | Phase::AwaitingCredential { .. }
            | Phase::Resuming
            | Phase::Ended { .. },
            _,
        ) => return Ok(()),
    }
    let tally = ports.chunks.tally(job).await?;
    if tally.open > 0 {
        return Ok(());
    }
    put(job, Job::begin_finishing, ports).await?;
    Box::pin(finish(job, &tally, ports)).await
}

async fn finish(job: &mut Job, tally: &Tally, ports: &Ports) -> Result<(), FinishError> {
    match publish(job, tally, ports).await {
        Ok(()) => put(job, |job| job.end(ports.clock.now()), ports).await?,
        Err(FinishError::Container(error @ ContainerError::Denied { .. })) => {
            if let Ok(waiting) = job
                .clone()
                .await_credential(ports.clock.now(), error.to_string())
            {
                ports.chunks.put_job(waiting).await?;
                info!(job.id = %job.key.id, reason = %error, "the job waits for a new credential");
                return Ok(());
            }
            end_without_manifest(job, &error, ports).await?;
        }
        Err(error) if error.is_final() => end_without_manifest(job, &error, ports).await?,
        Err(error) => return Err(error),
    }
    info!(job.id = %job.key.id, job.phase = job.phase.name(), rows = tally.counts.rows, bytes = tally.counts.bytes, "the job has ended");
    Ok(())
}

async fn end_without_manifest(
    job: &mut Job,
    error: &(dyn std::error::Error + Sync),
    ports: &Ports,
) -> Result<(), FinishError> {
    error!(job.id = %job.key.id, error = %error, "the job ends without a manifest");
    put(
        job,
        |job| job.end_without_manifest(ports.clock.now(), &error.to_string()),
        ports,
    )
    .await
}

/// Writes the manifest, unless an earlier finisher did, makes it durable, and commits it.
async fn publish(job: &mut Job, tally: &Tally, ports: &Ports) -> Result<(), FinishError> {
    let container = open_container(job, ports).await?;
    loop {
        let Some(file) = prepared_manifest(&job.phase) else {
            *job = job.clone().warn_of_rows(tally);
            let (file, told) = manifest::stage(job, tally, Arc::clone(&container), ports).await?;
            put(job, |job| job.prepare_manifest(file, told), ports).await?;
            continue;
        };
        match commit(container.as_ref(), &file, "application/json").await {
            Ok(()) => return Ok(()),
            Err(ContainerError::BlocksGone) => {
                put(job, Job::restage_manifest, ports).await?;
            }
            Err(error) => return Err(error.into()),
        }
    }
}

fn prepared_manifest(phase: &Phase) -> Option<PreparedFile> {
    if let Phase::Finishing {
        manifest: Some((file, _)),
        ..
    } = phase
    {
        Some(file.clone())
    } else {
        None
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
    let credential = job.credential.as_ref().ok_or(SealError::Unreadable)?;
    let signature = ports.sealer.open(job.key.id, &credential.sealed).await?;
    Ok(ports.containers.open(&ContainerAccess {
        address: job.destination.clone(),
        signature,
    })?)
}
