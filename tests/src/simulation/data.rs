//! What a run exports: a small lake or registry, a request for it, and the rows as an independent
//! reader sees them.

mod devices;
mod held;

use std::collections::{BTreeMap, BTreeSet};
use std::io::Write;
use std::ops::RangeInclusive;
use std::sync::Arc;

use domain::selection::ExportFormat;
use flate2::Compression;
use flate2::write::GzEncoder;
use futures::FutureExt;
use object_store::ObjectStoreExt;
use object_store::path::Path;
use serde_json::{Value, json};
use time::macros::date;
use time::{Date, Duration, OffsetDateTime};

pub(crate) use held::Held;
use held::readers;

use super::chance::Chance;
use crate::broken::{BreaksOff, Broken};
use crate::stories::rows::{
    as_asked, event, expanded, exported_events, is_wanted, rows_of_csv, rows_of_json_lines,
    rows_of_parquet, sorted,
};
use crate::world::{World, container_url};

/// The days of a lake's folders. The last is behind the days that are exported.
const FOLDERS: [Date; 5] = [
    date!(2026 - 01 - 05),
    date!(2026 - 01 - 06),
    date!(2026 - 01 - 07),
    date!(2026 - 01 - 09),
    date!(2026 - 01 - 10),
];

/// The days that are exported.
const DAYS: RangeInclusive<Date> = FOLDERS[0]..=FOLDERS[3];

/// A line that is malformed.
const NO_RECORD: &str = "no record";

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
    /// What every object holds by its path in the lake, or every partition by its key.
    pub(crate) held: BTreeMap<String, Held>,
    /// How many days late a record may be.
    late_days: u16,
    /// The paths of objects that are no files of records.
    pub(crate) no_records: Vec<String>,
    /// How many objects are left out: they are empty, or named as what is not finished.
    pub(crate) left_out: usize,
    /// When objects came that were not there from the beginning, by their paths.
    pub(crate) late: BTreeMap<String, OffsetDateTime>,
    /// The folder whose listing breaks off until the end.
    broken_folder: Option<Date>,
    /// The paths of objects that are archived until the end.
    pub(crate) archived: BTreeSet<String>,
    /// What the versions hold that replaced objects, by path and `ETag`.
    pub(crate) replaced: BTreeMap<(String, String), Held>,
    /// The lake.
    pub(crate) store: Arc<Broken>,
}

impl Data {
    /// Fills the world's lake or registry by chance.
    pub(crate) async fn fill(
        world: &World,
        store: Arc<Broken>,
        late_days: u16,
        chance: &mut Chance,
    ) -> Self {
        let format = chance.pick(ExportFormat::ALL);
        let compression = chance.pick(format.compressions());
        let body = json!({
            "containerUrl": container_url(), "exportFormat": format.name(),
            "exportOptions": {"compression": compression.name()},
        });
        let mut data = match chance.below(8) {
            0 => devices::tokens(world, store, body, chance).await,
            1 => devices::feedback(world, store, body, chance).await,
            _ => Self::lake(world, store, late_days, body, chance).await,
        };
        data.ask(chance);
        data
    }

    /// Asks more of the files, where their format has it.
    fn ask(&mut self, chance: &mut Chance) {
        let Posted { operation, body } = &mut self.request;
        let mut columns = match *operation {
            "events" => vec!["extras", "name", "deviceId", "sessionId", "timestamp"],
            "tokens" => vec!["type", "token", "deviceId"],
            _ => vec!["status", "campaignId", "deviceId", "campaignType"],
        };
        let (all, first) = (columns.len(), chance.below(columns.len()));
        columns.rotate_left(first);
        columns.truncate(1 + chance.below(all));
        let (format, options) = (body["exportFormat"].clone(), &mut body["exportOptions"]);
        if format != "JsonBlob" && chance.is(300) {
            options["columns"] = json!(columns);
        }
        if chance.is(300) {
            options["filter"] = filter(operation, chance);
        }
        if format == "CsvBlob" {
            options["byteOrderMark"] = json!(chance.is(300));
            options["escapeFormulas"] = json!(chance.is(300));
        }
    }

    async fn lake(
        world: &World,
        store: Arc<Broken>,
        late_days: u16,
        mut body: Value,
        chance: &mut Chance,
    ) -> Self {
        body["startDate"] = json!(DAYS.start().to_string());
        body["endDate"] = json!(DAYS.end().to_string());
        let request = Posted {
            operation: "events",
            body,
        };
        let mut data = Self {
            late_days,
            ..Self::of(request, BTreeMap::new(), store)
        };
        let most_objects = if chance.is(20) {
            40
        } else {
            chance.pick(&[1, 2, 4, 7])
        };
        for folder in &FOLDERS[..=chance.below(FOLDERS.len())] {
            for part in 0..chance.below(most_objects + 1) {
                data.add(world, *folder, part, chance).await;
            }
        }
        if chance.is(100) {
            data.break_off(chance);
        }
        data
    }

    /// The listing of a folder breaks off, in words or in silence.
    fn break_off(&mut self, chance: &mut Chance) {
        let folder = chance.pick(&FOLDERS);
        self.broken_folder = Some(folder);
        self.store.break_off(BreaksOff {
            folder: format!("date={folder}"),
            after: chance.below(9),
            is_silent: chance.is(500),
        });
    }

    /// Whether the export of a day reads the folder that cannot be listed.
    pub(crate) fn is_broken(&self, day: Date) -> bool {
        self.broken_folder
            .is_some_and(|folder| readers(folder, self.late_days).any(|it| it == day))
    }

    /// Whether the export of a selected day reads the folder.
    fn is_read(&self, folder: Date) -> bool {
        readers(folder, self.late_days).any(|day| DAYS.contains(&day))
    }

    /// An object of rows is replaced by another version.
    pub(crate) fn replace(&mut self, world: &World, chance: &mut Chance) {
        let is_plain =
            |(_, held): &(&String, &Held)| !held.rows.is_empty() && held.rejects.is_empty();
        let plain = self.held.iter().filter(is_plain);
        let paths: Vec<&String> = plain.map(|(path, _)| path).collect();
        if self.request.operation != "events" || paths.is_empty() {
            return;
        }
        let path = paths[chance.below(paths.len())].clone();
        let is_its = |folder: &Date| path.contains(&format!("date={folder}/"));
        let folder = FOLDERS.into_iter().find(is_its).unwrap();
        let number = u32::try_from(80_000 + self.replaced.len()).unwrap();
        let line = event(&folder.to_string(), number);
        let mut held = Held::of_object(folder, self.late_days);
        held.add(&line, Some(folder));
        let place = Path::from(format!("lake/{path}"));
        let put = world.lake.put(&place, line.into());
        let etag = put.now_or_never().unwrap().unwrap().e_tag.unwrap();
        self.replaced.insert((path, etag), held);
    }

    /// Whether an object was replaced by any other version.
    pub(crate) fn is_replaced(&self, path: &str) -> bool {
        self.replaced.keys().any(|(replaced, _)| replaced == path)
    }

    /// What the version of an object, or a partition, holds.
    pub(crate) fn held(&self, path: &str, etag: &str) -> Option<&Held> {
        let key = (path.to_owned(), etag.to_owned());
        self.replaced.get(&key).or(self.held.get(path))
    }

    /// In how many folders a record of a day may lie.
    pub(crate) fn folders_of_a_day(&self) -> usize {
        usize::from(self.late_days) + 1
    }

    async fn add(&mut self, world: &World, folder: Date, part: usize, chance: &mut Chance) {
        let day = folder.to_string();
        let ending = chance.pick(&[".ndjson", ".ndjson.gz", ".JSON", "", ".gz", ".txt"]);
        let name = format!("part-{part:02}{ending}");
        let path = path(folder, &name);
        if chance.is(30) {
            let other = chance.pick(&["PAR1", "[]", "a,b\n1,2\n"]);
            world.put_object("events", &day, &name, other).await;
            self.add_no_records(path, folder, other);
            return;
        }
        if chance.is(30) {
            world
                .put_object("events", &day, &(name + ".tmp"), "x")
                .await;
            self.left_out += usize::from(self.is_read(folder));
            return;
        }
        if chance.is(20) {
            self.store.archive(&path);
            self.archived.insert(path.clone());
        }
        let (text, held) = self.records(folder, part, chance);
        let bytes = if chance.is(250) {
            gzip(&text)
        } else {
            text.into_bytes()
        };
        let is_empty = bytes.is_empty();
        self.left_out += usize::from(is_empty && self.is_read(folder));
        world.put_object("events", &day, &name, bytes).await;
        if !is_empty {
            self.held.insert(path, held);
        }
    }

    /// An object that is no file of records. What it is by its first bytes, it is for every day's
    /// export; what has only malformed records is judged by the export of its folder's day.
    fn add_no_records(&mut self, path: String, folder: Date, text: &str) {
        let is_by_its_bytes = !text.contains('\n');
        let mut held = Held::of_object(folder, self.late_days);
        for line in text.lines().filter(|_| !is_by_its_bytes) {
            held.add(line, None);
        }
        held.rejects.clear();
        if DAYS.contains(&folder) || (is_by_its_bytes && self.is_read(folder)) {
            self.no_records.push(path.clone());
        }
        if !is_by_its_bytes {
            self.held.insert(path, held);
        }
    }

    /// A text of records, some of them of other days or malformed.
    fn records(&self, folder: Date, part: usize, chance: &mut Chance) -> (String, Held) {
        let mut held = Held::of_object(folder, self.late_days);
        let first = u32::try_from(part * 100).unwrap();
        let count = chance.pick(&[0, 1, 4, 9, 16]);
        let odd_per_mille = chance.pick(&[0, 0, 0, 300, 1_000]);
        let mut record = |number| {
            let odd = chance.pick(&[-3, -2, -1, -1, 1]);
            let shift = if chance.is(odd_per_mille) { odd } else { 0 };
            let happened = folder + Duration::days(shift);
            let line = event(&happened.to_string(), number);
            held.add(&line, Some(happened));
            line
        };
        let lines: Vec<String> = (first..first + count).map(&mut record).collect();
        let mut text = lines.join(chance.pick(&["\n", "\n", "\r\n\n", ""]));
        if chance.is(60) {
            text = format!("{text}\n{NO_RECORD}\n");
            held.add(NO_RECORD, None);
        }
        (text, held)
    }

    fn of(request: Posted, held: BTreeMap<String, Held>, store: Arc<Broken>) -> Self {
        Self {
            request,
            held,
            late_days: 0,
            no_records: Vec::new(),
            left_out: 0,
            late: BTreeMap::new(),
            broken_folder: None,
            archived: BTreeSet::new(),
            replaced: BTreeMap::new(),
            store,
        }
    }

    /// Another object comes to the lake, at one of the places of a listing. Nothing comes to the
    /// registry.
    pub(crate) fn arrive(&mut self, world: &World, at: OffsetDateTime, chance: &mut Chance) {
        if self.request.operation != "events" {
            return;
        }
        let (folder, place, number) = (
            chance.pick(&FOLDERS),
            chance.pick(&["a", "part-01", "z"]),
            self.late.len(),
        );
        let happened = folder - Duration::days(chance.pick(&[0, 0, 0, 1]));
        let line = event(
            &happened.to_string(),
            u32::try_from(90_000 + number).unwrap(),
        );
        let name = format!("{place}-late-{number:02}.ndjson");
        let path = path(folder, &name);
        let mut held = Held::of_object(folder, self.late_days);
        held.add(&line, Some(happened));
        self.held.insert(path.clone(), held);
        self.late.insert(path, at);
        world
            .put_object("events", &folder.to_string(), &name, line)
            .now_or_never()
            .unwrap();
    }

    /// Those of these rows that the filter wants.
    pub(crate) fn wanted(&self, mut rows: Vec<String>) -> Vec<String> {
        let filter = &self.request.body["exportOptions"]["filter"];
        rows.retain(|row| is_wanted(filter, &serde_json::from_str(row).unwrap()));
        rows
    }

    /// What an exported file is to hold of these rows.
    pub(crate) fn as_asked(&self, rows: Vec<String>) -> Vec<String> {
        as_asked(rows, &self.request.body["exportOptions"])
    }

    /// The rows of an exported file.
    pub(crate) fn rows_of_file(&self, data: &[u8]) -> Vec<String> {
        let body = &self.request.body;
        let text = expanded(body["exportOptions"]["compression"].as_str(), data);
        match body["exportFormat"].as_str() {
            Some("CsvBlob") => {
                let has_mark = text.starts_with("\u{feff}".as_bytes());
                assert_eq!(has_mark, body["exportOptions"]["byteOrderMark"] == true);
                rows_of_csv(&text)
            }
            Some("JsonLinesBlob") => rows_of_json_lines(&text),
            Some("ParquetBlob") => rows_of_parquet(&text),
            _ if self.request.operation == "events" => exported_events(&[text]),
            _ => sorted(serde_json::from_slice::<Vec<Value>>(&text).unwrap()),
        }
    }
}

/// A filter that wants some of the rows, or none.
fn filter(operation: &str, chance: &mut Chance) -> Value {
    if operation != "events" {
        return json!({"deviceIds": [devices::id(0), devices::id(1).to_uppercase()]});
    }
    let lines = (0..4).map(|number| event("2026-01-05", number * 3));
    let rows: Vec<Value> = lines
        .map(|line| serde_json::from_str(&line).unwrap())
        .collect();
    let of = |field: &str| rows.iter().map(|row| row[field].clone()).collect::<Value>();
    match chance.below(5) {
        0 => json!({"names": {"in": of("name")}}),
        1 => json!({"names": {"notIn": of("name")}, "session": "present"}),
        2 => json!({"deviceIds": of("deviceId")}),
        3 => json!({"session": "absent"}),
        _ => json!({"from": "2026-01-05T10:00:03.5Z", "to": "2026-01-07T10:00:03.5Z"}),
    }
}

/// An object's path in the lake.
fn path(folder: Date, name: &str) -> String {
    format!(
        "events/app={}/date={folder}/{name}",
        World::scope().folder()
    )
}

fn gzip(text: &str) -> Vec<u8> {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::fast());
    encoder.write_all(text.as_bytes()).unwrap();
    encoder.finish().unwrap()
}
