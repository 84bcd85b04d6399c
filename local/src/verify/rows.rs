//! The rows of an exported file, read as a stream: counted, or collected to be compared with the
//! source's.

use std::cell::Cell;
use std::collections::BTreeMap;
use std::fmt;
use std::io::Read;

use domain::selection::{ExportFormat, ExportType};
use serde::de::{DeserializeSeed, Deserializer, Error, IgnoredAny, MapAccess, SeqAccess, Visitor};
use serde_json::value::RawValue;

use super::row::{Fields, Form, RowSet};

/// The most bytes that may come between one row and the next: what a row may make this program
/// hold. The service's own rows are of a few MiB at most.
pub(crate) const MAX_ROW_BYTES: u64 = 64 << 20;

/// What the files of an export hold.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Kind {
    /// The type of the rows.
    pub export_type: ExportType,
    /// The format of the files.
    pub format: ExportFormat,
}

/// What becomes of the rows.
#[derive(Debug)]
pub(crate) enum Rows {
    /// They are counted.
    Counted(u64),
    /// They are kept, to be compared.
    Collected(RowSet),
}

impl Rows {
    /// How many there are.
    pub(crate) fn len(&self) -> u64 {
        match self {
            Self::Counted(rows) => *rows,
            Self::Collected(rows) => rows.len(),
        }
    }
}

/// What may still be read before the next row begins; reader and parser share it.
#[derive(Debug)]
pub(crate) struct Budget {
    of_a_row: u64,
    left: Cell<u64>,
}

impl Budget {
    pub(crate) fn of(bytes: u64) -> Self {
        Self {
            of_a_row: bytes,
            left: Cell::new(bytes),
        }
    }

    /// Another row begins.
    fn renew(&self) {
        self.left.set(self.of_a_row);
    }

    /// Whether so many bytes more may be read.
    pub(crate) fn spend(&self, bytes: usize) -> bool {
        let left = self.left.get().checked_sub(bytes as u64);
        self.left.set(left.unwrap_or_default());
        left.is_some()
    }

    /// Nothing is held any more.
    pub(crate) fn lift(&self) {
        self.left.set(u64::MAX);
    }
}

pub(crate) type Unreadable = Box<dyn std::error::Error + Send + Sync>;

/// Reads the rows of a file to its end.
pub(crate) fn read_rows(
    input: impl Read,
    kind: Kind,
    budget: &Budget,
    rows: &mut Rows,
) -> Result<(), Unreadable> {
    match kind.format {
        ExportFormat::JsonBlob => {
            let mut json = serde_json::Deserializer::from_reader(input);
            let items = Items {
                group: group_of(kind.export_type),
                budget,
                rows,
            };
            json.deserialize_seq(items)?;
            Ok(json.end()?)
        }
        ExportFormat::CsvBlob => csv_rows(input, budget, rows),
    }
}

/// The array in which items of a type hold their rows, if they do.
fn group_of(export_type: ExportType) -> Option<&'static str> {
    match export_type {
        ExportType::Activity => Some("activities"),
        ExportType::Event => Some("events"),
        ExportType::Error => Some("errors"),
        ExportType::Job
        | ExportType::Session
        | ExportType::Crash
        | ExportType::Tag
        | ExportType::Token
        | ExportType::Push
        | ExportType::Device => None,
    }
}

fn csv_rows(input: impl Read, budget: &Budget, rows: &mut Rows) -> Result<(), Unreadable> {
    let mut reader = csv::Reader::from_reader(input);
    let header = reader.headers()?.clone();
    let mut record = csv::StringRecord::new();
    while reader.read_record(&mut record)? {
        budget.renew();
        match rows {
            Rows::Counted(rows) => *rows += 1,
            Rows::Collected(rows) => rows.add_cells(header.iter().zip(record.iter())),
        }
    }
    Ok(())
}

/// The array of a file.
struct Items<'a> {
    group: Option<&'static str>,
    budget: &'a Budget,
    rows: &'a mut Rows,
}

impl<'de> Visitor<'de> for Items<'_> {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an array of items")
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut items: A) -> Result<(), A::Error> {
        let Self {
            group,
            budget,
            rows,
        } = self;
        match rows {
            Rows::Counted(rows) => {
                while let Some(count) = items.next_element_seed(Item { group, budget })? {
                    budget.renew();
                    *rows += count;
                }
            }
            Rows::Collected(rows) => {
                while let Some(item) = items.next_element::<BTreeMap<String, Box<RawValue>>>()? {
                    budget.renew();
                    let fields = item
                        .iter()
                        .map(|(name, raw)| (name.clone(), &**raw))
                        .collect();
                    collect(fields, group, rows).map_err(A::Error::custom)?;
                }
            }
        }
        Ok(())
    }
}

fn collect(
    item: Fields<'_>,
    group: Option<&str>,
    rows: &mut RowSet,
) -> Result<(), serde_json::Error> {
    let Some(group) = group else {
        return rows.add(&item, Form::Json);
    };
    let mut key = item;
    let members = key.remove(group).map_or("[]", RawValue::get);
    for mut member in serde_json::from_str::<Vec<Fields<'_>>>(members)? {
        member.extend(key.iter().map(|(name, raw)| (name.clone(), *raw)));
        rows.add(&member, Form::Json)?;
    }
    Ok(())
}

/// Counts the rows of an item, however many: one, or those of its group.
#[derive(Clone, Copy)]
struct Item<'a> {
    group: Option<&'static str>,
    budget: &'a Budget,
}

impl<'de> DeserializeSeed<'de> for Item<'_> {
    type Value = u64;

    fn deserialize<D: Deserializer<'de>>(self, item: D) -> Result<u64, D::Error> {
        item.deserialize_map(self)
    }
}

impl<'de> Visitor<'de> for Item<'_> {
    type Value = u64;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an object")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut fields: A) -> Result<u64, A::Error> {
        let Some(group) = self.group else {
            while fields.next_entry::<IgnoredAny, IgnoredAny>()?.is_some() {}
            return Ok(1);
        };
        let mut rows = None;
        while let Some(name) = fields.next_key::<String>()? {
            if name == group {
                rows = Some(rows.unwrap_or(0) + fields.next_value_seed(Members(self.budget))?);
            } else {
                fields.next_value::<IgnoredAny>()?;
            }
        }
        rows.ok_or_else(|| A::Error::missing_field(group))
    }
}

/// Counts the rows of a group.
struct Members<'a>(&'a Budget);

impl<'de> DeserializeSeed<'de> for Members<'_> {
    type Value = u64;

    fn deserialize<D: Deserializer<'de>>(self, members: D) -> Result<u64, D::Error> {
        members.deserialize_seq(self)
    }
}

impl<'de> Visitor<'de> for Members<'_> {
    type Value = u64;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an array of rows")
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut rows: A) -> Result<u64, A::Error> {
        let mut count = 0;
        while rows
            .next_element_seed(Item {
                group: None,
                budget: self.0,
            })?
            .is_some()
        {
            self.0.renew();
            count += 1;
        }
        Ok(count)
    }
}
