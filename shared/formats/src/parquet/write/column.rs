//! The values of one column, until their row group is full.

use std::collections::HashSet;
use std::mem;

use bytes::Bytes;
use parquet::basic::{ConvertedType, LogicalType, Repetition, TimeUnit, Type as Physical};
use parquet::data_type::{ByteArray, ByteArrayType, Int64Type};
use parquet::errors::ParquetError;
use parquet::file::writer::SerializedColumnWriter;
use parquet::schema::types::Type;
use time::OffsetDateTime;

use super::failed;
use crate::encode::EncodeError;
use crate::record::{Field, Presence, timestamp, value};
use crate::schema::ColumnType;

const NANOS_PER_MICRO: i128 = 1_000;

/// What a value has come to.
#[derive(Debug, Default)]
pub(super) struct Pushed {
    /// How many bytes it takes in memory.
    pub(super) bytes: usize,
    /// Whether it is a moment that lost digits.
    pub(super) is_truncated: bool,
}

#[derive(Debug)]
pub(super) struct Column {
    field: Field,
    /// For each row whether it has a value; unused where every row must.
    levels: Vec<i16>,
    values: Values,
}

#[derive(Debug)]
enum Values {
    /// Texts behind each other, and where each ends.
    Texts { text: Vec<u8>, ends: Vec<usize> },
    /// Integers, or moments in microseconds since 1970.
    Integers(Vec<i64>),
}

impl Column {
    pub(super) fn new(field: Field) -> Self {
        let values = match ColumnType::of(field.kind) {
            ColumnType::String | ColumnType::Json => Values::Texts {
                text: Vec::new(),
                ends: Vec::new(),
            },
            ColumnType::Timestamp | ColumnType::Int64 => Values::Integers(Vec::new()),
        };
        Self {
            field,
            levels: Vec::new(),
            values,
        }
    }

    pub(super) fn name(&self) -> &'static str {
        self.field.name
    }

    pub(super) fn column_type(&self) -> ColumnType {
        ColumnType::of(self.field.kind)
    }

    /// Takes the next row's value.
    pub(super) fn push(&mut self, raw: Option<&str>) -> Result<Pushed, EncodeError> {
        if self.is_nullable() {
            self.levels.push(i16::from(raw.is_some()));
        }
        let Some(raw) = raw else {
            return Ok(Pushed::default());
        };
        let column_type = self.column_type();
        match &mut self.values {
            Values::Texts { text, ends } => {
                let begin = text.len();
                push_text(raw, text);
                ends.push(text.len());
                Ok(Pushed {
                    bytes: text.len() - begin + mem::size_of::<usize>(),
                    is_truncated: false,
                })
            }
            Values::Integers(values) => {
                let (integer, is_truncated) = integer(column_type, raw)
                    .ok_or_else(|| failed(&format!("`{}` holds no integer", self.field.name)))?;
                values.push(integer);
                Ok(Pushed {
                    bytes: mem::size_of::<i64>(),
                    is_truncated,
                })
            }
        }
    }

    /// Its place in the file's schema: with one type, whatever its values are.
    pub(super) fn schema(&self) -> Result<Type, ParquetError> {
        let builder = match self.column_type() {
            // A reader that is told of JSON makes bytes of it.
            ColumnType::String | ColumnType::Json => {
                Type::primitive_type_builder(self.name(), Physical::BYTE_ARRAY)
                    .with_logical_type(Some(LogicalType::String))
                    .with_converted_type(ConvertedType::UTF8)
            }
            ColumnType::Timestamp => Type::primitive_type_builder(self.name(), Physical::INT64)
                .with_logical_type(Some(LogicalType::timestamp(true, TimeUnit::MICROS)))
                .with_converted_type(ConvertedType::TIMESTAMP_MICROS),
            ColumnType::Int64 => Type::primitive_type_builder(self.name(), Physical::INT64),
        };
        let repetition = if self.is_nullable() {
            Repetition::OPTIONAL
        } else {
            Repetition::REQUIRED
        };
        builder.with_repetition(repetition).build()
    }

    /// Whether its texts take less room as places in a dictionary of them.
    pub(super) fn repeats_itself(&self) -> bool {
        let Values::Texts { text, ends } = &self.values else {
            return false;
        };
        let distinct: HashSet<&[u8]> = texts(text, ends).collect();
        let entries: usize = distinct.iter().map(|text| text.len()).sum();
        let bits = usize::BITS - distinct.len().leading_zeros();
        let places = ends.len() * bits as usize / 8;
        // A dictionary costs whoever reads it: it has to save a fifth.
        (entries + places) * 5 < text.len() * 4
    }

    /// Writes the values as a column chunk, and forgets them.
    pub(super) fn write(
        &mut self,
        chunk: &mut SerializedColumnWriter<'_>,
    ) -> Result<(), ParquetError> {
        let levels = self.is_nullable().then_some(self.levels.as_slice());
        match &mut self.values {
            Values::Texts { text, ends } => {
                let values = shared(mem::take(text), ends);
                chunk
                    .typed::<ByteArrayType>()
                    .write_batch(&values, levels, None)?;
                ends.clear();
            }
            Values::Integers(values) => {
                chunk
                    .typed::<Int64Type>()
                    .write_batch(values, levels, None)?;
                values.clear();
            }
        }
        self.levels.clear();
        Ok(())
    }

    fn is_nullable(&self) -> bool {
        self.field.presence != Presence::Required
    }
}

/// Appends what a text says, or a nested value as compact JSON.
fn push_text(raw: &str, text: &mut Vec<u8>) {
    match value::text(raw) {
        Some(decoded) => text.extend_from_slice(decoded.as_bytes()),
        None => value::write_compact(raw, text),
    }
}

/// The integer of a raw value, and whether it had more digits.
fn integer(column_type: ColumnType, raw: &str) -> Option<(i64, bool)> {
    if column_type == ColumnType::Timestamp {
        return micros(timestamp::parse(&value::text(raw)?)?);
    }
    Some((raw.parse().ok()?, false))
}

/// A moment in microseconds since 1970; finer digits are cut, as they would be from its text.
fn micros(moment: OffsetDateTime) -> Option<(i64, bool)> {
    let nanos = moment.unix_timestamp_nanos();
    let micros = i64::try_from(nanos.div_euclid(NANOS_PER_MICRO)).ok()?;
    Some((micros, nanos.rem_euclid(NANOS_PER_MICRO) != 0))
}

/// The texts that stand behind each other.
fn texts<'a>(text: &'a [u8], ends: &'a [usize]) -> impl Iterator<Item = &'a [u8]> {
    let begins = std::iter::once(&0).chain(ends);
    let spans = begins.zip(ends);
    spans.map(|(begin, end)| text.get(*begin..*end).unwrap_or_default())
}

/// The texts as values that share one memory.
fn shared(text: Vec<u8>, ends: &[usize]) -> Vec<ByteArray> {
    let mut rest = Bytes::from(text);
    let mut begin = 0;
    let value = |end: &usize| {
        let value = rest.split_to(end - begin);
        begin = *end;
        ByteArray::from(value)
    };
    ends.iter().map(value).collect()
}
