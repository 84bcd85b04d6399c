//! Files of Parquet as a reader sees them that takes whole rows, where the service's own takes columns.

use std::collections::BTreeMap;

use bytes::Bytes;
use parquet::file::reader::{FileReader, SerializedFileReader};
use parquet::record::Field;
use time::OffsetDateTime;
use time::format_description::well_known::Rfc3339;

/// The rows of a file: what each has, as text; moments with as few digits as they need.
pub fn rows(file: &[u8]) -> Vec<BTreeMap<String, String>> {
    let file = Bytes::copy_from_slice(file);
    let reader = SerializedFileReader::new(file).expect("a file has a footer");
    let rows = reader.get_row_iter(None).expect("a file has rows");
    let rows: Vec<_> = rows
        .map(|row| values(row.expect("a row can be read").get_column_iter()))
        .collect();
    let of_footer = reader.metadata().file_metadata().num_rows();
    assert_eq!(i64::try_from(rows.len()), Ok(of_footer));
    rows
}

#[expect(
    clippy::wildcard_enum_match_arm,
    reason = "a new type of column is one that no export has"
)]
fn values<'a>(columns: impl Iterator<Item = (&'a String, &'a Field)>) -> BTreeMap<String, String> {
    let value = |(name, field): (&String, &Field)| {
        let text = match field {
            Field::Null => return None,
            Field::Str(text) => text.clone(),
            Field::Long(number) => number.to_string(),
            Field::TimestampMicros(micros) => moment(i128::from(*micros) * 1_000),
            other => panic!("{name}: {other:?}"),
        };
        Some((name.clone(), text))
    };
    columns.filter_map(value).collect()
}

/// A moment as a file of Parquet has it: in RFC 3339, without what is finer than a microsecond.
pub fn cut(moment: &str) -> String {
    let moment = OffsetDateTime::parse(moment, &Rfc3339).expect("a moment can be read");
    let nanos = moment.unix_timestamp_nanos();
    self::moment(nanos - nanos.rem_euclid(1_000))
}

fn moment(nanos: i128) -> String {
    let moment = OffsetDateTime::from_unix_timestamp_nanos(nanos).expect("a moment exists");
    moment.format(&Rfc3339).expect("a moment can be written")
}
