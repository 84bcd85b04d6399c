//! `finish-export`: reconciles a job, writes its manifest and ends it.
//!
//! *Started by* the bus, when a job's plan is closed, when a job is being cancelled, and when a
//! shard has no open chunk left. It goes on only when the whole job has none; of a job that is
//! being cancelled it closes those that are open. *Reads* the job, its tallies and its chunks.
//!
//! *Writes* the schema and the manifest into the client's container and the job's end into the exports table, or,
//! when storage refuses the credential, that the job waits for another. Of a cancelled job it
//! commits the prepared files and closes the chunks.
//!
//! *A retry* takes over from an earlier finisher, whose next write then fails: only that one is
//! done with its event. A finisher that cannot begin, or whose job got a new credential meanwhile,
//! reads the job again and goes on. A manifest whose block list is durable is committed as it is,
//! never written anew.

mod closing;
mod manifest;
mod schema;

use std::sync::Arc;

use aws_lambda_events::eventbridge::EventBridgeEvent;
use container::writer::{WriterSettings, commit};
use container::{OpenError, open_for};
use domain::cause::in_one_line;
use domain::container::PreparedFile;
use domain::job::{IllegalMove, Job, Phase, Plan};
use domain::tally::Tally;
use edge::event::{JobEvent, UnreadableMessage};
use ports::clock::Clock;
use ports::container::{Container, ContainerError, Containers};
use ports::seal::Sealer;
use ports::store::{ChunkLists, Chunks, StoreError};
use thiserror::Error;
use tracing::{Instrument, error, error_span, info};
use wiring::config::ConfigError;
use wiring::{Held, Wiring, WiringError};

use closing::close_open_chunks;

/// The content type of the schema and the manifest.
const JSON: &str = "application/json";

/// What this function needs of the world.
#[derive(Clone)]
pub struct Ports {
    /// The chunks and jobs in the exports table; a write is on condition of the revision read.
    pub chunks: Arc<dyn Chunks>,
    /// The chunks in the exports table, listed by shard in the order of their numbers.
    pub lists: Arc<dyn ChunkLists>,
    /// Opens a client's container with the signature that came with its URL.
    pub containers: Arc<dyn Containers>,
    /// Seals a container's signature for one job, and opens it again.
    pub sealer: Arc<dyn Sealer>,
    /// The present moment in UTC, and fresh ids.
    pub clock: Arc<dyn Clock>,
    /// Read and checked once, when the function starts.
    pub settings: Settings,
}

/// How this function goes about its work.
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
            writer: WriterSettings::of(wiring, Held::default())?,
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

/// Why finishing stopped; the event will be delivered again.
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
    /// The client's container cannot be opened.
    #[error(transparent)]
    Open(#[from] OpenError),
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
    /// Whether a repeat may help; when none will, the job must end without a manifest. What is a
    /// defect is repeated too: another version of the service may be without it, and fail-chunk ends
    /// the job in the end.
    fn is_transient(&self) -> bool {
        match self {
            Self::Container(error) => error.is_transient(),
            Self::Open(error) => error.is_transient(),
            Self::Irreconcilable(_) => false,
            Self::Event(_) | Self::Store(_) | Self::Illegal(_) | Self::Json(_) => true,
        }
    }
}

/// Ends the event's job, if it is time; else does nothing.
///
/// # Errors
/// [`FinishError`]: deliver the event again.
pub async fn handle(event: EventBridgeEvent<JobEvent>, ports: &Ports) -> Result<(), FinishError> {
    let key = event.detail.key()?;
    // Whatever is logged meanwhile, by whatever crate, says of which job it is.
    let span = error_span!("finish", job.id = %key.id);
    let mut begun = None;
    while let Some(job) = ports.chunks.job(&key, ports.clock.now()).await? {
        let attempts = job.finish_attempts;
        if begun.is_some_and(|begun| begun < attempts) {
            info!(job.id = %key.id, "another finisher has taken the job over");
            return Ok(());
        }
        let mut finisher = Finisher { job, ports };
        let finish = Box::pin(finisher.finish_when_due());
        match finish.instrument(span.clone()).await {
            Err(FinishError::Store(StoreError::Conflict { .. })) => {}
            done => return done,
        }
        if finisher.job.finish_attempts > attempts {
            begun = Some(finisher.job.finish_attempts);
        }
        info!(job.id = %key.id, "somebody else has moved the job; reading it again");
    }
    Ok(())
}

/// A finisher and its job, as it knew that last.
struct Finisher<'a> {
    job: Job,
    ports: &'a Ports,
}

impl Finisher<'_> {
    async fn finish_when_due(&mut self) -> Result<(), FinishError> {
        match (&self.job.phase, &self.job.plan) {
            (Phase::Cancelling { .. }, _) => close_open_chunks(&self.job, self.ports).await?,
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
        let tally = self.ports.chunks.tally(&self.job).await?;
        if tally.open > 0 {
            return Ok(());
        }
        self.put(Job::begin_finishing).await?;
        Box::pin(self.finish(&tally)).await
    }

    async fn finish(&mut self, tally: &Tally) -> Result<(), FinishError> {
        match self.publish(tally).await {
            Ok(()) => {
                let at = self.ports.clock.now();
                self.put(|job| Ok(job.end(at)?.total(*tally))).await?;
            }
            Err(FinishError::Container(error @ ContainerError::Denied { .. })) => {
                let now = self.ports.clock.now();
                let reason = in_one_line(&error);
                let waiting = self.job.clone().await_credential(now, reason.clone());
                if let Ok(waiting) = waiting {
                    self.ports.chunks.put_job(waiting).await?;
                    info!(job.id = %self.job.key.id, reason, "the job waits for a new credential");
                    return Ok(());
                }
                self.end_without_manifest(&reason, tally).await?;
            }
            Err(error) if error.is_transient() => return Err(error),
            Err(error) => {
                self.end_without_manifest(&in_one_line(&error), tally)
                    .await?;
            }
        }
        info!(
            job.id = %self.job.key.id, job.phase = self.job.phase.name(),
            rows = tally.counts.rows, bytes = tally.counts.bytes, "the job has ended"
        );
        Ok(())
    }

    async fn end_without_manifest(
        &mut self,
        reason: &str,
        tally: &Tally,
    ) -> Result<(), FinishError> {
        error!(job.id = %self.job.key.id, reason, "the job ends without a manifest");
        let now = self.ports.clock.now();
        self.put(|job| Ok(job.end_without_manifest(now, reason)?.total(*tally)))
            .await
    }

    /// Writes the manifest, unless an earlier finisher did, makes it durable, and commits it.
    async fn publish(&mut self, tally: &Tally) -> Result<(), FinishError> {
        let container = open_container(&self.job, self.ports).await?;
        loop {
            let Some(file) = prepared_manifest(&self.job.phase) else {
                self.job = self.job.clone().warn_of_rows(tally);
                let staged = manifest::stage(&self.job, tally, Arc::clone(&container), self.ports);
                let (file, outcome) = staged.await?;
                self.put(|job| job.prepare_manifest(file, outcome)).await?;
                continue;
            };
            match self.commit(&file, container.as_ref()).await {
                Ok(()) => return Ok(()),
                Err(ContainerError::BlocksGone) => self.put(Job::restage_manifest).await?,
                Err(error) => return Err(error.into()),
            }
        }
    }

    /// Makes the manifest visible, last of all files.
    async fn commit(
        &self,
        manifest: &PreparedFile,
        container: &dyn Container,
    ) -> Result<(), ContainerError> {
        schema::commit(&self.job, manifest, container).await?;
        commit(container, manifest, JSON).await
    }

    async fn put(
        &mut self,
        step: impl FnOnce(Job) -> Result<Job, IllegalMove>,
    ) -> Result<(), FinishError> {
        self.job = self.ports.chunks.put_job(step(self.job.clone())?).await?;
        Ok(())
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

async fn open_container(job: &Job, ports: &Ports) -> Result<Arc<dyn Container>, OpenError> {
    open_for(job, ports.sealer.as_ref(), ports.containers.as_ref()).await
}
