//! What a task and a list say.

mod echo;
mod known;
mod parts;
mod progress;
mod wanted;

use domain::chunk::{Chunk, ChunkKey, ChunkMove, ChunkSource};
use domain::counts::Counts;
use domain::job::{Cancellation, Job, Outcome, Plan};
use domain::tally::TallyChange;
use fakes::jobs::altered;
use ports::store::{Chunks, Jobs};
use serde_json::{Value, json};
use time::macros::datetime;
use time::{Duration, OffsetDateTime};

use crate::api::fakes::NOW;
use crate::api::{LIST, Request, World, answer, days};

async fn ended(world: &World, job: Job, outcome: Outcome) {
    let ended = fakes::jobs::ended(job, NOW + Duration::HOUR, outcome);
    world.store.put_job(ended).await.unwrap();
}

async fn planned(world: &World, chunks: u32) -> Job {
    world.accepted().await;
    let [job] = world.store.stored().try_into().unwrap();
    let job = job
        .begin_planning()
        .unwrap()
        .complete_plan(chunks, NOW)
        .unwrap();
    world.store.put_job(job).await.unwrap()
}

/// Counts so much for a running job.
async fn count(world: &World, job: &Job, tally: TallyChange) {
    let key = ChunkKey {
        job: job.key.clone(),
        shard: 0,
        number: 0,
    };
    let source = ChunkSource::Partitions(Vec::new());
    let chunk = Chunk::planned(key, source, job.expires);
    let step = ChunkMove { chunk, tally };
    world.store.apply(step).await.unwrap();
}

#[tokio::test]
async fn a_fresh_task_has_no_total_yet() {
    let world = World::new().await;
    let id = world.accepted().await;
    let reply = world.send(&Request::task(&id)).await;
    let since = "2026-11-21T12:00:00.000Z";
    let resolved = json!({
        "compression": "none", "byteOrderMark": false, "escapeFormulas": false, "exportUserId": false,
        "exportDeviceId": false,
    });
    let expected = json!({
        "id": id, "state": "Queued", "dateCreated": since, "exportType": "Activity", "status": "InProgress",
        "phase": "queued", "phaseSince": since, "history": [{"phase": "queued", "since": since}],
        "exportFormat": "JsonBlob", "startDate": "2026-11-01", "endDate": "2026-11-20",
        "options": {"asked": {}, "resolved": resolved},
        "container": "https://account.blob.core.windows.net/exports", "askedBy": "alice",
        "credentialExpires": "2026-12-31T00:00:00.000Z", "progress": {
            "asOf": since, "chunksDone": 0, "chunksFailed": 0, "recordsRead": 0, "rows": 0, "bytes": 0, "recordsRejected": 0, "recordsRejectedInPart": 0,
            "recordsFiltered": 0, "recordsExcluded": 0, "rowsRepaired": 0, "rowsTruncated": 0, "filesOversized": 0, "percent": 0,
        },
    });
    assert_eq!((reply.status, reply.json()), (200, expected));
}

#[tokio::test]
async fn a_running_task_tells_its_progress() {
    let world = World::new().await;
    let job = planned(&world, 8).await;
    let tally = TallyChange {
        planned: 8,
        open: 5,
        recorded: 3,
        counts: Counts {
            read: 79,
            rows: 70,
            bytes: 900,
            rejected: 3,
            rejected_in_part: 1,
            filtered: 1,
            excluded: 5,
            repaired: 2,
            truncated: 1,
            oversized: 0,
        },
        ..TallyChange::default()
    };
    count(&world, &job, tally).await;
    let task = world
        .send(&Request::task(&job.key.id.to_string()))
        .await
        .json();
    assert_eq!(
        (&task["state"], &task["phase"]),
        (&json!("Started"), &json!("running"))
    );
    assert_eq!(
        task["progress"],
        json!({
            "asOf": "2026-11-21T12:00:00.000Z", "estimatedCompletion": "2026-11-21T12:00:00.000Z",
            "chunksTotal": 8, "chunksDone": 3, "chunksFailed": 0, "recordsRead": 79, "rows": 70, "bytes": 900, "recordsRejected": 3,
            "recordsRejectedInPart": 1, "recordsFiltered": 1, "recordsExcluded": 5, "rowsRepaired": 2, "rowsTruncated": 1, "filesOversized": 0, "percent": 37,
        })
    );
    assert_eq!(task.get("manifestUrl"), None);
}

/// The warning of a running job of eight chunks, three of them recorded, at a moment.
async fn warning_at(now: OffsetDateTime, change: fn(Job) -> Job) -> Option<String> {
    let world = World::new().await;
    let job = change(planned(&world, 8).await);
    let id = job.key.id;
    let tally = TallyChange {
        planned: 8,
        open: 5,
        recorded: 3,
        ..TallyChange::default()
    };
    world.clock.set(now);
    count(&world, &job, tally).await;
    world.store.put_job(job).await.unwrap();
    let task = world.send(&Request::task(&id.to_string())).await.json();
    let warnings = task
        .get("warnings")
        .map(|warnings| warnings.as_array().unwrap().clone())
        .unwrap_or_default();
    assert!(
        warnings.len() <= 1
            && warnings
                .iter()
                .all(|warning| warning["code"] == "SignatureExpires"),
        "{warnings:?}"
    );
    warnings
        .first()
        .map(|warning| warning["message"].as_str().unwrap().to_owned())
}

#[tokio::test]
async fn a_task_warns_when_it_is_expected_to_end_after_its_signature() {
    let same: fn(Job) -> Job = |job| job;
    let no_expiry: fn(Job) -> Job = |job| {
        altered(job, |job| {
            if let Some(credential) = &mut job.credential {
                credential.expires = None;
            }
        })
    };
    let waiting: fn(Job) -> Job = |job| job.await_credential(NOW, String::new()).unwrap();
    let cancelling: fn(Job) -> Job = |job| job.cancel(Cancellation::Asked).unwrap();
    let unplanned: fn(Job) -> Job =
        |job| altered(job, |job| job.plan = Plan::Open { cursor: None });
    let expires = datetime!(2026-12-31 00:00 UTC);
    let early = NOW + Duration::days(14);
    assert_eq!(
        warning_at(early, same).await,
        None,
        "it is expected to end on December 28th"
    );
    let late = NOW + Duration::days(15);
    let warned = warning_at(late, same).await.unwrap();
    assert!(
        warned.contains("expires at 2026-12-31T00:00:00.000Z"),
        "{warned}"
    );
    assert!(
        warned.contains("expected to end at about 2026-12-31T12:00:00.000Z"),
        "{warned}"
    );
    assert!(
        warned.contains("send PATCH to this task with a new `containerUrl`"),
        "{warned}"
    );
    for change in [no_expiry, waiting, cancelling, unplanned] {
        assert_eq!(warning_at(late, change).await, None);
    }
    assert!(
        warning_at(expires - Duration::minutes(15), unplanned)
            .await
            .unwrap()
            .contains("expires soon")
    );
    assert_eq!(
        warning_at(expires - Duration::minutes(16), unplanned).await,
        None
    );
    assert!(
        warning_at(expires, unplanned)
            .await
            .unwrap()
            .contains("has expired at 2026-12-31T00:00:00.000Z")
    );
    assert_eq!(warning_at(expires, waiting).await, None);
}

#[tokio::test]
async fn a_task_that_was_resumed_names_no_manifest_until_it_ends_again() {
    let world = World::new().await;
    let job = planned(&world, 1).await;
    let request = Request::task(&job.key.id.to_string());
    ended(
        &world,
        job,
        Outcome::Failed {
            details: "x".to_owned(),
        },
    )
    .await;
    let task = world.send(&request).await.json();
    assert!(
        task["manifestUrl"].is_string() && task.get("credentialExpires").is_none(),
        "{task}"
    );
    let [job] = world.store.stored().try_into().unwrap();
    world.store.put_job(job.resume().unwrap()).await.unwrap();
    let task = world.send(&request).await.json();
    assert!(
        task.get("manifestUrl").is_none() && task["credentialExpires"].is_string(),
        "{task}"
    );
}

#[tokio::test]
async fn a_task_whose_manifest_could_not_be_written_names_none() {
    let world = World::new().await;
    let job = planned(&world, 1).await.begin_finishing().unwrap();
    let job = world
        .store
        .put_job(job.end_without_manifest(NOW, "storage said no").unwrap())
        .await
        .unwrap();
    let task = world
        .send(&Request::task(&job.key.id.to_string()))
        .await
        .json();
    assert_eq!(
        task["errorDetails"],
        "The manifest could not be written: storage said no."
    );
    assert_eq!(
        (&task["state"], task.get("manifestUrl")),
        (&json!("Failed"), None)
    );
}

#[tokio::test]
async fn a_task_that_succeeded_names_its_manifest() {
    let world = World::new().await;
    let job = planned(&world, 0).await;
    let id = job.key.id.to_string();
    ended(&world, job, Outcome::Succeeded).await;
    let task = world.send(&Request::task(&id)).await.json();
    assert_eq!(
        (&task["state"], &task["phase"]),
        (&json!("Succeeded"), &json!("succeeded"))
    );
    assert_eq!(task["status"], "Succeeded");
    assert_eq!(task["dateCompleted"], "2026-11-21T13:00:00.000Z");
    assert_eq!(task["progress"]["percent"], 100);
    let manifest =
        format!("https://account.blob.core.windows.net/exports/Activity/{id}/manifest.json");
    assert_eq!(task["manifestUrl"], manifest);
    assert_eq!(task.get("errorDetails"), None);
}

#[tokio::test]
async fn a_task_with_a_hopeless_chunk_has_failed_and_says_why() {
    let world = World::new().await;
    let job = planned(&world, 1).await;
    let id = job.key.id.to_string();
    ended(
        &world,
        job,
        Outcome::Incomplete {
            details: "chunk 0: line 3 is not JSON".to_owned(),
        },
    )
    .await;
    let task = world.send(&Request::task(&id)).await.json();
    assert_eq!(
        (&task["state"], &task["phase"]),
        (&json!("Failed"), &json!("incomplete"))
    );
    assert_eq!(task["status"], "Failed");
    assert_eq!(task["errorDetails"], "chunk 0: line 3 is not JSON");
}

#[tokio::test]
async fn a_task_says_when_to_ask_again_until_it_has_ended() {
    let world = World::new().await;
    let job = planned(&world, 1).await;
    let request = Request::task(&job.key.id.to_string());
    let running = world.send(&request).await;
    assert_eq!(
        (running.header("retry-after"), &running.json()["status"]),
        (Some("5"), &json!("InProgress"))
    );
    let waiting = world
        .store
        .put_job(job.await_credential(NOW, "it expired".to_owned()).unwrap())
        .await
        .unwrap();
    assert_eq!(world.send(&request).await.header("retry-after"), Some("5"));
    let job = world
        .store
        .put_job(waiting.resume().unwrap())
        .await
        .unwrap();
    ended(
        &world,
        job.begin_planning().unwrap().resume_running().unwrap(),
        Outcome::Failed {
            details: "x".to_owned(),
        },
    )
    .await;
    let over = world.send(&request).await;
    assert_eq!(
        (over.header("retry-after"), &over.json()["status"]),
        (None, &json!("Failed"))
    );
    assert_eq!(
        world.send(&Request::list()).await.header("retry-after"),
        None
    );
}

#[tokio::test]
async fn head_answers_as_get_without_a_body() {
    let world = World::new().await;
    let id = world.accepted().await;
    let unknown = Request::task("x");
    for request in [
        Request::task(&id),
        Request::list(),
        unknown,
        Request::list().by(None),
        Request::list().query(""),
    ] {
        let get = world.send(&request).await;
        let mut head = world
            .send(&Request {
                method: "HEAD".to_owned(),
                ..request
            })
            .await;
        // How long the body would be.
        assert_eq!(
            head.header("content-length"),
            Some(&*get.text.len().to_string())
        );
        head.headers.retain(|(name, _)| name != "content-length");
        assert_eq!(
            (head.status, &head.headers, head.text.as_str()),
            (get.status, &get.headers, "")
        );
    }
}

#[tokio::test]
async fn a_reader_sees_tasks_and_lists() {
    let world = World::new().await;
    let id = world.accepted().await;
    for request in [Request::task(&id), Request::list()] {
        assert_eq!(world.send(&request.by(Some("rita"))).await.status, 200);
    }
}

fn ids(list: &Value) -> Vec<String> {
    list["value"]
        .as_array()
        .unwrap()
        .iter()
        .map(|task| task["id"].as_str().unwrap().to_owned())
        .collect()
}

#[tokio::test]
async fn an_empty_list_is_one_page() {
    assert_eq!(
        World::new().await.send(&Request::list()).await.json(),
        json!({"value": []})
    );
}

#[tokio::test]
async fn following_the_links_visits_every_task_once_in_order() {
    let world = World::new().await;
    let mut created = Vec::new();
    for _ in 0..45 {
        created.push(world.accepted().await);
    }
    for (query, per_page, descending) in [
        ("", 20, false),
        ("&$top=40", 40, false),
        ("&%24top=7&$orderby=taskId%20desc", 7, true),
    ] {
        let mut request = Request::list().query(&format!("api-version=2014-12-01{query}"));
        let mut seen = Vec::new();
        loop {
            let list = world.send(&request).await.json();
            let page = ids(&list);
            assert!(page.len() <= per_page);
            seen.extend(page);
            let Some(link) = list.get("nextLink") else {
                break;
            };
            assert!(seen.len() < created.len(), "the last page has a link");
            request = Request::follow(link.as_str().unwrap());
        }
        if descending {
            seen.reverse();
        }
        assert_eq!(seen, created, "{query}");
    }
}

#[tokio::test]
async fn a_list_holds_its_own_apps_tasks_without_progress() {
    let world = World::new().await;
    let id = world.accepted().await;
    let elsewhere = Request::create("activities", &days());
    world
        .send(&Request {
            path: elsewhere.path.replace("chess", "go"),
            ..elsewhere
        })
        .await;
    let list = world.send(&Request::list()).await.json();
    assert_eq!(ids(&list), [id]);
    assert_eq!(list["value"][0].get("progress"), None);
    assert!(LIST.contains("/apps/chess/"));
}

#[tokio::test]
async fn a_page_that_cannot_be_is_refused_naming_the_option() {
    for (option, name) in [
        ("%24top=41", "$top"),
        ("$top=x", "$top"),
        ("$skip=-1", "$skip"),
        ("$orderby=size", "$orderby"),
        ("$filter=a", "$filter"),
    ] {
        let query = format!("api-version=2014-12-01&{option}");
        let reply = World::new()
            .await
            .send(&Request::list().query(&query))
            .await;
        assert_eq!(reply.error(), answer(400, "InvalidQuery"), "{option}");
        assert!(reply.message().contains(name));
    }
}
