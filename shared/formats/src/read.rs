//! The rows of an exported file, read as a stream: counted, or collected to be compared.

use std::cell::Cell;
use std::collections::BTreeMap;
use std::error::Error;
use std::fs::File;
use std::io::{self, Read};

use domain::selection::{ExportFormat, ExportType};
use serde_json::value::RawValue;

/// The fields of a row, each with its raw JSON.
pub type Fields<'a> = BTreeMap<String, &'a RawValue>;

/// The most bytes that may come between one row and the next: what a row may make this program
/// hold. The service's own rows are of a few MiB at most.
pub const MAX_ROW_BYTES: u64 = 64 << 20;

/// What the files of an export hold, as its manifest says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Kind {
    /// The type of the rows.
    pub export_type: ExportType,
    /// The format of the files.
    pub format: ExportFormat,
    /// The columns of flat rows, in their order; absent when nobody says which.
    pub columns: Option<Vec<String>>,
    /// Whether a `CsvBlob` begins with a byte order mark.
    pub byte_order_mark: bool,
    /// Whether no text of a `CsvBlob` is a formula.
    pub escape_formulas: bool,
}

impl Kind {
    /// Files in which nothing beyond the format is asked for, of columns that nobody says.
    pub fn usual(export_type: ExportType, format: ExportFormat) -> Self {
        Self {
            export_type,
            format,
            columns: None,
            byte_order_mark: false,
            escape_formulas: false,
        }
    }
}

/// A value of a format whose columns have types.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Value<'a> {
    /// A text, or a nested value as JSON.
    Text(&'a str),
    /// A whole number.
    Integer(i64),
    /// A moment, in microseconds since 1970 in UTC.
    Micros(i64),
}

/// Keeps what is read in a file, for a format that is not read from its beginning to its end.
pub type Spool = fn(&mut dyn Read) -> io::Result<File>;

/// Keeps rows, to compare them.
pub trait Collect {
    /// Adds a row of JSON.
    ///
    /// # Errors
    /// What a value is that is no JSON.
    fn add_fields(&mut self, fields: &Fields<'_>) -> Result<(), serde_json::Error>;

    /// Adds a row of CSV: each column's name with its cell. An empty cell is an absent value.
    fn add_cells<'a>(&mut self, cells: impl Iterator<Item = (&'a str, &'a str)>);

    /// Adds a row of typed values: each column's name with its value, where it has one.
    fn add_values<'a>(&mut self, values: impl Iterator<Item = (&'a str, Value<'a>)>);

    /// How many rows there are.
    fn rows(&self) -> u64;
}

/// What becomes of the rows.
#[derive(Debug)]
pub enum Rows<C> {
    /// They are only counted: so many so far.
    Counted(u64),
    /// Each is added to this.
    Collected(C),
}

impl<C: Collect> Rows<C> {
    /// How many there are.
    pub fn count(&self) -> u64 {
        match self {
            Self::Counted(rows) => *rows,
            Self::Collected(kept) => kept.rows(),
        }
    }
}

/// What may still be read before the next row begins; reader and parser share it.
#[derive(Debug)]
pub struct Budget {
    of_a_row: u64,
    left: Cell<u64>,
}

impl Budget {
    /// So many bytes a row.
    pub fn of(bytes: u64) -> Self {
        Self {
            of_a_row: bytes,
            left: Cell::new(bytes),
        }
    }

    /// Another row begins, for which all of the budget is left again.
    pub(crate) fn renew(&self) {
        self.left.set(self.of_a_row);
    }

    /// Whether so many bytes more may be read.
    pub fn spend(&self, bytes: usize) -> bool {
        let left = self.left.get().checked_sub(bytes as u64);
        self.left.set(left.unwrap_or_default());
        left.is_some()
    }
}

/// Why a file's rows cannot be read.
pub type Unreadable = Box<dyn Error + Send + Sync>;

/// For formats that are read from their beginning to their end.
#[cfg(test)]
pub(crate) fn no_spool(_: &mut dyn Read) -> io::Result<File> {
    unreachable!("it is read from its beginning to its end")
}

/// Keeps nothing, where rows are only counted.
#[cfg(test)]
pub(crate) struct NoRows;

#[cfg(test)]
impl Collect for NoRows {
    fn add_fields(&mut self, _: &Fields<'_>) -> Result<(), serde_json::Error> {
        Ok(())
    }

    fn add_cells<'a>(&mut self, _: impl Iterator<Item = (&'a str, &'a str)>) {}

    fn add_values<'a>(&mut self, _: impl Iterator<Item = (&'a str, Value<'a>)>) {}

    fn rows(&self) -> u64 {
        0
    }
}
