//! Exports of which more is asked than the usual: what the files hold, and what the manifest says.

use domain::job::Job;
use serde_json::{Value, json};

use super::days;
use super::rows::{as_asked, event, rows_of_csv, rows_of_json_lines, small_lake};
use crate::world::World;

/// Exports the small lake, with these options and without compression.
async fn exported(format: &str, mut options: Value) -> (Vec<String>, World, Job) {
    let world = World::new().await;
    let mut rows = small_lake(&world).await;
    // Names that would be formulas in a spreadsheet.
    let formulas = (400..404).map(|number| event("2026-01-05", number));
    let formulas = formulas.map(|line| line.replace(r#""name":"event"#, r#""name":"=event"#));
    let formulas: Vec<String> = formulas.collect();
    let text = formulas.join("\n");
    world
        .put_object("events", "2026-01-05", "formulas.ndjson", text)
        .await;
    rows.extend(formulas);
    options["compression"] = json!("none");
    let mut body = days(format, "2026-01-05", "2026-01-07");
    body["exportOptions"] = options;
    let key = world.post("events", &body).await;
    let job = world.drive(&key).await;
    (rows, world, job)
}

#[tokio::test]
async fn a_csv_for_spreadsheets_has_what_was_asked_for_and_the_manifest_says_so() {
    let options =
        json!({"columns": ["name", "deviceId"], "byteOrderMark": true, "escapeFormulas": true});
    let (rows, world, job) = exported("CsvBlob", options.clone()).await;
    let mut found = Vec::new();
    for file in world.files(&job) {
        let text = file.strip_prefix(b"\xef\xbb\xbf").unwrap();
        assert!(text.starts_with(b"name,deviceId\r\n"));
        found.extend(rows_of_csv(text));
    }
    found.sort_unstable();
    let expected = as_asked(rows, &options);
    assert_eq!(found, expected);
    let escaped = expected
        .iter()
        .filter(|row| row.contains(r#""name":"'=event"#));
    assert!(escaped.count() > 1);
    let head = world.manifest(&job).unwrap().head;
    let columns = ["name", "deviceId"].map(str::to_owned).to_vec();
    assert_eq!(
        (head.columns, head.byte_order_mark, head.escape_formulas),
        (Some(columns), true, true)
    );
}

#[tokio::test]
async fn lines_of_json_have_the_columns_that_were_asked_for_in_their_order() {
    let options = json!({"columns": ["sessionId", "timestamp", "name"]});
    let (rows, world, job) = exported("JsonLinesBlob", options.clone()).await;
    let text = world.files(&job).concat();
    assert_eq!(rows_of_json_lines(&text), as_asked(rows, &options));
    for line in String::from_utf8(text).unwrap().lines() {
        let begin = line.find("\"timestamp\"").unwrap();
        assert!(line[begin..].contains("\"name\""), "{line}");
        assert!(!line[begin..].contains("\"sessionId\""), "{line}");
    }
}

#[tokio::test]
async fn the_manifest_says_the_columns_of_flat_rows_even_if_nobody_asked() {
    for (format, columns) in [
        ("JsonBlob", None),
        (
            "CsvBlob",
            Some("deviceId name timestamp infoId sessionId locationId extras"),
        ),
    ] {
        let (_, world, job) = exported(format, json!({})).await;
        let head = world.manifest(&job).unwrap().head;
        let names = head.columns.map(|names| names.join(" "));
        assert_eq!(names.as_deref(), columns);
        assert!(!head.byte_order_mark && !head.escape_formulas);
    }
}
