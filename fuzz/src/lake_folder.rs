//! A day's folder of the lake, with whatever lies in it, through a whole export.

mod export;
mod naive;

use std::collections::{BTreeMap, BTreeSet};

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use domain::counts::Counts;
use domain::manifest::{FileEntry, Manifest, SourceEntry};
use domain::selection::{Compression, ExportFormat, ExportType};
use formats::record::Shape;
use serde_json::Value;

use self::export::{Export, export};
use self::naive::Object;
use crate::lake_lines::{Row, expected, read_json};
use crate::lake_streams::{Format, decode};

/// The most objects of a folder.
const MOST_OBJECTS: usize = 12;

/// The most bytes that a file of theirs expands to.
const MOST_BYTES: u64 = 1 << 30;

/// What stands between two objects of an input.
const BETWEEN: u8 = 0x1c;

/// Objects, one behind the other: the first line is an object's path within its folder, which says
/// by its last two characters how the rest is compressed (`|g` or `|z`).
///
/// Whatever lies in the folder: each object is left out, missing by name, or read to its end, as a
/// reader that knows neither chunks nor pieces says it may be; and of what is read each record is
/// either in a file of rows or in a file of rejects, once. Where objects may be handed on as they are
/// stored, what the files expand to is what they would have been otherwise.
pub fn lake_folder(input: &[u8]) -> bool {
    let mut objects: BTreeMap<String, Object> = BTreeMap::new();
    for part in input.split(|byte| *byte == BETWEEN).take(MOST_OBJECTS) {
        if let Some(object) = Object::of(part)
            && !objects.keys().any(|path| collide(path, &object.path))
        {
            objects.insert(object.path.clone(), object);
        }
    }
    let export = export(objects.values(), ExportFormat::JsonBlob, Compression::None);
    let manifest = &export.manifest;
    let read = sources(manifest);
    let missing: BTreeSet<&str> = manifest
        .missing
        .iter()
        .map(|it| {
            it.object
                .as_deref()
                .expect("an object is missing, and no day")
        })
        .map(export::below)
        .collect();
    for object in objects.values() {
        assert_kept(object, &read, &missing);
    }
    let left_out = objects.values().filter(|object| object.is_left_out());
    let ignored = manifest.head.ignored.as_ref().map_or(0, |it| it.objects);
    assert_eq!(ignored, left_out.count() as u64, "{:?}", manifest.head);
    assert_eq!(manifest.head.complete, missing.is_empty());
    assert_stored(&objects);
    assert_records(&export, read.iter().filter_map(|path| objects.get(*path)))
}

/// Lines that are compressed by gzip, which may be those of the objects, expand to those that are not
/// compressed, which are always encoded.
fn assert_stored(objects: &BTreeMap<String, Object>) {
    let lines = |compression| export(objects.values(), ExportFormat::JsonLinesBlob, compression);
    let (encoded, packed) = (lines(Compression::None), lines(Compression::Gzip));
    let expand = |file: &Vec<u8>| decode(Format::Gzip, file, MOST_BYTES).expect("a file is gzip");
    let expanded: Vec<Vec<u8>> = packed.files.iter().map(expand).collect();
    assert_eq!(expanded, encoded.files);
    assert_eq!(packed.rejects, encoded.rejects);
    let told = |export: &Export| {
        let files = export.manifest.files.iter();
        let times = |file: &FileEntry| (file.min_timestamp.clone(), file.max_timestamp.clone());
        let files = files.map(|file| (times(file), without_bytes(file.counts)));
        files.collect::<Vec<_>>()
    };
    assert_eq!(told(&packed), told(&encoded));
}

fn without_bytes(counts: Counts) -> Counts {
    Counts { bytes: 0, ..counts }
}

/// Whether one path is a folder of the other, which no file system holds.
fn collide(one: &str, other: &str) -> bool {
    let within = |path: &str, folder: &str| path.starts_with(&format!("{folder}/"));
    one == other || within(one, other) || within(other, one)
}

/// The objects that were read to their end; none of them twice.
fn sources(manifest: &Manifest) -> BTreeSet<&str> {
    let files = manifest.files.iter().flat_map(|file| &file.sources);
    let without_rows = manifest.without_rows.iter().flat_map(|it| &it.sources);
    let mut read = BTreeSet::new();
    for source in files.chain(without_rows) {
        let SourceEntry::Object { object, .. } = source else {
            panic!("{source:?} is no object")
        };
        assert!(read.insert(export::below(object)), "{object} is read twice");
    }
    read
}

/// Where an object went is where it may go.
fn assert_kept(object: &Object, read: &BTreeSet<&str>, missing: &BTreeSet<&str>) {
    let path = object.path.as_str();
    let (is_read, is_missing) = (read.contains(path), missing.contains(path));
    if object.is_left_out() {
        assert!(!is_read && !is_missing, "{path} is left out");
        return;
    }
    assert!(is_read != is_missing, "{path}: {is_read} and {is_missing}");
    match object.text() {
        None => assert!(is_missing, "{path} cannot be read"),
        Some(text) => {
            let records = naive::records(&text);
            let sure = records
                .iter()
                .filter(|it| naive::is_surely_good(it))
                .count();
            // As the defaults of the settings have it.
            let may_be_missing = !naive::begins_as_a_record(&text)
                || (records.len() > 1 && sure == 0)
                || (records.len() >= 100 && sure * 2 < records.len());
            assert!(is_read || may_be_missing, "{path} is missing");
        }
    }
}

/// Each record of what was read is a row or a reject. Whether there is a row.
fn assert_records<'a>(export: &Export, read: impl Iterator<Item = &'a Object>) -> bool {
    let shape = Shape::of(ExportType::Event, true);
    let mut rejects = rejects(export);
    let (mut records, mut expected_rows) = (0, Vec::new());
    for object in read {
        let Some(text) = object.text() else {
            panic!("{} is read, and cannot be", object.path)
        };
        let mut rejected = rejects.remove(&object.path).unwrap_or_default();
        for record in naive::records(&text) {
            records += 1;
            match rejected.iter().position(|it| it == record) {
                Some(place) => {
                    assert!(!naive::is_surely_good(record), "a good record is rejected");
                    rejected.swap_remove(place);
                }
                None => expected_rows.push(expected(&shape, record)),
            }
        }
        assert!(rejected.is_empty(), "{}: {rejected:?}", object.path);
    }
    assert!(rejects.is_empty(), "{rejects:?}");
    let text = |file: &Vec<u8>| String::from_utf8(file.clone()).expect("a file is UTF-8");
    let rows = export.files.iter().map(text);
    let mut rows: Vec<Row> = rows.flat_map(|file| read_json(&shape, &file)).collect();
    rows.sort_unstable();
    expected_rows.sort_unstable();
    assert_eq!(rows, expected_rows);
    let counts = export.manifest.head.totals.counts;
    assert!(
        counts.add_up() && counts.read == records,
        "{counts:?}, {records}"
    );
    !rows.is_empty()
}

/// What was rejected, by object.
fn rejects(export: &Export) -> BTreeMap<String, Vec<Vec<u8>>> {
    let mut rejects: BTreeMap<String, Vec<Vec<u8>>> = BTreeMap::new();
    for line in export
        .rejects
        .iter()
        .flat_map(|file| file.split(|byte| *byte == b'\n'))
    {
        if line.is_empty() {
            continue;
        }
        let line: Value = serde_json::from_slice(line).expect("a line of a file of rejects");
        let text = |name: &str| line.get(name).and_then(Value::as_str);
        let record = match (text("record"), text("recordBase64")) {
            (Some(text), None) => text.as_bytes().to_vec(),
            (None, Some(text)) => STANDARD.decode(text).expect("base64"),
            _ => panic!("{line} has no record, or two"),
        };
        let object = text("object").expect("a reject names its object");
        let object = export::below(object).to_owned();
        rejects.entry(object).or_default().push(record);
    }
    rejects
}
