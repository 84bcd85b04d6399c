//! The protocol of a chunk run: claim, stage, prepare, commit, record.

use std::sync::Arc;
use std::time::Duration;

use shared::chunk::{Chunk, ChunkKey, ChunkMove, Claim, Lease};
use shared::container::{Container, ContainerAccess, ContainerError};
use shared::job::{IllegalMove, Job};
use tracing::{info, warn};

use crate::stage::stage;
use crate::{ChunkError, Ports};

/// How often one run stages a file whose blocks were gone when it wanted to commit them.
const STAGINGS: u32 = 3;

/// Takes the chunk as far as it will go.
///
/// # Errors
/// [`ChunkError::Retry`] or [`ChunkError::Superseded`] when the message is to be delivered again.
pub(crate) async fn run_chunk(key: &ChunkKey, ports: &Ports) -> Result<(), ChunkError> {
    let Some(job) = ports.chunks.job(&key.job, ports.clock.now()).await? else {
        info!(job.id = %key.job.id, chunk.id = key.number, "the job is forgotten; its chunk is left alone");
        return Ok(());
    };
    let Some(mut run) = Run::claim(key, &job, ports).await? else { return Ok(()) };
    let limit = Duration::try_from(ports.settings.give_up_after()).unwrap_or_default();
    let finished = tokio::time::timeout(limit, run.advance()).await;
    match finished.unwrap_or_else(|_| Err(ChunkError::retry("the chunk takes longer than the function may"))) {
        Ok(()) => Ok(()),
        Err(ChunkError::Superseded) => Err(ChunkError::Superseded),
        Err(ChunkError::Fail { reason }) => run.fail(&reason).await,
        Err(ChunkError::Retry { reason }) => run.release(reason).await,
    }
}

/// A chunk that this run holds the lease of.
struct Run<'a> {
    job: &'a Job,
    ports: &'a Ports,
    lease: Lease,
}

impl<'a> Run<'a> {
    /// Takes the lease; `None` when the chunk is done with.
    async fn claim(key: &ChunkKey, job: &'a Job, ports: &'a Ports) -> Result<Option<Self>, ChunkError> {
        let Some(chunk) = ports.chunks.chunk(key).await? else {
            return Err(ChunkError::retry("the chunk is not in the table"));
        };
        match chunk.claim(ports.clock.now(), ports.settings.lease()) {
            Claim::Closed => Ok(None),
            Claim::Held { until } => Err(ChunkError::retry(format!("another run holds the chunk until {until}"))),
            Claim::Free(step) => {
                let lease = Lease::of(ports.chunks.apply(*step).await?)?;
                Ok(Some(Self { job, ports, lease }))
            }
        }
    }

    async fn advance(&mut self) -> Result<(), ChunkError> {
        let container = self.open_container().await?;
        for _ in 0..STAGINGS {
            if self.lease.prepared().is_none() {
                let output = stage(self.job, self.lease.chunk(), Arc::clone(&container), self.ports).await?;
                self.take(|lease| lease.prepare(output)).await?;
            }
            match self.commit(container.as_ref()).await {
                Ok(()) => return self.record().await,
                Err(ContainerError::BlocksGone) => self.take(Lease::restage).await?,
                Err(error) => return Err(error.into()),
            }
        }
        Err(ChunkError::retry("the staged blocks are gone again and again"))
    }

    async fn open_container(&self) -> Result<Arc<dyn Container>, ChunkError> {
        let Some(sealed) = &self.job.credential else { return Err(ChunkError::fail("the job has no credential")) };
        let signature = self.ports.sealer.open(self.job.key.id, sealed).await?;
        let access = ContainerAccess { address: self.job.destination.clone(), signature };
        Ok(self.ports.containers.open(&access)?)
    }

    async fn commit(&self, container: &dyn Container) -> Result<(), ContainerError> {
        let Some(file) = self.lease.prepared().and_then(|output| output.file.as_ref()) else { return Ok(()) };
        container.commit_blocks(&file.name, &file.block_ids(), self.job.request.format.content_type()).await
    }

    async fn record(&self) -> Result<(), ChunkError> {
        let chunk = self.persist(self.lease.clone().record()?).await?;
        info!(
            job.id = %chunk.key.job.id, chunk.id = chunk.key.number, attempt = chunk.attempt,
            "the chunk's file is committed and recorded"
        );
        Ok(())
    }

    /// Persists a move that keeps the lease.
    async fn take(&mut self, step: impl FnOnce(Lease) -> Result<ChunkMove, IllegalMove>) -> Result<(), ChunkError> {
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

    /// Gives the lease back, so that the next delivery need not wait for its end; answers the reason in any case.
    async fn release(self, reason: String) -> Result<(), ChunkError> {
        self.persist(self.lease.clone().release(self.ports.clock.now())).await?;
        Err(ChunkError::Retry { reason })
    }
}
