//! One test per refusal, and the page that documents them.

use domain::app::AppScope;
use ports::seal::SealError;
use ports::store::StoreError;
use serde_json::json;

use super::{LIST, Request, World, days};
use crate::api::{answer, code_of};

#[tokio::test]
async fn an_unknown_path_is_404_for_every_method() {
    for path in [
        "/",
        "/subscriptions/s1",
        &format!("{LIST}/a/b"),
        &LIST.replace("apps", "application"),
    ] {
        for method in ["GET", "POST", "PUT", "PATCH", "DELETE", "HEAD"] {
            let reply = World::new().await.send(&Request::new(method, path)).await;
            assert_eq!(reply.status, 404, "{method} {path}");
            assert!(
                method == "HEAD" || reply.error() == answer(404, "UnknownPath"),
                "{method} {path}"
            );
        }
    }
    let operation = Request::create("everything", &days());
    assert_eq!(code_of(&operation).await, answer(404, "UnknownPath"));
}

#[tokio::test]
async fn a_known_path_names_its_methods() {
    let task = format!("{LIST}/019395a0-0000-7000-8000-000000000000");
    for (method, path, allow) in [
        ("POST", LIST, "GET, HEAD"),
        ("DELETE", LIST, "GET, HEAD"),
        ("PATCH", LIST, "GET, HEAD"),
        ("POST", &task, "GET, HEAD, PATCH, DELETE"),
        ("PUT", &task, "GET, HEAD, PATCH, DELETE"),
        ("PATCH", &format!("{LIST}/activities"), "POST"),
        ("DELETE", &format!("{LIST}/activities"), "POST"),
        ("GET", &format!("{LIST}/activities"), "POST"),
        ("PUT", &format!("{LIST}/feedbackbydate"), "POST"),
        ("POST", "/openapi.json", "GET"),
        ("DELETE", "/openapi.json", "GET"),
        ("TRACE", "/openapi.json", "GET"),
        // Asked without a token, where no page of another origin is let in.
        ("OPTIONS", LIST, "GET, HEAD"),
    ] {
        let request = Request::new(method, path);
        let subject = request.subject.clone().filter(|_| method != "OPTIONS");
        let reply = World::new()
            .await
            .send(&request.by(subject.as_deref()))
            .await;
        assert_eq!(
            reply.error(),
            answer(405, "MethodNotAllowed"),
            "{method} {path}"
        );
        assert_eq!(reply.header("allow"), Some(allow));
    }
}

#[tokio::test]
async fn another_api_version_is_refused_naming_the_supported_one() {
    for query in ["", "api-version=2015-01-01", "api-version="] {
        for request in [Request::list(), Request::create("tags", &days())] {
            let reply = World::new().await.send(&request.query(query)).await;
            assert_eq!(
                reply.error(),
                answer(400, "UnsupportedApiVersion"),
                "{query}"
            );
            assert!(reply.message().contains("2014-12-01"));
        }
    }
}

#[tokio::test]
async fn nobody_is_refused_everywhere() {
    for request in [
        Request::list(),
        Request::task("x"),
        Request::create("activities", &days()),
    ] {
        for subject in [None, Some("")] {
            let reply = World::new().await.send(&request.clone().by(subject)).await;
            assert_eq!(reply.error(), answer(401, "Unauthenticated"));
            assert_eq!(reply.header("www-authenticate"), Some("Bearer"));
        }
    }
}

#[tokio::test]
async fn a_caller_without_the_role_is_told_scope_and_role() {
    let outside = LIST.replace("s1", "s10");
    for (request, subject, needed) in [
        (
            Request::create("activities", &days()),
            "rita",
            "Contributor",
        ),
        (Request::list(), "mallory", "Reader"),
        (Request::new("GET", &outside), "rita", "Reader"),
    ] {
        let reply = World::new().await.send(&request.by(Some(subject))).await;
        assert_eq!(reply.error(), answer(403, "Forbidden"));
        assert!(
            reply.message().contains(needed) && reply.message().contains("/apps/chess"),
            "{reply:?}"
        );
    }
}

#[tokio::test]
async fn a_task_that_is_none_or_another_apps_is_not_found() {
    let world = World::new().await;
    let id = world.accepted().await;
    let elsewhere = Request::new("GET", &format!("{}/{id}", LIST.replace("chess", "go")));
    for request in [
        elsewhere,
        Request::task("019395a0-0000-7000-8000-000000000000"),
        Request::task("42"),
    ] {
        assert_eq!(
            world.send(&request).await.error(),
            answer(404, "TaskNotFound")
        );
    }
}

/// Requests of every method of an app.
fn of_app(app: &str) -> [Request; 6] {
    let requests = [
        Request::create("activities", &days()),
        Request::list(),
        Request::task("019395a0-0000-7000-8000-000000000000"),
        Request::resume("019395a0-0000-7000-8000-000000000000", &json!({})),
        Request::cancel("019395a0-0000-7000-8000-000000000000"),
        Request::new("HEAD", LIST),
    ];
    requests.map(|request| Request {
        path: request.path.replace("chess", app),
        ..request
    })
}

#[tokio::test]
async fn an_app_path_that_cannot_be_stored_is_refused_on_every_method_before_authorization() {
    let rest = AppScope::from_segments(LIST.split('/').skip(1).take(9))
        .as_str()
        .len()
        + 1;
    for request in of_app(&"ü".repeat((700 - rest) / 6 + 1)) {
        let request = Request {
            method: request.method.clone(),
            ..request
        }
        .by(None);
        let reply = World::new().await.send(&request).await;
        assert_eq!(reply.status, 400, "{request:?}");
        if request.method != "HEAD" {
            assert_eq!(reply.error(), answer(400, "AppPathTooLong"));
            assert!(
                reply
                    .message()
                    .contains("at most 700 fit: send shorter names"),
                "{reply:?}"
            );
        }
    }
    for request in of_app(&"x".repeat(700 - rest)) {
        assert!(
            [200, 202, 404].contains(&World::new().await.send(&request).await.status),
            "{request:?}"
        );
    }
}

#[tokio::test]
async fn a_subject_that_no_grant_takes_is_refused() {
    for request in of_app("chess") {
        let reply = World::new()
            .await
            .send(&request.clone().by(Some(&"ü".repeat(129))))
            .await;
        assert_eq!(reply.status, 403, "{request:?}");
        if request.method != "HEAD" {
            assert_eq!(reply.error(), answer(403, "SubjectTooLong"));
        }
    }
    let longest = Request::list().by(Some(&"x".repeat(256)));
    assert_eq!(code_of(&longest).await, answer(403, "Forbidden"));
}

#[tokio::test]
async fn a_part_that_does_not_answer_is_503_with_retry_after() {
    let failures: [fn() -> StoreError; 2] = [
        || StoreError::Unavailable {
            cause: "throttled".into(),
        },
        || StoreError::Conflict {
            item: "job".to_owned(),
        },
    ];
    for failure in failures {
        for request in [
            Request::create("tags", &days()),
            Request::list(),
            Request::task("x"),
        ] {
            let world = World::new().await;
            world.store.fail_with(failure);
            let reply = world.send(&request).await;
            assert_eq!(reply.error(), answer(503, "ServiceUnavailable"));
            assert_eq!(reply.header("retry-after"), Some("5"));
        }
    }
    let world = World::new().await;
    world.sealer.fail_with(|| SealError::Unavailable {
        cause: "throttled".into(),
    });
    assert_eq!(
        world.send(&Request::create("tags", &days())).await.error(),
        answer(503, "ServiceUnavailable")
    );
}

#[tokio::test]
async fn a_defect_shows_the_request_id_and_nothing_else() {
    let world = World::new().await;
    world.store.fail_with(|| StoreError::Corrupt {
        item: "JOB#secret-key".to_owned(),
        cause: "inner".into(),
    });
    let reply = world.send(&Request::list()).await;
    assert_eq!(reply.error(), answer(500, "InternalError"));
    assert!(reply.message().contains("JKJaXmPLvHcESHA="));
    assert!(!reply.text.contains("secret-key") && !reply.text.contains("inner"));
    let world = World::new().await;
    world.sealer.fail_with(|| SealError::Unreadable);
    assert_eq!(
        world.send(&Request::create("tags", &days())).await.error(),
        answer(500, "InternalError")
    );
}
