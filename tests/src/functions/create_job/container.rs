//! A container that could not be written to is found out by writing, before the 202.

use ports::container::ContainerError;
use ports::seal::Sealer;
use time::Duration;
use time::macros::datetime;

use crate::api::fakes::NOW;
use crate::api::{Request, SIGNATURE, World, answer, days};

#[tokio::test]
async fn what_storage_says_to_the_trial_is_told_apart() {
    let code = || "FromStorage".to_owned();
    for (refusal, status, expected) in [
        (
            ContainerError::Denied { code: code() },
            400,
            "ContainerAccessDenied",
        ),
        (
            ContainerError::Missing { code: code() },
            400,
            "ContainerNotFound",
        ),
        (
            ContainerError::Refused { code: code() },
            400,
            "ContainerRefusesWrites",
        ),
        (ContainerError::BlocksGone, 400, "ContainerRefusesWrites"),
        (
            ContainerError::Damaged { code: code() },
            503,
            "StorageUnavailable",
        ),
        (
            ContainerError::unavailable(code()),
            503,
            "StorageUnavailable",
        ),
    ] {
        let world = World::new().await;
        world.containers.refuse(refusal);
        let reply = world.send(&Request::create("tokens", &days())).await;
        assert_eq!(reply.error(), answer(status, expected));
        assert_eq!(reply.header("retry-after"), (status == 503).then_some("5"));
        assert!(world.store.stored().is_empty());
    }
}

#[tokio::test]
async fn a_request_that_storage_did_not_answer_may_be_sent_again() {
    let request = Request::create("tokens", &days()).header("x-ms-client-request-id", "1");
    let mut world = World::new().await;
    world
        .containers
        .refuse(ContainerError::unavailable("time-out"));
    assert_eq!(world.send(&request).await.status, 503);
    world.containers = std::sync::Arc::default();
    assert_eq!(world.send(&request).await.status, 202);
}

#[tokio::test]
async fn a_container_url_is_checked_at_the_moment_of_the_request() {
    let world = World::new().await;
    world.clock.set(datetime!(2026-12-31 00:10 UTC));
    let (code, message) = {
        let reply = world.send(&Request::create("activities", &days())).await;
        (reply.error(), reply.message())
    };
    assert_eq!(code, answer(400, "ContainerUrlExpired"));
    assert!(
        message.starts_with("containerUrl") && message.ends_with('.'),
        "{message}"
    );
    assert!(!message.contains(SIGNATURE));
}

#[tokio::test]
async fn the_container_is_tried_under_the_jobs_own_prefix_before_the_202() {
    let world = World::new().await;
    let id = world.accepted().await;
    assert_eq!(
        world.containers.staged(),
        [format!("Activity/{id}/manifest.json")]
    );
}

#[tokio::test]
async fn the_signature_is_stored_sealed_for_its_job() {
    let world = World::new().await;
    world.accepted().await;
    let [job] = world.store.stored().try_into().unwrap();
    assert_eq!(
        job.destination.as_str(),
        "https://account.blob.core.windows.net/exports"
    );
    assert_eq!(job.expires, NOW + Duration::days(90));
    let opened = world
        .sealer
        .open(job.key.id, &job.credential.as_ref().unwrap().sealed)
        .await
        .unwrap();
    assert!(opened.reveal().ends_with(SIGNATURE));
}
