//! Lines of the lake, through the parser and every encoder.

mod columns;

use std::collections::BTreeMap;

use bytes::Bytes;
use client::verify::as_exported;
use domain::selection::{ExportFormat, ExportType};
use formats::encode::{EncodeOptions, Encoder};
use formats::record::{BadRecord, Field, Record, Shape};
use formats::records::{Found, Records};
use serde_json::value::RawValue;

use columns::assert_parquet;

/// The raw JSON of a row's fields that are there, by name.
pub(crate) type Row = BTreeMap<String, String>;

/// The first byte chooses the type (`a` the first of them); the lines follow.
///
/// What every encoder writes has a row for each of them, with the values that a plain JSON parser
/// finds in the line: byte for byte in JSON, without line ends in lines of JSON, and as text, or
/// compacted, in CSV and Parquet.
pub fn lake_lines(input: &[u8]) -> bool {
    let Some((shape, text)) = typed(input) else {
        return false;
    };
    let text = Bytes::copy_from_slice(text);
    let mut records = Records::default();
    let accepted = accepted(&shape, &text, &mut records);
    let json = text_of(shape, ExportFormat::JsonBlob, &accepted);
    let csv = text_of(shape, ExportFormat::CsvBlob, &accepted);
    let json_lines = text_of(shape, ExportFormat::JsonLinesBlob, &accepted);
    let rows: Vec<Row> = accepted
        .iter()
        .map(|(line, _)| expected(&shape, line))
        .collect();
    assert_eq!(read_json(&shape, &json), rows);
    assert_eq!(json_lines, written_json_lines(&shape, &rows));
    assert_eq!(csv, written_csv(&shape, &rows));
    assert_csv(&shape, &csv, &rows);
    assert_parquet(&file_of(shape, ExportFormat::ParquetBlob, &accepted), &rows);
    for (text, record) in &accepted {
        assert_eq!(record.time, shape.time_of(text));
    }
    !accepted.is_empty()
}

/// The lines that are records, with what is read of them.
type Accepted<'a> = Vec<(&'a [u8], Record<'a>)>;

fn accepted<'a>(shape: &Shape, text: &'a Bytes, records: &'a mut Records) -> Accepted<'a> {
    let mut accepted = Vec::new();
    let mut walk = records.walk(text, true);
    while let Some(found) = walk.next() {
        let Found::Record { text, .. } = found else {
            continue;
        };
        let text = text.as_bytes();
        match shape.parse(text) {
            Ok(record) => accepted.push((text, record)),
            Err(fault) => {
                assert!(fault.to_string().len() < 300, "{fault}");
                if fault == BadRecord::NotJson {
                    walk.take_apart();
                }
            }
        }
    }
    accepted
}

fn text_of(shape: Shape, format: ExportFormat, accepted: &Accepted<'_>) -> String {
    String::from_utf8(file_of(shape, format, accepted)).expect("a file is UTF-8")
}

/// The shape that the first byte chooses (`a` that of the first type), and what follows it.
pub(crate) fn typed(input: &[u8]) -> Option<(Shape, &[u8])> {
    let [kind, text @ ..] = input else {
        return None;
    };
    let place = usize::from(kind.to_ascii_lowercase().wrapping_sub(b'a')) % ExportType::ALL.len();
    let export_type = ExportType::ALL.get(place)?;
    Some((Shape::of(*export_type, true), text))
}

fn file_of(shape: Shape, format: ExportFormat, accepted: &Accepted<'_>) -> Vec<u8> {
    let file = encode(shape, format, accepted.iter().map(|(_, record)| record));
    assert_eq!(file.is_empty(), accepted.is_empty());
    file
}

/// A file of these records, with all that may be asked for.
pub(crate) fn encode<'r>(
    shape: Shape,
    format: ExportFormat,
    records: impl IntoIterator<Item = &'r Record<'r>>,
) -> Vec<u8> {
    let options = EncodeOptions {
        export_device_id: true,
        ..EncodeOptions::default()
    };
    let mut encoder = Encoder::new(shape, format, &options);
    let mut out = Vec::new();
    for record in records {
        encoder.push(record, &mut out).expect("a row is written");
    }
    encoder.finish(&mut out).expect("a file is closed");
    out
}

/// What a plain reader finds in a line, in the form in which it is exported.
pub(crate) fn expected(shape: &Shape, line: &[u8]) -> Row {
    let line = std::str::from_utf8(line).expect("a record is UTF-8");
    let mut object = as_exported(line).expect("a record is an object");
    let values = shape
        .fields
        .iter()
        .filter_map(|field| Some((field.name, object.remove(field.name)?)));
    values
        .map(|(name, raw)| (name.to_owned(), raw.get().to_owned()))
        .filter(|(_, raw)| raw != "null")
        .collect()
}

/// The rows of a JSON file, in order.
pub(crate) fn read_json(shape: &Shape, text: &str) -> Vec<Row> {
    type Object = BTreeMap<String, Box<RawValue>>;
    if text.is_empty() {
        return Vec::new();
    }
    let raw = |object: Object| {
        object
            .into_iter()
            .map(|(name, raw)| (name, raw.get().to_owned()))
            .collect::<Row>()
    };
    let items: Vec<Object> = serde_json::from_str(text).expect("a file is an array of objects");
    let Some(group) = shape.group else {
        return items.into_iter().map(raw).collect();
    };
    let rows_of = |mut item: Object| {
        let rows = item.remove(group.items).expect("a group has its rows");
        let rows: Vec<Object> =
            serde_json::from_str(rows.get()).expect("a group's rows are objects");
        assert!(!rows.is_empty(), "an empty group: {text}");
        let key = raw(item);
        rows.into_iter()
            .map(move |row| raw(row).into_iter().chain(key.clone()).collect())
            .collect::<Vec<Row>>()
    };
    items.into_iter().flat_map(rows_of).collect()
}

/// The plain way: a row at a time, in the order of the fields, its line ends left out.
fn written_json_lines(shape: &Shape, rows: &[Row]) -> String {
    let line = |row: &Row| {
        let fields = shape.fields.iter();
        let members = fields.filter_map(|field| Some((field.name, row.get(field.name)?)));
        let members = members.map(|(name, raw)| format!("\"{name}\":{raw}"));
        let object = format!("{{{}}}", members.collect::<Vec<_>>().join(","));
        object.replace(['\n', '\r'], "") + "\n"
    };
    rows.iter().map(line).collect()
}

/// The plain way: a row at a time, every cell looked through for what must be quoted.
fn written_csv(shape: &Shape, rows: &[Row]) -> String {
    let header = shape
        .fields
        .iter()
        .map(|field| field.name.to_owned())
        .collect::<Vec<_>>();
    let quoted = |text: String| {
        let must_be = text.is_empty() || text.contains(['"', ',', '\r', '\n']);
        if must_be {
            format!("\"{}\"", text.replace('"', "\"\""))
        } else {
            text
        }
    };
    let cells = |row: &Row| -> Vec<String> {
        let values = shape.fields.iter().map(|field| row.get(field.name));
        values
            .map(|raw| raw.map_or_else(String::new, |raw| quoted(cell(raw))))
            .collect()
    };
    let lines = std::iter::once(header)
        .filter(|_| !rows.is_empty())
        .chain(rows.iter().map(cells));
    lines.map(|cells| cells.join(",") + "\r\n").collect()
}

/// Another's reader finds the same rows.
fn assert_csv(shape: &Shape, text: &str, rows: &[Row]) {
    let mut reader = csv::Reader::from_reader(text.as_bytes());
    let headers = reader.headers().expect("a file has a header").clone();
    let names = shape.fields.iter().map(|field| field.name);
    assert!(rows.is_empty() || headers.iter().eq(names), "{headers:?}");
    let records: Vec<_> = reader
        .records()
        .map(|record| record.expect("a row is RFC 4180"))
        .collect();
    assert_eq!(records.len(), rows.len());
    for (record, row) in records.iter().zip(rows) {
        let cells = shape
            .fields
            .iter()
            .map(|Field { name, .. }| row.get(*name).map(|raw| cell(raw)));
        assert!(
            cells.map(Option::unwrap_or_default).eq(record),
            "{record:?} is not {row:?}"
        );
    }
}

/// What a cell says for a raw value: a string as it is, all else as JSON without white space.
fn cell(raw: &str) -> String {
    serde_json::from_str::<String>(raw).unwrap_or_else(|_| compact(raw))
}

/// The plain way: a byte at a time.
fn compact(raw: &str) -> String {
    let (mut in_string, mut is_escaped) = (false, false);
    let keep = |symbol: &char| {
        let is_kept = in_string || !symbol.is_ascii_whitespace();
        in_string ^= *symbol == '"' && !is_escaped;
        is_escaped = in_string && *symbol == '\\' && !is_escaped;
        is_kept
    };
    raw.chars().filter(keep).collect()
}
