//! Entity tags, and when to ask again.

use domain::tally::TallyChange;
use ports::store::Jobs;
use serde_json::json;
use time::Duration;
use time::macros::datetime;

use super::{count, planned};
use crate::api::fakes::NOW;
use crate::api::{Request, World};

async fn tag(world: &World, request: &Request) -> String {
    let reply = world.send(request).await;
    assert_eq!(reply.status, 200);
    let tag = reply.header("etag").unwrap().to_owned();
    assert!(tag.starts_with("W/\"") && tag.ends_with('"'), "{tag}");
    tag
}

/// Whether the caller who knows this tag is told that nothing is new.
async fn is_known(world: &World, request: &Request, tag: &str) -> bool {
    let reply = world
        .send(&request.clone().header("if-none-match", tag))
        .await;
    if reply.status == 200 {
        assert!(!reply.text.is_empty() || request.method == "HEAD");
        return false;
    }
    assert_eq!((reply.status, reply.text.as_str()), (304, ""));
    assert!(reply.header("etag").is_some());
    true
}

#[tokio::test]
async fn a_caller_who_knows_a_task_or_list_is_told_so_until_it_changes() {
    let world = World::new().await;
    let job = planned(&world, 8).await;
    let task = Request::task(&job.key.id.to_string());
    let head = Request {
        method: "HEAD".to_owned(),
        ..task.clone()
    };
    let progress = Request::list().query("api-version=2014-12-01&$top=1&progress=true");
    let all = [task, head, Request::list(), progress];
    let mut tags = Vec::new();
    for request in &all {
        tags.push(tag(&world, request).await);
    }
    world.clock.set(NOW + Duration::HOUR);
    for (request, tag) in all.iter().zip(&tags) {
        for given in [
            tag.clone(),
            tag[2..].to_owned(),
            format!("\"x\", {tag}"),
            "*".to_owned(),
        ] {
            assert!(is_known(&world, request, &given).await, "{given}");
        }
        assert!(!is_known(&world, request, "W/\"x\"").await);
    }

    let tally = TallyChange {
        planned: 8,
        open: 8,
        ..TallyChange::default()
    };
    count(&world, &job, tally).await;
    let [task, head, list, progress] = &all;
    assert!(
        is_known(&world, list, &tags[2]).await,
        "it says nothing of tallies"
    );
    for (request, tag) in [(task, &tags[0]), (head, &tags[1]), (progress, &tags[3])] {
        assert!(!is_known(&world, request, tag).await);
    }

    let before = tag(&world, task).await;
    world
        .store
        .put_job(job.begin_finishing().unwrap())
        .await
        .unwrap();
    assert!(!is_known(&world, task, &before).await);
    assert!(!is_known(&world, list, &tags[2]).await);
}

#[tokio::test]
async fn a_write_that_shows_in_no_field_changes_the_tag_too() {
    let world = World::new().await;
    let job = planned(&world, 8).await;
    let task = Request::task(&job.key.id.to_string());
    for request in [task, Request::list()] {
        let before = tag(&world, &request).await;
        let [job] = world.store.stored().try_into().unwrap();
        world.store.put_job(job).await.unwrap();
        assert!(!is_known(&world, &request, &before).await);
    }
}

#[tokio::test]
async fn a_caller_of_another_role_has_another_tag() {
    let world = World::new().await;
    let id = world.accepted().await;
    for request in [Request::task(&id), Request::list()] {
        let contributors = tag(&world, &request).await;
        let readers = request.by(Some("rita"));
        assert!(!is_known(&world, &readers, &contributors).await);
    }
}

#[tokio::test]
async fn a_warning_that_comes_with_the_clock_changes_the_tag() {
    let world = World::new().await;
    let id = world.accepted().await;
    let task = Request::task(&id);
    let before = tag(&world, &task).await;
    world.clock.set(datetime!(2026-12-30 23:50 UTC));
    assert!(!is_known(&world, &task, &before).await);
    let body = world.send(&task).await.json();
    assert_eq!(body["warnings"][0]["code"], "SignatureExpires");
}

#[tokio::test]
async fn a_task_is_asked_for_the_less_often_the_longer_it_takes() {
    let world = World::new().await;
    let job = planned(&world, 8).await;
    let task = Request::task(&job.key.id.to_string());
    let asked_again = async |after: Duration| {
        world.clock.set(NOW + after);
        let reply = world.send(&task).await;
        reply.header("retry-after").map(str::to_owned)
    };
    for (after, seconds) in [
        (Duration::ZERO, "5"),
        (Duration::minutes(5), "30"),
        (Duration::hours(7), "60"),
    ] {
        assert_eq!(asked_again(after).await.as_deref(), Some(seconds));
    }
    let waiting = job.await_credential(NOW, String::new()).unwrap();
    world.store.put_job(waiting).await.unwrap();
    let resumed = Request::resume(&job_id(&task), &json!({}));
    assert_eq!(world.send(&resumed).await.header("retry-after"), Some("5"));
    let later = Duration::hours(7) + Duration::seconds(70);
    assert_eq!(asked_again(later).await.as_deref(), Some("7"));
}

fn job_id(task: &Request) -> String {
    task.path.rsplit('/').next().unwrap().to_owned()
}
