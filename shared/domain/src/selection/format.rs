//! What the files of an export are: their format, and how they are compressed.

use strum::{EnumString, IntoStaticStr, VariantArray};

/// The format of the exported files.
#[derive(Debug, Clone, Copy, PartialEq, Eq, EnumString, IntoStaticStr, VariantArray)]
#[strum(ascii_case_insensitive)]
pub enum ExportFormat {
    /// One JSON array per blob.
    JsonBlob,
    /// RFC 4180 with a header row in every blob.
    CsvBlob,
    /// One JSON object a line, for each row.
    JsonLinesBlob,
    /// Apache Parquet, Zstandard inside.
    ParquetBlob,
}

impl ExportFormat {
    /// Every format, in the order in which an error lists them.
    pub const ALL: &[Self] = Self::VARIANTS;

    /// The name on the wire.
    pub fn name(self) -> &'static str {
        self.into()
    }

    /// Reads [`ExportFormat::name`] ignoring case, as clients type it.
    pub fn from_name(name: &str) -> Option<Self> {
        name.parse().ok()
    }

    /// The file extension, without the dot.
    pub fn extension(self) -> &'static str {
        match self {
            Self::JsonBlob => "json",
            Self::CsvBlob => "csv",
            Self::JsonLinesBlob => "jsonl",
            Self::ParquetBlob => "parquet",
        }
    }

    /// The `Content-Type` that the blobs are given.
    pub fn content_type(self) -> &'static str {
        match self {
            Self::JsonBlob => "application/json",
            Self::CsvBlob => "text/csv; charset=utf-8",
            Self::JsonLinesBlob => "application/x-ndjson",
            // <https://www.iana.org/assignments/media-types/application/vnd.apache.parquet>
            Self::ParquetBlob => "application/vnd.apache.parquet",
        }
    }

    /// The compressions that its files may have. Parquet is compressed within.
    pub fn compressions(self) -> &'static [Compression] {
        match self {
            Self::JsonBlob | Self::CsvBlob | Self::JsonLinesBlob => Compression::ALL,
            Self::ParquetBlob => &[Compression::None],
        }
    }

    /// How the values of its rows are spelled.
    pub fn spelling(self) -> Spelling {
        match self {
            Self::JsonBlob | Self::JsonLinesBlob => Spelling::Json,
            Self::CsvBlob => Spelling::Text,
            Self::ParquetBlob => Spelling::Typed,
        }
    }

    /// Whether a row is flat, so that a file has columns, which can be chosen.
    pub fn has_columns(self) -> bool {
        match self {
            Self::JsonBlob => false,
            Self::CsvBlob | Self::JsonLinesBlob | Self::ParquetBlob => true,
        }
    }

    /// Whether spreadsheets open the files, so that they can be written for them.
    pub fn is_for_spreadsheets(self) -> bool {
        match self {
            Self::JsonBlob | Self::JsonLinesBlob | Self::ParquetBlob => false,
            Self::CsvBlob => true,
        }
    }

    /// The compression of who asks for none: files of the original formats are as they were.
    pub fn usual_compression(self) -> Compression {
        match self {
            Self::JsonBlob | Self::CsvBlob | Self::ParquetBlob => Compression::None,
            Self::JsonLinesBlob => Compression::Zstd,
        }
    }
}

/// How a format spells the values of a row, and with that what of a value it keeps.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Spelling {
    /// As JSON, all of it: the number 1 and the text "1" differ.
    Json,
    /// As text: a number and its digits look alike, and so do a missing value and an empty cell.
    Text,
    /// By columns of types: what is a moment has microseconds, an empty text is no null.
    Typed,
}

/// How each file of rows is compressed. Files of rejects and the manifest never are.
#[derive(Debug, Clone, Copy, PartialEq, Eq, EnumString, IntoStaticStr, VariantArray)]
#[strum(serialize_all = "lowercase", ascii_case_insensitive)]
pub enum Compression {
    /// Not at all.
    None,
    /// Into gzip members (<https://www.rfc-editor.org/rfc/rfc1952>).
    Gzip,
    /// Into one Zstandard frame (<https://www.rfc-editor.org/rfc/rfc8878>).
    Zstd,
}

impl Compression {
    /// Every compression, in the order in which an error lists them.
    pub const ALL: &[Self] = Self::VARIANTS;

    /// The name on the wire, in stored items and in manifests.
    pub fn name(self) -> &'static str {
        self.into()
    }

    /// The name, where a file that is not compressed goes without.
    pub fn name_unless_none(self) -> Option<&'static str> {
        match self {
            Self::None => None,
            Self::Gzip | Self::Zstd => Some(self.name()),
        }
    }

    /// Reads [`Compression::name`] ignoring case, as clients type it.
    pub fn from_name(name: &str) -> Option<Self> {
        name.parse().ok()
    }
}
