//! Reads a `CsvBlob` back, with the CSV reader that everybody uses.

use std::io::{Cursor, Read};

use crate::read::{Budget, Collect, Kind, Rows, Unreadable};

/// What a file may begin with, which the reader of CSV would pass over in silence.
const BYTE_ORDER_MARK: &[u8] = "\u{feff}".as_bytes();

/// The one column of numbers. A number is no formula, though it may begin as one.
const NUMBERS: &str = "campaignId";

/// What a spreadsheet takes for the beginning of a formula.
const FORMULA: [char; 6] = ['=', '+', '-', '@', '\t', '\r'];

/// Reads the rows of a file to its end. It begins with a byte order mark and has the columns as it
/// is said.
pub(crate) fn rows<C: Collect>(
    mut input: impl Read,
    kind: &Kind,
    budget: &Budget,
    rows: &mut Rows<C>,
) -> Result<(), Unreadable> {
    let mut begin = Vec::new();
    let limit = BYTE_ORDER_MARK.len() as u64;
    input.by_ref().take(limit).read_to_end(&mut begin)?;
    match (begin == BYTE_ORDER_MARK, kind.byte_order_mark) {
        (true, false) => return Err("it begins with a byte order mark".into()),
        (false, true) => return Err("it begins without a byte order mark".into()),
        (true, true) => begin.clear(),
        (false, false) => {}
    }
    let mut reader = ::csv::Reader::from_reader(Cursor::new(begin).chain(input));
    let header = reader.headers()?.clone();
    check_header(&header, kind)?;
    let (mut record, mut number) = (::csv::StringRecord::new(), 0_u64);
    while reader.read_record(&mut record)? {
        budget.renew();
        number += 1;
        if kind.escape_formulas {
            check_cells(&header, &record).map_err(|problem| format!("row {number}: {problem}"))?;
        }
        match rows {
            Rows::Counted(rows) => *rows += 1,
            Rows::Collected(rows) => rows.add_cells(header.iter().zip(record.iter())),
        }
    }
    Ok(())
}

fn check_header(header: &::csv::StringRecord, kind: &Kind) -> Result<(), Unreadable> {
    let columns = kind.columns.as_ref();
    if columns.is_none_or(|columns| header.iter().eq(columns.iter().map(String::as_str))) {
        return Ok(());
    }
    Err("its header is not of the columns that the manifest says".into())
}

/// No text is a formula: what would be one has an apostrophe before it.
fn check_cells(header: &::csv::StringRecord, row: &::csv::StringRecord) -> Result<(), String> {
    let mut cells = header.iter().zip(row);
    let found = cells.find(|(column, cell)| *column != NUMBERS && cell.starts_with(FORMULA));
    found.map_or(Ok(()), |(column, _)| {
        Err(format!(
            "`{column}` is a formula, though formulas are escaped"
        ))
    })
}
