//! One whole export through the release binaries, from the POST to the sealed files.

use client::blobs::ContainerView;
use local::dynamodb::scratch_dir;
use serde_json::{Value, json};

use super::machine::{Machine, bus_event, message, post, task};

/// Two days of the sample's app, as they lie in the lake.
const DAYS: [(&str, &str); 2] = [
    (
        "2026-01-05",
        r#"{"deviceId":"0123456789abcdef0123456789abcdef","name":"won","timestamp":"2026-01-05T08:00:00Z"}"#,
    ),
    (
        "2026-01-06",
        r#"{"deviceId":"0123456789abcdef0123456789abcdef","name":"lost","timestamp":"2026-01-06T09:00:00Z"}"#,
    ),
];

/// The names of the events in the files of the container, in the files' order.
async fn exported_names(container: &ContainerView) -> Vec<String> {
    let mut names = Vec::new();
    for blob in container.list().await.unwrap() {
        let content: Value =
            serde_json::from_slice(&container.read(&blob.name).await.unwrap()).unwrap();
        let groups = content.as_array().into_iter().flatten();
        let events = groups.flat_map(|group| group["events"].as_array().unwrap());
        names.extend(events.map(|event| event["name"].as_str().unwrap().to_owned()));
    }
    names
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_release_binaries_carry_an_export_from_the_post_to_sealed_files() {
    let machine = Machine::start(scratch_dir().unwrap(), &[]).await;
    for (day, line) in DAYS {
        machine.put_events(day, "part-0.ndjson", &format!("{line}\n"));
    }
    let create = machine.function("create-job").await;
    let id = post(&create, &machine.container("cw"), (DAYS[0].0, DAYS[1].0)).await;

    let plan = machine.function("plan-export").await;
    assert_eq!(
        plan.invoke(&bus_event("plan-export", &id)).await,
        Value::Null,
        "{}",
        plan.log()
    );
    let run = machine.function("run-export-chunk").await;
    let job = machine.job(&id).await;
    assert_eq!(job.chunks, 2, "one chunk a day");
    for chunk in 0..job.chunks {
        let answer = run.invoke(&message("run-export-chunk", &job, chunk)).await;
        assert_eq!(answer, json!({"batchItemFailures": []}), "{}", run.log());
    }
    let fail = machine.function("fail-chunk").await;
    let answer = fail.invoke(&message("fail-chunk", &job, 0)).await;
    assert_eq!(
        answer,
        json!({"batchItemFailures": []}),
        "a recorded chunk is left alone: {}",
        fail.log()
    );
    let finish = machine.function("finish-export").await;
    assert_eq!(
        finish.invoke(&bus_event("finish-export", &id)).await,
        Value::Null,
        "{}",
        finish.log()
    );

    let status = machine.function("get-status").await;
    let task = task(&status, &id).await;
    assert_eq!(
        (&task["state"], &task["progress"]["rows"]),
        (&json!("Succeeded"), &json!(2)),
        "{task}"
    );
    assert_eq!(exported_names(&machine.files()).await, ["won", "lost"]);
    assert!(!machine.logs().contains("sig="), "a signature in a log");
}
