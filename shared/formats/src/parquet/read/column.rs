//! A column of a row group, read a batch at a time.

use parquet::basic::{LogicalType, TimeUnit};
use parquet::column::reader::{ColumnReader, ColumnReaderImpl};
use parquet::data_type::{ByteArray, ByteArrayType, DataType, Int64Type};
use parquet::errors::ParquetError;
use parquet::file::reader::RowGroupReader;

use crate::read::{Unreadable, Value};

/// A column, and its last batch.
pub(super) struct Column {
    name: String,
    is_nullable: bool,
    /// For each row of the batch whether it has a value; of a nullable column only.
    levels: Vec<i16>,
    cells: Cells,
}

/// The values that are there, in the order of their rows.
enum Cells {
    Texts(ColumnReaderImpl<ByteArrayType>, Vec<ByteArray>),
    Integers(ColumnReaderImpl<Int64Type>, Vec<i64>),
    Moments(ColumnReaderImpl<Int64Type>, Vec<i64>),
}

impl Column {
    /// The column at this place of a row group.
    pub(super) fn open(group: &dyn RowGroupReader, place: usize) -> Result<Self, Unreadable> {
        let description = group.metadata().schema_descr().column(place);
        let name = description.name().to_owned();
        let logical = description.logical_type_ref();
        let cells = match (group.get_column_reader(place)?, logical) {
            (ColumnReader::ByteArrayColumnReader(reader), Some(LogicalType::String)) => {
                Cells::Texts(reader, Vec::new())
            }
            (ColumnReader::Int64ColumnReader(reader), None) => Cells::Integers(reader, Vec::new()),
            (ColumnReader::Int64ColumnReader(reader), Some(logical)) if is_moment(logical) => {
                Cells::Moments(reader, Vec::new())
            }
            _ => return Err(format!("column `{name}` is of a type that no export has").into()),
        };
        if description.max_rep_level() > 0 || description.max_def_level() > 1 {
            return Err(format!("column `{name}` is nested").into());
        }
        Ok(Self {
            name,
            is_nullable: description.max_def_level() == 1,
            levels: Vec::new(),
            cells,
        })
    }

    pub(super) fn name(&self) -> &str {
        &self.name
    }

    /// Reads up to so many rows more; answers how many there were.
    pub(super) fn next_batch(&mut self, most: usize) -> Result<usize, ParquetError> {
        self.levels.clear();
        let levels = &mut self.levels;
        match &mut self.cells {
            Cells::Texts(reader, values) => read(reader, levels, values, most),
            Cells::Integers(reader, values) | Cells::Moments(reader, values) => {
                read(reader, levels, values, most)
            }
        }
    }

    /// What each row of the batch has.
    pub(super) fn values(&self) -> Values<'_> {
        Values {
            column: self,
            row: 0,
            next: 0,
        }
    }
}

fn read<T: DataType>(
    reader: &mut ColumnReaderImpl<T>,
    levels: &mut Vec<i16>,
    values: &mut Vec<T::T>,
    most: usize,
) -> Result<usize, ParquetError> {
    values.clear();
    let (rows, _, _) = reader.read_records(most, Some(levels), None, values)?;
    Ok(rows)
}

/// Whether it is a moment in microseconds and UTC.
fn is_moment(logical: &LogicalType) -> bool {
    *logical == LogicalType::timestamp(true, TimeUnit::MICROS)
}

/// Goes through the rows of a batch.
pub(super) struct Values<'a> {
    column: &'a Column,
    row: usize,
    /// The place of the next value among those that are there.
    next: usize,
}

impl<'a> Iterator for Values<'a> {
    /// The value of a row, if it has one.
    type Item = Result<Option<Value<'a>>, Unreadable>;

    fn next(&mut self) -> Option<Self::Item> {
        let is_there = !self.column.is_nullable || *self.column.levels.get(self.row)? == 1;
        self.row += 1;
        if !is_there {
            return Some(Ok(None));
        }
        let place = self.next;
        self.next += 1;
        let value = match &self.column.cells {
            Cells::Texts(_, values) => match values.get(place)?.as_utf8() {
                Ok(text) => Value::Text(text),
                Err(error) => return Some(Err(error.into())),
            },
            Cells::Integers(_, values) => Value::Integer(*values.get(place)?),
            Cells::Moments(_, values) => Value::Micros(*values.get(place)?),
        };
        Some(Ok(Some(value)))
    }
}
