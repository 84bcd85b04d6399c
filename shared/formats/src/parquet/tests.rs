use std::collections::BTreeMap;
use std::fs::File;
use std::io::{self, Read};

use bytes::Bytes;
use domain::selection::{ExportFormat, ExportType};
use parquet::basic::Encoding;
use parquet::file::metadata::{ColumnChunkMetaData, RowGroupMetaData};
use parquet::file::reader::{FileReader, SerializedFileReader};
use parquet::record::Field;
use parquet::schema::printer::print_schema;
use proptest::prelude::*;

use crate::encode::tests::any_rows::{Row, any_rows, tokens};
use domain::columns::Columns;
use domain::selection::FileOptions;

use crate::encode::{EncodeOptions, Encoder, ROW_GROUP_BYTES};
use crate::read::{Budget, Collect, Fields, Kind, Rows, Unreadable, Value};
use crate::read_rows;
use crate::record::{Shape, timestamp};

const ID: &str = "0123456789abcdef0123456789abcdea";

fn encode(kind: ExportType, row_group_bytes: usize, lines: &[String]) -> (Vec<u8>, u64) {
    let shape = Shape::of(kind, true);
    let options = EncodeOptions {
        row_group_bytes,
        ..EncodeOptions::default()
    };
    let mut encoder = Encoder::new(shape, ExportFormat::ParquetBlob, &options);
    let mut file = Vec::new();
    for line in lines {
        let record = shape.parse(line.as_bytes()).unwrap();
        encoder.push(&record, &mut file).unwrap();
    }
    let truncated = encoder.truncated();
    encoder.finish(&mut file).unwrap();
    (file, truncated)
}

fn open(file: &[u8]) -> SerializedFileReader<Bytes> {
    SerializedFileReader::new(Bytes::copy_from_slice(file)).unwrap()
}

/// The rows as a reader sees them that takes whole rows: the text of each value.
#[expect(
    clippy::wildcard_enum_match_arm,
    reason = "a new type of column is one that no export has"
)]
fn rows_of(file: &[u8]) -> Vec<BTreeMap<String, String>> {
    let value = |field: &Field| match field {
        Field::Null => None,
        Field::Str(text) => Some(text.clone()),
        Field::Long(value) | Field::TimestampMicros(value) => Some(value.to_string()),
        _ => panic!("{field:?}"),
    };
    let reader = open(file);
    let rows = reader.get_row_iter(None).unwrap().map(Result::unwrap);
    rows.map(|row| {
        let columns = row.get_column_iter();
        columns
            .filter_map(|(name, field)| Some((name.clone(), value(field)?)))
            .collect()
    })
    .collect()
}

/// What the file must have of a raw value.
fn expected((name, raw): (&String, &String)) -> (String, String) {
    let text = serde_json::from_str::<String>(raw).unwrap_or_else(|_| tokens(raw));
    let moment =
        timestamp::parse(&text).map(|moment| moment.unix_timestamp_nanos().div_euclid(1_000));
    (
        name.clone(),
        moment.map_or(text, |micros| micros.to_string()),
    )
}

/// A found value in the spelling of the expected one.
fn found((name, text): (&String, &String)) -> (String, String) {
    let is_nested = text.starts_with(['{', '[']);
    (
        name.clone(),
        if is_nested {
            tokens(text)
        } else {
            text.clone()
        },
    )
}

/// Rows as the reader of this crate takes them.
#[derive(Default)]
struct Kept(Vec<BTreeMap<String, String>>);

impl Collect for Kept {
    fn add_fields(&mut self, _: &Fields<'_>) -> Result<(), serde_json::Error> {
        unreachable!("it has no fields of JSON")
    }

    fn add_cells<'a>(&mut self, _: impl Iterator<Item = (&'a str, &'a str)>) {}

    fn add_values<'a>(&mut self, values: impl Iterator<Item = (&'a str, Value<'a>)>) {
        let text = |value| match value {
            Value::Text(text) => text.to_owned(),
            Value::Integer(number) | Value::Micros(number) => number.to_string(),
        };
        self.0.push(
            values
                .map(|(name, value)| (name.to_owned(), text(value)))
                .collect(),
        );
    }

    fn rows(&self) -> u64 {
        self.0.len() as u64
    }
}

fn spool(input: &mut dyn Read) -> io::Result<File> {
    let mut file = tempfile::tempfile()?;
    io::copy(input, &mut file)?;
    Ok(file)
}

fn read(file: &[u8], mut rows: Rows<Kept>) -> (Result<(), Unreadable>, Rows<Kept>) {
    let kind = Kind::usual(ExportType::Event, ExportFormat::ParquetBlob);
    let read = read_rows(file, &kind, &Budget::of(64), &mut rows, spool);
    (read, rows)
}

#[test]
fn chosen_columns_are_written_in_their_order_and_a_file_of_others_is_refused() {
    let of = ExportType::Event;
    let chosen = ["timestamp", "name", "sessionId"];
    let files = FileOptions {
        columns: Some(Columns::choose(of.columns(false), chosen).unwrap()),
        ..FileOptions::default()
    };
    let options = EncodeOptions {
        files,
        ..EncodeOptions::default()
    };
    let shape = Shape::of(of, false);
    let mut encoder = Encoder::new(shape, ExportFormat::ParquetBlob, &options);
    let mut file = Vec::new();
    let line = event(ID, "2026-11-21T10:00:00Z", r#","extras":{"a":1}"#);
    let record = shape.parse(line.as_bytes()).unwrap();
    encoder.push(&record, &mut file).unwrap();
    encoder.finish(&mut file).unwrap();
    let [row] = rows_of(&file).try_into().unwrap();
    assert_eq!(row.keys().collect::<Vec<_>>(), ["name", "timestamp"]);
    for (columns, is_right) in [
        (&chosen[..], true),
        (&["name", "timestamp", "sessionId"], false),
        (&["timestamp", "name"], false),
    ] {
        let columns = columns.iter().map(|&name| name.to_owned()).collect();
        let kind = Kind {
            columns: Some(columns),
            ..Kind::usual(of, ExportFormat::ParquetBlob)
        };
        let mut rows = Rows::<Kept>::Counted(0);
        let read = read_rows(&*file, &kind, &Budget::of(64), &mut rows, spool);
        assert_eq!(read.is_ok(), is_right, "{kind:?}");
    }
}

fn counted(file: &[u8]) -> Result<u64, String> {
    let (read, rows) = read(file, Rows::Counted(0));
    read.map_err(|problem| problem.to_string())?;
    Ok(rows.count())
}

fn event(device: &str, timestamp: &str, more: &str) -> String {
    format!(r#"{{"deviceId":"{device}","name":"n","timestamp":"{timestamp}"{more}}}"#)
}

/// So many events, each of a device of its own.
fn events(count: u64) -> Vec<String> {
    let event = |number| event(&format!("{number:032x}"), "2026-11-21T10:00:00Z", "");
    // Their ids look like chance.
    (0..count)
        .map(|number: u64| {
            event(u128::from(number).wrapping_mul(0x9e37_79b9_7f4a_7c15_f39c_c060_5ced_c835))
        })
        .collect()
}

/// The description of a column's chunk.
fn chunk(file: &[u8], name: &str) -> ColumnChunkMetaData {
    let reader = open(file);
    let columns = reader.metadata().row_group(0).columns();
    let column = columns.iter().find(|it| it.column_path().string() == name);
    column.unwrap().clone()
}

proptest! {
    #[test]
    fn every_value_is_kept_in_row_groups_of_any_size(
        (kind, rows) in any_rows(),
        row_group_bytes in 1..2_000_usize,
    ) {
        let (rows, lines): (Vec<Row>, Vec<_>) = rows.into_iter().unzip();
        let (file, _) = encode(kind, row_group_bytes, &lines);
        let in_file = rows_of(&file);
        let expected: Vec<BTreeMap<_, _>> = rows.iter().map(|row| row.iter().map(expected).collect()).collect();
        let found: Vec<BTreeMap<_, _>> = in_file.iter().map(|row| row.iter().map(found).collect()).collect();
        prop_assert_eq!(found, expected);
        let (read, Rows::Collected(Kept(kept))) = read(&file, Rows::Collected(Kept::default())) else {
            unreachable!("what is collected stays so");
        };
        read.unwrap();
        prop_assert_eq!(kept, in_file);
        prop_assert_eq!(counted(&file), Ok(rows.len() as u64));
    }

    #[test]
    fn whatever_is_damaged_the_reader_answers(
        (kind, rows) in any_rows(),
        damages in proptest::collection::vec((any::<proptest::sample::Index>(), any::<u8>()), 1..4),
    ) {
        let lines: Vec<_> = rows.into_iter().map(|(_, line)| line).collect();
        let (mut file, _) = encode(kind, ROW_GROUP_BYTES, &lines);
        for (place, byte) in damages {
            let place = place.index(file.len());
            file[place] = byte;
        }
        let (_, _) = read(&file, Rows::Collected(Kept::default()));
    }
}

#[test]
fn a_type_has_one_schema_whatever_its_rows_hold() {
    let schema = |lines: &[String]| {
        let mut text = Vec::new();
        let reader = open(&encode(ExportType::Event, ROW_GROUP_BYTES, lines).0);
        print_schema(&mut text, reader.metadata().file_metadata().schema());
        String::from_utf8(text).unwrap()
    };
    let bare = event(ID, "2026-11-21", "");
    let whole = event(
        ID,
        "2026-11-21",
        &format!(r#","infoId":"{ID}","sessionId":"{ID}","locationId":"{ID}","extras":{{"a":1}}"#),
    );
    assert_eq!(
        schema(&[bare]),
        "message Event {
  REQUIRED BYTE_ARRAY deviceId (STRING);
  REQUIRED BYTE_ARRAY name (STRING);
  REQUIRED INT64 timestamp (TIMESTAMP(MICROS,true));
  OPTIONAL BYTE_ARRAY infoId (STRING);
  OPTIONAL BYTE_ARRAY sessionId (STRING);
  OPTIONAL BYTE_ARRAY locationId (STRING);
  OPTIONAL BYTE_ARRAY extras (STRING);
}
"
    );
    assert_eq!(
        schema(std::slice::from_ref(&whole)),
        schema(&[event(ID, "2026-11-21", "")])
    );
    let (file, _) = encode(ExportType::Event, ROW_GROUP_BYTES, &[whole]);
    let footer = open(&file);
    let pairs = footer
        .metadata()
        .file_metadata()
        .key_value_metadata()
        .unwrap();
    let pairs: Vec<_> = pairs
        .iter()
        .map(|it| (it.key.as_str(), it.value.as_deref()))
        .collect();
    assert_eq!(
        pairs,
        [("exportType", Some("Event")), ("schemaVersion", Some("1"))]
    );
}

#[test]
fn the_documentation_shows_the_columns_of_events() {
    let mut text = Vec::new();
    let (file, _) = encode(ExportType::Event, ROW_GROUP_BYTES, &events(1));
    print_schema(&mut text, open(&file).metadata().file_metadata().schema());
    let shown = format!("```\n{}```\n", String::from_utf8(text).unwrap());
    let page = include_str!("../../../../docs/DATA_MODEL.md");
    assert!(page.contains(&shown), "{shown}");
}

#[test]
fn digits_finer_than_a_microsecond_are_cut_and_their_rows_counted() {
    let moments = [
        ("2026-11-21T10:00:00.123456000Z", 1_795_255_200_123_456_i64),
        ("2026-11-21T10:00:00.123456001Z", 1_795_255_200_123_456_i64),
        ("1969-12-31T23:59:59.9999999Z", -1),
        ("0000-01-01T00:00:00Z", -62_167_219_200_000_000),
        ("9999-12-31T23:59:59.999999999Z", 253_402_300_799_999_999),
    ];
    let lines: Vec<_> = moments
        .iter()
        .map(|(moment, _)| event(ID, moment, ""))
        .collect();
    let (file, truncated) = encode(ExportType::Event, ROW_GROUP_BYTES, &lines);
    let rows = rows_of(&file);
    let found: Vec<_> = rows.iter().map(|row| row["timestamp"].as_str()).collect();
    assert_eq!(found, moments.map(|(_, micros)| micros.to_string()));
    assert_eq!(truncated, 3);
    let session = |end| {
        format!(
            r#"{{"sessionId":"{ID}","deviceId":"{ID}","start":"2026-11-21T10:00:00.0000001Z","end":"{end}"}}"#
        )
    };
    let sessions = [
        session("2026-11-21T11:00:00.0000001Z"),
        session("2026-11-21"),
    ];
    let (_, truncated) = encode(ExportType::Session, ROW_GROUP_BYTES, &sessions);
    assert_eq!(truncated, 2, "a row counts once");
}

#[test]
fn a_row_group_is_closed_when_it_is_full() {
    let rows_by_group = |row_group_bytes, count| {
        let (file, _) = encode(ExportType::Event, row_group_bytes, &events(count));
        let reader = open(&file);
        let groups = reader.metadata().row_groups().iter();
        groups.map(RowGroupMetaData::num_rows).collect::<Vec<_>>()
    };
    // A value takes its text, and 8 bytes for its place or as a moment.
    let row_bytes = 32 + 8 + 1 + 8 + 8;
    assert_eq!(rows_by_group(row_bytes * 10, 25), [10, 10, 5]);
    assert_eq!(rows_by_group(1, 3), [1, 1, 1]);
    assert_eq!(rows_by_group(ROW_GROUP_BYTES, 131_073), [131_072, 1]);
}

#[test]
fn only_a_column_that_repeats_itself_has_a_dictionary() {
    let (file, _) = encode(ExportType::Event, ROW_GROUP_BYTES, &events(10_000));
    let has_dictionary = |name| chunk(&file, name).dictionary_page_offset().is_some();
    assert!(has_dictionary("name"), "one name");
    assert!(!has_dictionary("deviceId"), "10,000 devices");
    let delta = Encoding::DELTA_BINARY_PACKED;
    assert!(chunk(&file, "timestamp").encodings().any(|it| it == delta));
}

#[test]
fn what_is_searched_for_has_statistics_and_an_index_of_its_pages() {
    let lines = [event(ID, "2026-11-21", r#","extras":{"a":1}"#)];
    let (file, _) = encode(ExportType::Event, ROW_GROUP_BYTES, &lines);
    for name in ["deviceId", "name", "timestamp"] {
        let column = chunk(&file, name);
        assert!(
            column.statistics().is_some() && column.column_index_offset().is_some(),
            "{name}"
        );
    }
    let extras = chunk(&file, "extras");
    assert!(extras.statistics().is_none() && extras.offset_index_offset().is_some());
}

#[test]
fn the_same_rows_come_to_the_same_bytes() {
    let lines = events(1_000);
    let encode = || encode(ExportType::Event, 10_000, &lines);
    assert_eq!(encode(), encode());
}

#[test]
fn a_file_that_is_cut_or_no_parquet_is_unreadable() {
    let (file, _) = encode(ExportType::Event, ROW_GROUP_BYTES, &events(100));
    assert_eq!(counted(&file), Ok(100));
    for broken in [
        &[],
        b"PAR1".as_slice(),
        &file[..file.len() - 1],
        &file[1..],
        &[0; 100],
    ] {
        assert!(counted(broken).is_err(), "{}", broken.len());
    }
}

#[test]
fn a_footer_that_says_other_rows_than_the_pages_have_is_a_lie() {
    let (file, _) = encode(ExportType::Event, ROW_GROUP_BYTES, &events(12_345));
    // As the footer spells that number, and the next one
    // (<https://github.com/apache/thrift/blob/master/doc/specs/thrift-compact-protocol.md#integer-encoding>).
    let (said, other) = ([0xf2, 0xc0, 0x01], [0xf4, 0xc0, 0x01]);
    let footer = usize::from(u16::from_le_bytes([
        file[file.len() - 8],
        file[file.len() - 7],
    ])) + 8;
    let places = (file.len() - footer..file.len()).filter(|at| file[*at..].starts_with(&said));
    let problems: Vec<String> = places
        .filter_map(|at| {
            let mut lie = file.clone();
            lie[at..at + 3].copy_from_slice(&other);
            counted(&lie).err()
        })
        .collect();
    let said = |part: &str| {
        problems
            .iter()
            .filter(|problem| problem.contains(part))
            .count()
    };
    assert_eq!(
        said("its footer says 12346 rows, and its row groups have 12345"),
        1,
        "{problems:?}"
    );
    assert_eq!(
        said("the footer says 12346 rows, and its pages have 12345"),
        1,
        "{problems:?}"
    );
}
