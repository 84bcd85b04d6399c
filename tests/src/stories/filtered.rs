//! Exports of records that a filter wants: all others are checked and counted, and nothing else.

use domain::job::Job;
use domain::manifest::Manifest;
use serde_json::{Value, json};

use super::days;
use super::rows::{is_wanted, rows_of_json_lines, small_lake, sorted};
use crate::world::World;

/// Exports a small lake in which one object ends with what is no record; its rows.
async fn exported(filter: &Value) -> (Vec<String>, World, Job) {
    let world = World::new().await;
    let rows = small_lake(&world).await;
    let bad = "{\"name\":7}\n";
    world
        .put_object("events", "2026-01-05", "bad.ndjson", bad)
        .await;
    let mut body = days("JsonLinesBlob", "2026-01-05", "2026-01-07");
    body["exportOptions"] = json!({"compression": "none", "filter": filter});
    let key = world.post("events", &body).await;
    let job = world.drive(&key).await;
    assert_eq!(world.task(&key).await["state"], "Succeeded");
    (rows, world, job)
}

fn filters() -> Vec<Value> {
    let names = json!([
        "event 0 \"ünï\" ,\n",
        "event 101 \"ünï\" ,\n",
        "no such event"
    ]);
    let ids = json!([
        "00000000-0000-0000-0000-000000000014",
        "00000000000000000000000000000001"
    ]);
    let (from, to) = ("2026-01-05T10:00:05.5Z", "2026-01-07T12:00:09.500+02:00");
    vec![
        json!({"names": {"in": names}}),
        json!({"names": {"notIn": names}}),
        json!({"deviceIds": ids}),
        json!({"session": "present"}),
        json!({"session": "absent"}),
        json!({"from": from, "to": to}),
        json!({"names": {"notIn": names}, "deviceIds": ids, "session": "absent", "from": from, "to": to}),
    ]
}

#[tokio::test]
async fn rows_are_those_that_the_filter_wants_and_all_else_is_as_without_one() {
    let (_, world, job) = exported(&json!({})).await;
    let everything = world.manifest(&job).unwrap().head;
    let rejects = world.rejects(&job);
    assert_eq!((everything.filter, rejects.len()), (None, 1));
    for filter in filters() {
        let (rows, world, job) = exported(&filter).await;
        let wanted = rows.iter().map(|row| serde_json::from_str(row).unwrap());
        let wanted = sorted(wanted.filter(|row| is_wanted(&filter, row)));
        assert!(!wanted.is_empty() && wanted.len() < rows.len(), "{filter}");
        let found = rows_of_json_lines(&world.files(&job).concat());
        assert_eq!(found, wanted, "{filter}");
        let Manifest { head, .. } = world.manifest(&job).unwrap();
        let (counts, of_all) = (head.totals.counts, everything.totals.counts);
        let excluded = (rows.len() - wanted.len()) as u64;
        assert_eq!(
            (counts.excluded, of_all.excluded),
            (excluded, 0),
            "{filter}"
        );
        assert_eq!(
            (counts.read, counts.rejected, counts.filtered),
            (of_all.read, of_all.rejected, of_all.filtered)
        );
        assert!(counts.add_up());
        assert_eq!(world.rejects(&job), rejects);
    }
}

#[tokio::test]
async fn the_manifest_says_the_filter() {
    let filter = filters().pop().unwrap();
    let (_, world, job) = exported(&filter).await;
    let stated = world.manifest(&job).unwrap().head.filter.unwrap();
    let mut expected = filter;
    expected["deviceIds"] = json!([
        "00000000000000000000000000000001",
        "00000000000000000000000000000014"
    ]);
    expected["to"] = json!("2026-01-07T10:00:09.5Z");
    let names = expected["names"]["notIn"].as_array_mut().unwrap();
    names.sort_unstable_by_key(Value::to_string);
    assert_eq!(serde_json::to_value(stated).unwrap(), expected);
}

#[tokio::test]
async fn an_export_of_which_nothing_is_left_succeeds_and_says_so() {
    let (rows, world, job) = exported(&json!({"names": {"in": ["no such event"]}})).await;
    let manifest = world.manifest(&job).unwrap();
    assert!(manifest.head.complete && manifest.files.is_empty());
    let warnings = manifest.head.warnings.iter();
    let message = warnings.filter(|warning| warning.code == "NoRows");
    let message: Vec<_> = message.map(|warning| warning.message.as_str()).collect();
    let expected = format!(
        "The objects of the selected days hold no rows, beside 1 rejected record, beside {} records that the filter \
         excludes: the export has no rows.",
        rows.len()
    );
    assert_eq!(message, [expected]);
}
