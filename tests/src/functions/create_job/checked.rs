//! A creation that is only checked.

use ports::container::ContainerError;
use serde_json::{Value, json};

use crate::api::{Request, SIGNATURE, World, answer, container_url, days, with, without};

fn check(operation: &str, body: &Value) -> Request {
    Request::create(&format!("{operation}/check"), body)
}

#[tokio::test]
async fn a_check_says_what_was_found_and_makes_nothing() {
    let world = World::new().await;
    let options = json!({"compression": "gzip", "colour": "red"});
    let body = with(days(), "exportOptions", options);
    let request = check("events", &body).header("idempotency-key", "1");
    let reply = world.send(&request).await;
    let found = reply.json();
    assert_eq!(reply.status, 200, "{found}");
    let container = json!({
        "url": "https://account.blob.core.windows.net/exports", "permissions": "w",
        "expires": "2026-12-31T00:00:00.000Z",
    });
    assert_eq!(
        (&found["container"], &found["exportType"]),
        (&container, &json!("Event"))
    );
    assert_eq!(found["options"]["asked"], json!({"compression": "gzip"}));
    assert_eq!(found["options"]["resolved"]["compression"], "gzip");
    assert_eq!(found["warnings"][0]["code"], "UnknownProperties");
    assert!(!reply.text.contains(SIGNATURE));
    assert_eq!(reply.header("location"), None);
    assert_eq!(world.containers.staged().len(), 1, "the write was tried");
    assert!(world.store.stored().is_empty());

    let create = Request::create("events", &days()).header("idempotency-key", "1");
    assert_eq!(world.send(&create).await.status, 202, "the key is free");
}

#[tokio::test]
async fn a_check_refuses_what_a_creation_refuses() {
    let bad = with(
        days(),
        "containerUrl",
        container_url().replace("sp=w", "sp=r"),
    );
    for (operation, body) in [
        ("events", without(days(), "startDate")),
        ("events", with(days(), "exportFormat", "XmlBlob")),
        ("devices", bad),
    ] {
        let world = World::new().await;
        let created = world.send(&Request::create(operation, &body)).await;
        let checked = world.send(&check(operation, &body)).await;
        assert_eq!(checked.error(), created.error(), "{operation}");
        assert_eq!(checked.message(), created.message(), "{operation}");
    }
    let world = World::new().await;
    let code = "AuthorizationFailure".to_owned();
    world.containers.refuse(ContainerError::Denied { code });
    let refused = world.send(&check("events", &days())).await;
    assert_eq!(refused.error(), answer(400, "ContainerAccessDenied"));
}

#[tokio::test]
async fn only_who_may_create_may_check_and_only_by_post() {
    let world = World::new().await;
    let request = check("events", &days());
    let reader = world.send(&request.clone().by(Some("rita"))).await;
    assert_eq!(reader.error(), answer(403, "Forbidden"));
    for method in ["GET", "PATCH", "DELETE"] {
        let other = Request {
            method: method.to_owned(),
            ..request.clone()
        };
        let refused = world.send(&other).await;
        assert_eq!(refused.error(), answer(405, "MethodNotAllowed"), "{method}");
        assert_eq!(refused.header("allow"), Some("POST"), "{method}");
    }
}
