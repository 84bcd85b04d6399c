//! Another's reader of Parquet, which takes whole rows, finds the same rows.

use bytes::Bytes;
use parquet::file::reader::{FileReader, SerializedFileReader};
use parquet::record::Field;
use time::OffsetDateTime;
use time::format_description::well_known::Rfc3339;

use super::{Row, cell};

/// The fields that hold a moment.
const MOMENTS: [&str; 3] = ["timestamp", "start", "end"];

pub(super) fn assert_parquet(file: Vec<u8>, rows: &[Row]) {
    if file.is_empty() {
        assert!(rows.is_empty(), "no file for rows");
        return;
    }
    let file = SerializedFileReader::new(Bytes::from(file)).expect("a file has a footer");
    let found = file.get_row_iter(None).expect("a file has rows");
    let found = found.map(|row| {
        let row = row.expect("a row can be read");
        row.get_column_iter().filter_map(value).collect::<Row>()
    });
    let expected = rows
        .iter()
        .map(|row| row.iter().map(written).collect::<Row>());
    assert!(found.eq(expected), "{rows:?}");
}

/// What a column has in a row, if anything.
#[expect(
    clippy::wildcard_enum_match_arm,
    reason = "a new type of column is one that no export has"
)]
fn value((name, field): (&String, &Field)) -> Option<(String, String)> {
    let text = match field {
        Field::Null => return None,
        Field::Str(text) => text.clone(),
        Field::Long(number) => number.to_string(),
        Field::TimestampMicros(micros) => {
            let moment = OffsetDateTime::from_unix_timestamp_nanos(i128::from(*micros) * 1_000);
            let text = moment.expect("a moment exists").format(&Rfc3339);
            cut(&text.expect("a moment can be written"))
        }
        _ => unreachable!("{name} is {field:?}"),
    };
    Some((name.clone(), text))
}

/// What a column must have for a raw value.
fn written((name, raw): (&String, &String)) -> (String, String) {
    let text = cell(raw);
    let is_moment = MOMENTS.contains(&name.as_str());
    (name.clone(), if is_moment { cut(&text) } else { text })
}

/// A moment with six digits of its fraction.
fn cut(moment: &str) -> String {
    let moment = moment.trim_end_matches('Z');
    let (seconds, digits) = moment.split_once('.').unwrap_or((moment, ""));
    let digits: String = digits.chars().chain("000000".chars()).take(6).collect();
    format!("{seconds}.{digits}Z")
}
