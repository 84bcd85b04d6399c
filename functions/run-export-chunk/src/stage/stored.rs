//! The file of a chunk whose objects hold just what would be written of them: JSON Lines, one record a
//! line in the form in which it is exported, compressed as the client asked for. Their bytes go out as
//! they are stored, while every record is checked and counted as ever. Gzip members behind each other
//! are one file; of Zstandard frames some readers take the first, so that there is one.
//!
//! Whether it is so is known at the end only. Until then the blocks are staged, which nobody sees, and
//! when it is not so all is staged anew, encoded, under a new attempt.

use bytes::Bytes;
use domain::chunk::{ChunkSource, OutputFile};
use domain::filter::Filter;
use domain::selection::{Compression, ExportFormat, ExportRequest};
use formats::encode::{EncodeOptions, Encoder};
use formats::record::{Record, Shape};
use formats::records::Place as RecordPlace;

use super::rows::{CountedFile, Place};
use crate::ChunkError;

pub(super) struct StoredFile {
    file: CountedFile,
    /// Says what would be written of a record.
    encoder: Encoder,
    /// How the file is compressed, and so every object of it.
    compression: Compression,
    /// Whether something was found that would be written otherwise.
    is_unlike: bool,
    object: Object,
}

/// What is known of the object that is read now.
#[derive(Debug, Default)]
struct Object {
    /// How many bytes were handed on as they are stored.
    stored_bytes: u64,
    /// How many bytes of text it has.
    text_bytes: u64,
    /// How many its rows would have, with their line ends.
    row_bytes: u64,
    ends_line: bool,
}

impl Object {
    /// Whether all of it was handed on.
    fn is_whole(&self, stored_bytes: Option<u64>) -> bool {
        self.stored_bytes > 0 && Some(self.stored_bytes) == stored_bytes
    }

    /// Whether its text is its rows, each with a line end and nothing else. Rows that do not share a
    /// line have at least a line feed between each other: where there are no more bytes than that
    /// takes, nothing else is there.
    fn is_its_rows(&self) -> bool {
        self.ends_line && self.text_bytes == self.row_bytes
    }
}

impl StoredFile {
    /// The file of a chunk that reads this source, when what is asked for may be what is stored.
    pub(super) fn of(place: &Place, source: &ChunkSource, shape: Shape) -> Option<Self> {
        may_be_stored(&place.request, source).then(|| Self {
            file: CountedFile::new(place.writer(0)),
            encoder: Encoder::new(
                shape,
                place.request.format,
                &EncodeOptions {
                    files: place.request.files.clone(),
                    ..EncodeOptions::default()
                },
            ),
            compression: place.request.compression,
            is_unlike: false,
            object: Object::default(),
        })
    }

    /// Takes stored bytes of the object.
    pub(super) fn add_stored(&mut self, compression: Compression, bytes: &Bytes) {
        self.is_unlike |= compression != self.compression;
        self.object.stored_bytes += bytes.len() as u64;
        self.file.buffer().extend_from_slice(bytes);
    }

    /// Takes note of the next piece of the object's text.
    pub(super) fn note_text(&mut self, text: &[u8]) {
        self.object.text_bytes += text.len() as u64;
        self.object.ends_line = text.ends_with(b"\n");
    }

    /// Counts the row of a record.
    pub(super) fn push(&mut self, record: &Record<'_>, place: RecordPlace) {
        // With an offset, it shares its line with the one before.
        let row = self.encoder.row_as_read(record);
        match row.filter(|_| place.offset.is_none()) {
            Some(row) => self.object.row_bytes += row.len() as u64 + 1,
            None => self.is_unlike = true,
        }
        self.file.count(record);
    }

    /// The object, of which so many bytes are stored, is read to its end.
    pub(super) fn end_object(&mut self, stored_bytes: Option<u64>) {
        let object = std::mem::take(&mut self.object);
        self.is_unlike |= !(object.is_whole(stored_bytes) && object.is_its_rows());
    }

    /// The object is missing after all: whether bytes of it are in the file.
    pub(super) fn lose_object(&mut self) -> bool {
        std::mem::take(&mut self.object).stored_bytes > 0
    }

    /// Something of the source would be in no file of rows, or in another place.
    pub(super) fn leave_out(&mut self) {
        self.is_unlike = true;
    }

    /// Whether what is stored is not what would be written: the file is of no use.
    pub(super) fn is_unlike(&self) -> bool {
        self.is_unlike
    }

    pub(super) async fn flush(&mut self) -> Result<(), ChunkError> {
        self.file.flush().await
    }

    /// Closes the file; there is none when no object was read.
    pub(super) async fn finish(self: Box<Self>) -> Result<Vec<OutputFile>, ChunkError> {
        if !self.file.has_rows() {
            return Ok(Vec::new());
        }
        Ok(vec![self.file.finish(None).await?])
    }
}

/// Whether a request wants rows as they may be stored, all of them, in a file as large as the objects.
fn may_be_stored(request: &ExportRequest, source: &ChunkSource) -> bool {
    let ChunkSource::Objects { objects, .. } = source else {
        return false;
    };
    let bytes: u64 = objects.iter().map(|object| object.size_bytes).sum();
    let most_bytes = request.files.max_file_bytes;
    let is_one_file = match request.compression {
        Compression::None => false,
        Compression::Gzip => true,
        Compression::Zstd => objects.len() == 1,
    };
    request.format == ExportFormat::JsonLinesBlob
        && is_one_file
        && request.filter == Filter::default()
        && request.files.columns.is_none()
        && most_bytes.is_none_or(|most| bytes <= most)
}
