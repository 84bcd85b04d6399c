//! What a run exports: a small lake or registry, a request for it, and the rows as an independent
//! reader sees them.

mod devices;

use std::collections::BTreeMap;
use std::io::Write;

use flate2::Compression;
use flate2::write::GzEncoder;
use futures::FutureExt;
use serde_json::{Map, Value, json};
use time::OffsetDateTime;

use super::chance::Chance;
use crate::stories::rows::{event, exported_events, sorted};
use crate::world::{World, container_url};

/// The days that a lake may hold.
const DAYS: [&str; 4] = ["2026-01-05", "2026-01-06", "2026-01-07", "2026-01-09"];

/// The columns whose cells hold JSON.
const JSON_COLUMNS: [&str; 4] = ["extras", "status", "campaignId", "tags"];

/// A request for an export.
#[derive(Debug, Clone)]
pub(crate) struct Posted {
    /// The path's last segment.
    pub(crate) operation: &'static str,
    pub(crate) body: Value,
}

/// A source and a request for all of it.
pub(crate) struct Data {
    pub(crate) request: Posted,
    /// The rows of every object by its path in the lake, or of every partition by its key.
    pub(crate) rows: BTreeMap<String, Vec<String>>,
    /// The paths of objects that hold a line that is no record.
    pub(crate) malformed: Vec<String>,
    /// The paths of objects that are no files of records.
    pub(crate) no_records: Vec<String>,
    /// How many objects are left out: they are empty, or named as what is not finished.
    pub(crate) left_out: usize,
    /// When objects came that were not there from the beginning, by their paths.
    pub(crate) late: BTreeMap<String, OffsetDateTime>,
}

impl Data {
    /// Fills the world's lake or registry by chance.
    pub(crate) async fn fill(world: &World, chance: &mut Chance) -> Self {
        let format = chance.pick(&["JsonBlob", "CsvBlob"]);
        let body = json!({"containerUrl": container_url(), "exportFormat": format});
        match chance.below(8) {
            0 => devices::tokens(world, body, chance).await,
            1 => devices::feedback(world, body, chance).await,
            _ => Self::lake(world, body, chance).await,
        }
    }

    async fn lake(world: &World, mut body: Value, chance: &mut Chance) -> Self {
        body["startDate"] = json!(DAYS[0]);
        body["endDate"] = json!(DAYS[DAYS.len() - 1]);
        let request = Posted {
            operation: "events",
            body,
        };
        let mut data = Self::of(request, BTreeMap::new());
        let most_objects = if chance.is(20) {
            40
        } else {
            chance.pick(&[1, 2, 4, 7])
        };
        for day in &DAYS[..=chance.below(DAYS.len())] {
            for part in 0..chance.below(most_objects + 1) {
                data.add(world, day, part, chance).await;
            }
        }
        data
    }

    async fn add(&mut self, world: &World, day: &str, part: usize, chance: &mut Chance) {
        let first = u32::try_from(part * 100).unwrap();
        let count = chance.pick(&[0, 1, 4, 9, 16]);
        let lines: Vec<String> = (first..first + count)
            .map(|number| event(day, number))
            .collect();
        let mut text = lines.join(chance.pick(&["\n", "\n", "\r\n\n", ""]));
        let (zipped, malformed) = (chance.is(250), chance.is(60));
        let ending = chance.pick(&[".ndjson", ".ndjson.gz", ".JSON", "", ".gz", ".txt"]);
        let name = format!("part-{part:02}{ending}");
        let path = format!("events/app={}/date={day}/{name}", World::scope().folder());
        if chance.is(30) {
            let other = chance.pick(&["PAR1", "[]", "a,b\n1,2\n"]);
            world.put_object("events", day, &name, other).await;
            self.no_records.push(path.clone());
            self.rows.insert(path, Vec::new());
            return;
        }
        if chance.is(30) {
            world.put_object("events", day, &(name + ".tmp"), "x").await;
            self.left_out += 1;
            return;
        }
        if malformed {
            text += "\nno record\n";
            self.malformed.push(path.clone());
        }
        let bytes = if zipped {
            gzip(&text)
        } else {
            text.into_bytes()
        };
        self.left_out += usize::from(bytes.is_empty());
        world.put_object("events", day, &name, bytes).await;
        self.rows.insert(
            path,
            sorted(lines.iter().map(|line| serde_json::from_str(line).unwrap())),
        );
    }

    fn of(request: Posted, rows: BTreeMap<String, Vec<String>>) -> Self {
        Self {
            request,
            rows,
            malformed: Vec::new(),
            no_records: Vec::new(),
            left_out: 0,
            late: BTreeMap::new(),
        }
    }

    /// Another object comes to the lake, at one of the places of a listing. Nothing comes to the
    /// registry.
    pub(crate) fn arrive(&mut self, world: &World, at: OffsetDateTime, chance: &mut Chance) {
        if self.request.operation != "events" {
            return;
        }
        let (day, place, number) = (
            chance.pick(&DAYS),
            chance.pick(&["a", "part-01", "z"]),
            self.late.len(),
        );
        let line = event(day, u32::try_from(90_000 + number).unwrap());
        let name = format!("{place}-late-{number:02}.ndjson");
        let path = format!("events/app={}/date={day}/{name}", World::scope().folder());
        self.rows.insert(
            path.clone(),
            vec![serde_json::from_str::<Value>(&line).unwrap().to_string()],
        );
        self.late.insert(path, at);
        world
            .put_object("events", day, &name, line)
            .now_or_never()
            .unwrap();
    }

    /// The rows of an exported file.
    pub(crate) fn rows_of_file(&self, data: Vec<u8>) -> Vec<String> {
        if self.request.body["exportFormat"] == "CsvBlob" {
            csv_rows(&data)
        } else if self.request.operation == "events" {
            exported_events(&[data])
        } else {
            sorted(serde_json::from_slice::<Vec<Value>>(&data).unwrap())
        }
    }
}

fn gzip(text: &str) -> Vec<u8> {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::fast());
    encoder.write_all(text.as_bytes()).unwrap();
    encoder.finish().unwrap()
}

/// The rows of a CSV file as the objects that they were.
fn csv_rows(data: &[u8]) -> Vec<String> {
    let mut reader = csv::Reader::from_reader(data);
    let rows = reader.deserialize::<BTreeMap<String, String>>().map(|row| {
        let values = row
            .unwrap()
            .into_iter()
            .filter(|(_, text)| !text.is_empty());
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
