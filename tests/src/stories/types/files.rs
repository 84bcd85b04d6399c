//! Rows as readers see them that share no code with the service: in the source's lines, in JSON, in
//! CSV, in lines of JSON.

use std::collections::BTreeMap;

use client::verify::as_exported;
use domain::selection::ExportType;
use fuzz::parquet_rows::cut;
use serde_json::value::RawValue;

use super::Row;
use super::documented::group;

/// An object's members, each as it is spelled.
type RawObject<'a> = BTreeMap<String, &'a RawValue>;

fn object(json: &str) -> RawObject<'_> {
    serde_json::from_str(json).unwrap_or_else(|error| panic!("{error}: {json}"))
}

fn row(members: RawObject<'_>) -> Row {
    members
        .into_iter()
        .map(|(name, value)| (name, value.get().to_owned()))
        .collect()
}

/// What a source's lines hold in these columns; null is absent.
pub(super) fn rows_of_lines(columns: &[String], lines: &[String]) -> Vec<Row> {
    let exported = |line: &String| {
        let fields = as_exported(line).unwrap().into_iter();
        let mut row: Row = fields
            .map(|(name, raw)| (name, raw.get().to_owned()))
            .collect();
        row.retain(|name, raw| columns.contains(name) && raw != "null");
        row
    };
    lines.iter().map(exported).collect()
}

/// The most rows of a group.
const FULL_GROUP: usize = 1_000;

/// The rows of a JSON file, its groups taken apart. Two neighbours are of the same group only where
/// the first is full.
pub(super) fn rows_of_json(kind: ExportType, file: &str) -> Vec<Row> {
    let items: Vec<&RawValue> = serde_json::from_str(file).unwrap();
    let items = items.into_iter().map(|item| object(item.get()));
    let Some(group) = group(kind) else {
        return items.map(row).collect();
    };
    let (mut rows, mut last) = (Vec::new(), (None, 0));
    for mut item in items {
        let records = item.remove(&group).unwrap();
        let key = Some(row(item));
        assert!(
            key != last.0 || last.1 == FULL_GROUP,
            "two groups of {key:?}"
        );
        let records: Vec<RawObject<'_>> = serde_json::from_str(records.get()).unwrap();
        assert!((1..=FULL_GROUP).contains(&records.len()));
        last = (key.clone(), records.len());
        for record in records {
            let mut row = row(record);
            row.extend(key.clone().unwrap());
            rows.push(row);
        }
    }
    rows
}

/// The rows of a CSV file with these columns; what is empty is absent.
pub(super) fn rows_of_csv(columns: &[String], file: &str) -> Vec<Row> {
    assert!(file.ends_with("\r\n") && !file.starts_with('\u{feff}'));
    let mut reader = csv::Reader::from_reader(file.as_bytes());
    assert_eq!(
        reader.headers().unwrap().iter().collect::<Vec<_>>(),
        columns
    );
    let row = |record: csv::StringRecord| {
        let cells = columns
            .iter()
            .cloned()
            .zip(record.iter().map(str::to_owned));
        cells.filter(|(_, cell)| !cell.is_empty()).collect()
    };
    reader
        .records()
        .map(|record| row(record.unwrap()))
        .collect()
}

/// The rows of a file of JSON lines: each on a line of its own, with some of these columns in their
/// order.
pub(super) fn rows_of_json_lines(columns: &[String], file: &str) -> Vec<Row> {
    assert!(file.ends_with('\n') && !file.contains('\r') && !file.starts_with('\u{feff}'));
    let row = |line: &str| {
        let row = row(object(line));
        let member = |column: &String| Some(format!("\"{column}\":{}", row.get(column)?));
        let members: Vec<_> = columns.iter().filter_map(member).collect();
        assert_eq!(line, format!("{{{}}}", members.join(",")));
        row
    };
    file.lines().map(row).collect()
}

/// How a CSV file spells a row: texts as they read, all else as compact JSON.
pub(super) fn cells(row: &Row) -> Row {
    let cell = |raw: &String| serde_json::from_str(raw).unwrap_or_else(|_| compact(raw));
    let cells = row.iter().map(|(name, raw)| (name.clone(), cell(raw)));
    cells.filter(|(_, cell)| !cell.is_empty()).collect()
}

/// What a file of Parquet has of a row: texts as they read, empty ones too; moments without their
/// finest digits; all else as compact JSON.
pub(super) fn values(row: &Row) -> Row {
    let value = |(name, raw): (&String, &String)| {
        let text = serde_json::from_str(raw).unwrap_or_else(|_| compact(raw));
        let is_moment = ["timestamp", "start", "end"].contains(&name.as_str());
        (name.clone(), if is_moment { cut(&text) } else { text })
    };
    row.iter().map(value).collect()
}

/// JSON without the white space between its tokens.
fn compact(json: &str) -> String {
    let (mut within_string, mut escaped) = (false, false);
    let keep = |character: &char| {
        let kept = within_string || !character.is_ascii_whitespace();
        within_string ^= *character == '"' && !escaped;
        escaped = *character == '\\' && !escaped;
        kept
    };
    json.chars().filter(keep).collect()
}
