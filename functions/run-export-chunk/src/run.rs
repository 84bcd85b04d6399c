//! The protocol of a chunk run: claim, stage, prepare, commit, record.

use std::sync::Arc;
use std::time::Duration;

use container::{open_for, writer};
use domain::cause::Cause;
use domain::chunk::{Chunk, ChunkKey, ChunkMove, ChunkSource, Claim, Lease};
use domain::counts::Counts;
use domain::job::{IllegalMove, Job, Phase};
use ports::container::{Container, ContainerError};
use ports::store::StoreError;
use time::OffsetDateTime;
use tracing::{info, warn};

use crate::stage::{Staged, Way, stage};
use crate::{ChunkError, Ports};

/// How often one run stages a file whose blocks were gone when it wanted to commit them.
const STAGINGS: u32 = 3;

/// Takes the chunk as far as it will go.
///
/// # Errors
/// [`ChunkError`] when the message is to be delivered again.
pub(crate) async fn run_chunk(key: &ChunkKey, ports: &Ports) -> Result<(), ChunkError> {
    let Some(job) = ports.chunks.job(&key.job, ports.clock.now()).await? else {
        info!(job.id = %key.job.id, chunk.id = key.number, "the job is forgotten; its chunk is left alone");
        return Ok(());
    };
    match job.phase {
        Phase::Cancelling { .. } | Phase::Ended { .. } => return Ok(()),
        Phase::AwaitingCredential { .. } => return set_aside(key, &job, ports).await,
        Phase::Queued
        | Phase::Planning
        | Phase::Running
        | Phase::Resuming
        | Phase::Finishing { .. } => {}
    }
    let Some(mut run) = Run::claim(key, &job, ports).await? else {
        return Ok(());
    };
    let limit = Duration::try_from(ports.settings.give_up_after()).unwrap_or_default();
    let finished = tokio::time::timeout(limit, run.advance()).await;
    match finished.unwrap_or_else(|_| {
        Err(ChunkError::retry(
            "the chunk takes longer than the function may",
        ))
    }) {
        Ok(()) => Ok(()),
        Err(ChunkError::Superseded) => Err(ChunkError::Superseded),
        Err(ChunkError::Fail { reason }) => run.fail(&reason).await,
        Err(ChunkError::Credential { reason }) => run.park(reason).await,
        Err(ChunkError::Retry(cause)) => run.release(cause).await,
    }
}

/// Parks the chunk of a job that waits for a credential, without calling storage.
async fn set_aside(key: &ChunkKey, job: &Job, ports: &Ports) -> Result<(), ChunkError> {
    let Some(chunk) = ports.chunks.chunk(key).await? else {
        return Err(ChunkError::retry("the chunk is not in the table"));
    };
    match chunk.park(ports.clock.now()) {
        Claim::Closed => {}
        Claim::Held { until } => {
            return Err(ChunkError::retry(format!(
                "another run holds the chunk until {until}"
            )));
        }
        Claim::Free(step) => {
            ports.chunks.apply(*step).await?;
        }
    }
    check_parked_for_good(job, ports).await
}

/// A job that got its credential while the chunk was being parked may have passed it by when it
/// reopened its chunks: then the message must come again.
async fn check_parked_for_good(job: &Job, ports: &Ports) -> Result<(), ChunkError> {
    let present = ports.chunks.job(&job.key, ports.clock.now()).await?;
    let waits = |job: &Job| matches!(job.phase, Phase::AwaitingCredential { .. });
    match present {
        Some(present) if !waits(&present) => {
            Err(ChunkError::retry("the job goes on with a new credential"))
        }
        Some(_) | None => Ok(()),
    }
}

/// How much a chunk reads of the lake, as it is stored there; nothing of the registry, which says no
/// sizes.
fn bytes_of(source: &ChunkSource) -> u64 {
    match source {
        ChunkSource::Objects { objects, .. } => {
            objects.iter().map(|object| object.size_bytes).sum()
        }
        ChunkSource::Partitions(_) => 0,
    }
}

/// A chunk that this run holds the lease of.
struct Run<'a> {
    job: &'a Job,
    ports: &'a Ports,
    lease: Lease,
    /// When the lease was taken.
    began: OffsetDateTime,
}

impl<'a> Run<'a> {
    /// Takes the lease; `None` when the chunk is done with.
    async fn claim(
        key: &ChunkKey,
        job: &'a Job,
        ports: &'a Ports,
    ) -> Result<Option<Self>, ChunkError> {
        let Some(chunk) = ports.chunks.chunk(key).await? else {
            return Err(ChunkError::retry("the chunk is not in the table"));
        };
        let began = ports.clock.now();
        match chunk.claim(began, ports.settings.lease()) {
            Claim::Closed => Ok(None),
            Claim::Held { until } => Err(ChunkError::retry(format!(
                "another run holds the chunk until {until}"
            ))),
            Claim::Free(step) => {
                let lease = Lease::of(ports.chunks.apply(*step).await?)?;
                Ok(Some(Self {
                    job,
                    ports,
                    lease,
                    began,
                }))
            }
        }
    }

    async fn advance(&mut self) -> Result<(), ChunkError> {
        let Ports {
            sealer, containers, ..
        } = self.ports;
        let container = open_for(self.job, sealer.as_ref(), containers.as_ref()).await?;
        for _ in 0..STAGINGS {
            if self.lease.prepared().is_none() {
                self.stage(&container).await?;
            }
            match self.commit(container.as_ref()).await {
                Ok(()) => return self.record().await,
                Err(ContainerError::BlocksGone) => self.take(Lease::restage).await?,
                Err(error) => return Err(error.into()),
            }
        }
        Err(ChunkError::retry(
            "the staged blocks are gone again and again",
        ))
    }

    /// Stages the files and makes their block lists durable. When rows of objects were staged that
    /// turned out not to be exported, all is staged anew without those; when stored bytes were that
    /// turned out not to be the file, all is encoded.
    async fn stage(&mut self, container: &Arc<dyn Container>) -> Result<(), ChunkError> {
        let mut way = Way::AsStored;
        loop {
            match stage(
                self.job,
                &self.lease,
                Arc::clone(container),
                self.ports,
                way,
            )
            .await?
            {
                Staged::Whole(output) => return self.take(|lease| lease.prepare(output)).await,
                Staged::Spoiled(missing) => {
                    let chunk = self.lease.chunk();
                    info!(
                        job.id = %chunk.key.job.id, chunk.id = chunk.key.number, objects.missing = missing.len(),
                        "objects of the chunk cannot be exported; it is staged anew without them"
                    );
                    self.take(|lease| lease.leave_out(missing)).await?;
                }
                Staged::Unlike => {
                    way = Way::Encoded;
                    let missing = self.lease.missing();
                    self.take(|lease| lease.leave_out(missing)).await?;
                }
            }
        }
    }

    async fn commit(&self, container: &dyn Container) -> Result<(), ContainerError> {
        let Some(output) = self.lease.prepared() else {
            return Ok(());
        };
        writer::commit_all(container, output, &self.job.request).await
    }

    async fn record(&self) -> Result<(), ChunkError> {
        let chunk = self.persist(self.lease.clone().record()?).await?;
        let counts = chunk
            .output()
            .map_or_else(Counts::default, |output| output.counts);
        let took = self.ports.clock.now() - self.began;
        info!(
            job.id = %chunk.key.job.id, chunk.id = chunk.key.number, attempt = chunk.attempt,
            chunk.seconds = took.as_seconds_f64(), chunk.records = counts.read, chunk.rows = counts.rows,
            chunk.rejects = counts.rejected, chunk.bytes_in = bytes_of(&chunk.source), chunk.bytes_out = counts.bytes,
            "the chunk's files are committed and recorded"
        );
        Ok(())
    }

    /// Persists a move that keeps the lease.
    async fn take(
        &mut self,
        step: impl FnOnce(Lease) -> Result<ChunkMove, IllegalMove>,
    ) -> Result<(), ChunkError> {
        let chunk = self.persist(step(self.lease.clone())?).await?;
        self.lease = Lease::of(chunk)?;
        Ok(())
    }

    async fn persist(&self, step: ChunkMove) -> Result<Chunk, ChunkError> {
        Ok(self.ports.chunks.apply(step).await?)
    }

    async fn fail(self, reason: &str) -> Result<(), ChunkError> {
        let chunk = self.persist(self.lease.clone().fail(reason)).await?;
        warn!(
            job.id = %chunk.key.job.id, chunk.id = chunk.key.number, attempt = chunk.attempt, reason,
            "the chunk failed for good"
        );
        Ok(())
    }

    /// Lets the job wait for a new credential, and parks the chunk with what it has prepared. When
    /// the job has got a new one since this run began, the run is repeated instead.
    async fn park(self, reason: String) -> Result<(), ChunkError> {
        loop {
            let now = self.ports.clock.now();
            let Some(job) = self.ports.chunks.job(&self.job.key, now).await? else {
                return Ok(());
            };
            if job.credentials_given != self.job.credentials_given {
                return self
                    .release("the credential was replaced meanwhile".into())
                    .await;
            }
            let Ok(waiting) = job.await_credential(now, reason.clone()) else {
                break;
            };
            match self.ports.chunks.put_job(waiting).await {
                Ok(job) => {
                    let number = self.lease.chunk().key.number;
                    info!(job.id = %job.key.id, chunk.id = number, reason, "the job waits for a new credential");
                    break;
                }
                Err(StoreError::Conflict { .. }) => {
                    let number = self.lease.chunk().key.number;
                    info!(job.id = %self.job.key.id, chunk.id = number, "somebody else moved the job first");
                }
                Err(error) => return Err(error.into()),
            }
        }
        self.persist(self.lease.clone().park()).await?;
        check_parked_for_good(self.job, self.ports).await
    }

    /// Gives the lease back, so that the next delivery need not wait for its end; answers the
    /// cause in any case.
    async fn release(self, cause: Cause) -> Result<(), ChunkError> {
        self.persist(self.lease.clone().release(self.ports.clock.now()))
            .await?;
        Err(ChunkError::Retry(cause))
    }
}
