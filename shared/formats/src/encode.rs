//! From checked records to the bytes of a file, a row at a time, in bounded memory.

use std::fmt;

use domain::selection::{ExportFormat, ExportRequest, FileOptions};
use thiserror::Error;

use crate::record::{Record, Shape};

/// The version of what the encoders make of a record: raised when the same records come to other
/// bytes, or to other rows. A job keeps to the one that it was planned with.
pub const ENCODERS_VERSION: u32 = 5;

/// The most rows of a group in a `JsonBlob`: a reader of one item at a time holds no more of them.
/// The next row of the same key opens another group with that key.
pub(crate) const MAX_GROUP_ROWS: usize = 1_000;

/// The size of a group's text in a `JsonBlob`, in bytes, from which on it takes no further row: it
/// is larger by at most one row. The next row of the same key opens another group with that key.
pub(crate) const FULL_GROUP_BYTES: usize = 512 << 10;

/// How many bytes of values a row group of a `ParquetBlob` has when it is full, unless a setting says
/// otherwise. It is larger by at most one row.
pub(crate) const ROW_GROUP_BYTES: usize = 32 << 20;

/// What a file depends on beside its format: what a client may ask of it, and what an operator sets.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct EncodeOptions {
    /// Whether the activities of a `JsonBlob` carry the device id.
    pub export_device_id: bool,
    /// How many bytes of values a row group of a `ParquetBlob` has when it is full.
    pub row_group_bytes: usize,
    /// The rest, which formats that it does not concern leave alone.
    pub files: FileOptions,
}

impl Default for EncodeOptions {
    fn default() -> Self {
        Self {
            export_device_id: false,
            row_group_bytes: ROW_GROUP_BYTES,
            files: FileOptions::default(),
        }
    }
}

impl EncodeOptions {
    /// What a request asks for, with row groups of so many bytes, or of a quarter of a file: a file
    /// is cut when the group that is collected might not fit, which is smaller than its values once
    /// it is compressed.
    pub fn of(request: &ExportRequest, row_group_bytes: usize) -> Self {
        let most_bytes = request.files.max_file_bytes;
        let quarter = most_bytes.and_then(|most| usize::try_from(most / 4).ok());
        Self {
            export_device_id: request.export_device_id,
            row_group_bytes: quarter.map_or(row_group_bytes, |most| most.min(row_group_bytes)),
            files: request.files.clone(),
        }
    }
}

/// Why an encoder cannot write a record that is as its shape says: what the format cannot hold.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[error("the file cannot be written: {reason}")]
pub struct EncodeError {
    /// What it is that the format cannot hold.
    pub reason: String,
}

/// An encoder of a format. The caller owns the buffer and may empty it between calls.
pub(crate) trait Encode: fmt::Debug + Send {
    /// Appends a row.
    ///
    /// # Errors
    /// [`EncodeError`]; the file is then of no use.
    fn push(&mut self, record: &Record<'_>, out: &mut Vec<u8>) -> Result<(), EncodeError>;

    /// The row without its line end, when it is known to stand in the record's text as it is written.
    fn row_as_read<'a>(&self, _: &'a Record<'_>) -> Option<&'a str> {
        None
    }

    /// In how many rows so far a value lost digits that the format cannot hold.
    fn truncated(&self) -> u64 {
        0
    }

    /// The most bytes that it would append if it were closed now, beside a few brackets.
    fn held_bytes(&self) -> u64 {
        0
    }

    /// Appends what closes the file; nothing at all when no row was pushed.
    ///
    /// # Errors
    /// [`EncodeError`]; the file is then of no use.
    fn finish(self: Box<Self>, out: &mut Vec<u8>) -> Result<(), EncodeError>;
}

/// Encodes the records of one file.
///
/// The caller owns the buffer and may empty it between calls: the encoder holds at most one group
/// key.
#[derive(Debug)]
pub struct Encoder(Box<dyn Encode>);

impl Encoder {
    /// An encoder for a new file of records of this shape.
    pub fn new(shape: Shape, format: ExportFormat, options: &EncodeOptions) -> Self {
        Self(crate::encoder(shape, format, options))
    }

    /// Appends the row of a record to `out`.
    ///
    /// # Errors
    /// [`EncodeError`]; the file is then of no use.
    pub fn push(&mut self, record: &Record<'_>, out: &mut Vec<u8>) -> Result<(), EncodeError> {
        self.0.push(record, out)
    }

    /// The row of a record, when the format is a row a line and the row is known to stand in the record's
    /// text as it would be written: without the line end, which is LF. Nothing is appended, and it makes
    /// no difference to any other row.
    pub fn row_as_read<'a>(&self, record: &'a Record<'_>) -> Option<&'a str> {
        self.0.row_as_read(record)
    }

    /// In how many rows so far a value lost digits that the format cannot hold.
    pub fn truncated(&self) -> u64 {
        self.0.truncated()
    }

    /// The most bytes that it would append if it were closed now, beside a few brackets: those of a
    /// row group that is collected, and of a footer.
    pub fn held_bytes(&self) -> u64 {
        self.0.held_bytes()
    }

    /// Appends what closes the file; nothing at all when no row was pushed.
    ///
    /// # Errors
    /// [`EncodeError`]; the file is then of no use.
    pub fn finish(self, out: &mut Vec<u8>) -> Result<(), EncodeError> {
        self.0.finish(out)
    }
}

#[cfg(test)]
pub(crate) mod tests;
