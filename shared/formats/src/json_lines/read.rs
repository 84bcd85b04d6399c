//! Reads a `JsonLinesBlob` back, line by line.

use std::io::{BufRead, BufReader, Read};

use crate::read::{Budget, Collect, Fields, Rows, Unreadable};

/// Reads the rows of a file to its end. Each must be an object, whole on a line that ends.
pub(crate) fn rows<C: Collect>(
    input: impl Read,
    budget: &Budget,
    rows: &mut Rows<C>,
) -> Result<(), Unreadable> {
    let mut input = BufReader::new(input);
    let (mut line, mut number) = (Vec::new(), 0_u64);
    while input.read_until(b'\n', &mut line)? > 0 {
        budget.renew();
        number += 1;
        add(&line, rows).map_err(|problem| format!("line {number}: {problem}"))?;
        line.clear();
    }
    Ok(())
}

fn add<C: Collect>(line: &[u8], rows: &mut Rows<C>) -> Result<(), Unreadable> {
    let Some(row) = line.strip_suffix(b"\n") else {
        return Err("it has no end".into());
    };
    let fields: Fields<'_> = serde_json::from_slice(row)
        .map_err(|error| format!("no JSON object, by its column {}", error.column()))?;
    match rows {
        Rows::Counted(rows) => *rows += 1,
        Rows::Collected(rows) => rows.add_fields(&fields)?,
    }
    Ok(())
}
