use domain::columns::Columns;
use domain::selection::FileOptions;
use formats::encode::{EncodeOptions, Encoder};
use formats::record::Shape;
use serde_json::{Value, json};

use super::*;
use crate::verify::tests::Downloaded;
use crate::verify::verdict::{Outcome, Verdict};

const A: &str = "0123456789abcdef0123456789abcdea";
const A_DASHED: &str = "01234567-89AB-CDEF-0123-456789ABCDEA";
const B: &str = "0123456789abcdef0123456789abcdeb";

/// A record of an event, without what is null.
fn event(device: &str, name: &str, time: &str, session: Option<&str>) -> String {
    let time = format!("2026-01-05T{time}Z");
    json!({"deviceId": device, "name": name, "timestamp": time, "sessionId": session}).to_string()
}

/// A filter of events with a record that it wants, one that it does not, and why.
fn cases() -> Vec<(Value, String, String, &'static str)> {
    let of_name = |name| event(A, name, "10:00:00", None);
    let at = |time| event(A, "a", time, None);
    let in_session = event(A, "a", "10:00:00", Some(B));
    let names = ["é \"1\",", "", "=1"];
    vec![
        (
            json!({"names": {"in": names}}),
            of_name("é \"1\","),
            of_name("É"),
            "its `name`, \"É\", is none of `in`",
        ),
        (
            json!({"names": {"in": names}}),
            of_name(""),
            of_name(" "),
            "its `name`, \" \", is none of `in`",
        ),
        (
            json!({"names": {"notIn": names}}),
            of_name("b"),
            of_name("=1"),
            "its `name`, \"=1\", is one of `notIn`",
        ),
        (
            json!({"names": {"notIn": names}}),
            of_name("b"),
            of_name(""),
            "its `name`, \"\", is one of `notIn`",
        ),
        (
            json!({"deviceIds": [A]}),
            event(A_DASHED, "a", "10:00:00", None),
            event(B, "a", "10:00:00", None),
            "its `deviceId`, 0123456789abcdef0123456789abcdeb, is none of `deviceIds`",
        ),
        (
            json!({"session": "present"}),
            in_session.clone(),
            of_name("a"),
            "it has no `sessionId`, and `session` is `present`",
        ),
        (
            json!({"session": "absent"}),
            of_name("a"),
            in_session,
            "it has a `sessionId`, and `session` is `absent`",
        ),
        (
            json!({"from": "2026-01-05T10:00:00.5Z"}),
            at("10:00:00.500"),
            at("10:00:00.499999"),
            "is before `from`",
        ),
        (
            json!({"to": "2026-01-05T10:00:00.5Z"}),
            at("10:00:00.4999999"),
            at("10:00:00.500"),
            "is not before `to`",
        ),
    ]
}

/// The file of these records of a type.
fn file(
    of: ExportType,
    format: ExportFormat,
    options: &EncodeOptions,
    records: &[&str],
) -> Vec<u8> {
    let shape = Shape::of(of, false);
    let mut encoder = Encoder::new(shape, format, options);
    let mut file = Vec::new();
    for record in records {
        let record = shape.parse(record.as_bytes()).unwrap();
        encoder.push(&record, &mut file).unwrap();
    }
    encoder.finish(&mut file).unwrap();
    file
}

/// What is said of an export of one file of these records, whose manifest has what is in `head`.
async fn verified(
    of: ExportType,
    format: ExportFormat,
    options: &EncodeOptions,
    head: &Value,
    records: &[&str],
) -> (Vec<String>, Verdict) {
    let mut downloaded = Downloaded::of_one_file(
        of,
        &file(of, format, options, records),
        records.len() as u64,
    );
    downloaded.manifest["format"] = format.name().into();
    for (name, value) in head.as_object().unwrap() {
        downloaded.manifest[name] = value.clone();
    }
    downloaded.verify().await
}

/// The only thing that is wrong with such an export of events, or nothing.
async fn fault(format: ExportFormat, filter: &Value, records: &[&str]) -> Option<String> {
    let options = EncodeOptions::default();
    let head = json!({"filter": filter});
    let (lines, verdict) = verified(ExportType::Event, format, &options, &head, records).await;
    assert_eq!(verdict.unfiltered, 0);
    let is_right = verdict.outcome() == Outcome::Right;
    assert_eq!(lines.is_empty(), is_right, "{lines:?}");
    assert!(lines.len() < 2, "{lines:?}");
    lines.into_iter().next()
}

#[tokio::test]
async fn a_row_that_the_filter_does_not_want_is_named_by_its_number_in_every_format() {
    for &format in ExportFormat::ALL {
        for (filter, within, outside, reason) in cases() {
            let found = fault(format, &filter, &[&within, &within]).await;
            assert_eq!(found, None, "{format:?} {filter}");
            let records = [&*within, &outside, &within, &outside, &outside];
            let found = fault(format, &filter, &records).await.unwrap();
            let row = "part-00000.json: row 2 is not one that the filter wants: ";
            assert!(found.contains(row), "{format:?}: {found}");
            let rest = format!("{reason}; nor are 2 more rows");
            assert!(found.ends_with(&rest), "{format:?} {filter}: {found}");
            let found = fault(format, &filter, &[&within, &outside]).await.unwrap();
            assert!(found.ends_with(reason), "{format:?}: {found}");
        }
    }
}

#[tokio::test]
async fn all_parts_of_a_filter_must_hold() {
    let filter = json!({
        "names": {"in": ["a"]}, "deviceIds": [A], "session": "present",
        "from": "2026-01-05T10:00:00Z", "to": "2026-01-05T11:00:00Z",
    });
    let within = event(A, "a", "10:00:00", Some(B));
    assert_eq!(
        fault(ExportFormat::CsvBlob, &filter, &[&within]).await,
        None
    );
    for (outside, what) in [
        (event(A, "b", "10:00:00", Some(B)), "name"),
        (event(B, "a", "10:00:00", Some(B)), "deviceId"),
        (event(A, "a", "10:00:00", None), "sessionId"),
        (event(A, "a", "09:59:59", Some(B)), "timestamp"),
        (event(A, "a", "11:00:00", Some(B)), "timestamp"),
    ] {
        let found = fault(ExportFormat::CsvBlob, &filter, &[&outside])
            .await
            .unwrap();
        assert!(found.contains(&format!("`{what}`")), "{found}");
    }
}

#[tokio::test]
async fn a_moment_that_lost_its_digits_in_a_parquet_blob_is_compared_as_far_as_it_goes() {
    let filter = json!({"from": "2026-01-05T10:00:00.0000005Z"});
    let [late, early] = ["10:00:00.0000007", "09:59:59.9999999"];
    let [late, early] = [late, early].map(|time| event(A, "a", time, None));
    for &format in ExportFormat::ALL {
        assert_eq!(fault(format, &filter, &[&late]).await, None, "{format:?}");
        assert!(
            fault(format, &filter, &[&early]).await.is_some(),
            "{format:?}"
        );
    }
}

#[tokio::test]
async fn rows_without_a_moment_are_in_no_span() {
    let session = json!({"sessionId": A, "deviceId": B}).to_string();
    let head = json!({"filter": {"to": "2026-01-05T10:00:00Z"}});
    for &format in ExportFormat::ALL {
        let options = EncodeOptions::default();
        let (lines, _) = verified(ExportType::Session, format, &options, &head, &[&session]).await;
        let [line] = lines.as_slice() else {
            panic!("{format:?}: {lines:?}")
        };
        assert!(line.ends_with("it does not say its `start`"), "{line}");
    }
}

#[tokio::test]
async fn rows_that_lack_a_column_of_the_filter_are_counted_and_said() {
    let filter = json!({"names": {"in": ["a"]}, "session": "present", "deviceIds": [A]});
    let record = event(A, "b", "10:00:00", None);
    for &format in ExportFormat::ALL
        .iter()
        .filter(|format| format.has_columns())
    {
        let chosen = ["deviceId", "timestamp"];
        let columns = Columns::choose(ExportType::Event.columns(false), chosen).unwrap();
        let options = EncodeOptions {
            files: FileOptions {
                columns: Some(columns),
                ..FileOptions::default()
            },
            ..EncodeOptions::default()
        };
        let head = json!({"filter": filter, "columns": chosen});
        let of = ExportType::Event;
        let (lines, verdict) = verified(of, format, &options, &head, &[&record, &record]).await;
        assert_eq!((lines, verdict.outcome()), (vec![], Outcome::Right));
        assert_eq!(
            verdict.unfiltered_line().unwrap(),
            "! 2 rows could not be compared with the whole filter: they have no `name`, `sessionId`"
        );
        let other = event(B, "b", "10:00:00", None);
        let (lines, _) = verified(of, format, &options, &head, &[&other]).await;
        assert!(
            lines.concat().contains("`deviceId`"),
            "{format:?}: {lines:?}"
        );
    }
}

#[tokio::test]
async fn activities_of_a_json_array_are_compared_by_device_when_they_name_it() {
    let activity = |device| {
        json!({"sessionId": A, "deviceId": device, "name": "a", "timestamp": "2026-01-05T10:00:00Z"})
            .to_string()
    };
    let head = json!({"filter": {"deviceIds": [A]}});
    let with = async |export_device_id, device| {
        let options = EncodeOptions {
            export_device_id,
            ..EncodeOptions::default()
        };
        let (of, format) = (ExportType::Activity, ExportFormat::JsonBlob);
        verified(of, format, &options, &head, &[&activity(device)]).await
    };
    let (lines, verdict) = with(true, A).await;
    assert_eq!((lines.len(), verdict.unfiltered_line()), (0, None));
    assert!(with(true, B).await.0.concat().contains("`deviceId`"));
    let (lines, verdict) = with(false, A).await;
    assert!(lines.is_empty(), "{lines:?}");
    assert_eq!(
        verdict.unfiltered_line().unwrap(),
        "! 1 row could not be compared with the whole filter: it has no `deviceId`"
    );
}

#[tokio::test]
async fn a_formula_that_was_escaped_is_compared_with_and_without_its_apostrophe() {
    let options = EncodeOptions {
        files: FileOptions {
            escape_formulas: true,
            ..FileOptions::default()
        },
        ..EncodeOptions::default()
    };
    let lines = async |names: Value, name: &str| {
        let head = json!({"filter": {"names": names}, "escapeFormulas": true});
        let record = event(A, name, "10:00:00", None);
        let (of, format) = (ExportType::Event, ExportFormat::CsvBlob);
        verified(of, format, &options, &head, &[&record]).await.0
    };
    for (names, name, is_right) in [
        (json!({"in": ["=1"]}), "=1", true),
        (json!({"in": ["'=1"]}), "'=1", true),
        (json!({"in": ["=1"]}), "=2", false),
        // Without its apostrophe it is no formula.
        (json!({"in": ["a"]}), "'a", false),
        (json!({"notIn": ["=1"]}), "'=1", true),
        (json!({"notIn": ["=1", "'=1"]}), "=1", false),
    ] {
        let found = lines(names.clone(), name).await;
        assert_eq!(found.is_empty(), is_right, "{names} {name}: {found:?}");
    }
}

#[test]
fn a_filter_that_is_not_understood_is_refused() {
    let kind = Kind::usual(ExportType::Event, ExportFormat::CsvBlob);
    let refused = |filter: Value| {
        let filter = serde_json::from_value(filter).unwrap();
        Wanted::of(filter, &kind).unwrap_err()
    };
    let session = refused(json!({"session": "sometimes"}));
    assert_eq!(session, "its filter's `session` is unknown");
    for bound in ["from", "to"] {
        let problem = refused(json!({ bound: "today" }));
        assert_eq!(problem, format!("its filter's `{bound}` is no moment"));
    }
}
