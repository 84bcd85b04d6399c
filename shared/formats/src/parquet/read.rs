//! Reads a `ParquetBlob` back, column by column, without the writer's schemas.

mod column;

use std::fs::File;
use std::io::{self, Read};
use std::panic::{AssertUnwindSafe, catch_unwind};

use parquet::file::metadata::RowGroupMetaData;
use parquet::file::reader::{FileReader, RowGroupReader, SerializedFileReader};

use crate::read::{Budget, Collect, Kind, Rows, Spool, Unreadable};
use column::Column;

/// How many rows are taken from every column at once.
const BATCH_ROWS: usize = 1_024;

/// Reads the rows of a file, whose footer is at its end.
pub(crate) fn rows<C: Collect>(
    input: impl Read,
    kind: &Kind,
    budget: &Budget,
    rows: &mut Rows<C>,
    spool: Spool,
) -> Result<(), Unreadable> {
    let file = spool(&mut Whole { input, budget })?;
    // The crate panics over some files that are damaged. What it left half-way is dropped, and what
    // was read whole before is whole.
    let read = catch_unwind(AssertUnwindSafe(|| read_file(file, kind, rows)));
    read.unwrap_or_else(|_| Err("it is damaged: its pages cannot be decoded".into()))
}

fn read_file<C: Collect>(file: File, kind: &Kind, rows: &mut Rows<C>) -> Result<(), Unreadable> {
    let file = SerializedFileReader::new(file)?;
    let schema = file.metadata().file_metadata().schema();
    let found = || schema.get_fields().iter().map(|field| field.name());
    let columns = kind.columns.as_ref();
    if columns.is_some_and(|columns| !found().eq(columns.iter().map(String::as_str))) {
        return Err("its columns are not those that the manifest says".into());
    }
    for group in 0..file.num_row_groups() {
        read_group(&*file.get_row_group(group)?, rows)
            .map_err(|problem| format!("row group {group}: {problem}"))?;
    }
    let of_groups: i64 = file
        .metadata()
        .row_groups()
        .iter()
        .map(RowGroupMetaData::num_rows)
        .sum();
    let of_file = file.metadata().file_metadata().num_rows();
    if of_groups == of_file {
        Ok(())
    } else {
        Err(format!("its footer says {of_file} rows, and its row groups have {of_groups}").into())
    }
}

/// A file is kept before any row of it is known: no row's budget bounds it.
struct Whole<'a, R> {
    input: R,
    budget: &'a Budget,
}

impl<R: Read> Read for Whole<'_, R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        self.budget.renew();
        self.input.read(buffer)
    }
}

/// Reads every column of a row group to its end; all have to have the rows that the footer says.
fn read_group<C: Collect>(
    group: &dyn RowGroupReader,
    rows: &mut Rows<C>,
) -> Result<(), Unreadable> {
    let mut columns = (0..group.num_columns())
        .map(|place| Column::open(group, place))
        .collect::<Result<Vec<_>, _>>()?;
    let mut found: u64 = 0;
    loop {
        let batch = next_batch(&mut columns)?;
        if batch == 0 {
            break;
        }
        found += batch as u64;
        match rows {
            Rows::Counted(rows) => *rows += batch as u64,
            Rows::Collected(rows) => collect(&columns, batch, rows)?,
        }
    }
    let expected = group.metadata().num_rows();
    if i64::try_from(found) == Ok(expected) {
        Ok(())
    } else {
        Err(format!("the footer says {expected} rows, and its pages have {found}").into())
    }
}

/// Takes the next rows of every column; answers how many there are.
fn next_batch(columns: &mut [Column]) -> Result<usize, Unreadable> {
    let mut rows = None;
    for column in columns {
        let found = column.next_batch(BATCH_ROWS)?;
        if *rows.get_or_insert(found) != found {
            return Err(format!("column `{}` has other rows than the first", column.name()).into());
        }
    }
    Ok(rows.unwrap_or_default())
}

fn collect(columns: &[Column], batch: usize, rows: &mut impl Collect) -> Result<(), Unreadable> {
    let mut columns: Vec<_> = columns
        .iter()
        .map(|column| (column.name(), column.values()))
        .collect();
    for _ in 0..batch {
        let mut row = Vec::with_capacity(columns.len());
        for (name, values) in &mut columns {
            if let Some(value) = values.next().transpose()?.flatten() {
                row.push((*name, value));
            }
        }
        rows.add_values(row.into_iter());
    }
    Ok(())
}
