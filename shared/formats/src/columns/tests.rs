//! What a client may ask of flat files, as they are written and read back.

use domain::columns::Columns;
use domain::selection::{ExportFormat, ExportType, FileOptions};

use crate::encode::{EncodeOptions, Encoder};
use crate::read::{Budget, Kind, NoRows, Rows, no_spool};
use crate::read_rows;
use crate::record::Shape;

const A: &str = "0123456789abcdef0123456789abcdea";

const USUAL: FileOptions = FileOptions {
    columns: None,
    byte_order_mark: false,
    escape_formulas: false,
    max_file_bytes: None,
};

fn chosen(of: ExportType, names: &[&str]) -> FileOptions {
    let columns = Columns::choose(of.columns(true), names.iter().copied());
    FileOptions {
        columns: Some(columns.unwrap()),
        ..USUAL
    }
}

fn encode(
    of: ExportType,
    format: ExportFormat,
    files: FileOptions,
    records: &[impl AsRef<str>],
) -> String {
    let shape = Shape::of(of, true);
    let options = EncodeOptions {
        files,
        ..EncodeOptions::default()
    };
    let mut encoder = Encoder::new(shape, format, &options);
    let mut out = Vec::new();
    for record in records {
        let record = shape.parse(record.as_ref().as_bytes()).unwrap();
        encoder.push(&record, &mut out).unwrap();
    }
    encoder.finish(&mut out).unwrap();
    String::from_utf8(out).unwrap()
}

fn event(name: &str, rest: &str) -> String {
    format!(r#"{{"deviceId":"{A}","name":"{name}","timestamp":"2026-11-21T10:00:00Z"{rest}}}"#)
}

/// How many rows a file has of these columns, or what is wrong with it.
fn read(text: &str, kind: &Kind) -> Result<u64, String> {
    let mut rows = Rows::<NoRows>::Counted(0);
    let read = read_rows(
        text.as_bytes(),
        kind,
        &Budget::of(4_096),
        &mut rows,
        no_spool,
    );
    read.map(|()| rows.count())
        .map_err(|error| error.to_string())
}

fn kind(of: ExportType, format: ExportFormat, columns: &[&str]) -> Kind {
    let columns = columns.iter().map(|&name| name.to_owned());
    Kind {
        columns: Some(columns.collect()),
        ..Kind::usual(of, format)
    }
}

#[test]
fn chosen_columns_are_written_in_their_order_and_no_others() {
    let records = [event("a", r#","extras":{"k":1}"#), event("b", "")];
    let files = chosen(ExportType::Event, &["extras", "name", "sessionId"]);
    let write = |format| encode(ExportType::Event, format, files.clone(), &records);
    assert_eq!(
        write(ExportFormat::CsvBlob),
        "extras,name,sessionId\r\n\"{\"\"k\"\":1}\",a,\r\n,b,\r\n"
    );
    assert_eq!(
        write(ExportFormat::JsonLinesBlob),
        "{\"extras\":{\"k\":1},\"name\":\"a\"}\n{\"name\":\"b\"}\n"
    );
}

#[test]
fn a_row_that_is_one_absent_value_is_no_empty_line() {
    let files = chosen(ExportType::Event, &["extras"]);
    let records = [event("a", ""), event("b", "")];
    let text = encode(ExportType::Event, ExportFormat::CsvBlob, files, &records);
    assert_eq!(text, "extras\r\n\"\"\r\n\"\"\r\n");
    let kind = kind(ExportType::Event, ExportFormat::CsvBlob, &["extras"]);
    assert_eq!(read(&text, &kind), Ok(2));
}

#[test]
fn a_byte_order_mark_stands_once_and_before_the_header() {
    let files = FileOptions {
        byte_order_mark: true,
        ..chosen(ExportType::Event, &["name"])
    };
    let records = [event("a", ""), event("b", "")];
    let text = encode(ExportType::Event, ExportFormat::CsvBlob, files, &records);
    assert_eq!(text.as_bytes(), b"\xef\xbb\xbfname\r\na\r\nb\r\n");
}

#[test]
fn a_text_that_would_be_a_formula_has_an_apostrophe_before_it_only_when_asked() {
    for (name, as_it_is, escaped) in [
        ("=1+1", "=1+1", "'=1+1"),
        ("+1", "+1", "'+1"),
        ("-1", "-1", "'-1"),
        ("@a", "@a", "'@a"),
        (r"\ta", "\ta", "'\ta"),
        (r"\ra", "\"\ra\"", "\"'\ra\""),
        (r"\u003dA1,", "\"=A1,\"", "\"'=A1,\""),
        ("a=1", "a=1", "a=1"),
        ("'=1", "'=1", "'=1"),
        ("", "\"\"", "\"\""),
    ] {
        let write = |escape_formulas| {
            let files = FileOptions {
                escape_formulas,
                ..chosen(ExportType::Event, &["name"])
            };
            let record = event(name, "");
            encode(ExportType::Event, ExportFormat::CsvBlob, files, &[record])
        };
        assert_eq!(write(true), format!("name\r\n{escaped}\r\n"), "{name}");
        assert_eq!(write(false), format!("name\r\n{as_it_is}\r\n"), "{name}");
    }
}

#[test]
fn a_number_is_no_text_and_stays_what_it_is() {
    let record = format!(
        r#"{{"deviceId":"{A}","campaignType":"Poll","campaignId":-7,"status":[],"userId":"-7"}}"#
    );
    let columns = ["campaignId", "userId"];
    let files = FileOptions {
        escape_formulas: true,
        ..chosen(ExportType::Push, &columns)
    };
    let text = encode(ExportType::Push, ExportFormat::CsvBlob, files, &[record]);
    assert_eq!(text, "campaignId,userId\r\n-7,'-7\r\n");
    let kind = Kind {
        escape_formulas: true,
        ..kind(ExportType::Push, ExportFormat::CsvBlob, &columns)
    };
    assert_eq!(read(&text, &kind), Ok(1));
}

#[test]
fn a_file_of_other_columns_than_is_said_cannot_be_read() {
    let kind = |format, columns: &[&str]| kind(ExportType::Event, format, columns);
    let csv = "name,timestamp\r\na,b\r\n";
    for (columns, is_right) in [
        (&["name", "timestamp"][..], true),
        (&["timestamp", "name"], false),
        (&["name"], false),
        (&["name", "timestamp", "extras"], false),
    ] {
        let read = read(csv, &kind(ExportFormat::CsvBlob, columns));
        let problem = "its header is not of the columns that the manifest says";
        assert_eq!(read.is_ok(), is_right, "{columns:?}");
        assert!(is_right || read == Err(problem.to_owned()));
    }
    let lines = "{\"name\":1}\n{\"timestamp\":2,\"name\":1}\n";
    for (columns, is_right) in [
        (&["timestamp", "name"][..], true),
        (&["timestamp", "extras", "name"], true),
        (&["name", "timestamp"], false),
        (&["name"], false),
    ] {
        let read = read(lines, &kind(ExportFormat::JsonLinesBlob, columns));
        let problem = "line 2: its members are not of the columns that the manifest says";
        assert_eq!(read.is_ok(), is_right, "{columns:?}");
        assert!(is_right || read == Err(problem.to_owned()));
    }
    let twice = read(
        "{\"name\":1,\"name\":1}\n",
        &kind(ExportFormat::JsonLinesBlob, &["name"]),
    );
    assert!(twice.is_err());
}

#[test]
fn a_file_begins_with_a_byte_order_mark_just_when_it_is_said() {
    for (text, byte_order_mark, expected) in [
        ("\u{feff}name\r\na\r\n", true, Ok(1)),
        ("name\r\na\r\n", false, Ok(1)),
        (
            "name\r\na\r\n",
            true,
            Err("it begins without a byte order mark"),
        ),
        (
            "\u{feff}name\r\na\r\n",
            false,
            Err("it begins with a byte order mark"),
        ),
        ("", true, Err("it begins without a byte order mark")),
    ] {
        let kind = Kind {
            byte_order_mark,
            ..kind(ExportType::Event, ExportFormat::CsvBlob, &["name"])
        };
        assert_eq!(read(text, &kind), expected.map_err(str::to_owned), "{text}");
    }
}

#[test]
fn a_formula_where_none_should_be_is_named_by_its_row_and_column() {
    let text = "deviceId,name\r\n1,a\r\n2,=a\r\n";
    let columns = ["deviceId", "name"];
    let plain = kind(ExportType::Event, ExportFormat::CsvBlob, &columns);
    assert_eq!(read(text, &plain), Ok(2));
    let escaped = Kind {
        escape_formulas: true,
        ..plain
    };
    let problem = "row 2: `name` is a formula, though formulas are escaped";
    assert_eq!(read(text, &escaped), Err(problem.to_owned()));
}
