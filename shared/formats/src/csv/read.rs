//! Reads a `CsvBlob` back, with the CSV reader that everybody uses.

use std::io::Read;

use crate::read::{Budget, Collect, Rows, Unreadable};

/// Reads the rows of a file to its end.
pub(crate) fn rows<C: Collect>(
    input: impl Read,
    budget: &Budget,
    rows: &mut Rows<C>,
) -> Result<(), Unreadable> {
    let mut reader = ::csv::Reader::from_reader(input);
    let header = reader.headers()?.clone();
    let mut record = ::csv::StringRecord::new();
    while reader.read_record(&mut record)? {
        budget.renew();
        match rows {
            Rows::Counted(rows) => *rows += 1,
            Rows::Collected(rows) => rows.add_cells(header.iter().zip(record.iter())),
        }
    }
    Ok(())
}
