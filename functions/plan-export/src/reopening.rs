//! Lets what a resumed job has in no file be tried again: chunks that are not recorded, and what
//! recorded ones could not export.

use domain::chunk::{Chunk, ChunkKey, ChunkMove};
use domain::job::Job;
use ports::store::{PLAN_PAGE_CHUNKS, StoreError};
use tracing::info;

use crate::{PlanError, Ports};

/// How many chunks hand over what they could not export at once: with the new ones and the tallies
/// of all shards a transaction has at most 100 items.
const HANDED_OVER_AT_ONCE: usize = PLAN_PAGE_CHUNKS / 2;

/// Reopens every chunk that is not recorded, which sends its message anew, and plans new chunks of
/// what recorded ones could not export. Repeating it is harmless: a run that holds a chunk
/// meanwhile is repeated, and what is handed over is so once. The answer is the job as it is then.
///
/// # Errors
/// [`StoreError::Conflict`] when somebody moved the job meanwhile: then nothing is reopened any
/// more.
pub(crate) async fn reopen_chunks(mut job: Job, ports: &Ports) -> Result<Job, PlanError> {
    let mut reopened = 0;
    for shard in 0..job.shards {
        let mut after = None;
        loop {
            let page = ports.lists.chunks(&job.key, shard, after).await?;
            let Some(last) = page.last().map(|chunk| chunk.key.number) else {
                break;
            };
            match reopen_page(job.clone(), page, ports).await {
                Ok((present, count)) => {
                    (job, after, reopened) = (present, Some(last), reopened + count);
                }
                Err(PlanError::Store(StoreError::Conflict { item })) => {
                    let present = ports.plans.job(&job.key, ports.clock.now()).await?;
                    if present.is_none_or(|present| present.revision != job.revision) {
                        return Err(StoreError::Conflict { item }.into());
                    }
                    info!(job.id = %job.key.id, item, "a run moved a chunk first; reading the page again");
                }
                Err(error) => return Err(error),
            }
        }
    }
    info!(job.id = %job.key.id, chunks.reopened = reopened, "the job's chunks are reopened");
    Ok(job)
}

/// The job after it, and how many chunks were reopened.
async fn reopen_page(job: Job, page: Vec<Chunk>, ports: &Ports) -> Result<(Job, usize), PlanError> {
    let job = hand_over(job, &page, ports).await?;
    let steps: Vec<ChunkMove> = page.into_iter().filter_map(Chunk::reopen).collect();
    for batch in steps.chunks(PLAN_PAGE_CHUNKS) {
        ports.plans.reopen(&job, batch.to_vec()).await?;
    }
    Ok((job, steps.len()))
}

/// Plans new chunks of what those of a page could not export.
async fn hand_over(mut job: Job, page: &[Chunk], ports: &Ports) -> Result<Job, PlanError> {
    let partial: Vec<&Chunk> = page.iter().filter(|chunk| chunk.is_partial()).collect();
    for batch in partial.chunks(HANDED_OVER_AT_ONCE) {
        let key_of = |number| ChunkKey {
            job: job.key.clone(),
            shard: job.shard_of(number),
            number,
        };
        let handed = (job.chunks..)
            .zip(batch)
            .filter_map(|(number, chunk)| (*chunk).clone().hand_over(key_of(number)));
        let (moves, chunks): (Vec<ChunkMove>, Vec<Chunk>) = handed.unzip();
        let added = u32::try_from(chunks.len()).unwrap_or(u32::MAX);
        info!(job.id = %job.key.id, chunks.added = added, "what chunks could not export is tried again");
        job = ports
            .plans
            .put_page(job.add_chunks(added)?, chunks, moves)
            .await?;
    }
    Ok(job)
}
