//! Rows as readers see them that share no code with the service: in the source's lines, in JSON, in
//! CSV.

use std::collections::BTreeMap;

use domain::selection::ExportType;
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
        let mut row = row(object(line));
        row.retain(|name, raw| columns.contains(name) && raw != "null");
        row
    };
    lines.iter().map(exported).collect()
}

/// The rows of a JSON file, its groups taken apart. No two neighbours may be of the same group.
pub(super) fn rows_of_json(kind: ExportType, file: &str) -> Vec<Row> {
    let items: Vec<&RawValue> = serde_json::from_str(file).unwrap();
    let items = items.into_iter().map(|item| object(item.get()));
    let Some(group) = group(kind) else {
        return items.map(row).collect();
    };
    let (mut rows, mut last_key) = (Vec::new(), None);
    for mut item in items {
        let records = item.remove(&group).unwrap();
        let key = Some(row(item));
        assert_ne!(key, last_key, "two groups of one key");
        for record in serde_json::from_str::<Vec<RawObject<'_>>>(records.get()).unwrap() {
            let mut row = row(record);
            row.extend(key.clone().unwrap());
            rows.push(row);
        }
        last_key = key;
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

/// How a CSV file spells a row: texts as they read, all else as compact JSON.
pub(super) fn cells(row: &Row) -> Row {
    let cell = |raw: &String| serde_json::from_str(raw).unwrap_or_else(|_| compact(raw));
    let cells = row.iter().map(|(name, raw)| (name.clone(), cell(raw)));
    cells.filter(|(_, cell)| !cell.is_empty()).collect()
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
