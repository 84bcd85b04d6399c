use domain::selection::{ExportFormat, ExportType};

use crate::encode::{EncodeOptions, Encoder};
use crate::read::{Budget, Collect, Fields, Kind, Rows, Unreadable, Value, no_spool};
use crate::read_rows;
use crate::record::Shape;

const A: &str = "0123456789abcdef0123456789abcdea";
const B: &str = "0123456789abcdef0123456789abcdeb";

fn encode(export_type: ExportType, records: &[String]) -> String {
    let shape = Shape::of(export_type, true);
    let options = EncodeOptions::default();
    let mut encoder = Encoder::new(shape, ExportFormat::JsonLinesBlob, &options);
    let mut out = Vec::new();
    for record in records {
        let record = shape.parse(record.as_bytes()).unwrap();
        encoder.push(&record, &mut out).unwrap();
    }
    encoder.finish(&mut out).unwrap();
    String::from_utf8(out).unwrap()
}

/// Rows, each as its members.
#[derive(Debug, Default)]
struct Members(Vec<Vec<(String, String)>>);

impl Collect for Members {
    fn add_fields(&mut self, fields: &Fields<'_>) -> Result<(), serde_json::Error> {
        let members = fields.iter();
        let members = members.map(|(name, raw)| (name.clone(), raw.get().to_owned()));
        self.0.push(members.collect());
        Ok(())
    }

    fn add_cells<'a>(&mut self, _: impl Iterator<Item = (&'a str, &'a str)>) {}

    fn add_values<'a>(&mut self, _: impl Iterator<Item = (&'a str, Value<'a>)>) {}

    fn rows(&self) -> u64 {
        self.0.len() as u64
    }
}

fn read(text: &str, mut rows: Rows<Members>) -> (Result<(), Unreadable>, Rows<Members>) {
    let kind = Kind::usual(ExportType::Event, ExportFormat::JsonLinesBlob);
    let read = read_rows(
        text.as_bytes(),
        &kind,
        &Budget::of(4_096),
        &mut rows,
        no_spool,
    );
    (read, rows)
}

fn counted(text: &str) -> u64 {
    let (read, rows) = read(text, Rows::Counted(0));
    read.unwrap();
    rows.count()
}

/// Why a text cannot be read, and how many rows were before.
fn problem(text: &str) -> (String, u64) {
    let (read, rows) = read(text, Rows::Counted(0));
    (read.unwrap_err().to_string(), rows.count())
}

#[test]
fn rows_stand_alone_with_their_fields_in_the_order_of_the_shape() {
    let extras = r#"{ "b":1.50,	"a":"\u00e9 é 😀", "n":null }"#;
    let records = [
        format!(
            r#"{{"extras":{extras},"name":"é \ud83d\ude00","unknown":7,"timestamp":"2026-11-21","deviceId":"{A}","infoId":"{B}"}}"#
        ),
        format!(
            r#"{{"name":"","timestamp":"2026-11-21T10:00:00Z","deviceId":"{A}","extras":null}}"#
        ),
    ];
    let expected = [
        format!(
            r#"{{"deviceId":"{A}","name":"é \ud83d\ude00","timestamp":"2026-11-21T00:00:00Z","infoId":"{B}","extras":{extras}}}"#
        ),
        format!(r#"{{"deviceId":"{A}","name":"","timestamp":"2026-11-21T10:00:00Z"}}"#),
        String::new(),
    ];
    let text = encode(ExportType::Event, &records);
    assert_eq!(text, expected.join("\n"));
    let (read, rows) = read(&text, Rows::Collected(Members::default()));
    read.unwrap();
    let Rows::Collected(Members(rows)) = rows else {
        panic!("{rows:?}")
    };
    let names = |row: &Vec<(String, String)>| {
        let names: Vec<_> = row.iter().map(|(name, _)| name.as_str()).collect();
        names.join(" ")
    };
    assert_eq!(
        rows.iter().map(names).collect::<Vec<_>>(),
        [
            "deviceId extras infoId name timestamp",
            "deviceId name timestamp"
        ]
    );
    assert_eq!(rows[0][1], ("extras".to_owned(), extras.to_owned()));
}

#[test]
fn activities_name_their_device_without_being_asked() {
    let record = format!(
        r#"{{"sessionId":"{A}","deviceId":"{B}","name":"n","timestamp":"2026-11-21T10:00:00Z"}}"#
    );
    let text = encode(ExportType::Activity, std::slice::from_ref(&record));
    assert_eq!(text, record + "\n");
}

#[test]
fn a_record_on_several_lines_becomes_one_line_and_escapes_stay() {
    let extras = "{\r\n  \"a\" : \"x\\ny\\r\",\r\n  \"b\" : [\n1\n]\n}";
    let record = format!(
        "{{\n\"sessionId\":\"{A}\",\n\"name\":\"n\",\r\"timestamp\":\"2026-11-21T10:00:00Z\",\"extras\":{extras}}}"
    );
    let joined = r#"{  "a" : "x\ny\r",  "b" : [1]}"#;
    let row = format!(
        r#"{{"sessionId":"{A}","name":"n","timestamp":"2026-11-21T10:00:00Z","extras":{joined}}}"#
    );
    let text = encode(ExportType::Activity, &[record.clone(), record]);
    assert_eq!(text, format!("{row}\n{row}\n"));
    assert_eq!(counted(&text), 2);
}

#[test]
fn rows_are_counted_by_their_lines() {
    assert_eq!(counted(""), 0);
    assert_eq!(counted("{}\n"), 1);
    let many = "{\"a\":{\"b\":[{}]},\"c\":\"\\n\"}\n".repeat(1_000);
    assert_eq!(counted(&many), 1_000, "however many bytes there are");
}

#[test]
fn what_is_no_object_on_a_line_of_its_own_is_named_by_its_line() {
    for (line, column) in [
        ("", 0),
        ("[]", 0),
        ("7", 1),
        ("{\"a\":1", 6),
        ("{}{}", 3),
        ("{} x", 4),
        ("\u{feff}{}", 1),
    ] {
        let (problem, before) = problem(&format!("{{}}\n{line}\n{{}}\n"));
        assert_eq!(before, 1, "{line}");
        let expected = format!("line 2: no JSON object, by its column {column}");
        assert_eq!(problem, expected, "{line}");
    }
    let cut = problem("{}\n{}");
    assert_eq!(cut, ("line 2: it has no end".to_owned(), 1));
}
