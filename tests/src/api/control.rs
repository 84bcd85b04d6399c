//! What a PATCH and a DELETE of a task are answered, in every phase.

use domain::job::{Cancellation, Outcome};
use ports::store::StoreError;
use serde_json::json;
use time::Duration;

use super::fakes::NOW;
use super::{LIST, Request};
use crate::api::courses::{finishing, new_url, running, waiting, world_with};

#[tokio::test]
async fn an_unknown_task_another_apps_and_a_forgotten_one_are_not_found() {
    let (world, id) = world_with(waiting).await;
    for method in ["PATCH", "DELETE"] {
        for path in [
            format!("{}/{id}", LIST.replace("chess", "go")),
            format!("{LIST}/019395a0-0000-7000-8000-000000000000"),
            format!("{LIST}/42"),
        ] {
            assert_eq!(
                world.send(&Request::new(method, &path)).await.error(),
                (404, "TaskNotFound".to_owned())
            );
        }
    }
    world.clock.set(NOW + Duration::days(91));
    assert_eq!(
        world.send(&Request::cancel(&id)).await.error(),
        (404, "TaskNotFound".to_owned())
    );
}

#[tokio::test]
async fn a_change_takes_a_contributor_a_version_and_a_store() {
    for request in [Request::resume("x", &json!({})), Request::cancel("x")] {
        let (world, id) = world_with(waiting).await;
        let request = Request {
            path: format!("{LIST}/{id}"),
            ..request
        };
        assert_eq!(
            world.send(&request.clone().by(None)).await.error(),
            (401, "Unauthenticated".to_owned())
        );
        assert_eq!(
            world.send(&request.clone().by(Some("rita"))).await.error(),
            (403, "Forbidden".to_owned())
        );
        let versionless = world.send(&request.clone().query("")).await;
        assert_eq!(
            versionless.error(),
            (400, "UnsupportedApiVersion".to_owned())
        );
        world.store.fail_with(|| StoreError::Unavailable {
            cause: "throttled".into(),
        });
        assert_eq!(
            world.send(&request).await.error(),
            (503, "ServiceUnavailable".to_owned())
        );
    }
}

#[tokio::test]
async fn a_change_that_loses_to_another_is_decided_anew() {
    let (world, id) = world_with(running).await;
    world
        .store
        .meddle(|job| job.await_credential(NOW, String::new()).unwrap());
    let reply = world.send(&Request::resume(&id, &new_url())).await;
    assert_eq!(
        reply.json()["phase"],
        "resuming",
        "the job began to wait just before it got its signature"
    );
    let (world, id) = world_with(waiting).await;
    world
        .store
        .meddle(|job| job.cancel(Cancellation::Asked).unwrap());
    assert_eq!(
        world.send(&Request::resume(&id, &new_url())).await.error(),
        (409, "TaskEnding".to_owned())
    );
    let (world, id) = world_with(waiting).await;
    world.store.meddle(|job| job.resume().unwrap());
    assert_eq!(
        world.send(&Request::cancel(&id)).await.json()["phase"],
        "cancelling"
    );
    let (world, id) = world_with(finishing).await;
    world
        .store
        .meddle(|job| fakes::jobs::ended(job, NOW, Outcome::Succeeded));
    assert_eq!(
        world.send(&Request::cancel(&id)).await.error(),
        (409, "TaskFinished".to_owned())
    );
}

#[tokio::test]
async fn a_job_that_moves_all_the_time_is_503() {
    for request in [Request::resume("x", &new_url()), Request::cancel("x")] {
        let (world, id) = world_with(running).await;
        (0..4).for_each(|_| world.store.meddle(|job| job));
        let reply = world
            .send(&Request {
                path: format!("{LIST}/{id}"),
                ..request
            })
            .await;
        assert_eq!(reply.error(), (503, "ServiceUnavailable".to_owned()));
    }
}
