//! Reads a `JsonLinesBlob` back, line by line.

use std::fmt;
use std::io::{BufRead, BufReader, Read};

use serde::de::{Deserialize, Deserializer, MapAccess, Visitor};
use serde_json::value::RawValue;

use crate::read::{Budget, Collect, Kind, Rows, Unreadable};

/// Reads the rows of a file to its end. Each must be an object, whole on a line that ends, and have
/// its members in the order of the columns, if these are known.
pub(crate) fn rows<C: Collect>(
    input: impl Read,
    kind: &Kind,
    budget: &Budget,
    rows: &mut Rows<C>,
) -> Result<(), Unreadable> {
    let mut input = BufReader::new(input);
    let (mut line, mut number) = (Vec::new(), 0_u64);
    while input.read_until(b'\n', &mut line)? > 0 {
        budget.renew();
        number += 1;
        add(&line, kind, rows).map_err(|problem| format!("line {number}: {problem}"))?;
        line.clear();
    }
    Ok(())
}

fn add<C: Collect>(line: &[u8], kind: &Kind, rows: &mut Rows<C>) -> Result<(), Unreadable> {
    let Some(row) = line.strip_suffix(b"\n") else {
        return Err("it has no end".into());
    };
    let Members(members) = serde_json::from_slice(row)
        .map_err(|error| format!("no JSON object, by its column {}", error.column()))?;
    if let Some(columns) = &kind.columns {
        let mut columns = columns.iter();
        let is_next = |(name, _): &(String, _)| columns.any(|column| column == name);
        if !members.iter().all(is_next) {
            return Err("its members are not of the columns that the manifest says".into());
        }
    }
    match rows {
        Rows::Counted(rows) => *rows += 1,
        Rows::Collected(rows) => rows.add_fields(&members.into_iter().collect())?,
    }
    Ok(())
}

/// The members of an object in their order, each with its raw JSON.
struct Members<'a>(Vec<(String, &'a RawValue)>);

impl<'de> Deserialize<'de> for Members<'de> {
    fn deserialize<D: Deserializer<'de>>(row: D) -> Result<Self, D::Error> {
        row.deserialize_map(Reader)
    }
}

struct Reader;

impl<'de> Visitor<'de> for Reader {
    type Value = Members<'de>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an object")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut row: A) -> Result<Members<'de>, A::Error> {
        let mut members = Vec::new();
        while let Some(member) = row.next_entry()? {
            members.push(member);
        }
        Ok(Members(members))
    }
}
