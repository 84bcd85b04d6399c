//! The rows of an exported file.

use serde_json::value::RawValue;
use shared::selection::{ExportFormat, ExportType};

use super::row::{Fields, Form, RowSet};

type Unreadable = Box<dyn std::error::Error>;

/// Reads a file of a format.
pub(crate) fn rows_of(bytes: &[u8], export_type: ExportType, format: ExportFormat) -> Result<RowSet, Unreadable> {
    match format {
        ExportFormat::JsonBlob => json_rows(bytes, export_type),
        ExportFormat::CsvBlob => csv_rows(bytes),
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

fn json_rows(bytes: &[u8], export_type: ExportType) -> Result<RowSet, Unreadable> {
    let mut rows = RowSet::default();
    let group = group_of(export_type);
    for item in serde_json::from_slice::<Vec<Fields<'_>>>(bytes)? {
        let Some(group) = group else {
            rows.add(&item, Form::Json)?;
            continue;
        };
        let mut key = item;
        let members = key.remove(group).map_or("[]", RawValue::get);
        for mut member in serde_json::from_str::<Vec<Fields<'_>>>(members)? {
            member.extend(key.iter().map(|(name, raw)| (name.clone(), *raw)));
            rows.add(&member, Form::Json)?;
        }
    }
    Ok(rows)
}

fn csv_rows(bytes: &[u8]) -> Result<RowSet, Unreadable> {
    let mut rows = RowSet::default();
    let mut reader = csv::Reader::from_reader(bytes);
    let header = reader.headers()?.clone();
    for record in reader.records() {
        rows.add_cells(header.iter().zip(record?.iter()));
    }
    Ok(rows)
}
