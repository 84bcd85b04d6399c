//! The file of what a chunk cannot export, begun with the first of it.

use std::sync::Arc;

use container::writer::{BlobWriter, WriterSettings};
use domain::chunk::{Chunk, FileKind, OutputFile};
use domain::container::BlobName;
use domain::counts::Counts;
use formats::rejected::{Kept, Reject};
use ports::container::Container;
use tracing::warn;

use crate::ChunkError;

/// The most bytes of a block: it is held beside those of the rows.
const BLOCK_BYTES: usize = 1 << 20;

/// How many of a chunk's rejects are logged one by one; all of them are in the file.
const LOGGED: u64 = 10;

pub(super) struct Rejects {
    chunk: Chunk,
    writer: BlobWriter,
    counts: Counts,
}

impl Rejects {
    pub(super) fn new(
        container: Arc<dyn Container>,
        name: BlobName,
        chunk: &Chunk,
        settings: WriterSettings,
    ) -> Self {
        let settings = WriterSettings {
            block_bytes: settings.block_bytes.min(BLOCK_BYTES),
            uploads_in_flight: 1,
            ..settings
        };
        Self {
            writer: BlobWriter::new(container, name, chunk.attempt, settings),
            chunk: chunk.clone(),
            counts: Counts::default(),
        }
    }

    /// Writes a line. The log says where and why, never what the record holds.
    pub(super) fn add(&mut self, object: &str, reject: &Reject<'_>) -> Result<(), ChunkError> {
        let key = &self.chunk.key;
        if self.counts.rejected < LOGGED {
            warn!(job.id = %key.job.id, chunk.id = key.number, object, reject = %reject, "a record is rejected");
        }
        self.counts.read += 1;
        self.counts.rejected += 1;
        self.counts.rejected_in_part += u64::from(reject.kept == Kept::Beginning);
        Ok(reject.write(object, self.writer.buffer())?)
    }

    pub(super) async fn flush(&mut self) -> Result<(), ChunkError> {
        Ok(self.writer.flush_full_blocks().await?)
    }

    /// The file, if anything was rejected.
    pub(super) async fn finish(mut self) -> Result<Option<OutputFile>, ChunkError> {
        if self.counts.rejected == 0 {
            return Ok(None);
        }
        let prepared = self.writer.finish().await?;
        self.counts.bytes = prepared.size_bytes;
        Ok(Some(OutputFile {
            kind: FileKind::Rejected,
            prepared,
            counts: self.counts,
            earliest: None,
            latest: None,
        }))
    }
}
