//! One file of rows.

use container::writer::BlobWriter;
use domain::chunk::{FileKind, OutputFile};
use domain::counts::Counts;
use domain::selection::ExportRequest;
use formats::codec::Compressor;
use formats::encode::{EncodeOptions, Encoder};
use formats::record::{Record, Shape};
use time::{OffsetDateTime, PrimitiveDateTime};

use crate::ChunkError;

/// What closes a file that is not compressed: brackets.
const CLOSING_BYTES: u64 = 16;

/// What a codec may hold of what it was given, and what closes a compressed file: more than the
/// windows and blocks of both codecs (<https://www.rfc-editor.org/rfc/rfc8878#section-3.1.1.2.4>).
const CODEC_BYTES: u64 = 512 << 10;

/// A file that takes rows.
pub(super) struct RowsFile {
    encoder: Encoder,
    /// Absent when the file is not compressed.
    compressor: Option<Compressor>,
    closed: CountedFile,
}

/// What is sent of a file, and what is counted of its rows.
pub(in crate::stage) struct CountedFile {
    /// What is sent, whose size and checksums are those of the file.
    writer: BlobWriter,
    counts: Counts,
    /// The earliest and the latest moment of a row, in UTC.
    span: Option<(PrimitiveDateTime, PrimitiveDateTime)>,
}

impl RowsFile {
    pub(super) fn new(
        request: &ExportRequest,
        shape: Shape,
        options: &EncodeOptions,
        writer: BlobWriter,
    ) -> Result<Self, ChunkError> {
        Ok(Self {
            encoder: Encoder::new(shape, request.format, options),
            compressor: Compressor::of(request.compression)?,
            closed: CountedFile::new(writer),
        })
    }

    /// Whether the file would have at most so many bytes if it were closed behind this row, however
    /// badly that is compressed.
    pub(super) fn has_room(&mut self, record: &Record<'_>, most_bytes: u64) -> bool {
        let held = self
            .compressor
            .as_mut()
            .map_or(CLOSING_BYTES, |compressor| {
                CODEC_BYTES + compressor.buffer().len() as u64
            });
        let held = held + self.encoder.held_bytes();
        self.closed.writer.size_bytes() + held + record.most_row_bytes() <= most_bytes
    }

    pub(super) fn push(&mut self, record: &Record<'_>) -> Result<(), ChunkError> {
        let sent = self.closed.writer.buffer();
        match &mut self.compressor {
            None => self.encoder.push(record, sent)?,
            Some(compressor) => {
                self.encoder.push(record, compressor.buffer())?;
                compressor.drain(sent)?;
            }
        }
        self.closed.count(record);
        Ok(())
    }

    pub(super) async fn flush(&mut self) -> Result<(), ChunkError> {
        self.closed.flush().await
    }

    /// Writes what closes the file, which has rows.
    pub(super) fn close(mut self) -> Result<CountedFile, ChunkError> {
        self.closed.counts.truncated = self.encoder.truncated();
        let sent = self.closed.writer.buffer();
        match self.compressor {
            None => self.encoder.finish(sent)?,
            Some(mut compressor) => {
                self.encoder.finish(compressor.buffer())?;
                compressor.finish(sent)?;
            }
        }
        Ok(self.closed)
    }
}

impl CountedFile {
    pub(in crate::stage) fn new(writer: BlobWriter) -> Self {
        Self {
            writer,
            counts: Counts::default(),
            span: None,
        }
    }

    /// Where what is sent is appended to.
    pub(in crate::stage) fn buffer(&mut self) -> &mut Vec<u8> {
        self.writer.buffer()
    }

    pub(in crate::stage) fn has_rows(&self) -> bool {
        self.counts.rows > 0
    }

    /// Sends the whole blocks.
    pub(in crate::stage) async fn flush(&mut self) -> Result<(), ChunkError> {
        Ok(self.writer.flush_full_blocks().await?)
    }

    /// Counts the row of a record.
    pub(in crate::stage) fn count(&mut self, record: &Record<'_>) {
        self.counts.read += 1;
        self.counts.rows += 1;
        self.counts.repaired += u64::from(record.repaired);
        if let Some(moment) = record.time.map(in_utc) {
            let (earliest, latest) = self.span.unwrap_or((moment, moment));
            self.span = Some((earliest.min(moment), latest.max(moment)));
        }
    }

    /// Sends the rest of the file, which should have at most so many bytes.
    pub(in crate::stage) async fn finish(
        self,
        most_bytes: Option<u64>,
    ) -> Result<OutputFile, ChunkError> {
        let prepared = self.writer.finish().await?;
        let is_oversized = most_bytes.is_some_and(|most| prepared.size_bytes > most);
        Ok(OutputFile {
            kind: FileKind::Rows,
            counts: Counts {
                bytes: prepared.size_bytes,
                oversized: is_oversized.into(),
                ..self.counts
            },
            prepared,
            earliest: self.span.map(|(earliest, _)| earliest.assume_utc()),
            latest: self.span.map(|(_, latest)| latest.assume_utc()),
        })
    }
}

/// The moment of a record, which is in UTC. Two of them are compared without a look at their offsets.
fn in_utc(moment: OffsetDateTime) -> PrimitiveDateTime {
    PrimitiveDateTime::new(moment.date(), moment.time())
}
