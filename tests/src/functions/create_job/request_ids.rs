//! A request that is sent again under its own id makes no second job.

use time::Duration;

use crate::api::fakes::NOW;
use crate::api::{Reply, Request, SIGNATURE, World, answer, code_of, container_url, days, with};

#[tokio::test]
async fn a_request_id_must_be_usable_as_a_key() {
    let long = "x".repeat(257);
    for (name, id) in [
        ("idempotency-key", long.as_str()),
        ("x-ms-client-request-id", &long),
        ("idempotency-key", "schlüssel"),
    ] {
        let request = Request::create("activities", &days()).header(name, id);
        assert_eq!(
            code_of(&request).await,
            answer(400, "InvalidRequestId"),
            "{name}"
        );
    }
    for name in ["idempotency-key", "x-ms-client-request-id"] {
        let request =
            Request::create("activities", &days()).header(name, &format!("1 {}", container_url()));
        let reply = World::new().await.send(&request).await;
        assert_eq!(
            reply.error(),
            answer(400, "InvalidRequestId"),
            "a signature is neither stored nor echoed"
        );
        assert!(!format!("{reply:?}").contains(SIGNATURE));
    }
    let request =
        Request::create("activities", &days()).header("idempotency-key", &"x".repeat(256));
    assert_eq!(World::new().await.send(&request).await.status, 202);
}

#[tokio::test]
async fn an_idempotency_key_that_is_used_for_something_else_is_a_conflict() {
    let world = World::new().await;
    let first = Request::create("activities", &days()).header("idempotency-key", "1");
    world.send(&first).await;
    for other in [
        Request::create("events", &days()),
        Request::create("activities", &with(days(), "endDate", "2026-11-19")),
    ] {
        let reply = world.send(&other.header("idempotency-key", "1")).await;
        assert_eq!(reply.error(), answer(409, "RequestIdReused"));
    }
    assert_eq!(world.store.stored().len(), 1);
}

#[tokio::test]
async fn a_repeat_with_the_same_request_id_is_answered_with_the_first_task() {
    let world = World::new().await;
    for header in ["x-ms-client-request-id", "idempotency-key"] {
        let request = Request::create("activities", &days()).header(header, header);
        let (first, second) = (world.send(&request).await, world.send(&request).await);
        assert_eq!((first.status, second.status), (202, 202));
        assert_eq!(first.text, second.text);
        assert_eq!(first.header("location"), second.header("location"));
    }
    assert_eq!(world.store.stored().len(), 2);
    assert_eq!(
        world.containers.staged().len(),
        2,
        "a repeat does not try the container again"
    );
}

#[tokio::test]
async fn a_repeat_is_answered_although_its_signature_has_expired_meanwhile() {
    let world = World::new().await;
    let request = Request::create("activities", &days()).header("x-ms-client-request-id", "1");
    let first = world.send(&request).await;
    let denied = ports::container::ContainerError::Denied {
        code: "AuthenticationFailed".to_owned(),
    };
    world.containers.refuse(denied);
    assert_eq!(world.send(&request).await.text, first.text);
}

#[tokio::test]
async fn of_two_runs_of_one_request_at_the_same_time_one_makes_the_job() {
    let world = World::new().await;
    for header in ["x-ms-client-request-id", "idempotency-key"] {
        let request = Request::create("activities", &days()).header(header, "1");
        let (first, second) = tokio::join!(world.send(&request), world.send(&request));
        assert_eq!((second.status, &second.text), (202, &first.text));
    }
    let [one, other] = ["activities", "events"]
        .map(|operation| Request::create(operation, &days()).header("idempotency-key", "2"));
    let mut replies = <[Reply; 2]>::from(tokio::join!(world.send(&one), world.send(&other)));
    replies.sort_by_key(|reply| reply.status);
    let [new, refused] = replies;
    assert_eq!(new.status, 202);
    assert_eq!(refused.error(), answer(409, "RequestIdReused"));
    let tried = world.containers.staged().len();
    assert_eq!(tried, 6, "none of them knew of another");
    assert_eq!(world.store.stored().len(), 3);
}

#[tokio::test]
async fn another_body_or_operation_under_the_same_client_request_id_is_another_creation() {
    let world = World::new().await;
    let requests = [
        Request::create("activities", &days()),
        Request::create("events", &days()),
        Request::create("activities", &with(days(), "endDate", "2026-11-19")),
    ]
    .map(|request| request.header("x-ms-client-request-id", "for life"));
    let mut first = Vec::new();
    for request in &requests {
        first.push(world.send(request).await.id());
    }
    assert_eq!(world.store.stored().len(), 3);
    for (request, id) in requests.iter().zip(&first) {
        assert_eq!(&world.send(request).await.id(), id, "each is remembered");
    }
}

#[tokio::test]
async fn a_client_request_id_and_an_idempotency_key_never_collide() {
    let world = World::new().await;
    let request = |header: &str| Request::create("activities", &days()).header(header, "1");
    let (key, id) = (
        request("idempotency-key"),
        request("x-ms-client-request-id"),
    );
    let (by_key, by_id) = (world.send(&key).await.id(), world.send(&id).await.id());
    assert_ne!(by_key, by_id);
    assert_eq!(
        (world.send(&key).await.id(), world.send(&id).await.id()),
        (by_key, by_id)
    );
}

#[tokio::test]
async fn the_idempotency_key_goes_before_the_clients_request_id() {
    let world = World::new().await;
    let request = |key: &str, id: &str| {
        Request::create("activities", &days())
            .header("idempotency-key", key)
            .header("x-ms-client-request-id", id)
    };
    let first = world.send(&request("k", "1")).await;
    assert_eq!(world.send(&request("k", "2")).await.id(), first.id());
    assert_ne!(world.send(&request("l", "1")).await.id(), first.id());
}

#[tokio::test]
async fn a_client_request_id_counts_for_ten_minutes_a_key_for_a_day_and_both_for_one_app() {
    for (header, remembered) in [
        ("x-ms-client-request-id", Duration::minutes(10)),
        ("idempotency-key", Duration::DAY),
    ] {
        let world = World::new().await;
        let request = Request::create("activities", &days()).header(header, "1");
        let first = world.send(&request).await.id();
        let other_app = Request {
            path: request.path.replace("chess", "go"),
            ..request.clone()
        };
        assert_ne!(world.send(&other_app).await.id(), first);
        world.clock.set(NOW + remembered - Duration::SECOND);
        assert_eq!(world.send(&request).await.id(), first, "{header}");
        world.clock.set(NOW + remembered);
        let second = world.send(&request).await.id();
        assert_ne!(second, first, "{header}");
        assert_eq!(
            world.send(&request).await.id(),
            second,
            "what has expired is replaced"
        );
    }
}

#[tokio::test]
async fn requests_without_an_id_make_a_job_each() {
    let world = World::new().await;
    assert_ne!(world.accepted().await, world.accepted().await);
}
