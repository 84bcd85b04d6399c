//! Stages a job's manifest, and the schema that it names, while it reads the chunks, once for each
//! list that they have entries of, and checks that they add up to the tally.

use std::collections::VecDeque;
use std::sync::Arc;

use container::writer::BlobWriter;
use domain::chunk::{Chunk, ChunkState};
use domain::container::{BlobName, PreparedFile};
use domain::counts::Counts;
use domain::job::Job;
use domain::manifest::{ManifestWriter, StatedOutcome, Written};
use domain::plural::counted;
use domain::tally::Tally;
use ports::container::Container;
use ports::store::ChunkLists;

use crate::{FinishError, Ports, schema};

/// Stages the manifest, which says how the job ends.
pub(crate) async fn stage(
    job: &Job,
    tally: &Tally,
    container: Arc<dyn Container>,
    ports: &Ports,
) -> Result<(PreparedFile, StatedOutcome), FinishError> {
    let schema = schema::stage(job, Arc::clone(&container), ports).await?;
    let name = BlobName::manifest(job.request.export_type(), job.key.id);
    let mut blob = BlobWriter::new(container, name, job.finish_attempts, ports.settings.writer);
    let mut manifest = ManifestWriter::begin(job, tally, &schema, blob.buffer())?;
    loop {
        let mut chunks = ChunkReader::new(job, ports.lists.as_ref());
        let mut counted = Tally::default();
        while let Some(chunk) = chunks.next().await? {
            counted = counted + count(&chunk)?;
            manifest.add(&chunk, blob.buffer())?;
            blob.flush_full_blocks().await?;
        }
        if !agree(&counted, tally) {
            return Err(FinishError::Irreconcilable(format!(
                "the chunks come to {counted:?}, the tally is {tally:?}"
            )));
        }
        manifest = match manifest.end_list(blob.buffer())? {
            Written::UpToAList(manifest) => manifest,
            Written::Whole(outcome) => return Ok((blob.finish().await?, outcome)),
        };
    }
}

/// Whether the table's tally is what the chunks come to.
fn agree(counted: &Tally, tally: &Tally) -> bool {
    let chunks = |tally: &Tally| {
        (
            tally.planned,
            tally.open,
            tally.recorded,
            tally.failed,
            tally.partial,
        )
    };
    chunks(counted) == chunks(tally) && counted.counts.are_summed_in(&tally.counts)
}

/// What one chunk adds to the counts.
fn count(chunk: &Chunk) -> Result<Tally, FinishError> {
    let planned = Tally {
        planned: 1,
        ..Tally::default()
    };
    match &chunk.state {
        ChunkState::Recorded { output } => {
            let Counts {
                read,
                rows,
                rejected,
                filtered,
                excluded,
                ..
            } = output.counts;
            if !output.counts.add_up() {
                let read = counted(read, "record");
                let reason = format!(
                    "{} read {read}, wrote {rows}, rejected {rejected}, left {filtered} to other days and excluded {excluded}",
                    chunk.key
                );
                return Err(FinishError::Irreconcilable(reason));
            }
            Ok(Tally {
                recorded: 1,
                partial: chunk.is_partial().into(),
                counts: output.counts,
                ..planned
            })
        }
        ChunkState::Failed { .. } | ChunkState::Cancelled => Ok(Tally {
            failed: 1,
            ..planned
        }),
        ChunkState::Pending { .. }
        | ChunkState::Running { .. }
        | ChunkState::Prepared { .. }
        | ChunkState::Parked { .. } => Ok(Tally { open: 1, ..planned }),
    }
}

/// Reads a job's chunks in the order of their numbers, a page of each shard in memory at a time.
pub(crate) struct ChunkReader<'a> {
    job: &'a Job,
    store: &'a dyn ChunkLists,
    next: u32,
    shards: Vec<VecDeque<Chunk>>,
}

impl<'a> ChunkReader<'a> {
    pub(crate) fn new(job: &'a Job, store: &'a dyn ChunkLists) -> Self {
        Self {
            job,
            store,
            next: 0,
            shards: vec![VecDeque::new(); usize::from(job.shards)],
        }
    }

    /// The next chunk; `None` after the last that was planned.
    pub(crate) async fn next(&mut self) -> Result<Option<Chunk>, FinishError> {
        if self.next == self.job.chunks {
            return Ok(None);
        }
        let number = self.next;
        self.next += 1;
        let shard = self.job.shard_of(number);
        let missing = || FinishError::Irreconcilable(format!("chunk {number} is not in the table"));
        let page = self
            .shards
            .get_mut(usize::from(shard))
            .ok_or_else(missing)?;
        if page.is_empty() {
            let after = number.checked_sub(u32::from(self.job.shards));
            *page = self.store.chunks(&self.job.key, shard, after).await?.into();
        }
        let chunk = page.pop_front().ok_or_else(missing)?;
        if chunk.key.number == number {
            Ok(Some(chunk))
        } else {
            Err(missing())
        }
    }
}
