//! What a creation is answered.

mod body;
mod checked;
mod container;
mod created;
mod fields;
mod filter;
mod options;
mod request_ids;

use serde_json::{Value, json};

use crate::api::{Request, SIGNATURE, World, days, with};

/// The refusal of a creation, after a look that it left nothing behind.
async fn refusal(operation: &str, body: &Value) -> (String, String) {
    let world = World::new().await;
    let reply = world.send(&Request::create(operation, body)).await;
    let (status, code) = reply.error();
    assert_eq!(status, 400, "{body}");
    assert!(world.store.stored().is_empty() && world.containers.staged().is_empty());
    assert!(!reply.text.contains(SIGNATURE));
    (code, reply.message())
}

fn campaigns() -> Value {
    let window = json!({"campaignWindowStart": "2026-11-01T00:00:00Z", "campaignWindowEnd": "2026-11-02T00:00:00Z"});
    let mut body = with(
        with(days(), "campaignType", "Poll"),
        "campaignIds",
        json!([1]),
    );
    body.as_object_mut()
        .unwrap()
        .extend(window.as_object().unwrap().clone());
    body
}
