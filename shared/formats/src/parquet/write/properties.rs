//! How the columns of a file are encoded and compressed.

use domain::selection::ExportType;
use parquet::basic::{Compression, Encoding, ZstdLevel};
use parquet::errors::ParquetError;
use parquet::file::metadata::KeyValue;
use parquet::file::properties::{EnabledStatistics, WriterProperties, WriterPropertiesBuilder};
use parquet::schema::types::ColumnPath;

use super::column::Column;
use crate::schema::{ColumnType, SCHEMA_VERSION};

/// The level of Zstandard: higher ones take many times as long, and save a few percent.
const ZSTD_LEVEL: i32 = 1;

/// The size of a dictionary, in bytes, from which on a column chunk goes on without one.
const MAX_DICTIONARY_BYTES: usize = 8 << 20;

/// The properties of a new file whose first row group the columns hold.
pub(super) fn of(
    export_type: ExportType,
    columns: &[Column],
) -> Result<WriterProperties, ParquetError> {
    let of_file = WriterProperties::builder()
        .set_compression(Compression::ZSTD(ZstdLevel::try_new(ZSTD_LEVEL)?))
        .set_dictionary_page_size_limit(MAX_DICTIONARY_BYTES)
        // Row groups are cut where their values are collected.
        .set_max_row_group_row_count(None)
        .set_key_value_metadata(Some(vec![
            KeyValue::new("exportType".to_owned(), export_type.name().to_owned()),
            KeyValue::new("schemaVersion".to_owned(), SCHEMA_VERSION.to_string()),
        ]));
    Ok(columns.iter().fold(of_file, add_column).build())
}

fn add_column(properties: WriterPropertiesBuilder, column: &Column) -> WriterPropertiesBuilder {
    let path = ColumnPath::from(column.name());
    let properties =
        properties.set_column_dictionary_enabled(path.clone(), column.repeats_itself());
    match column.column_type() {
        ColumnType::String => properties,
        // Nobody asks for the least of JSON texts.
        ColumnType::Json => properties.set_column_statistics_enabled(path, EnabledStatistics::None),
        // Moments and campaigns follow each other closely.
        ColumnType::Timestamp | ColumnType::Int64 => {
            properties.set_column_encoding(path, Encoding::DELTA_BINARY_PACKED)
        }
    }
}
