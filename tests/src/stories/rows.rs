//! Rows as an independent reader sees them: in the lake, and in the exported files.

use std::collections::BTreeMap;
use std::io::{Read, Write};
use std::ops::Range;
use std::sync::Arc;

use flate2::read::MultiGzDecoder;
use flate2::write::GzEncoder;
use fuzz::parquet_rows as parquet;
use serde_json::{Map, Value, json};
use time::OffsetDateTime;
use time::format_description::well_known::Rfc3339;

use crate::altered::Altered;
use crate::world::World;

/// The columns of a CSV whose cells hold JSON.
const JSON_COLUMNS: [&str; 4] = ["extras", "status", "campaignId", "tags"];

/// A lake of two days with objects of all three kinds of file, and the rows that it holds.
pub(crate) async fn small_lake(world: &World) -> Vec<String> {
    let mut rows = Vec::new();
    for (day, parts) in [("2026-01-05", 3), ("2026-01-07", 2)] {
        for part in 0..parts {
            let lines: Vec<String> = (0..12)
                .map(|number| event(day, part * 100 + number))
                .collect();
            world
                .put_object(
                    "events",
                    day,
                    &format!("part-{part}.ndjson"),
                    lines.join("\n"),
                )
                .await;
            rows.extend(lines);
        }
    }
    sorted(rows.iter().map(|line| serde_json::from_str(line).unwrap()))
}

/// A lake of many small objects, each a chunk of its own: three pages of a plan, over several
/// shards.
pub(crate) async fn large_lake(world: &World) -> Vec<String> {
    lake_of_chunks(world, 150).await
}

/// The same of ten objects, with a planner whose pages are of four chunks: its calls are the same.
pub(crate) async fn lake_of_small_pages(world: &mut World) -> Vec<String> {
    world.plan.sources.lake = Arc::new(Altered {
        inner: Arc::clone(&world.plan.sources.lake),
        page: 4,
        piece: |piece| piece,
    });
    lake_of_chunks(world, 10).await
}

async fn lake_of_chunks(world: &World, chunks: u32) -> Vec<String> {
    let mut rows = Vec::new();
    for part in 0..chunks {
        let line = event("2026-01-05", part);
        let padding = " ".repeat(1_900);
        world
            .put_object(
                "events",
                "2026-01-05",
                &format!("part-{part:03}.ndjson"),
                line.clone() + &padding,
            )
            .await;
        rows.push(line);
    }
    sorted(rows.iter().map(|line| serde_json::from_str(line).unwrap()))
}

pub(crate) fn event(day: &str, number: u32) -> String {
    let device = format!("{:032x}", number / 5);
    let mut row = json!({
        "deviceId": device, "name": format!("event {number} \"ünï\" ,\n"),
        "timestamp": format!("{day}T10:{:02}:{:02}.5Z", number / 60 % 60, number % 60),
        "extras": {"n": number, "f": 0.5, "t": "x"},
    });
    if number.is_multiple_of(3) {
        row["sessionId"] = json!("0123456789abcdef0123456789abcdef");
    }
    row.to_string()
}

/// Such events as they are exported, each with its line end.
pub(crate) fn exported_lines(day: &str, numbers: Range<u32>) -> String {
    let order = ["deviceId", "name", "timestamp", "sessionId", "extras"];
    let line = |number| {
        let event: Value = serde_json::from_str(&event(day, number)).unwrap();
        let member = |name: &&str| Some(format!("\"{name}\":{}", event.get(*name)?));
        let members: Vec<_> = order.iter().filter_map(member).collect();
        format!("{{{}}}\n", members.join(","))
    };
    numbers.map(line).collect()
}

/// The rows of JSON files of grouped events, ungrouped again.
pub(crate) fn exported_events(files: &[Vec<u8>]) -> Vec<String> {
    let mut rows = Vec::new();
    for file in files {
        let groups: Vec<Map<String, Value>> = serde_json::from_slice(file).unwrap();
        for group in groups {
            for event in group["events"].as_array().unwrap() {
                let mut row = event.clone();
                row["deviceId"] = group["deviceId"].clone();
                rows.push(row);
            }
        }
    }
    sorted(rows)
}

/// Whether a filter (`exportOptions.filter`, as it stands in the request) wants a row of a source.
pub(crate) fn is_wanted(filter: &Value, row: &Value) -> bool {
    let among = |list: &Value, spell: fn(&str) -> String, field: &str| {
        let listed = list.as_array().unwrap().iter();
        let listed: Vec<_> = listed.map(|it| spell(it.as_str().unwrap())).collect();
        let found = row[field].as_str().map(spell);
        found.is_some_and(|found| listed.contains(&found))
    };
    let id = |text: &str| text.replace('-', "").to_ascii_lowercase();
    let moment = |value: &Value| OffsetDateTime::parse(value.as_str().unwrap(), &Rfc3339).unwrap();
    filter
        .as_object()
        .into_iter()
        .flatten()
        .all(|(part, asked)| match part.as_str() {
            "names" if asked.get("in").is_some() => among(&asked["in"], str::to_owned, "name"),
            "names" => !among(&asked["notIn"], str::to_owned, "name"),
            "deviceIds" => among(asked, id, "deviceId"),
            "session" => (asked == "present") == row["sessionId"].is_string(),
            "from" => moment(&row["timestamp"]) >= moment(asked),
            "to" => moment(&row["timestamp"]) < moment(asked),
            other => panic!("{other}"),
        })
}

/// What flat rows hold of rows of a source, with what was asked of the files (`exportOptions`). `asked`
/// is as it stands in the request.
pub(crate) fn as_asked(rows: Vec<String>, asked: &Value) -> Vec<String> {
    let chosen = |name: &String| {
        let columns = asked["columns"].as_array();
        columns.is_none_or(|columns| columns.iter().any(|column| column == name))
    };
    let is_formula = |text: &str| text.starts_with(['=', '+', '-', '@', '\t', '\r']);
    let cell = |value: Value| {
        let formula = value.as_str().filter(|text| is_formula(text));
        let escaped = formula.filter(|_| asked["escapeFormulas"] == true);
        escaped.map_or(value.clone(), |text| json!(format!("'{text}")))
    };
    let row = |row: String| {
        let row: Map<String, Value> = serde_json::from_str(&row).unwrap();
        let row = row.into_iter().filter(|(name, _)| chosen(name));
        Value::Object(row.map(|(name, value)| (name, cell(value))).collect())
    };
    sorted(rows.into_iter().map(row))
}

/// What a file of rows holds, as readers expand it that share no code with the service. The name is
/// that of the manifest, or of the request.
pub(crate) fn expanded(compression: Option<&str>, file: &[u8]) -> Vec<u8> {
    let mut text = Vec::new();
    match compression {
        None | Some("none") => text.extend_from_slice(file),
        Some("gzip") => {
            MultiGzDecoder::new(file).read_to_end(&mut text).unwrap();
        }
        Some("zstd") => text = zstd::decode_all(file).unwrap(),
        Some(other) => panic!("{other}"),
    }
    text
}

/// A text as one gzip member.
pub(crate) fn gzip(text: &str) -> Vec<u8> {
    let mut encoder = GzEncoder::new(Vec::new(), flate2::Compression::default());
    encoder.write_all(text.as_bytes()).unwrap();
    encoder.finish().unwrap()
}

/// A text as one frame of Zstandard.
pub(crate) fn zstd(text: &str) -> Vec<u8> {
    zstd::encode_all(text.as_bytes(), 1).unwrap()
}

/// The rows of a text of one JSON object a line.
pub(crate) fn rows_of_json_lines(text: &[u8]) -> Vec<String> {
    let lines = std::str::from_utf8(text).unwrap().lines();
    sorted(lines.map(|line| serde_json::from_str(line).unwrap()))
}

/// The rows of a CSV file as the objects that they were.
pub(crate) fn rows_of_csv(data: &[u8]) -> Vec<String> {
    let mut reader = csv::Reader::from_reader(data);
    rows_of_cells(reader.deserialize().map(Result::unwrap))
}

/// The rows of a file of Parquet as the objects that they were.
pub(crate) fn rows_of_parquet(data: &[u8]) -> Vec<String> {
    rows_of_cells(parquet::rows(data))
}

fn rows_of_cells(rows: impl IntoIterator<Item = BTreeMap<String, String>>) -> Vec<String> {
    let rows = rows.into_iter().map(|row| {
        let values = row.into_iter().filter(|(_, text)| !text.is_empty());
        let value = |name: &str, text: &str| {
            if JSON_COLUMNS.contains(&name) {
                serde_json::from_str(text).unwrap()
            } else {
                json!(text)
            }
        };
        Value::Object(
            values
                .map(|(name, text)| (name.clone(), value(&name, &text)))
                .collect::<Map<_, _>>(),
        )
    });
    sorted(rows)
}

pub(crate) fn sorted(rows: impl IntoIterator<Item = Value>) -> Vec<String> {
    let mut rows: Vec<String> = rows.into_iter().map(|row| row.to_string()).collect();
    rows.sort_unstable();
    rows
}
