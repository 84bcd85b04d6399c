//! Lets the chunks of a resumed job run again that have no recorded file.

use domain::chunk::{Chunk, ChunkMove};
use domain::job::Job;
use ports::store::{PLAN_PAGE_CHUNKS, StoreError};
use tracing::info;

use crate::Ports;

/// Reopens every chunk that is not recorded, which sends its message anew. Repeating it is
/// harmless: a run that holds a chunk meanwhile is repeated.
///
/// # Errors
/// [`StoreError::Conflict`] when somebody moved the job meanwhile: then nothing is reopened any
/// more.
pub(crate) async fn reopen_chunks(job: &Job, ports: &Ports) -> Result<(), StoreError> {
    let mut reopened = 0;
    for shard in 0..job.shards {
        let mut after = None;
        loop {
            let page = ports.lists.chunks(&job.key, shard, after).await?;
            let Some(last) = page.last().map(|chunk| chunk.key.number) else {
                break;
            };
            match reopen_page(job, page, ports).await {
                Ok(count) => (after, reopened) = (Some(last), reopened + count),
                Err(error @ StoreError::Conflict { .. }) if has_moved(job, ports).await? => {
                    return Err(error);
                }
                Err(StoreError::Conflict { item }) => {
                    info!(item, "a run moved a chunk first; reading the page again");
                }
                Err(error) => return Err(error),
            }
        }
    }
    info!(job.id = %job.key.id, chunks.reopened = reopened, "the job's chunks are reopened");
    Ok(())
}

async fn reopen_page(job: &Job, page: Vec<Chunk>, ports: &Ports) -> Result<usize, StoreError> {
    let steps: Vec<ChunkMove> = page.into_iter().filter_map(Chunk::reopen).collect();
    for batch in steps.chunks(PLAN_PAGE_CHUNKS) {
        ports.plans.reopen(job, batch.to_vec()).await?;
    }
    Ok(steps.len())
}

async fn has_moved(job: &Job, ports: &Ports) -> Result<bool, StoreError> {
    let present = ports.plans.job(&job.key, ports.clock.now()).await?;
    Ok(present.is_none_or(|present| present.revision != job.revision))
}
