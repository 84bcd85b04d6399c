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

/// How the secret parts of all signatures begin, plain and in base64.
const SECRETS: [&str; 2] = ["c2VjcmV0LXNpZ25hdHVyZQ", "secret-signature"];

/// What stands in front of any signature's secret part.
pub(crate) const NAME: &str = "sig=";

/// Where a text holds a secret, if it does: one of the stories', or a value behind the name of a
/// signature. The name alone is none: base64 of sealed bytes ends with it by chance (`sig==` does
/// one of 16,384 values whose length leaves one byte over).
pub(crate) fn secret_in(text: &str) -> Option<usize> {
    let is_of_a_value = |next: char| next.is_ascii_alphanumeric() || "%+/-_".contains(next);
    let mut named = text.match_indices(NAME).map(|(at, _)| at);
    let with_value = named.find(|at| text[at + NAME.len()..].starts_with(is_of_a_value));
    let known = SECRETS.iter().find_map(|secret| text.find(secret));
    known.or(with_value)
}

pub(crate) fn assert_clean(what: &str, text: &str) {
    let found = secret_in(text);
    assert!(found.is_none(), "{what} holds a secret at {found:?}");
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

#[test]
fn a_secret_is_found_and_chance_is_none() {
    for secret in [
        "https://host/c?sp=w&sig=abc",
        "sig=%2Babc",
        r#"{"S":"sig=+abc"}"#,
        "x c2VjcmV0LXNpZ25hdHVyZQ x",
        "sig== sig=a",
    ] {
        assert!(secret_in(secret).is_some(), "{secret}");
    }
    for chance in [
        r#"{"B":"AAAAsig="}"#,
        r#"{\"B\":\"AAAAAsig==\"}"#,
        "sig=…",
        "se=1&sig=",
    ] {
        assert_eq!(secret_in(chance), None, "{chance}");
    }
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
    let refused = crate::described::create(event, &world.create).await;
    assert_eq!(refused.status_code, 400);
    assert_clean("a refusal", &format!("{refused:?}"));
    let log = String::from_utf8(log.0.lock().unwrap().clone()).unwrap();
    assert!(
        log.contains("the job has ended") && log.contains("TRACE"),
        "the log is not whole"
    );
    assert_clean("the log", &log);
}
