//! One export of each operation in every format, over data that is as awkward as it may be: every
//! row of the source is in the files once and value for value, every file is as the schemas and the
//! documentation say, and the manifest agrees with both.

mod documented;
mod files;
pub(crate) mod lake;
mod records;
pub(crate) mod registry;

use std::collections::BTreeMap;

use domain::job::Job;
use domain::manifest::FileEntry;
use domain::selection::{ExportFormat, ExportType};
use formats::record::timestamp;
use fuzz::parquet_rows as parquet;
use serde_json::{Value, json};
use time::OffsetDateTime;
use time::format_description::well_known::Rfc3339;
use time::macros::datetime;

use self::documented::columns;
use self::files::{rows_of_csv, rows_of_json, rows_of_json_lines, rows_of_lines};
use super::rows::expanded;
use crate::schema::assert_valid;
use crate::world::{World, container_url};

/// A row: the raw JSON of each field that is there.
type Row = BTreeMap<String, String>;

/// An export, and the lines of the source that must be in it.
struct Story<'a> {
    kind: ExportType,
    operation: &'a str,
    /// The body's fields beyond the container and the format.
    asked: Value,
    lines: Vec<String>,
    /// The first and the last moment of a record.
    span: Option<[OffsetDateTime; 2]>,
}

impl Story<'_> {
    /// The fields that a file of the format has.
    fn columns(&self, format: ExportFormat) -> Vec<String> {
        let is_asked = |option: &str| self.asked["exportOptions"][option] == true;
        let (with_user_id, is_json) = (is_asked("exportUserId"), format == ExportFormat::JsonBlob);
        let with_device_id =
            is_asked("exportDeviceId") || self.kind != ExportType::Activity || !is_json;
        let is_there = |column: &String| match column.as_str() {
            "userId" => with_user_id,
            "deviceId" => with_device_id,
            _ => true,
        };
        columns(self.kind).into_iter().filter(is_there).collect()
    }

    /// Runs the export in a world that holds the lines already.
    async fn assert_exact(&self, world: &World, format: ExportFormat) {
        let mut body = self.asked.clone();
        body["containerUrl"] = json!(container_url());
        body["exportFormat"] = json!(format.name());
        let key = world.post(self.operation, &body).await;
        let job = world.drive(&key).await;
        assert_eq!(
            world.task(&key).await["state"],
            "Succeeded",
            "{:?}",
            job.phase
        );
        let compression = world.manifest(&job).unwrap().head.compression;
        let is_compressed = format == ExportFormat::JsonLinesBlob;
        assert_eq!(compression.as_deref(), is_compressed.then_some("zstd"));
        let files = world.files(&job).into_iter();
        let files = files.map(|file| expanded(compression.as_deref(), &file));
        let files: Vec<Vec<Row>> = files.map(|file| self.rows_of(format, &file)).collect();
        self.assert_manifest(world, &job, &files, format);
        assert_same(
            &rows_of_lines(&self.columns(format), &self.lines),
            &files.concat(),
            format,
        );
    }

    /// The rows of a file, which must be as its format says.
    fn rows_of(&self, format: ExportFormat, file: &[u8]) -> Vec<Row> {
        if format == ExportFormat::ParquetBlob {
            return parquet::rows(file);
        }
        let file = std::str::from_utf8(file).unwrap();
        match format {
            ExportFormat::JsonBlob => {
                assert_valid(self.kind, file);
                rows_of_json(self.kind, file)
            }
            ExportFormat::CsvBlob => rows_of_csv(&self.columns(format), file),
            ExportFormat::JsonLinesBlob => rows_of_json_lines(&self.columns(format), file),
            ExportFormat::ParquetBlob => unreachable!("it is no text"),
        }
    }

    fn assert_manifest(&self, world: &World, job: &Job, files: &[Vec<Row>], format: ExportFormat) {
        let manifest = world.manifest(job).unwrap();
        assert!(manifest.head.complete && manifest.missing.is_empty());
        assert_eq!(manifest.head.export_type, self.kind.name());
        let totals = manifest.head.totals;
        assert_eq!(
            (count(self.lines.len()), 0, 0),
            (
                totals.counts.rows,
                totals.failed_chunks,
                totals.counts.rejected
            )
        );
        assert_eq!(
            totals.counts.bytes,
            manifest
                .files
                .iter()
                .map(|file| file.counts.bytes)
                .sum::<u64>()
        );
        assert!(!manifest.files.is_empty() && totals.chunks >= count(manifest.files.len()));
        for (entry, rows) in manifest.files.iter().zip(files) {
            assert_eq!(entry.counts.rows, count(rows.len()), "{}", entry.name);
            let said = span_of_entry(entry).map(|span| span.map(|moment| kept(moment, format)));
            assert_eq!(said, span_of_rows(rows), "{}", entry.name);
        }
        let spans: Vec<_> = manifest
            .files
            .iter()
            .filter_map(span_of_entry)
            .flatten()
            .collect();
        let span = spans.iter().min().zip(spans.iter().max());
        assert_eq!(span.map(|(first, last)| [*first, *last]), self.span);
    }
}

fn count(len: usize) -> u64 {
    u64::try_from(len).unwrap()
}

/// Asserts that both hold the same rows as often, whatever their order.
fn assert_same(source: &[Row], exported: &[Row], format: ExportFormat) {
    let cells = |row: &Row| match format {
        ExportFormat::JsonBlob | ExportFormat::JsonLinesBlob => row.clone(),
        ExportFormat::CsvBlob => files::cells(row),
        ExportFormat::ParquetBlob => files::values(row),
    };
    let mut source: Vec<Row> = source.iter().map(cells).collect();
    let mut exported = exported.to_vec();
    source.sort_unstable();
    exported.sort_unstable();
    for (source, exported) in source.iter().zip(&exported) {
        assert_eq!(source, exported);
    }
    assert_eq!(source.len(), exported.len());
}

/// What of a moment a format keeps.
fn kept(moment: OffsetDateTime, format: ExportFormat) -> OffsetDateTime {
    if format == ExportFormat::ParquetBlob {
        let text = parquet::cut(&moment.format(&Rfc3339).unwrap());
        return OffsetDateTime::parse(&text, &Rfc3339).unwrap();
    }
    moment
}

fn span_of_entry(entry: &FileEntry) -> Option<[OffsetDateTime; 2]> {
    let read = |text: &String| OffsetDateTime::parse(text, &Rfc3339).unwrap();
    Some([
        entry.min_timestamp.as_ref().map(read)?,
        entry.max_timestamp.as_ref().map(read)?,
    ])
}

/// The first and last moment that the rows say, in JSON or in CSV.
fn span_of_rows(rows: &[Row]) -> Option<[OffsetDateTime; 2]> {
    let moment = |row: &Row| {
        let raw = row.get("timestamp").or_else(|| row.get("start"))?;
        let text: String = serde_json::from_str(raw).unwrap_or_else(|_| raw.clone());
        Some(timestamp::parse(&text).unwrap())
    };
    let moments: Vec<OffsetDateTime> = rows.iter().filter_map(moment).collect();
    Some([*moments.iter().min()?, *moments.iter().max()?])
}

/// Tells the story of an operation that reads the lake.
async fn tell_of_days(operation: &str, kind: ExportType) {
    tell_of_days_with(operation, kind, json!({})).await;
}

async fn tell_of_days_with(operation: &str, kind: ExportType, options: Value) {
    let objects = lake::objects(kind).await;
    let story = Story {
        kind,
        operation,
        asked: json!({"startDate": "2026-01-04", "endDate": "2026-01-08", "exportOptions": options}),
        lines: objects
            .iter()
            .flat_map(|object| object.lines.clone())
            .collect(),
        span: Some([
            datetime!(2026-01-05 0:00 UTC),
            datetime!(2026-01-07 23:59:59.999_999_999 UTC),
        ]),
    };
    for &format in ExportFormat::ALL {
        let world = World::new().await;
        lake::fill(&world, operation, &objects).await;
        story.assert_exact(&world, format).await;
    }
}

/// Tells the story of an operation that reads the registry.
async fn tell_of_devices(operation: &str, kind: ExportType, asked: Value, lines: Vec<String>) {
    let story = Story {
        kind,
        operation,
        asked,
        lines,
        span: None,
    };
    for &format in ExportFormat::ALL {
        let world = World::new().await;
        registry::fill(&world).await;
        story.assert_exact(&world, format).await;
    }
}

#[tokio::test]
async fn activities_reach_the_files_exactly() {
    tell_of_days("activities", ExportType::Activity).await;
}

#[tokio::test]
async fn activities_reach_the_files_exactly_with_the_devices_asked_for() {
    tell_of_days_with(
        "activities",
        ExportType::Activity,
        json!({"exportDeviceId": true}),
    )
    .await;
}

#[tokio::test]
async fn events_reach_the_files_exactly() {
    tell_of_days("events", ExportType::Event).await;
}

#[tokio::test]
async fn jobs_reach_the_files_exactly() {
    tell_of_days("jobs", ExportType::Job).await;
}

#[tokio::test]
async fn errors_reach_the_files_exactly() {
    tell_of_days("errors", ExportType::Error).await;
}

#[tokio::test]
async fn sessions_reach_the_files_exactly() {
    tell_of_days("sessions", ExportType::Session).await;
}

#[tokio::test]
async fn crashes_reach_the_files_exactly() {
    tell_of_days("crashes", ExportType::Crash).await;
}

#[tokio::test]
async fn tags_reach_the_files_exactly() {
    tell_of_devices("tags", ExportType::Tag, json!({}), registry::tag_lines()).await;
}

#[tokio::test]
async fn tokens_reach_the_files_exactly() {
    tell_of_devices(
        "tokens",
        ExportType::Token,
        json!({}),
        registry::token_lines(),
    )
    .await;
}

#[tokio::test]
async fn devices_reach_the_files_exactly() {
    tell_of_devices(
        "devices",
        ExportType::Device,
        json!({}),
        registry::device_lines(),
    )
    .await;
}

#[tokio::test]
async fn feedback_by_campaign_reaches_the_files_exactly_with_the_users_asked_for() {
    let asked = json!({
        "campaignType": "Poll", "campaignIds": registry::ASKED_CAMPAIGNS, "exportOptions": {"exportUserId": true},
    });
    tell_of_devices(
        "feedbackByCampaign",
        ExportType::Push,
        asked,
        registry::lines_of_asked_campaigns(),
    )
    .await;
}

#[tokio::test]
async fn feedback_by_window_reaches_the_files_exactly_without_users() {
    let [start, end] = registry::WINDOW.map(|moment| moment.format(&Rfc3339).unwrap());
    let asked =
        json!({"campaignType": "Poll", "campaignWindowStart": start, "campaignWindowEnd": end});
    tell_of_devices(
        "feedbackByDate",
        ExportType::Push,
        asked,
        registry::lines_of_active_campaigns(),
    )
    .await;
}
