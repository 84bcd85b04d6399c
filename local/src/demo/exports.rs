//! What the demonstration exports, and what it adds to the sample for that.

use std::fs::File;
use std::io::Write;
use std::path::Path;

use domain::selection::{ExportFormat, ExportType, FileOptions, HistoryType};
use flate2::Compression;
use flate2::write::GzEncoder;
use serde_json::{Map, Value, json};

use crate::sample::{self, DAYS, SampleApp};

/// The characters of a stack trace that is as long as it may be.
const TRACE_CHARS: usize = 4_096;

/// So many rows with the longest stack trace, of 5 KB, are cut into two files.
const LONG_CRASHES: u64 = 3_600;

/// An export of the demonstration.
pub(super) struct Export {
    /// What is exported, in the plural.
    pub(super) what: &'static str,
    pub(super) of: ExportType,
    pub(super) format: ExportFormat,
    /// `exportOptions`.
    pub(super) options: Value,
    /// The folder of the container that the files go to, with a slash before it; empty when they lie
    /// at its top.
    pub(super) folder: &'static str,
    /// The rest of the body, without the container.
    pub(super) body: Map<String, Value>,
}

/// All of them, in their order.
pub(super) fn exports() -> [Export; 5] {
    let [first, .., last] = DAYS;
    let (start, end) = (first.to_string(), last.to_string());
    [
        Export {
            what: "events",
            of: ExportType::Event,
            format: ExportFormat::JsonBlob,
            options: json!({}),
            folder: "",
            body: fields([
                ("description", "a week of events"),
                ("startDate", &start),
                ("endDate", &end),
            ]),
        },
        Export {
            what: "activities",
            of: ExportType::Activity,
            format: ExportFormat::JsonLinesBlob,
            options: json!({"filter": {"from": format!("{first}T12:00:00Z"), "to": format!("{last}T12:00:00Z")}}),
            folder: "",
            body: fields([
                (
                    "description",
                    "the activities from noon to noon, compressed",
                ),
                ("startDate", &start),
                ("endDate", &end),
            ]),
        },
        Export {
            what: "sessions",
            of: ExportType::Session,
            format: ExportFormat::ParquetBlob,
            options: json!({"columns": ["start", "end", "deviceId", "sessionId"]}),
            folder: "/analytics/sessions",
            body: fields([
                ("description", "a week of sessions, by column, in a folder"),
                ("startDate", &start),
                ("endDate", &end),
            ]),
        },
        Export {
            what: "crashes",
            of: ExportType::Crash,
            format: ExportFormat::CsvBlob,
            options: json!({"maxFileBytes": FileOptions::LEAST_MAX_FILE_BYTES}),
            folder: "",
            body: fields([
                (
                    "description",
                    "a week of crashes, in files of 16 MiB at most",
                ),
                ("startDate", &start),
                ("endDate", &end),
            ]),
        },
        Export {
            what: "devices",
            of: ExportType::Device,
            format: ExportFormat::CsvBlob,
            options: json!({
                "columns": ["deviceId", "appInfo", "info"], "byteOrderMark": true, "escapeFormulas": true,
            }),
            folder: "",
            body: fields([("description", "all devices, now, for a spreadsheet")]),
        },
    ]
}

fn fields<const N: usize>(fields: [(&str, &str); N]) -> Map<String, Value> {
    fields
        .into_iter()
        .map(|(name, value)| (name.to_owned(), Value::from(value)))
        .collect()
}

/// Crashes with stack traces as long as they may be, in one object: more rows than a file of the least
/// `maxFileBytes` takes.
pub(super) fn write_long_crashes(lake: &Path, app: &SampleApp) -> std::io::Result<()> {
    let [first, ..] = DAYS;
    let day = lake.join(sample::folder(HistoryType::Crash, app, first));
    std::fs::create_dir_all(&day)?;
    let file = File::create(day.join("long.ndjson.gz"))?;
    let mut file = GzEncoder::new(file, Compression::fast());
    let trace = "at com.example.日本語.Main.run(Main.java:42)"
        .chars()
        .cycle();
    let trace: String = trace.take(TRACE_CHARS).collect();
    for number in 0..LONG_CRASHES {
        let crash = json!({
            "crashId": format!("{number:032x}"), "deviceId": format!("{:032x}", number % 100),
            "timestamp": format!("{first}T12:00:00Z"), "name": "long", "stackTrace": trace,
        });
        writeln!(file, "{crash}")?;
    }
    file.finish().map(drop)
}
