//! The file of a chunk's rows: encoded, compressed when that is asked for, sent block by block.

use container::writer::BlobWriter;
use domain::container::PreparedFile;
use domain::selection::ExportRequest;
use formats::codec::Compressor;
use formats::encode::{EncodeOptions, Encoder};
use formats::record::{Record, Shape};

use crate::ChunkError;

pub(super) struct RowsFile {
    encoder: Encoder,
    /// Absent when the file is not compressed.
    compressor: Option<Compressor>,
    /// What is sent, whose size and checksums are those of the file.
    writer: BlobWriter,
}

impl RowsFile {
    pub(super) fn new(
        request: &ExportRequest,
        shape: Shape,
        row_group_bytes: usize,
        writer: BlobWriter,
    ) -> Result<Self, ChunkError> {
        let options = EncodeOptions::of(request, row_group_bytes);
        Ok(Self {
            encoder: Encoder::new(shape, request.format, &options),
            compressor: Compressor::of(request.compression)?,
            writer,
        })
    }

    /// Writes a row. At most a piece of what is not compressed yet is held beside the blocks.
    pub(super) fn push(&mut self, record: &Record<'_>) -> Result<(), ChunkError> {
        let sent = self.writer.buffer();
        match &mut self.compressor {
            None => self.encoder.push(record, sent)?,
            Some(compressor) => {
                self.encoder.push(record, compressor.buffer())?;
                compressor.drain(sent)?;
            }
        }
        Ok(())
    }

    pub(super) async fn flush(&mut self) -> Result<(), ChunkError> {
        Ok(self.writer.flush_full_blocks().await?)
    }

    /// In how many rows so far a value lost digits that the format cannot hold.
    pub(super) fn truncated(&self) -> u64 {
        self.encoder.truncated()
    }

    /// Closes the file, which has rows.
    pub(super) async fn finish(mut self) -> Result<PreparedFile, ChunkError> {
        let sent = self.writer.buffer();
        match self.compressor {
            None => self.encoder.finish(sent)?,
            Some(mut compressor) => {
                self.encoder.finish(compressor.buffer())?;
                compressor.finish(sent)?;
            }
        }
        Ok(self.writer.finish().await?)
    }
}
