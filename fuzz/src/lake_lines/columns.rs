//! Another's reader of Parquet finds the same rows.

use super::{Row, cell};
use crate::parquet_rows;

/// The fields that hold a moment.
const MOMENTS: [&str; 3] = ["timestamp", "start", "end"];

pub(super) fn assert_parquet(file: &[u8], rows: &[Row]) {
    if file.is_empty() {
        assert!(rows.is_empty(), "no file for rows");
        return;
    }
    let expected = rows
        .iter()
        .map(|row| row.iter().map(written).collect::<Row>());
    let found = parquet_rows::rows(file);
    assert!(found.into_iter().eq(expected), "{rows:?}");
}

/// What a column must have for a raw value.
fn written((name, raw): (&String, &String)) -> (String, String) {
    let text = cell(raw);
    let is_moment = MOMENTS.contains(&name.as_str());
    let text = if is_moment {
        parquet_rows::cut(&text)
    } else {
        text
    };
    (name.clone(), text)
}
