//! Lets the chunks of a resumed job run again that have no recorded file.

use futures::stream::{self, StreamExt, TryStreamExt};
use shared::job::Job;
use shared::store::StoreError;
use tracing::info;

use crate::Ports;

/// Shards that are walked at once.
const SHARDS_AT_ONCE: usize = 8;

/// Reopens every chunk that has no recorded file. Repeating it is harmless: a run that loses its chunk begins again.
pub(crate) async fn reopen_chunks(job: &Job, ports: &Ports) -> Result<(), StoreError> {
    let shards = stream::iter(0..job.shards).map(|shard| reopen_shard(job, shard, ports));
    let reopened: u64 = shards.buffer_unordered(SHARDS_AT_ONCE).try_fold(0, async |sum, count| Ok(sum + count)).await?;
    info!(job.id = %job.key.id, chunks.reopened = reopened, "the job's chunks are reopened");
    Ok(())
}

async fn reopen_shard(job: &Job, shard: u16, ports: &Ports) -> Result<u64, StoreError> {
    let (mut after, mut reopened) = (None, 0);
    loop {
        let page = ports.lists.chunks(&job.key, shard, after).await?;
        let Some(last) = page.last() else { return Ok(reopened) };
        after = Some(last.key.number);
        for step in page.into_iter().filter_map(shared::chunk::Chunk::reopen) {
            match ports.chunks.apply(step).await {
                Ok(_) => reopened += 1,
                Err(StoreError::Conflict { item }) => info!(item, "somebody else moved the chunk first"),
                Err(error) => return Err(error),
            }
        }
    }
}
