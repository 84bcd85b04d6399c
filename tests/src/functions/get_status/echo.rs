//! A task repeats what was asked for.

use domain::filter::Filter;
use domain::job::Asking;
use domain::listing::Listing;
use fakes::jobs::altered;
use ports::store::Jobs;
use serde_json::{Value, json};
use time::Duration;

use crate::api::fakes::NOW;
use crate::api::{Request, World, container_url, days, with};

/// The task of a creation, as its one answer says it.
async fn task_of(world: &World, operation: &str, body: &Value) -> Value {
    let id = world.send(&Request::create(operation, body)).await.id();
    world.send(&Request::task(&id)).await.json()
}

fn usual_options() -> Value {
    json!({
        "compression": "none", "byteOrderMark": false, "escapeFormulas": false, "exportUserId": false,
        "exportDeviceId": false,
    })
}

#[tokio::test]
async fn every_selection_is_repeated_by_the_fields_that_it_was_asked_by() {
    let push = |more: Value| {
        let mut body = json!({
            "containerUrl": container_url(), "exportFormat": "JsonBlob", "campaignType": "Poll",
        });
        body.as_object_mut()
            .unwrap()
            .extend(more.as_object().unwrap().clone());
        body
    };
    let ids = json!({"campaignIds": [3, 1]});
    let window = json!({
        "campaignWindowStart": "2026-11-01T00:00:00.000000001Z",
        "campaignWindowEnd": "2026-11-02T00:00:00.000Z",
    });
    let devices = json!({"containerUrl": container_url(), "exportFormat": "JsonBlob"});
    for (operation, body) in [
        ("events", days()),
        ("devices", devices),
        ("feedbackByCampaign", push(ids)),
        ("feedbackByDate", push(window)),
    ] {
        let task = task_of(&World::new().await, operation, &body).await;
        for (name, value) in body.as_object().unwrap() {
            match name.as_str() {
                "containerUrl" => assert_eq!(task.get(name), None),
                _ => assert_eq!(task[name], *value, "{operation}: {name}"),
            }
        }
        let container = "https://account.blob.core.windows.net/exports";
        assert_eq!(task["container"], container);
    }
}

#[tokio::test]
async fn options_are_told_as_they_were_asked_for_and_as_they_hold() {
    let world = World::new().await;
    let task = task_of(&world, "events", &days()).await;
    let options = json!({"asked": {}, "resolved": usual_options()});
    assert_eq!(task["options"], options);

    let filter = json!({"names": {"notIn": ["a", "b"]}, "session": "present"});
    let asked = json!({
        "Columns": ["name", "deviceId"], "byteOrderMark": false, "filter": filter, "maxFileBytes": 16_777_216,
        "exportUserId": null,
    });
    let body = with(
        with(days(), "exportFormat", "CsvBlob"),
        "exportOptions",
        asked,
    );
    let task = task_of(&world, "events", &body).await;
    let asked = json!({
        "columns": ["name", "deviceId"], "byteOrderMark": false, "filter": filter, "maxFileBytes": 16_777_216,
    });
    assert_eq!(task["options"]["asked"], asked);
    let mut resolved = usual_options();
    resolved
        .as_object_mut()
        .unwrap()
        .extend(asked.as_object().unwrap().clone());
    assert_eq!(task["options"]["resolved"], resolved);

    let lines = with(days(), "exportFormat", "JsonLinesBlob");
    let options = task_of(&world, "tokens", &lines).await["options"].clone();
    assert_eq!(options["asked"], json!({}));
    assert_eq!(options["resolved"]["compression"], "zstd");
    let columns = json!(["deviceId", "token", "type"]);
    assert_eq!(options["resolved"]["columns"], columns);
}

#[tokio::test]
async fn of_a_job_whose_request_nobody_kept_the_options_are_told_that_differ() {
    let world = World::new().await;
    let body = with(days(), "exportFormat", "CsvBlob");
    let options = json!({"compression": "gzip", "byteOrderMark": false});
    let id = world
        .send(&Request::create(
            "events",
            &with(body, "exportOptions", options),
        ))
        .await
        .id();
    let [job] = world.store.stored().try_into().unwrap();
    let older = altered(job, |job| {
        job.asking = Asking::default();
        job.listing = Listing {
            since: Some(NOW),
            ..Listing::default()
        };
    });
    world.store.put_job(older).await.unwrap();
    let task = world.send(&Request::task(&id)).await.json();
    assert_eq!(task["options"]["asked"], json!({"compression": "gzip"}));
    assert_eq!(task.get("askedBy"), None);
    assert_eq!(task["dateStarted"], "2026-11-21T12:00:00.000Z");
}

#[tokio::test]
async fn who_asked_is_shown_to_contributors_alone() {
    let world = World::new().await;
    let created = world.send(&Request::create("events", &days())).await;
    assert_eq!(created.json()["askedBy"], "alice");
    let task = Request::task(&created.id());
    for (request, of) in [(task, "/askedBy"), (Request::list(), "/value/0/askedBy")] {
        let seen = async |subject| {
            let reply = world.send(&request.clone().by(Some(subject))).await;
            reply.json().pointer(of).cloned()
        };
        assert_eq!(seen("alice").await, Some(json!("alice")));
        assert_eq!(seen("rita").await, None);
    }
}

#[tokio::test]
async fn a_list_repeats_the_beginning_of_a_long_filter_and_how_much_more_there_is() {
    let world = World::new().await;
    let name = |number: usize| format!("{number:04}");
    let names: Vec<_> = (0..Filter::MOST_VALUES).map(name).collect();
    let options = json!({"filter": {"names": {"in": names}}});
    let body = with(days(), "exportOptions", options);
    let created = world.send(&Request::create("events", &body)).await;
    let whole = json!({"names": {"in": names}});
    let first = json!({"names": {"in": names[..10]}, "more": 990});
    let task = world.send(&Request::task(&created.id())).await.json();
    let listed = world.send(&Request::list()).await.json()["value"][0].clone();
    for (task, filter) in [(created.json(), &first), (task, &whole), (listed, &first)] {
        for of in ["asked", "resolved"] {
            assert_eq!(task["options"][of]["filter"], *filter);
        }
    }
}

#[tokio::test]
async fn the_moments_of_a_filter_are_repeated_to_their_last_digit() {
    let moments =
        json!({"from": "2026-11-01T00:00:00.000000001Z", "to": "2026-11-01T00:00:00.500Z"});
    let body = with(days(), "exportOptions", json!({"filter": moments}));
    let task = task_of(&World::new().await, "events", &body).await;
    assert_eq!(task["options"]["asked"]["filter"], moments);
}

#[tokio::test]
async fn a_task_tells_its_history_and_a_list_since_when_it_is_as_it_is() {
    let world = World::new().await;
    let id = world.accepted().await;
    world.clock.set(NOW + Duration::minutes(5));
    world.send(&Request::cancel(&id)).await;
    let task = world.send(&Request::task(&id)).await.json();
    let expected = json!([
        {"phase": "queued", "since": "2026-11-21T12:00:00.000Z"},
        {"phase": "cancelling", "since": "2026-11-21T12:05:00.000Z"},
    ]);
    assert_eq!(task["history"], expected);
    assert_eq!(task["phaseSince"], "2026-11-21T12:05:00.000Z");
    let listed = world.send(&Request::list()).await.json()["value"][0].clone();
    assert_eq!(listed["phaseSince"], task["phaseSince"]);
    assert_eq!(listed.get("history"), None);

    let [job] = world.store.stored().try_into().unwrap();
    let known = job.phase.known_history();
    let older = altered(job, |job| job.history = known);
    world.store.put_job(older).await.unwrap();
    let task = world.send(&Request::task(&id)).await.json();
    assert_eq!(task["history"], json!([{"phase": "cancelling"}]));
    assert_eq!(task.get("phaseSince"), None);
}
