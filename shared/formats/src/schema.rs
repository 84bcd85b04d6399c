//! What the columns of an export are: one schema for each type, whatever its rows hold.

use domain::selection::{ExportFormat, ExportRequest, Spelling};
use serde::Serialize;

use crate::columns::Projection;
use crate::record::{Field, Kind, Presence, Shape};

/// The version of the schemas: raised when a column of any type is added, removed, or changes its
/// type.
pub(crate) const SCHEMA_VERSION: u32 = 1;

/// The type of a column.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum ColumnType {
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
    pub(crate) fn of(kind: Kind) -> Self {
        match kind {
            Kind::Id | Kind::Text | Kind::ShortText(_) | Kind::CampaignType => Self::String,
            Kind::Extras | Kind::Object | Kind::Status => Self::Json,
            Kind::Timestamp | Kind::RecordTime => Self::Timestamp,
            Kind::Integer => Self::Int64,
        }
    }
}

/// What the files of an export hold, as its `_schema.json` says it.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Schema {
    #[serde(rename = "schemaVersion")]
    version: u32,
    export_type: &'static str,
    format: &'static str,
    /// How rows are grouped; absent where they are flat.
    #[serde(skip_serializing_if = "Option::is_none")]
    group: Option<Group>,
    /// In the order in which they are written.
    columns: Vec<Column>,
}

#[derive(Debug, Serialize)]
struct Group {
    /// What stands once for all rows of a group.
    key: Vec<&'static str>,
    /// The array of the rows, without the key.
    rows: &'static str,
}

#[derive(Debug, Serialize)]
struct Column {
    name: &'static str,
    #[serde(rename = "type")]
    of: &'static str,
    /// How the format spells a value.
    spelled: &'static str,
    nullable: bool,
    meaning: &'static str,
}

impl Schema {
    /// The schema of the files that a request asks for.
    pub fn of(request: &ExportRequest) -> Self {
        let (of, format) = (request.export_type(), request.format);
        let shape = Shape::of(of, request.export_user_id);
        let chosen = request.files.columns.as_ref();
        let is_written = |field: &&Field| {
            format.has_columns() || field.is_in_json_blob(request.export_device_id)
        };
        let group = shape.group.filter(|_| !format.has_columns());
        let group = group.map(|group| Group {
            key: shape
                .fields
                .iter()
                .take(group.key_fields)
                .filter(is_written)
                .map(|field| field.name)
                .collect(),
            rows: group.items,
        });
        let columns = Projection::new(shape, chosen);
        let columns = columns.fields().filter(is_written);
        Self {
            version: SCHEMA_VERSION,
            export_type: of.name(),
            format: format.name(),
            group,
            columns: columns.map(|field| Column::of(field, format)).collect(),
        }
    }

    /// The file: JSON for people, too.
    ///
    /// # Errors
    /// None in practice: the type always serializes.
    pub fn to_json(&self) -> serde_json::Result<Vec<u8>> {
        let mut json = serde_json::to_vec_pretty(self)?;
        json.push(b'\n');
        Ok(json)
    }
}

impl Column {
    fn of(field: &Field, format: ExportFormat) -> Self {
        let column_type = ColumnType::of(field.kind);
        Self {
            name: field.name,
            of: column_type.name(),
            spelled: match format.spelling() {
                Spelling::Json => in_json(field.kind),
                Spelling::Text => column_type.in_text(),
                Spelling::Typed => column_type.in_parquet(),
            },
            nullable: field.presence != Presence::Required,
            meaning: field.meaning,
        }
    }
}

/// How JSON spells the values of a kind.
fn in_json(kind: Kind) -> &'static str {
    match kind {
        Kind::Id | Kind::Text | Kind::ShortText(_) | Kind::CampaignType => "string",
        Kind::Timestamp | Kind::RecordTime => "string: RFC 3339, in UTC",
        Kind::Extras | Kind::Object => "object",
        Kind::Status => "array",
        Kind::Integer => "number",
    }
}

impl ColumnType {
    fn name(self) -> &'static str {
        match self {
            Self::String => "string",
            Self::Json => "json",
            Self::Timestamp => "timestamp",
            Self::Int64 => "int64",
        }
    }

    fn in_text(self) -> &'static str {
        match self {
            Self::String => "text; an empty one is quoted",
            Self::Json => "compact JSON",
            Self::Timestamp => "RFC 3339, in UTC",
            Self::Int64 => "digits",
        }
    }

    fn in_parquet(self) -> &'static str {
        match self {
            Self::String => "BYTE_ARRAY (STRING)",
            Self::Json => "BYTE_ARRAY (STRING): compact JSON",
            Self::Timestamp => "INT64 (TIMESTAMP(MICROS, UTC))",
            Self::Int64 => "INT64",
        }
    }
}

#[cfg(test)]
mod tests {
    use domain::columns::Columns;
    use domain::selection::{DateRange, DeviceType, ExportType, History, HistoryType, Snapshot};
    use time::macros::date;

    use super::*;

    fn activities(format: ExportFormat) -> ExportRequest {
        let day = date!(2026 - 01 - 05);
        let days = DateRange {
            start: day,
            end: day,
        };
        let of = HistoryType::Activity;
        ExportRequest::usual(History { of, days }, format)
    }

    fn names(request: &ExportRequest) -> Vec<&'static str> {
        let columns = Schema::of(request).columns;
        columns.into_iter().map(|column| column.name).collect()
    }

    #[test]
    fn a_schema_has_the_columns_of_the_files_in_their_order() {
        let mut request = activities(ExportFormat::JsonBlob);
        assert_eq!(
            names(&request),
            ["sessionId", "name", "timestamp", "extras"]
        );
        let group = Schema::of(&request).group.unwrap();
        assert_eq!((group.key, group.rows), (vec!["sessionId"], "activities"));
        request.export_device_id = true;
        assert_eq!(names(&request).get(1), Some(&"deviceId"));
        let key = Schema::of(&request).group.unwrap().key;
        assert_eq!(key, ["sessionId", "deviceId"]);
        let mut request = activities(ExportFormat::CsvBlob);
        assert_eq!(names(&request), ExportType::Activity.columns(false));
        assert!(Schema::of(&request).group.is_none());
        let all = ExportType::Activity.columns(false);
        request.files.columns = Columns::choose(all, ["name", "deviceId"]).ok();
        assert_eq!(names(&request), ["name", "deviceId"]);
    }

    #[test]
    fn the_documentation_shows_a_schema_as_it_is() {
        let tokens = Snapshot::Devices(DeviceType::Token);
        let request = ExportRequest::usual(tokens, ExportFormat::CsvBlob);
        let json = String::from_utf8(Schema::of(&request).to_json().unwrap()).unwrap();
        let page = include_str!("../../../docs/DATA_MODEL.md");
        assert!(page.contains(&format!("```json\n{json}```\n")), "{json}");
    }
}
