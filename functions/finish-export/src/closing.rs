//! Closes the open chunks of a job that is being cancelled.

use container::writer::commit_all;
use domain::cause::in_one_line;
use domain::chunk::Chunk;
use domain::job::Job;
use ports::container::Container;
use ports::store::StoreError;
use tracing::{info, warn};

use crate::manifest::ChunkReader;
use crate::{FinishError, Ports, open_container};

/// Closes every open chunk, whatever run holds it: a prepared file is committed and recorded, so
/// that a run that is about to commit it cannot leave it unlisted; any other chunk is cancelled,
/// and its run finds its lease gone. Prepared files are given up only where the credential is gone
/// for good: one that cannot be opened now is worth a repeat.
pub(crate) async fn close_open_chunks(job: &Job, ports: &Ports) -> Result<(), FinishError> {
    let container = match open_container(job, ports).await {
        Ok(container) => Some(container),
        Err(error) if !error.is_transient() => {
            warn!(job.id = %job.key.id, error = in_one_line(&error), "the container cannot be opened; prepared files are given up");
            None
        }
        Err(error) => return Err(error.into()),
    };
    let mut chunks = ChunkReader::new(job, ports.lists.as_ref());
    let mut closed = 0_u32;
    while let Some(mut chunk) = chunks.next().await? {
        while !close(&chunk, job, container.as_deref(), ports).await? {
            let read = ports.chunks.chunk(&chunk.key).await?;
            let Some(present) = read else { break };
            chunk = present;
        }
        closed += 1;
    }
    info!(job.id = %job.key.id, chunks.closed = closed, "no chunk of the cancelled job is open any more");
    Ok(())
}

/// Whether the chunk is closed; it is not when somebody else changed it first.
async fn close(
    chunk: &Chunk,
    job: &Job,
    container: Option<&dyn Container>,
    ports: &Ports,
) -> Result<bool, FinishError> {
    let committed = commit_prepared(chunk, job, container).await?;
    let step = if committed {
        chunk.clone().record().ok()
    } else {
        chunk.clone().cancel()
    };
    let Some(step) = step else { return Ok(true) };
    match ports.chunks.apply(step).await {
        Ok(_) => Ok(true),
        Err(StoreError::Conflict { .. }) => Ok(false),
        Err(error) => Err(error.into()),
    }
}

/// Whether the chunk has prepared files and all are committed now. What storage refuses for good is
/// given up, and with it what was committed before: it is listed nowhere.
async fn commit_prepared(
    chunk: &Chunk,
    job: &Job,
    container: Option<&dyn Container>,
) -> Result<bool, FinishError> {
    let (Some(output), Some(container)) = (chunk.prepared(), container) else {
        return Ok(false);
    };
    match commit_all(container, output, &job.request).await {
        Ok(()) => Ok(true),
        Err(error) if error.is_transient() => Err(error.into()),
        Err(error) => {
            warn!(job.id = %job.key.id, chunk.id = chunk.key.number, error = in_one_line(&error), "a prepared file is given up");
            Ok(false)
        }
    }
}
