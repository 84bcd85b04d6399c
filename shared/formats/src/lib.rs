//! Rows into files and back: what a record is and its checks, for each format an encoder and a
//! reader, side by side, and likewise for compressions. The two share no code: what reads files back must not have the mistakes of
//! what wrote them.

pub mod codec;
mod columns;
mod csv;
pub mod encode;
pub mod filter;
mod json;
mod json_lines;
mod parquet;
pub mod read;
pub mod record;
pub mod records;
pub mod rejected;
pub mod schema;

use std::io::Read;

use domain::selection::ExportFormat;

use crate::encode::{Encode, EncodeOptions};
use crate::read::{Budget, Collect, Kind, Rows, Spool, Unreadable};
use crate::record::Shape;

/// The encoder of a format.
fn encoder(shape: Shape, format: ExportFormat, options: &EncodeOptions) -> Box<dyn Encode> {
    match format {
        ExportFormat::JsonBlob => Box::new(json::write::JsonWriter::new(shape, options)),
        ExportFormat::CsvBlob => Box::new(csv::write::CsvWriter::new(shape, options)),
        ExportFormat::JsonLinesBlob => {
            Box::new(json_lines::write::JsonLinesWriter::new(shape, options))
        }
        ExportFormat::ParquetBlob => Box::new(parquet::write::ParquetWriter::new(shape, options)),
    }
}

/// Reads the rows of a file to its end, with the reader of its format.
///
/// # Errors
/// [`Unreadable`] when it is not of its format. `rows` then has what was read whole before.
pub fn read_rows<C: Collect>(
    input: impl Read,
    kind: &Kind,
    budget: &Budget,
    rows: &mut Rows<C>,
    spool: Spool,
) -> Result<(), Unreadable> {
    match kind.format {
        ExportFormat::JsonBlob => json::read::rows(input, kind.export_type, budget, rows),
        ExportFormat::CsvBlob => csv::read::rows(input, kind, budget, rows),
        ExportFormat::JsonLinesBlob => json_lines::read::rows(input, kind, budget, rows),
        ExportFormat::ParquetBlob => parquet::read::rows(input, kind, budget, rows, spool),
    }
}
