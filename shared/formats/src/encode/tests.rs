use std::collections::BTreeMap;

use any_rows::{Row, any_rows, tokens};
use domain::selection::ExportType;
use proptest::prelude::*;
use serde_json::value::RawValue;

use super::*;
use crate::read::{self, Budget, NoRows, Rows, no_spool};
use crate::read_rows;
use crate::record::BadRecord;

pub(crate) mod any_rows;
mod examples;

const A: &str = "0123456789abcdef0123456789abcdea";
const B: &str = "0123456789abcdef0123456789abcdeb";

/// Everything that a client may ask for.
const ALL: EncodeOptions = EncodeOptions {
    export_device_id: true,
    row_group_bytes: ROW_GROUP_BYTES,
    files: FileOptions {
        columns: None,
        byte_order_mark: false,
        escape_formulas: false,
        max_file_bytes: None,
    },
};

fn encode(kind: ExportType, format: ExportFormat, lines: &[String]) -> String {
    encode_with(&ALL, kind, format, lines)
}

fn encode_with(
    options: &EncodeOptions,
    kind: ExportType,
    format: ExportFormat,
    lines: &[String],
) -> String {
    let file = file_of(Shape::of(kind, true), format, options, lines);
    String::from_utf8(file).unwrap()
}

fn file_of(
    shape: Shape,
    format: ExportFormat,
    options: &EncodeOptions,
    lines: &[String],
) -> Vec<u8> {
    let mut encoder = Encoder::new(shape, format, options);
    let mut out = Vec::new();
    for line in lines {
        let record = shape.parse(line.as_bytes());
        let record = record.unwrap_or_else(|fault| panic!("{fault}: {line}"));
        encoder.push(&record, &mut out).unwrap();
    }
    encoder.finish(&mut out).unwrap();
    out
}

/// Whether a file has a text in it, as it is.
fn holds(file: &[u8], text: &str) -> bool {
    String::from_utf8_lossy(file).contains(text)
}

fn activity(session: &str, device: Option<&str>, name: &str) -> String {
    let device = device
        .map(|id| format!(r#""deviceId":"{id}","#))
        .unwrap_or_default();
    format!(
        r#"{{"sessionId":"{session}",{device}"name":"{name}","timestamp":"2026-11-21T10:00:00Z"}}"#
    )
}

#[test]
fn a_file_without_rows_is_empty() {
    for &kind in ExportType::ALL {
        for &format in ExportFormat::ALL {
            assert_eq!(encode(kind, format, &[]), "", "{kind}");
        }
    }
}

#[test]
fn a_new_group_opens_whenever_the_key_changes() {
    let lines = [
        activity(A, Some(B), "one"),
        activity(A, Some(B), "two"),
        activity(A, None, "three"),
        activity(B, None, "four"),
        activity(A, Some(B), "five"),
    ];
    let item = |name: &str| format!(r#"{{"name":"{name}","timestamp":"2026-11-21T10:00:00Z"}}"#);
    let expected = [
        "[\n",
        &format!(
            r#"{{"sessionId":"{A}","deviceId":"{B}","activities":[{},{}]}}"#,
            item("one"),
            item("two")
        ),
        ",\n",
        &format!(r#"{{"sessionId":"{A}","activities":[{}]}}"#, item("three")),
        ",\n",
        &format!(r#"{{"sessionId":"{B}","activities":[{}]}}"#, item("four")),
        ",\n",
        &format!(
            r#"{{"sessionId":"{A}","deviceId":"{B}","activities":[{}]}}"#,
            item("five")
        ),
        "\n]\n",
    ]
    .concat();
    assert_eq!(
        encode(ExportType::Activity, ExportFormat::JsonBlob, &lines),
        expected
    );
}

/// The rows of each group, as another reader counts them.
fn rows_of_groups(text: &str) -> Vec<usize> {
    let groups: Vec<serde_json::Value> = serde_json::from_str(text).unwrap();
    let rows = |group: &serde_json::Value| group["activities"].as_array().unwrap().len();
    groups.iter().map(rows).collect()
}

#[test]
fn a_group_has_at_most_1000_rows_and_the_next_one_has_its_key() {
    let (one, other) = (activity(A, Some(B), "n"), activity(B, Some(B), "n"));
    let lines = [vec![one; 2_001], vec![other; 1_000]].concat();
    let text = encode(ExportType::Activity, ExportFormat::JsonBlob, &lines);
    assert_eq!(rows_of_groups(&text), [1_000, 1_000, 1, 1_000]);
    assert_eq!(
        text.matches(&format!("{{\"sessionId\":\"{A}\",\"deviceId\":\"{B}\","))
            .count(),
        3
    );
    let kind = read::Kind::usual(ExportType::Activity, ExportFormat::JsonBlob);
    let mut rows = Rows::<NoRows>::Counted(0);
    read_rows(
        text.as_bytes(),
        &kind,
        &Budget::of(4_096),
        &mut rows,
        no_spool,
    )
    .unwrap();
    assert_eq!(rows.count(), 3_001);
}

#[test]
fn a_group_takes_no_row_once_it_has_512_kib() {
    let padded = |pad: usize| {
        let extras = format!("Z\",\"extras\":{{\"k\":\"{}\"}}", "x".repeat(pad));
        activity(A, None, "n").replace("Z\"", &extras)
    };
    let groups = |pads: &[usize]| {
        let lines: Vec<_> = pads.iter().map(|pad| padded(*pad)).collect();
        encode(ExportType::Activity, ExportFormat::JsonBlob, &lines)
    };
    // Without the `]}` and the brackets of the file.
    let of_one_row = groups(&[0]).len() - "[\n]}\n]\n".len();
    let to_full = FULL_GROUP_BYTES - of_one_row;
    assert_eq!(rows_of_groups(&groups(&[to_full, 0])), [1, 1]);
    assert_eq!(rows_of_groups(&groups(&[to_full - 1, 0, 0])), [2, 1]);
    let of_two_rows = groups(&[0, 0]).len() - "[\n]}\n]\n".len();
    let to_full = FULL_GROUP_BYTES - of_two_rows;
    assert_eq!(rows_of_groups(&groups(&[to_full - 1, 0, 0, 0])), [3, 1]);
    assert_eq!(
        rows_of_groups(&groups(&[0, to_full, 0, to_full, 0])),
        [2, 2, 1]
    );
    assert_eq!(
        rows_of_groups(&groups(&[FULL_GROUP_BYTES * 2, 0, 0])),
        [1, 2]
    );
}

#[test]
fn groups_are_the_same_whenever_the_buffer_is_emptied() {
    let shape = Shape::of(ExportType::Activity, true);
    let line = activity(A, None, &"n".repeat(64)).replace(
        "Z\"",
        &format!("Z\",\"extras\":{{\"k\":\"{}\"}}", "x".repeat(1_000)),
    );
    let lines = vec![line; 1_500];
    let mut encoder = Encoder::new(shape, ExportFormat::JsonBlob, &ALL);
    let (mut all, mut out) = (Vec::new(), Vec::new());
    for line in &lines {
        encoder
            .push(&shape.parse(line.as_bytes()).unwrap(), &mut out)
            .unwrap();
        all.append(&mut out);
    }
    encoder.finish(&mut all).unwrap();
    let at_once = encode(ExportType::Activity, ExportFormat::JsonBlob, &lines);
    assert_eq!(all, at_once.into_bytes());
}

#[test]
fn activities_without_device_ids_are_grouped_by_session_whatever_their_device() {
    let lines = [
        activity(A, Some(B), "one"),
        activity(A, None, "two"),
        activity(A, Some(A), "three"),
        activity(B, Some(A), "four"),
    ];
    let item = |name: &str| format!(r#"{{"name":"{name}","timestamp":"2026-11-21T10:00:00Z"}}"#);
    let expected = [
        "[\n",
        &format!(
            r#"{{"sessionId":"{A}","activities":[{},{},{}]}}"#,
            item("one"),
            item("two"),
            item("three")
        ),
        ",\n",
        &format!(r#"{{"sessionId":"{B}","activities":[{}]}}"#, item("four")),
        "\n]\n",
    ]
    .concat();
    let options = &EncodeOptions::default();
    assert_eq!(
        encode_with(
            options,
            ExportType::Activity,
            ExportFormat::JsonBlob,
            &lines
        ),
        expected
    );
}

#[test]
fn only_the_json_of_activities_leaves_device_ids_out() {
    let options = &EncodeOptions::default();
    for (kind, line) in [
        (ExportType::Activity, activity(A, Some(B), "n")),
        (
            ExportType::Event,
            format!(r#"{{"deviceId":"{B}","name":"n","timestamp":"2026-11-21"}}"#),
        ),
        (
            ExportType::Session,
            format!(r#"{{"sessionId":"{A}","deviceId":"{B}"}}"#),
        ),
    ] {
        for &format in ExportFormat::ALL {
            let shape = Shape::of(kind, false);
            let without = file_of(shape, format, options, std::slice::from_ref(&line));
            let with = file_of(shape, format, &ALL, std::slice::from_ref(&line));
            let differ = kind == ExportType::Activity && format == ExportFormat::JsonBlob;
            assert_eq!(without != with, differ, "{kind} {format:?}");
            assert_eq!(holds(&without, B), !differ, "{kind} {format:?}");
        }
    }
}

#[test]
fn a_device_id_that_is_none_is_refused_though_it_may_not_be_written() {
    let line = activity(A, Some("7"), "n");
    let fault = Shape::of(ExportType::Activity, false).parse(line.as_bytes());
    assert!(
        matches!(
            fault,
            Err(BadRecord::Wrong {
                field: "deviceId",
                ..
            })
        ),
        "{fault:?}"
    );
}

#[test]
fn csv_quotes_what_it_must_and_tells_empty_from_absent() {
    let lines = [
        activity(A, None, r#"a,\"b\"\r\nc"#),
        activity(A, Some(B), ""),
        activity(A, Some(B), "caf\\u00e9 ")
            .replace("Z\"", "Z\",\"extras\":{ \"k\": [1.50, null] }"),
    ];
    let expected = format!(
        "sessionId,deviceId,name,timestamp,extras\r\n\
         {A},,\"a,\"\"b\"\"\r\nc\",2026-11-21T10:00:00Z,\r\n\
         {A},{B},\"\",2026-11-21T10:00:00Z,\r\n\
         {A},{B},café ,2026-11-21T10:00:00Z,\"{{\"\"k\"\":[1.50,null]}}\"\r\n"
    );
    assert_eq!(
        encode(ExportType::Activity, ExportFormat::CsvBlob, &lines),
        expected
    );
}

#[test]
fn the_user_id_is_written_only_when_asked_for() {
    let line = format!(
        r#"{{"deviceId":"{A}","campaignType":"Poll","campaignId":7,"status":["Queued"],"userId":"jane@example.com"}}"#
    );
    for &format in ExportFormat::ALL {
        for export_user_id in [false, true] {
            let shape = Shape::of(ExportType::Push, export_user_id);
            let file = file_of(shape, format, &ALL, std::slice::from_ref(&line));
            assert_eq!(holds(&file, "jane"), export_user_id, "{format:?}");
            assert_eq!(holds(&file, "userId"), export_user_id, "{format:?}");
        }
    }
}

#[test]
fn values_are_written_in_the_form_that_every_reader_takes() {
    let line = format!(
        r#"{{"sessionId":"{A}","name":"\ud83d","timestamp":"2026-11-21 10:00:00.50+01:00","extras":{{"\udc00":["\ud800\\",1.50]}}}}"#
    );
    let lines = [line];
    let json = format!(
        "[\n{{\"sessionId\":\"{A}\",\"activities\":[{{\"name\":\"\u{fffd}\",\
         \"timestamp\":\"2026-11-21T09:00:00.50Z\",\
         \"extras\":{{\"\u{fffd}\":[\"\u{fffd}\\\\\",1.50]}}}}]}}\n]\n"
    );
    assert_eq!(
        encode(ExportType::Activity, ExportFormat::JsonBlob, &lines),
        json
    );
    let csv = format!(
        "sessionId,deviceId,name,timestamp,extras\r\n\
         {A},,\u{fffd},2026-11-21T09:00:00.50Z,\
         \"{{\"\"\u{fffd}\"\":[\"\"\u{fffd}\\\\\"\",1.50]}}\"\r\n"
    );
    assert_eq!(
        encode(ExportType::Activity, ExportFormat::CsvBlob, &lines),
        csv
    );
}

/// Reads a `JsonBlob` with `serde_json` alone, and takes its groups apart.
fn read_json(kind: ExportType, text: &str) -> Vec<Row> {
    type Object = BTreeMap<String, Box<RawValue>>;
    let raw = |object: Object| {
        object
            .into_iter()
            .map(|(name, raw)| (name, raw.get().to_owned()))
            .collect::<Row>()
    };
    let items: Vec<Object> = serde_json::from_str(text).unwrap();
    let Some(group) = Shape::of(kind, true).group else {
        return items.into_iter().map(raw).collect();
    };
    let rows_of = |mut object: Object| {
        let rows: Vec<Object> =
            serde_json::from_str(object.remove(group.items).unwrap().get()).unwrap();
        let key = raw(object);
        rows.into_iter()
            .map(move |row| raw(row).into_iter().chain(key.clone()).collect::<Row>())
            .collect::<Vec<_>>()
    };
    items.into_iter().flat_map(rows_of).collect()
}

/// Reads a `JsonLinesBlob` with `serde_json` alone.
fn read_json_lines(text: &str) -> Vec<Row> {
    let row = |line: &str| {
        let fields: BTreeMap<String, Box<RawValue>> = serde_json::from_str(line).unwrap();
        let raw = |(name, raw): (String, Box<RawValue>)| (name, raw.get().to_owned());
        fields.into_iter().map(raw).collect()
    };
    text.split_inclusive('\n').map(row).collect()
}

/// What a CSV cell must say for a raw value: strings as they are, all else as JSON.
fn cell(raw: Option<&String>) -> String {
    let Some(raw) = raw else { return String::new() };
    serde_json::from_str::<String>(raw).unwrap_or_else(|_| raw.clone())
}

proptest! {
    #[test]
    fn a_row_takes_no_more_than_its_record_says((kind, rows) in any_rows()) {
        let shape = Shape::of(kind, true);
        for &format in ExportFormat::ALL {
            let mut encoder = Encoder::new(shape, format, &ALL);
            let mut out = Vec::new();
            for (place, (_, line)) in rows.iter().enumerate() {
                out.clear();
                let record = shape.parse(line.as_bytes()).unwrap();
                encoder.push(&record, &mut out).unwrap();
                let is_behind_header = place > 0 || format != ExportFormat::CsvBlob;
                prop_assert!(!is_behind_header || out.len() as u64 <= record.most_row_bytes());
            }
        }
    }

    #[test]
    fn json_keeps_every_value_byte_for_byte((kind, rows) in any_rows()) {
        let (expected, lines): (Vec<_>, Vec<_>) = rows.into_iter().unzip();
        prop_assert_eq!(read_json(kind, &encode(kind, ExportFormat::JsonBlob, &lines)), expected);
    }

    #[test]
    fn json_without_device_ids_keeps_every_other_value_byte_for_byte((kind, rows) in any_rows()) {
        let (mut expected, lines): (Vec<Row>, Vec<_>) = rows.into_iter().unzip();
        if kind == ExportType::Activity {
            for row in &mut expected {
                row.remove("deviceId");
            }
        }
        let options = &EncodeOptions::default();
        prop_assert_eq!(read_json(kind, &encode_with(options, kind, ExportFormat::JsonBlob, &lines)), expected);
    }

    #[test]
    fn json_lines_keep_every_value_byte_for_byte_whatever_is_asked((kind, rows) in any_rows()) {
        let (expected, lines): (Vec<_>, Vec<_>) = rows.into_iter().unzip();
        for options in [&ALL, &EncodeOptions::default()] {
            let text = encode_with(options, kind, ExportFormat::JsonLinesBlob, &lines);
            prop_assert!(text.ends_with('\n'));
            prop_assert_eq!(&read_json_lines(&text), &expected);
        }
    }

    #[test]
    fn csv_keeps_every_value((kind, rows) in any_rows()) {
        let (expected, lines): (Vec<_>, Vec<_>) = rows.into_iter().unzip();
        let text = encode(kind, ExportFormat::CsvBlob, &lines);
        let mut reader = ::csv::Reader::from_reader(text.as_bytes());
        let names: Vec<String> = reader.headers().unwrap().iter().map(str::to_owned).collect();
        let cells: Vec<_> = reader.records().map(Result::unwrap).collect();
        prop_assert_eq!(cells.len(), expected.len());
        for (row, cells) in expected.iter().zip(cells) {
            for (name, found) in names.iter().zip(cells.iter()) {
                let raw = row.get(name);
                if raw.is_some_and(|raw| raw.starts_with(['{', '['])) {
                    prop_assert_eq!(tokens(&cell(raw)), tokens(found));
                } else {
                    prop_assert_eq!(&cell(raw), found);
                }
            }
        }
    }
}
