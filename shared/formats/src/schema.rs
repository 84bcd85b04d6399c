//! What the columns of an export are: one schema for each type, whatever its rows hold.

use crate::record::Kind;

/// The version of the schemas: raised when a column of any type is added, removed, or changes its
/// type.
pub const SCHEMA_VERSION: u32 = 1;

/// The type of a column.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ColumnType {
    /// A text.
    String,
    /// A text that is one JSON value, an object or an array.
    Json,
    /// A moment in UTC.
    Timestamp,
    /// A signed integer of 64 bits.
    Int64,
}

impl ColumnType {
    /// The type of the column of a field whose value is of this kind.
    pub fn of(kind: Kind) -> Self {
        match kind {
            Kind::Id | Kind::Text | Kind::ShortText(_) | Kind::CampaignType => Self::String,
            Kind::Extras | Kind::Object | Kind::Status => Self::Json,
            Kind::Timestamp | Kind::RecordTime => Self::Timestamp,
            Kind::Integer => Self::Int64,
        }
    }
}
