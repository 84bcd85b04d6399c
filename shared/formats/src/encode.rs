//! From records to the bytes of a file, a row at a time, in bounded memory.

use domain::selection::{ExportFormat, ExportType};
use time::{Date, OffsetDateTime};

use crate::csv::write::CsvWriter;
use crate::json::write::JsonWriter;
use crate::record::{BadRecord, Shape};

/// What an encoder is to check and to leave out.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct EncodeOptions {
    /// The UTC day on which every record that says when must have happened.
    pub day: Option<Date>,
    /// Whether push feedback carries the user id.
    pub export_user_id: bool,
    /// Whether the activities of a `JsonBlob` carry the device id.
    pub export_device_id: bool,
}

/// Encodes the records of one file.
///
/// The caller owns the buffer and may empty it between calls: the encoder holds at most one group
/// key.
#[derive(Debug)]
pub struct Encoder {
    shape: Shape,
    day: Option<Date>,
    writer: Writer,
}

#[derive(Debug)]
enum Writer {
    Json(JsonWriter),
    Csv(CsvWriter),
}

impl Encoder {
    /// An encoder for a new file.
    pub fn new(export_type: ExportType, format: ExportFormat, options: EncodeOptions) -> Self {
        let shape = Shape::of(export_type, options.export_user_id);
        let writer = match format {
            ExportFormat::JsonBlob => Writer::Json(JsonWriter::new(options.export_device_id)),
            ExportFormat::CsvBlob => Writer::Csv(CsvWriter::default()),
        };
        Self {
            shape,
            day: options.day,
            writer,
        }
    }

    /// Appends the row of one line to `out`; says when the record happened, if it does say.
    ///
    /// # Errors
    /// [`BadRecord`]; `out` and the encoder are then as before.
    pub fn push(
        &mut self,
        line: &[u8],
        out: &mut Vec<u8>,
    ) -> Result<Option<OffsetDateTime>, BadRecord> {
        let record = self.shape.parse(line, self.day)?;
        match &mut self.writer {
            Writer::Json(writer) => writer.write(&self.shape, &record, out),
            Writer::Csv(writer) => writer.write(&self.shape, &record, out),
        }
        Ok(record.time)
    }

    /// Appends what closes the file; nothing at all when no row was pushed.
    pub fn finish(self, out: &mut Vec<u8>) {
        match self.writer {
            Writer::Json(writer) => writer.finish(&self.shape, out),
            Writer::Csv(_) => {}
        }
    }
}

#[cfg(test)]
mod tests;
