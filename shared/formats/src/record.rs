//! What a record of each export type is: one table that grouping, columns and validation derive
//! from.
//!
//! A record is one line of JSON: a flat object with the contract's field names. [`Shape::parse`]
//! checks it and borrows the raw text of every value, so that numbers, escapes and nested values
//! reach the file byte for byte.

mod check;
mod parse;
mod table;
pub mod timestamp;
pub mod value;

use thiserror::Error;
use time::{Date, OffsetDateTime};

/// The most fields that a record of any type has.
pub(crate) const MAX_FIELDS: usize = 7;

/// The most characters of the name of an activity, event, job, error or crash.
pub const MAX_NAME_CHARS: usize = 64;

/// The most characters of a crash's stack trace.
pub(crate) const MAX_STACK_TRACE_CHARS: usize = 4_096;

/// The most properties of the extras of anything but an activity.
pub(crate) const MAX_EXTRAS: usize = 200;

/// What a field's value must be.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// 32 hex digits, or a dashed GUID.
    Id,
    /// A string.
    Text,
    /// A string of at most so many characters.
    ShortText(usize),
    /// A string that [`timestamp::parse`] reads.
    Timestamp,
    /// The timestamp whose UTC day is the record's day.
    RecordTime,
    /// An object of at most `MAX_EXTRAS` strings, numbers, booleans and nulls.
    Extras,
    /// An object.
    Object,
    /// A 64-bit integer.
    Integer,
    /// The name of a [`CampaignType`](domain::selection::CampaignType), as on the wire.
    CampaignType,
    /// An array of push status flags, without repeats.
    Status,
}

/// Whether a field must be there. An optional field that is null is absent.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Presence {
    /// In every record.
    Required,
    /// In some records.
    Optional,
    /// In some records, and exported only when the client asks for user ids.
    OnRequest,
    /// In some records; in the key of a JSON group only when the client asks for device ids.
    InKeyOnRequest,
}

/// A field of a record.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Field {
    /// Its name: in the record, in the JSON and as the CSV's column.
    pub name: &'static str,
    /// What its value must be.
    pub kind: Kind,
    /// Whether it must be there.
    pub presence: Presence,
}

/// How the JSON groups consecutive records with the same key.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Group {
    /// How many fields, from the first on, are the key.
    pub key_fields: usize,
    /// The name of the array that holds the rest of each record.
    pub items: &'static str,
}

/// The shape of an export type's records.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Shape {
    /// The fields, in the order in which they are written.
    pub fields: &'static [Field],
    /// How the JSON groups them, if it does.
    pub group: Option<Group>,
}

/// A record that is as its [`Shape`] says, borrowed from its line.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Record<'a> {
    /// The raw JSON of each field of the shape, in its order; `None` when absent or null.
    values: [Option<&'a str>; MAX_FIELDS],
    /// When it happened, UTC; `None` for types and records that do not say.
    pub time: Option<OffsetDateTime>,
}

impl<'a> Record<'a> {
    /// The raw JSON of each field of the shape, in its order; `None` when absent or null. What lies
    /// beyond the shape's fields is `None` too.
    pub fn values(&self) -> &[Option<&'a str>] {
        &self.values
    }
}

/// Why a line is not a record of its type. Never holds anything of the line's content.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
pub enum BadRecord {
    /// Not UTF-8.
    #[error("invalid UTF-8")]
    NotUtf8,
    /// Not JSON.
    #[error("not JSON")]
    NotJson,
    /// JSON, but not an object.
    #[error("not an object")]
    NotAnObject,
    /// A required field is absent or null.
    #[error("missing required field `{field}`")]
    Missing {
        /// The field.
        field: &'static str,
    },
    /// A field occurs more than once.
    #[error("field `{field}` occurs more than once")]
    Repeated {
        /// The field.
        field: &'static str,
    },
    /// A field's value is not what it must be.
    #[error("field `{field}` is not {expected}")]
    Wrong {
        /// The field.
        field: &'static str,
        /// What it must be, in words.
        expected: &'static str,
    },
    /// The record belongs to another day than the one that it lies in.
    #[error("wrong day: `{field}` is not on {day} (UTC)")]
    WrongDay {
        /// The field that says when.
        field: &'static str,
        /// The day that the record lies in.
        day: Date,
    },
}
