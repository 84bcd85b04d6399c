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
use crate::record::{Field, Kind, Presence, Spelled, timestamp, value};
use crate::schema::ColumnType;

const MICROS_PER_SECOND: i64 = 1_000_000;
const NANOS_PER_MICRO: u32 = 1_000;

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

    /// Takes the next row's value; the row says when it happened, or does not.
    pub(super) fn push(
        &mut self,
        value: Option<Spelled<'_>>,
        time: Option<OffsetDateTime>,
    ) -> Result<Pushed, EncodeError> {
        if self.is_nullable() {
            self.levels.push(i16::from(value.is_some()));
        }
        let Some(value) = value else {
            return Ok(Pushed::default());
        };
        let field = self.field;
        match &mut self.values {
            Values::Texts { text, ends } => {
                let begin = text.len();
                push_text(value, text);
                ends.push(text.len());
                Ok(Pushed {
                    bytes: text.len() - begin + mem::size_of::<usize>(),
                    is_truncated: false,
                })
            }
            Values::Integers(values) => {
                let time = time.filter(|_| field.kind == Kind::RecordTime);
                let (integer, is_truncated) = integer(field.kind, value.raw, time)
                    .ok_or_else(|| failed(&format!("`{}` holds no integer", field.name)))?;
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
fn push_text(value: Spelled<'_>, text: &mut Vec<u8>) {
    if let Some(bare) = value.bare() {
        return text.extend_from_slice(bare.as_bytes());
    }
    match value::text(value.raw) {
        Some(decoded) => text.extend_from_slice(decoded.as_bytes()),
        None if value.is_compact => text.extend_from_slice(value.raw.as_bytes()),
        None => value::write_compact(value.raw, text),
    }
}

/// The integer of a raw value, and whether it had more digits. Of a moment that is known already, it
/// is not read again.
fn integer(kind: Kind, raw: &str, time: Option<OffsetDateTime>) -> Option<(i64, bool)> {
    if ColumnType::of(kind) != ColumnType::Timestamp {
        return Some((raw.parse().ok()?, false));
    }
    match time {
        Some(moment) => micros(moment),
        None => micros(timestamp::parse(&value::text(raw)?)?),
    }
}

/// A moment in microseconds since 1970; finer digits are cut, as they would be from its text.
fn micros(moment: OffsetDateTime) -> Option<(i64, bool)> {
    // The whole seconds are those before the moment, also of one before 1970.
    let seconds = moment.unix_timestamp().checked_mul(MICROS_PER_SECOND)?;
    let micros = seconds.checked_add(moment.microsecond().into())?;
    let is_truncated = !moment.nanosecond().is_multiple_of(NANOS_PER_MICRO);
    Some((micros, is_truncated))
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
