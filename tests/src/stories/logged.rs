//! What operators read: one line for every accepted change of a job, and nothing of who is not
//! ours.

use std::net::SocketAddr;
use std::process::Command;
use std::sync::Arc;

use edge::telemetry;
use exports_table::DynamoStore;
use ports::clock::Clock;
use serde_json::{Value, json};
use time::Duration;
use tracing::level_filters::LevelFilter;
use tracing_subscriber::filter::Targets;
use wiring::config::{Environment, LOG_LEVEL};

use super::rows::small_lake;
use super::scenes::{NEW_SIGNATURE, grant, new_credential, posted, revoke};
use super::secrets::{Log, assert_clean};
use crate::faults::deaf_socket;
use crate::source_contract::registry::client_of;
use crate::world::events::sqs_event;
use crate::world::{APP_PATH, SIGNATURE, World};

/// The lines as a function with this level writes them.
struct Lines {
    log: Log,
    read: usize,
    _second: tracing::Dispatch,
    _guard: tracing::subscriber::DefaultGuard,
}

fn filter(level: &str) -> tracing_subscriber::EnvFilter {
    telemetry::filter(&Environment::from_pairs([(LOG_LEVEL.name, level)])).unwrap()
}

impl Lines {
    fn of(level: &str) -> Self {
        let log = Log::default();
        let lines = tracing_subscriber::fmt()
            .json()
            .flatten_event(true)
            .with_env_filter(filter(level));
        // With a single subscriber, another test's thread can settle that nobody wants a line: see
        // `secrets`.
        let second = tracing::Dispatch::new(tracing::subscriber::NoSubscriber::default());
        let guard = tracing::subscriber::set_default(lines.with_writer(log.clone()).finish());
        Self {
            log,
            read: 0,
            _second: second,
            _guard: guard,
        }
    }

    /// What was written since the last look.
    fn latest(&mut self) -> Vec<Value> {
        let text = String::from_utf8(self.log.0.lock().unwrap().clone()).unwrap();
        assert_clean("the log", &text);
        let lines: Vec<Value> = text
            .lines()
            .map(|line| serde_json::from_str(line).unwrap())
            .collect();
        let new = lines[self.read..].to_vec();
        self.read = lines.len();
        new
    }

    /// The only line since the last look that says that a call was accepted: what was asked, of
    /// which job, by whom.
    fn accepted(&mut self) -> Vec<[String; 4]> {
        let field = |line: &Value, name: &str| line[name].as_str().unwrap_or_default().to_owned();
        let accepted = self
            .latest()
            .into_iter()
            .filter(|line| line.get("asked").is_some());
        accepted
            .map(|line| {
                ["level", "asked", "job.id", "caller.subject"].map(|name| field(&line, name))
            })
            .collect()
    }

    /// The lines since the last look with this sentence.
    fn saying(&mut self, sentence: &str) -> Vec<Value> {
        self.latest()
            .into_iter()
            .filter(|line| line["message"] == sentence)
            .collect()
    }
}

#[tokio::test]
async fn every_accepted_call_is_one_line_with_the_job_the_caller_and_what_was_asked() {
    let mut lines = Lines::of("info");
    let world = World::new().await;
    small_lake(&world).await;
    let key = posted(&world).await;
    let line = |asked: &str| [["INFO", asked, &key.id.to_string(), "analyst"].map(str::to_owned)];
    assert_eq!(lines.accepted(), line("create"));
    assert_eq!(posted(&world).await, key);
    assert_eq!(lines.accepted(), line("create-again"));
    grant(&world, NEW_SIGNATURE);
    assert_eq!(world.patch(&key, &new_credential()).await.status_code, 202);
    assert_eq!(lines.accepted(), line("renew"));
    for _ in 0..2 {
        assert_eq!(world.delete(&key).await.status_code, 202);
        assert_eq!(
            lines.accepted(),
            line("cancel"),
            "a repeat is accepted as well"
        );
    }
    world.drive(&key).await;
    for _ in 0..2 {
        assert_eq!(world.patch(&key, &json!({})).await.status_code, 202);
        assert_eq!(
            lines.accepted(),
            line("resume"),
            "a repeat is accepted as well"
        );
    }
}

#[tokio::test]
async fn the_subject_is_the_verified_claim_and_a_refused_call_is_no_accepted_one() {
    let mut lines = Lines::of("debug");
    let world = World::new().await;
    small_lake(&world).await;
    let key = posted(&world).await;
    assert_eq!(lines.accepted().len(), 1);
    let mut event = World::http("DELETE", &format!("{APP_PATH}/{}", key.id), None);
    event
        .headers
        .insert("x-ms-client-principal-name", "somebody".parse().unwrap());
    let mut cancel = world.cancel.clone();
    cancel.settings.subject_claim = "oid".to_owned();
    assert_eq!(
        crate::described::cancel(event.clone(), &cancel)
            .await
            .status_code,
        401
    );
    assert_eq!(world.patch(&key, &json!({})).await.status_code, 409);
    assert!(lines.accepted().is_empty());
    assert_eq!(
        crate::described::cancel(event, &world.cancel)
            .await
            .status_code,
        202
    );
    assert_eq!(lines.accepted()[0][3], "analyst");
}

#[tokio::test]
async fn a_job_that_waits_and_one_that_waited_too_long_are_a_line_each() {
    let mut lines = Lines::of("info");
    let world = World::new().await;
    small_lake(&world).await;
    let key = posted(&world).await;
    revoke(&world, SIGNATURE);
    world.settle().await;
    let id = key.id.to_string();
    let seen = |lines: Vec<Value>| {
        lines
            .iter()
            .map(|line| line["job.id"] == *id && line["level"] == "INFO")
            .collect()
    };
    let said: Vec<bool> = seen(lines.saying("the job waits for a new credential"));
    assert_eq!(said, [true]);
    world.clock.advance(Duration::days(8));
    for _ in 0..2 {
        expire_jobs::handle(json!({}), &world.expire).await.unwrap();
    }
    let said: Vec<bool> =
        seen(lines.saying("the job waited too long for a new credential and ends"));
    assert_eq!(said, [true]);
}

/// A table that nobody answers for.
fn table_that_is_not_there(address: SocketAddr, clock: Arc<dyn Clock>) -> Arc<DynamoStore> {
    let client = client_of(address);
    Arc::new(DynamoStore::new(client, "exports", clock))
}

#[tokio::test]
async fn what_lies_below_a_failure_of_the_table_is_logged_once_and_in_one_line() {
    let mut lines = Lines::of("debug");
    let world = World::new().await;
    let nobody = deaf_socket();
    let address = nobody.local_addr().unwrap();
    let mut fail = world.fail.clone();
    fail.chunks = table_that_is_not_there(address, fail.clock.clone());
    lines.latest();
    let letter = json!({"scope": "/apps/a", "job": "0198f7a4-0000-7000-8000-000000000000", "shard": "0", "chunk": "0"});
    let answer = fail_chunk::handle(sqs_event(&letter), &fail).await;
    assert_eq!(answer.batch_item_failures.len(), 1);
    let lines = lines.latest();
    let [line] = lines.as_slice() else {
        panic!("{lines:?}")
    };
    let error = line["error"].as_str().unwrap();
    assert!(
        error.starts_with("the exports table does not answer: no connection: "),
        "{error}"
    );
    assert_eq!(error.matches("refused").count(), 1, "{error}");
}

/// What Cargo says of this workspace: its own crates, as their logs name them.
fn workspace_crates() -> Vec<String> {
    let metadata = Command::new(env!("CARGO"))
        .args(["metadata", "--no-deps", "--offline", "--format-version=1"])
        .current_dir(env!("CARGO_MANIFEST_DIR"))
        .output()
        .unwrap();
    let metadata: Value = serde_json::from_slice(&metadata.stdout).unwrap();
    let packages = metadata["packages"].as_array().unwrap().iter();
    packages
        .map(|package| package["name"].as_str().unwrap().replace('-', "_"))
        .collect()
}

/// All crates that are compiled with ours, as their logs name them.
fn foreign_crates() -> Vec<String> {
    let lock = include_str!("../../../Cargo.lock");
    let packages = lock
        .split("[[package]]")
        .filter(|package| package.contains("\nsource = "));
    let name = |package: &str| {
        package
            .lines()
            .find_map(|line| line.strip_prefix("name = ").map(str::to_owned))
    };
    packages
        .filter_map(name)
        .map(|name| name.trim_matches('"').replace('-', "_"))
        .collect()
}

#[test]
fn every_crate_of_the_workspace_logs_at_the_level_that_is_asked_for_and_no_other() {
    let (ours, foreign) = (workspace_crates(), foreign_crates());
    assert!(
        ours.iter().any(|name| name == "resume_job")
            && foreign.iter().any(|name| name == "lambda_runtime")
    );
    for level in [
        LevelFilter::ERROR,
        LevelFilter::WARN,
        LevelFilter::INFO,
        LevelFilter::DEBUG,
    ] {
        let targets: Targets = filter(&level.to_string()).to_string().parse().unwrap();
        let most = |name: &str| {
            let levels = [
                tracing::Level::ERROR,
                tracing::Level::WARN,
                tracing::Level::INFO,
                tracing::Level::DEBUG,
            ];
            let enabled =
                |level: &tracing::Level| targets.would_enable(&format!("{name}::module"), level);
            levels
                .into_iter()
                .chain([tracing::Level::TRACE])
                .filter(enabled)
                .max()
                .unwrap()
        };
        for name in &ours {
            assert_eq!(Some(most(name)), level.into_level(), "{name}");
        }
        for name in &foreign {
            assert_eq!(
                Some(most(name)),
                level.min(LevelFilter::WARN).into_level(),
                "{name}"
            );
        }
    }
}
