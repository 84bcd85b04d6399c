//! Streams a file into a blob, block by block, in bounded memory.

use std::mem;
use std::sync::Arc;
use std::time::Duration;

use aws_lc_rs::digest;
use bytes::Bytes;
use crc_fast::CrcAlgorithm;
use domain::chunk::Output;
use domain::container::{BlobName, BlockId, PreparedFile};
use domain::selection::ExportRequest;
use ports::container::{Container, ContainerError};
use tokio::task::{JoinError, JoinSet};
use wiring::config::ConfigError;
use wiring::{Held, Uploads, Wiring};

/// The most blocks that a blob may have
/// (<https://learn.microsoft.com/en-us/azure/storage/blobs/scalability-targets#scale-targets-for-blob-storage>).
const MAX_BLOCKS: u32 = 50_000;

/// Room for what is written to a block's buffer behind its end: the rows of a piece of the input. To
/// move a block that outgrew its room costs more.
const OVERHANG_BYTES: usize = 1 << 20;

/// How a file is cut and sent.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct WriterSettings {
    /// The size of every block but the last, in bytes.
    pub block_bytes: usize,
    /// How many blocks are sent at once.
    pub uploads_in_flight: usize,
    /// How often a block that arrived damaged or not at all is sent again, beyond the container's
    /// own repeats.
    pub retries: u32,
    /// The wait before the first repeat; it doubles with each.
    pub retry_delay: Duration,
}

impl Default for WriterSettings {
    fn default() -> Self {
        Self::from(Uploads::default())
    }
}

impl From<Uploads> for WriterSettings {
    fn from(uploads: Uploads) -> Self {
        Self {
            block_bytes: uploads.block_bytes,
            uploads_in_flight: uploads.in_flight,
            retries: 2,
            retry_delay: Duration::from_millis(500),
        }
    }
}

impl WriterSettings {
    /// Reads those that can be set, for a run that holds so much beside blocks.
    ///
    /// # Errors
    /// [`ConfigError`] when one does not fit, or when the blocks do not fit into the function's
    /// memory.
    pub fn of(wiring: &Wiring, held: Held) -> Result<Self, ConfigError> {
        Ok(wiring.uploads(held)?.into())
    }
}

/// Stages one file under one attempt. Nothing is visible until [`commit`]; a writer that is dropped
/// stops its uploads.
///
/// It holds at most `block_bytes × (uploads_in_flight + 1)` bytes, and what was written to the
/// buffer since the last [`BlobWriter::flush_full_blocks`].
pub struct BlobWriter {
    container: Arc<dyn Container>,
    settings: WriterSettings,
    buffer: Vec<u8>,
    uploads: JoinSet<Result<(), ContainerError>>,
    file: PreparedFile,
    sha256: digest::Context,
    crc64: crc_fast::Digest,
}

impl BlobWriter {
    /// A writer of a file whose blocks carry `attempt`, which is counted from 1.
    pub fn new(
        container: Arc<dyn Container>,
        name: BlobName,
        attempt: u32,
        settings: WriterSettings,
    ) -> Self {
        let settings = WriterSettings {
            block_bytes: settings.block_bytes.max(1),
            uploads_in_flight: settings.uploads_in_flight.max(1),
            ..settings
        };
        let (sha256, crc64) = (String::new(), String::new());
        Self {
            container,
            settings,
            buffer: Vec::new(),
            uploads: JoinSet::new(),
            file: PreparedFile {
                name,
                attempt,
                blocks: 0,
                size_bytes: 0,
                sha256,
                crc64,
            },
            sha256: digest::Context::new(&digest::SHA256),
            crc64: crc_fast::Digest::new(CrcAlgorithm::Crc64Nvme),
        }
    }

    /// Where the file's next bytes are appended to. What is there already must stay.
    pub fn buffer(&mut self) -> &mut Vec<u8> {
        &mut self.buffer
    }

    /// How many bytes the file has so far.
    pub fn size_bytes(&self) -> u64 {
        self.file.size_bytes + self.buffer.len() as u64
    }

    /// Sends the whole blocks of the buffer on their way; waits only while as many as allowed are
    /// under way. To fail, or to be dropped half-way, ends the file: drop the writer too.
    ///
    /// # Errors
    /// The first failure of an upload.
    pub async fn flush_full_blocks(&mut self) -> Result<(), ContainerError> {
        let whole = self.buffer.len() - self.buffer.len() % self.settings.block_bytes;
        if whole == 0 {
            return Ok(());
        }
        let mut rest = Vec::with_capacity(self.settings.block_bytes + OVERHANG_BYTES);
        rest.extend(self.buffer.drain(whole..));
        let mut blocks = Bytes::from(mem::replace(&mut self.buffer, rest));
        while !blocks.is_empty() {
            self.stage(blocks.split_to(self.settings.block_bytes))
                .await?;
        }
        Ok(())
    }

    /// Sends the rest, waits for every block, and answers what it takes to commit the file.
    ///
    /// # Errors
    /// The first failure of an upload.
    pub async fn finish(mut self) -> Result<PreparedFile, ContainerError> {
        self.flush_full_blocks().await?;
        let rest = mem::take(&mut self.buffer);
        if !rest.is_empty() {
            self.stage(rest.into()).await?;
        }
        while let Some(upload) = self.uploads.join_next().await {
            settle(upload)?;
        }
        let sha256 = hex::encode(self.sha256.finish());
        let crc64 = format!("{:016x}", self.crc64.finalize());
        Ok(PreparedFile {
            sha256,
            crc64,
            ..self.file
        })
    }

    async fn stage(&mut self, block: Bytes) -> Result<(), ContainerError> {
        if self.file.blocks == MAX_BLOCKS {
            return Err(ContainerError::Refused {
                code: "BlockCountExceedsLimit".to_owned(),
            });
        }
        while self.uploads.len() >= self.settings.uploads_in_flight {
            self.uploads.join_next().await.map_or(Ok(()), settle)?;
        }
        self.sha256.update(&block);
        self.crc64.update(&block);
        let id = BlockId {
            attempt: self.file.attempt,
            index: self.file.blocks,
        };
        self.file.blocks += 1;
        self.file.size_bytes += block.len() as u64;
        self.uploads.spawn(upload(
            self.container.clone(),
            self.file.name.clone(),
            id,
            block,
            self.settings,
        ));
        Ok(())
    }
}

/// Commits the files of a chunk, in order, each as the content that the request makes of it. Repeating it is harmless.
///
/// # Errors
/// What storage said of the first that it did not commit; those before it are visible.
pub async fn commit_all(
    container: &dyn Container,
    output: &Output,
    request: &ExportRequest,
) -> Result<(), ContainerError> {
    for file in &output.files {
        commit(container, &file.prepared, file.kind.content_type(request)).await?;
    }
    Ok(())
}

/// Makes a prepared file visible; repeating it is harmless.
///
/// # Errors
/// What storage said of the commit.
pub async fn commit(
    container: &dyn Container,
    file: &PreparedFile,
    content_type: &str,
) -> Result<(), ContainerError> {
    container
        .commit_blocks(&file.name, &file.block_ids(), content_type)
        .await
}

/// Stages a block; once more, a bounded number of times, when it did not arrive or arrived damaged.
async fn upload(
    container: Arc<dyn Container>,
    name: BlobName,
    id: BlockId,
    block: Bytes,
    settings: WriterSettings,
) -> Result<(), ContainerError> {
    let mut delay = settings.retry_delay;
    for _ in 0..settings.retries {
        match container.stage_block(&name, id, block.clone()).await {
            Err(ContainerError::Damaged { .. } | ContainerError::Unavailable { .. }) => {
                tokio::time::sleep(delay).await;
                delay *= 2;
            }
            settled => return settled,
        }
    }
    container.stage_block(&name, id, block).await
}

fn settle(upload: Result<Result<(), ContainerError>, JoinError>) -> Result<(), ContainerError> {
    upload.unwrap_or_else(|_| Err(ContainerError::unavailable("an upload was interrupted")))
}

#[cfg(test)]
mod tests;
