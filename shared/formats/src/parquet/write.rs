//! Writes a `ParquetBlob`, a row group at a time.

mod column;
mod properties;

use std::fmt::Display;
use std::sync::Arc;

use domain::selection::ExportType;
use parquet::errors::ParquetError;
use parquet::file::writer::SerializedFileWriter;
use parquet::schema::types::{Type, TypePtr};

use crate::columns::Projection;
use crate::encode::{Encode, EncodeError, EncodeOptions};
use crate::record::{Record, Shape};
use column::Column;

/// The most rows of a row group. More of them make no smaller files, and readers take a group at a
/// time to a thread.
const MAX_GROUP_ROWS: usize = 131_072;

/// More than a value takes in a page beside itself: its length, and whether it is there.
const BYTES_BESIDE_VALUE: usize = 8;

/// More than a footer takes for a column of a row group, with its statistics and its index, and more
/// than it takes beside that.
const FOOTER_BYTES_OF_COLUMN: usize = 4 << 10;
const FOOTER_BYTES: usize = 64 << 10;

/// Collects the values of a row group by column, and writes it when it is full.
#[derive(Debug)]
pub(crate) struct ParquetWriter {
    export_type: ExportType,
    projection: Projection,
    columns: Vec<Column>,
    /// How many bytes of values a row group has when it is full. It is larger by at most one row.
    group_bytes: usize,
    /// The rows of the group that is being collected, and the bytes of their values.
    rows: usize,
    bytes: usize,
    /// The groups that are written.
    groups: usize,
    /// The rows in which a moment lost digits.
    truncated: u64,
    /// Begun with the first row group, by whose values it is chosen how columns are encoded.
    file: Option<SerializedFileWriter<Vec<u8>>>,
}

impl ParquetWriter {
    /// A writer of a new file.
    pub(crate) fn new(shape: Shape, options: &EncodeOptions) -> Self {
        let projection = Projection::new(shape, options.files.columns.as_ref());
        Self {
            export_type: shape.of,
            columns: projection.fields().copied().map(Column::new).collect(),
            projection,
            group_bytes: options.row_group_bytes,
            rows: 0,
            bytes: 0,
            groups: 0,
            truncated: 0,
            file: None,
        }
    }

    /// Writes the collected row group, if it has rows.
    fn write_group(&mut self, out: &mut Vec<u8>) -> Result<(), EncodeError> {
        if self.rows == 0 {
            return Ok(());
        }
        let file = match &mut self.file {
            Some(file) => file,
            none => none.insert(new_file(self.export_type, &self.columns).map_err(|e| failed(&e))?),
        };
        write_columns(file, &mut self.columns).map_err(|error| failed(&error))?;
        // What is taken from here is counted where it was written.
        out.append(file.inner_mut());
        (self.rows, self.bytes) = (0, 0);
        self.groups += 1;
        Ok(())
    }
}

impl Encode for ParquetWriter {
    fn push(&mut self, record: &Record<'_>, out: &mut Vec<u8>) -> Result<(), EncodeError> {
        let mut is_truncated = false;
        let cells = self.projection.cells(record);
        for (column, value) in self.columns.iter_mut().zip(cells) {
            let pushed = column.push(value, record.time)?;
            self.bytes += pushed.bytes;
            is_truncated |= pushed.is_truncated;
        }
        self.truncated += u64::from(is_truncated);
        self.rows += 1;
        if self.rows >= MAX_GROUP_ROWS || self.bytes >= self.group_bytes {
            self.write_group(out)?;
        }
        Ok(())
    }

    fn truncated(&self) -> u64 {
        self.truncated
    }

    fn held_bytes(&self) -> u64 {
        let values = self.bytes + self.rows * self.columns.len() * BYTES_BESIDE_VALUE;
        let footer = (self.groups + 1) * self.columns.len() * FOOTER_BYTES_OF_COLUMN;
        (values + footer + FOOTER_BYTES) as u64
    }

    fn finish(mut self: Box<Self>, out: &mut Vec<u8>) -> Result<(), EncodeError> {
        self.write_group(out)?;
        if let Some(file) = self.file {
            out.append(&mut file.into_inner().map_err(|error| failed(&error))?);
        }
        Ok(())
    }
}

fn new_file(
    export_type: ExportType,
    columns: &[Column],
) -> Result<SerializedFileWriter<Vec<u8>>, ParquetError> {
    let fields: Result<Vec<TypePtr>, ParquetError> = columns
        .iter()
        .map(|column| Ok(Arc::new(column.schema()?)))
        .collect();
    let schema = Type::group_type_builder(export_type.name()).with_fields(fields?);
    let properties = properties::of(export_type, columns)?;
    SerializedFileWriter::new(Vec::new(), Arc::new(schema.build()?), Arc::new(properties))
}

fn write_columns(
    file: &mut SerializedFileWriter<Vec<u8>>,
    columns: &mut [Column],
) -> Result<(), ParquetError> {
    let mut group = file.next_row_group()?;
    for column in columns {
        if let Some(mut chunk) = group.next_column()? {
            column.write(&mut chunk)?;
            chunk.close()?;
        }
    }
    group.close()?;
    Ok(())
}

fn failed(error: &impl Display) -> EncodeError {
    EncodeError {
        reason: error.to_string(),
    }
}
