//! The signature of a client's container is found nowhere but where it is used.

use std::fmt::Write;
use std::io;
use std::sync::{Arc, Mutex};

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use domain::container::ContainerAddress;
use domain::secret::Secret;
use local::dynamodb::EXPORTS_TABLE;
use tracing_subscriber::fmt::MakeWriter;

use super::days;
use super::rows::small_lake;
use crate::world::{CONTAINER, SIGNATURE, World, container_url};

#[derive(Clone, Default)]
pub(crate) struct Log(pub(crate) Arc<Mutex<Vec<u8>>>);

impl io::Write for Log {
    fn write(&mut self, text: &[u8]) -> io::Result<usize> {
        self.0.lock().unwrap().extend_from_slice(text);
        Ok(text.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl<'a> MakeWriter<'a> for Log {
    type Writer = Self;

    fn make_writer(&'a self) -> Self {
        self.clone()
    }
}

pub(crate) fn assert_clean(what: &str, text: &str) {
    for secret in ["c2VjcmV0LXNpZ25hdHVyZQ", "secret-signature", "sig="] {
        assert!(!text.contains(secret), "{what} holds {secret}");
    }
}

/// Every item of the table, as text, and with what base64 of it holds.
async fn items(world: &World) -> String {
    let mut all = String::new();
    let mut items = world
        .client
        .scan()
        .table_name(EXPORTS_TABLE)
        .into_paginator()
        .items()
        .send();
    while let Some(item) = items.try_next().await.unwrap() {
        for (name, value) in item {
            let text = value
                .as_s()
                .cloned()
                .unwrap_or_else(|other| format!("{other:?}"));
            let decoded = STANDARD.decode(&text).unwrap_or_default();
            writeln!(all, "{name} {text} {}", String::from_utf8_lossy(&decoded)).unwrap();
        }
    }
    all
}

#[tokio::test]
async fn a_signature_is_in_no_log_item_or_answer_of_whole_exports() {
    let log = Log::default();
    let subscriber = tracing_subscriber::fmt()
        .with_max_level(tracing::Level::TRACE)
        .with_writer(log.clone())
        .finish();
    // With a single subscriber, a log line that another test's thread meets first is held to be
    // wanted by nobody (<https://docs.rs/tracing-core/0.1/tracing_core/callsite/index.html>); with a second one, every thread's counts.
    let _second = tracing::Dispatch::new(tracing::subscriber::NoSubscriber::default());
    let _guard = tracing::subscriber::set_default(subscriber);
    let world = World::new().await;
    small_lake(&world).await;
    let body = days("JsonBlob", "2026-01-05", "2026-01-07");
    assert!(container_url().contains("sig=c2VjcmV0LXNpZ25hdHVyZQ"));
    let key = world.post("events", &body).await;
    assert_clean("an item", &items(&world).await);
    assert_clean("the task", &world.task(&key).await.to_string());
    world.drive(&key).await;
    assert_clean("an item", &items(&world).await);
    assert_clean("the task", &world.task(&key).await.to_string());
    world
        .containers
        .revoke(&ContainerAddress::new(CONTAINER), &Secret::new(SIGNATURE));
    let mut event = World::http(
        "POST",
        &format!("{}/tags", crate::world::APP_PATH),
        Some(&body),
    );
    event
        .headers
        .insert("x-ms-client-request-id", "request-2".parse().unwrap());
    let refused = create_job::handle(event, &world.create).await;
    assert_eq!(refused.status_code, 400);
    assert_clean("a refusal", &format!("{refused:?}"));
    let log = String::from_utf8(log.0.lock().unwrap().clone()).unwrap();
    assert!(
        log.contains("the job has ended") && log.contains("TRACE"),
        "the log is not whole"
    );
    assert_clean("the log", &log);
}
