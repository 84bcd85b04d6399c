//! Rows into files and back: what a record is and its checks, for each format an encoder and a
//! reader, side by side, and likewise for compressions. The two share no code: what reads files back must not have the mistakes of
//! what wrote them.

pub mod codec;
mod csv;
pub mod encode;
mod json;
mod json_lines;
pub mod read;
pub mod record;
pub mod records;
pub mod rejected;

use std::io::Read;

use domain::selection::ExportFormat;

use crate::encode::{Encode, EncodeOptions};
use crate::read::{Budget, Collect, Kind, Rows, Unreadable};
use crate::record::Shape;

/// The encoder of a format.
fn encoder(shape: Shape, format: ExportFormat, options: EncodeOptions) -> Box<dyn Encode> {
    match format {
        ExportFormat::JsonBlob => Box::new(json::write::JsonWriter::new(shape, options)),
        ExportFormat::CsvBlob => Box::new(csv::write::CsvWriter::new(shape)),
        ExportFormat::JsonLinesBlob => Box::new(json_lines::write::JsonLinesWriter::new(shape)),
    }
}

/// Reads with the reader of a format.
fn read<C: Collect>(
    input: impl Read,
    kind: Kind,
    budget: &Budget,
    rows: &mut Rows<C>,
) -> Result<(), Unreadable> {
    match kind.format {
        ExportFormat::JsonBlob => json::read::rows(input, kind.export_type, budget, rows),
        ExportFormat::CsvBlob => csv::read::rows(input, budget, rows),
        ExportFormat::JsonLinesBlob => json_lines::read::rows(input, budget, rows),
    }
}
