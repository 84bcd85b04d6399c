//! Whether the rows of the files are the source's.

use super::*;

/// How the rows of the files differ from the source's, when both manifest and files were made for
/// each other.
async fn difference(first: &str, rows: u64) -> Option<Difference> {
    let mut downloaded = Downloaded::new();
    downloaded.replace(0, first, rows);
    downloaded.manifest["totals"]["rows"] = (rows + 1).into();
    let (lines, verdict) = downloaded.verify().await;
    assert_eq!((lines, verdict.outcome()), (vec![], Outcome::Right));
    source().difference(&verdict.found)
}

/// The rows of the source.
pub(super) fn source() -> RowSet {
    let mut rows = RowSet::default();
    for line in LINES {
        let fields = serde_json::from_str(line).unwrap();
        rows.add(&fields, Form::Json).unwrap();
    }
    rows
}

#[tokio::test]
async fn a_row_that_is_not_the_sources_is_found() {
    let (row, changed) = (
        r#",{"name":"b","timestamp":"t2"}"#,
        Some(Difference {
            missing: 1,
            surplus: 1,
        }),
    );
    assert_eq!(difference(EVENTS[0], 2).await, None);
    assert_eq!(
        difference(&EVENTS[0].replace(row, ""), 1).await,
        Some(Difference {
            missing: 1,
            surplus: 0
        })
    );
    let doubled = EVENTS[0].replace(row, &row.repeat(2));
    assert_eq!(
        difference(&doubled, 3).await,
        Some(Difference {
            missing: 0,
            surplus: 1
        })
    );
    assert_eq!(
        difference(&EVENTS[0].replace("1e-7", "0.0000001"), 2).await,
        changed
    );
    let owner = Some(Difference {
        missing: 2,
        surplus: 2,
    });
    assert_eq!(difference(&EVENTS[0].replace("d1", "d3"), 2).await, owner);
}
