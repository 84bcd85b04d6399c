//! What a record of each export type is: one table that grouping, columns and validation derive
//! from.
//!
//! A record is one line of JSON: a flat object with the contract's field names. [`Shape::parse`]
//! checks it and borrows the raw text of every value, so that numbers, escapes and nested values
//! reach the file byte for byte; `normalise` says which ones are rewritten.
//!
//! It is read in one of two ways. `walk` is fast, and takes what is spelled as usual; all else goes
//! through `parse`, which is built of a JSON parser and plain checks, decides, and names what is
//! wrong. Where the walk takes a record, both read the same.

mod check;
mod normalise;
mod outline;
mod parse;
mod table;
pub mod timestamp;
pub mod value;
mod walk;

use std::borrow::Cow;

use domain::selection::ExportType;
use strum::IntoStaticStr;
use thiserror::Error;
use time::{Date, OffsetDateTime};

pub use table::LoadedShapes;
use walk::{Guide, Key};

/// The most fields that a record of any type has.
pub(crate) const MAX_FIELDS: usize = 7;

/// More than the name of a field or of a group takes in a row, with what is around it.
const MOST_NAME_BYTES: usize = 32;

/// The most characters of the name of an activity, event, job, error or crash.
pub const MAX_NAME_CHARS: usize = 64;

/// The most characters of a crash's stack trace.
pub(crate) const MAX_STACK_TRACE_CHARS: usize = 4_096;

/// The most properties of the extras of anything but an activity.
pub(crate) const MAX_EXTRAS: usize = 200;

/// The most levels of objects and arrays in each other, the record's own object included. Common
/// readers stop at 64, those of the file around the record included
/// (<https://learn.microsoft.com/dotnet/api/system.text.json.jsonserializeroptions.maxdepth>).
pub(crate) const MAX_LEVELS: usize = 32;

/// What a field's value must be.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// 32 hex digits, or a dashed GUID.
    Id,
    /// A string of any length.
    Text,
    /// A string of at most so many characters.
    ShortText(usize),
    /// A string that [`timestamp::parse`] reads, of a moment in the years 0000 to 9999 in UTC.
    Timestamp,
    /// The timestamp whose UTC day is the record's day.
    RecordTime,
    /// An object of at most `MAX_EXTRAS` strings, numbers, booleans and nulls.
    Extras,
    /// An object of values of any kind, objects and arrays included.
    Object,
    /// A signed 64-bit integer, without a point or an exponent.
    Integer,
    /// The name of a [`CampaignType`](domain::selection::CampaignType), as on the wire.
    CampaignType,
    /// An array of push status flags, without repeats.
    Status,
}

/// Whether a field must be there. An optional field that is null is absent.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Presence {
    /// In every record: it is [`BadRecord::Missing`] when absent or null.
    Required,
    /// In some records; an absent one is no member in JSON and an empty cell in CSV.
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
    /// What it says, for readers of the files.
    pub meaning: &'static str,
    /// Its name as a record usually spells it.
    pub(crate) key: Key,
}

impl Field {
    /// Whether a `JsonBlob` has it, by whether the client asked for device ids.
    pub(crate) fn is_in_json_blob(&self, export_device_id: bool) -> bool {
        export_device_id || self.presence != Presence::InKeyOnRequest
    }
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
    /// The type of the records.
    pub of: ExportType,
    /// The fields, in the order in which they are written.
    pub fields: &'static [Field],
    /// How the JSON groups them, if it does.
    pub group: Option<Group>,
    /// What the walk over a record needs of the fields.
    guide: Guide,
}

/// A record that is as its [`Shape`] says, its values as they are exported and, unless
/// one had to be rewritten, borrowed from its line.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Record<'a> {
    /// The raw JSON of each field of the shape, in its order; `None` when absent or null.
    values: [Option<Cow<'a, str>>; MAX_FIELDS],
    /// When it happened, UTC; `None` for types and records that do not say.
    pub time: Option<OffsetDateTime>,
    /// Whether a text held half of a surrogate pair, in whose place it now has U+FFFD.
    pub repaired: bool,
    /// How it is spelled, as far as that is known.
    spelling: Spelling<'a>,
}

/// What is known of how a record is spelled, so that an encoder need not look. No part of what the
/// record says: any two are equal.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Spelling<'a> {
    /// The record's text, when it is the fields that are there, in their order, and nothing else, white
    /// space included.
    line: Option<&'a str>,
    /// The fields whose values have no white space between their tokens, a bit each.
    compact: u8,
    /// Whether these are all that are there.
    is_compact: bool,
    /// The fields whose values are strings of letters, digits and `-:.`: ids and moments.
    bare: u8,
}

/// A value, and what is known of how it is spelled.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Spelled<'a> {
    /// Its raw JSON.
    pub(crate) raw: &'a str,
    /// Whether it is known to have no white space between its tokens.
    pub(crate) is_compact: bool,
    is_bare: bool,
}

impl<'a> Spelled<'a> {
    /// What it says, when it is known to be a string of letters, digits and `-:.`.
    pub(crate) fn bare(self) -> Option<&'a str> {
        let text = self.raw.get(1..self.raw.len().saturating_sub(1));
        text.filter(|_| self.is_bare)
    }
}

impl PartialEq for Spelling<'_> {
    fn eq(&self, _: &Self) -> bool {
        true
    }
}

impl Eq for Spelling<'_> {}

impl Record<'_> {
    /// The raw JSON of each field of the shape, in its order; `None` when absent or null. What lies
    /// beyond the shape's fields is `None` too.
    pub fn values(&self) -> impl Iterator<Item = Option<&str>> {
        self.values.iter().map(Option::as_deref)
    }

    /// The most bytes of its row in a format of text, of the brackets around it, too: quotes double a
    /// value at most.
    pub fn most_row_bytes(&self) -> u64 {
        let values = self.values().flatten();
        let bytes = values.map(|raw| 2 * raw.len() + MOST_NAME_BYTES);
        (bytes.sum::<usize>() + 2 * MOST_NAME_BYTES) as u64
    }

    /// The raw JSON of the field at a place of the shape; `None` when absent or null.
    pub(crate) fn value(&self, place: usize) -> Option<&str> {
        self.values.get(place)?.as_deref()
    }

    /// The record's text, when it is known to be that of an object of the fields that are there, in their
    /// order, with nothing between its tokens.
    pub(crate) fn line(&self) -> Option<&str> {
        self.spelling.line
    }

    /// What of such a text follows the shape's first fields, so many of which may be there.
    pub(crate) fn line_behind(&self, shape: &Shape, first: usize) -> Option<&str> {
        let first = shape.fields.iter().zip(&self.values).take(first);
        let len = |(field, value): (&Field, &Option<Cow<'_, str>>)| {
            // Two quotes, a colon and a comma.
            value
                .as_ref()
                .map_or(0, |raw| field.name.len() + raw.len() + 4)
        };
        self.line()?.get(1 + first.map(len).sum::<usize>()..)
    }

    /// Whether all of its values are known to have no white space between their tokens.
    pub(crate) fn is_compact(&self) -> bool {
        self.spelling.is_compact
    }

    /// The value of the field at a place of the shape, and what is known of how it is spelled; `None`
    /// when absent or null.
    pub(crate) fn spelled(&self, place: usize) -> Option<Spelled<'_>> {
        Some(Spelled {
            raw: self.value(place)?,
            is_compact: self.spelling.compact & 1 << place != 0,
            is_bare: self.spelling.bare & 1 << place != 0,
        })
    }
}

/// The text of a record.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Text<'a> {
    /// It is UTF-8.
    Utf8(&'a str),
    /// Nobody has looked yet.
    Bytes(&'a [u8]),
}

impl<'a> Text<'a> {
    /// Its bytes.
    pub fn as_bytes(self) -> &'a [u8] {
        match self {
            Self::Utf8(text) => text.as_bytes(),
            Self::Bytes(bytes) => bytes,
        }
    }

    fn as_utf8(self) -> Option<&'a str> {
        match self {
            Self::Utf8(text) => Some(text),
            Self::Bytes(bytes) => simdutf8::basic::from_utf8(bytes).ok(),
        }
    }
}

/// Why a line is not a record of its type, and what was expected instead. Never holds anything of
/// the line's content.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error, IntoStaticStr)]
pub enum BadRecord {
    /// The text holds bytes that are not UTF-8.
    #[error("not UTF-8: expected a JSON object in UTF-8")]
    NotUtf8,
    /// The text is no JSON, or more than one value of it.
    #[error("not JSON: expected one JSON object")]
    NotJson,
    /// JSON, but not an object.
    #[error("not an object: expected one JSON object")]
    NotAnObject,
    /// A required field is absent or null. Its code is `MissingField`.
    #[error("missing required field `{field}`: expected it with a value other than null")]
    #[strum(serialize = "MissingField")]
    Missing {
        /// The name of the field that is absent or null.
        field: &'static str,
    },
    /// A field occurs more than once. Its code is `RepeatedField`.
    #[error("field `{field}` occurs more than once: expected it once")]
    #[strum(serialize = "RepeatedField")]
    Repeated {
        /// The name of the field; of several that are repeated, the last.
        field: &'static str,
    },
    /// A field's value is not what it must be. Its code is `WrongValue`.
    #[error("field `{field}` is not {expected}")]
    #[strum(serialize = "WrongValue")]
    Wrong {
        /// The field's name, as in the record.
        field: &'static str,
        /// What it must be.
        expected: Kind,
    },
    /// A field's value has objects and arrays in each other at more than 32 levels.
    #[error(
        "field `{field}` is nested too deeply: expected at most {MAX_LEVELS} levels with the \
         record's own"
    )]
    TooDeep {
        /// The field's name, as in the record.
        field: &'static str,
    },
    /// A field's value is or holds a number that no double holds, such as `1e400`.
    #[error(
        "field `{field}` holds a number beyond a double: expected numbers up to {:e}",
        f64::MAX
    )]
    NumberTooLarge {
        /// The field's name, as in the record.
        field: &'static str,
    },
    /// A value's object has two keys that differ in half surrogates only, so that the repair made
    /// them equal.
    #[error(
        "field `{field}` has equal keys once half surrogates are U+FFFD: expected keys that differ"
    )]
    KeysBecomeEqual {
        /// The field's name, as in the record.
        field: &'static str,
    },
    /// The record is of a day that no export of its folder takes.
    #[error(
        "`{field}` is on {found} (UTC), and the record lies in the folder of {folder}: expected {}; if the lake is \
         partitioned by arrival, the operator can let a day hold late records by LAKE_LATE_DAYS",
        expected_days(*late_days)
    )]
    WrongDay {
        /// The field that says when.
        field: &'static str,
        /// The UTC day on which the record happened.
        found: Date,
        /// The day whose folder it lies in.
        folder: Date,
        /// How many days late it may be.
        late_days: u16,
    },
}

/// Which days a folder's records may be of.
fn expected_days(late_days: u16) -> String {
    match late_days {
        0 => "that day".to_owned(),
        1 => "that day, or the day before".to_owned(),
        days => format!("that day, or one of the {days} days before"),
    }
}

impl BadRecord {
    /// The stable name of what is wrong, for programs: that of the variant, unless its doc says
    /// another. It never changes, whatever becomes of the message.
    pub fn code(self) -> &'static str {
        self.into()
    }

    /// Whether it is no JSON object, or one that lacks what is required: no record of its type,
    /// rather than a record with a bad value.
    pub fn is_no_record(self) -> bool {
        match self {
            Self::NotUtf8 | Self::NotJson | Self::NotAnObject | Self::Missing { .. } => true,
            Self::Repeated { .. }
            | Self::Wrong { .. }
            | Self::TooDeep { .. }
            | Self::NumberTooLarge { .. }
            | Self::KeysBecomeEqual { .. }
            | Self::WrongDay { .. } => false,
        }
    }
}

#[cfg(test)]
mod tests;
