//! What the documentation shows of each format.

use domain::selection::{ExportFormat, ExportType};

use super::{A, encode};

const PAGE: &str = include_str!("../../../../../docs/DATA_MODEL.md");

fn events() -> [String; 2] {
    [
        r#""name":"level \"one\"","timestamp":"2026-01-05 09:30:00.250","extras":{ "score": 1.50 }"#,
        r#""name":"","timestamp":"2026-01-05T09:31:00+01:00","sessionId":null"#,
    ]
    .map(|rest| format!(r#"{{"deviceId":"{A}",{rest}}}"#))
}

#[test]
fn the_documentation_shows_the_same_two_events_in_each_format_of_text() {
    for (format, language) in [
        (ExportFormat::JsonBlob, "json"),
        (ExportFormat::CsvBlob, "csv"),
        (ExportFormat::JsonLinesBlob, "json"),
    ] {
        let file = encode(ExportType::Event, format, &events());
        // A page has no carriage returns.
        let shown = format!("```{language}\n{}```\n", file.replace('\r', ""));
        assert!(PAGE.contains(&shown), "{format:?}:\n{shown}");
    }
}
