//! A lake partitioned by arrival: over consecutive days each record is exported or rejected exactly
//! once, whenever it arrived.

use std::collections::BTreeMap;
use std::sync::Arc;

use object_store::path::Path;
use serde_json::Value;
use sources::lake::Lake;
use time::macros::date;
use time::{Date, Duration};

use super::days;
use crate::world::World;

const FIRST: Date = date!(2026 - 01 - 05);

/// How many days are exported, one by one.
const DAYS: i64 = 6;

fn day(number: i64) -> Date {
    FIRST + Duration::days(number)
}

/// A world whose lake may hold records so many days late.
async fn late_world(late_days: u16) -> World {
    let mut world = World::new().await;
    let store = Arc::clone(&world.lake);
    let lake = Lake::new(store as _, Path::from("lake"), 300).with_late_days(late_days);
    let lake = Arc::new(lake);
    world.plan.sources.lake = Arc::clone(&lake) as _;
    world.run.sources.lake = lake;
    world.plan.settings.rules.late_days = late_days;
    world
}

/// An event, named by its number; every seventh lacks its device and cannot be exported.
fn event(number: usize, happened: Date) -> String {
    let device = if number.is_multiple_of(7) {
        String::new()
    } else {
        format!(r#""deviceId":"{number:032x}","#)
    };
    format!(r#"{{{device}"name":"{number}","timestamp":"{happened}T12:00:00Z"}}"#)
}

/// The names of the events in a document.
fn count_names(value: &Value, counts: &mut BTreeMap<String, usize>) {
    match value {
        Value::Array(items) => items.iter().for_each(|item| count_names(item, counts)),
        Value::Object(members) => {
            if let Some(name) = members.get("name").and_then(Value::as_str) {
                *counts.entry(name.to_owned()).or_default() += 1;
            }
            members.values().for_each(|item| count_names(item, counts));
        }
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => {}
    }
}

#[tokio::test]
async fn over_consecutive_days_each_record_is_exported_or_rejected_once_whenever_it_arrived() {
    for late_days in [0, 1, 3] {
        let world = late_world(late_days).await;
        let mut folders: BTreeMap<Date, Vec<String>> = BTreeMap::new();
        let mut names = Vec::new();
        // In each folder: records of the days before and after it, within the days that are exported
        // or not, and one of no day.
        for folder in 0..DAYS {
            for happened in folder - 5..folder + 3 {
                let number = names.len() + 1;
                names.push(number.to_string());
                let lines = folders.entry(day(folder)).or_default();
                lines.push(event(number, day(happened)));
            }
            let number = names.len() + 1;
            names.push(number.to_string());
            let lines = folders.entry(day(folder)).or_default();
            lines.push(format!(r#"{{"name":"{number}"}}"#));
        }
        for (folder, lines) in &folders {
            let folder = folder.to_string();
            for (part, line) in lines.iter().enumerate() {
                let name = format!("{part}.ndjson");
                world
                    .put_object("events", &folder, &name, line.as_str())
                    .await;
            }
        }
        let mut taken = BTreeMap::new();
        // A record may be of a day before the first folder, whose export takes it then.
        for number in -i64::from(late_days)..DAYS {
            let day = day(number).to_string();
            let key = world.post("events", &days("JsonBlob", &day, &day)).await;
            let job = world.drive(&key).await;
            assert_eq!(job.phase.name(), "succeeded", "{:?}", job.phase);
            let counts = world.manifest(&job).unwrap().head.totals.counts;
            assert!(counts.add_up(), "{counts:?}");
            assert_eq!(counts.filtered > 0, late_days > 0, "{day}: {counts:?}");
            for file in world.files(&job) {
                let file: Value = serde_json::from_slice(&file).unwrap();
                count_names(&file, &mut taken);
                let text = file.to_string();
                assert_eq!(
                    text.matches(&day).count(),
                    text.matches("\"timestamp\"").count()
                );
            }
            for reject in world.rejects(&job) {
                let record = serde_json::from_str(reject["record"].as_str().unwrap()).unwrap();
                count_names(&record, &mut taken);
            }
        }
        let once = names.into_iter().map(|name| (name, 1)).collect();
        assert_eq!(taken, once, "{late_days} days late");
    }
}

#[tokio::test]
async fn a_day_that_is_not_over_says_that_late_records_may_come() {
    let world = late_world(2).await;
    world.clock.advance(Duration::hours(12));
    let today = date!(2026 - 02 - 01);
    let [old, open] = [3, 2].map(|days| (today - Duration::days(days)).to_string());
    world
        .put_object("events", &old, "a.ndjson", event(1, today))
        .await;
    let key = world.post("events", &days("JsonBlob", &old, &open)).await;
    let job = world.drive(&key).await;
    let warns = |warning: &&domain::warning::Warning| warning.code == "LateRecordsMayCome";
    let message = &job.warnings.iter().find(warns).unwrap().message;
    assert!(
        message.contains("2 days late, and 1 of the selected days"),
        "{message}"
    );
    assert!(
        message.contains(&format!("`{open}`")) && !message.contains(&old),
        "{message}"
    );
}
