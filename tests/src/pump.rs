//! The event pump over a real table's stream: what is sent, sent again and recovered.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use async_trait::async_trait;
use aws_lambda_events::event::eventbridge::EventBridgeEvent;
use aws_lambda_events::event::sqs::{SqsBatchResponse, SqsEvent};
use aws_sdk_dynamodb::types::AttributeValue;
use edge::event::JobEvent;
use local::dynamodb::{EXPORTS_TABLE, EmbeddedDynamoDb, create_tables, scratch_dir};
use local::pump::{FunctionError, Functions, Pump, PumpSettings};
use tempfile::TempDir;
use tokio::sync::mpsc;
use wiring::SystemClock;

const JOB: &str = "0198f7a4-0000-7000-8000-000000000000";

/// What a function was called with: its name, and the job's phase, the chunk's number or a dead
/// letter's body.
type Call = (&'static str, String);

/// Functions that note their calls and fail as often as told.
struct Noting {
    calls: mpsc::UnboundedSender<Call>,
    failures: Mutex<BTreeMap<&'static str, usize>>,
}

impl Noting {
    fn note(&self, function: &'static str, what: String) -> Result<(), FunctionError> {
        drop(self.calls.send((function, what)));
        let mut failures = self.failures.lock().unwrap();
        let left = failures.entry(function).or_default();
        if *left == 0 {
            return Ok(());
        }
        *left -= 1;
        Err("as told".into())
    }
}

fn phase(event: &EventBridgeEvent<JobEvent>) -> String {
    event.detail.phase.clone()
}

fn body(event: &SqsEvent) -> serde_json::Value {
    serde_json::from_str(event.records[0].body.as_deref().unwrap()).unwrap()
}

#[async_trait]
impl Functions for Noting {
    async fn plan_export(&self, event: EventBridgeEvent<JobEvent>) -> Result<(), FunctionError> {
        self.note("plan-export", phase(&event))
    }

    async fn run_export_chunk(&self, event: SqsEvent) -> Result<SqsBatchResponse, FunctionError> {
        self.note(
            "run-export-chunk",
            body(&event)["chunk"].as_str().unwrap().to_owned(),
        )?;
        Ok(SqsBatchResponse::default())
    }

    async fn finish_export(&self, event: EventBridgeEvent<JobEvent>) -> Result<(), FunctionError> {
        self.note("finish-export", phase(&event))
    }

    async fn fail_chunk(&self, event: SqsEvent) -> Result<SqsBatchResponse, FunctionError> {
        let letter = body(&event);
        let what = letter
            .get("chunk")
            .or(letter.pointer("/detail/phase"))
            .unwrap();
        self.note("fail-chunk", what.as_str().unwrap().to_owned())?;
        Ok(SqsBatchResponse::default())
    }
}

/// A table whose stream a pump reads.
struct Bench {
    dynamodb: EmbeddedDynamoDb,
    config: aws_config::SdkConfig,
    _folder: TempDir,
}

impl Bench {
    async fn new() -> Self {
        let folder = scratch_dir().unwrap();
        let dynamodb = EmbeddedDynamoDb::start(&folder.path().join("db"))
            .await
            .unwrap();
        let config = dynamodb.sdk_config().await;
        create_tables(&config).await.unwrap();
        Self {
            dynamodb,
            config,
            _folder: folder,
        }
    }

    async fn pump(
        &self,
        settings: PumpSettings,
        failures: &[(&'static str, usize)],
    ) -> (Pump, Calls) {
        let (calls, seen) = mpsc::unbounded_channel();
        let functions = Noting {
            calls,
            failures: Mutex::new(failures.iter().copied().collect()),
        };
        let pump = Pump::start(
            settings,
            &self.config,
            Arc::new(functions),
            Arc::new(SystemClock),
        )
        .await
        .unwrap();
        (pump, Calls(seen))
    }

    async fn put(&self, sort_key: &str, attributes: &[(&str, &str)]) {
        #[expect(clippy::disallowed_types, reason = "the items are the test's own")]
        let client = aws_sdk_dynamodb::Client::new(&self.config);
        let text = |value: &str| AttributeValue::S(value.to_owned());
        let put = client
            .put_item()
            .table_name(EXPORTS_TABLE)
            .item("pk", text("p"))
            .item("sk", text(sort_key));
        let put = put.item("scope", text("/apps/a")).item("job", text(JOB));
        let put = attributes.iter().fold(put, |put, (name, value)| {
            let is_number = matches!(*name, "shard" | "chunk" | "open");
            put.item(
                *name,
                if is_number {
                    AttributeValue::N((*value).to_owned())
                } else {
                    text(value)
                },
            )
        });
        put.send().await.unwrap();
    }

    async fn put_job(&self, phase: &str) {
        self.put("job", &[("kind", "job"), ("phase", phase)]).await;
    }

    async fn put_chunk(&self, number: &str, state: &str) {
        let attributes = [
            ("kind", "chunk"),
            ("shard", "0"),
            ("chunk", number),
            ("state", state),
        ];
        self.put(&format!("chunk {number}"), &attributes).await;
    }
}

struct Calls(mpsc::UnboundedReceiver<Call>);

impl Calls {
    /// The next `count` calls, sorted, because functions run side by side.
    async fn next(&mut self, count: usize) -> Vec<Call> {
        let mut calls = Vec::new();
        while calls.len() < count {
            let call = tokio::time::timeout(Duration::from_secs(30), self.0.recv()).await;
            calls.push(call.expect("a call in time").unwrap());
        }
        calls.sort();
        calls
    }
}

fn call(function: &'static str, what: &str) -> Call {
    (function, what.to_owned())
}

fn quick() -> PumpSettings {
    let blink = Duration::from_millis(5);
    PumpSettings {
        visibility: blink,
        event_retry_pause: blink,
        poll: blink,
        max_receives: 3,
        ..PumpSettings::patient_person(EXPORTS_TABLE)
    }
}

#[tokio::test]
async fn each_change_wakes_the_functions_that_the_template_names() {
    let bench = Bench::new().await;
    let (_pump, mut calls) = bench.pump(quick(), &[]).await;
    for phase in ["queued", "planning", "running", "finishing", "succeeded"] {
        bench.put_job(phase).await;
    }
    bench.put_chunk("7", "pending").await;
    bench.put_chunk("7", "running").await;
    bench
        .put(
            "tally",
            &[("kind", "tally"), ("open", "1"), ("phase", "drained")],
        )
        .await;
    bench
        .put(
            "tally",
            &[("kind", "tally"), ("open", "0"), ("phase", "drained")],
        )
        .await;
    bench.put_chunk("8", "pending").await;
    let expected = [
        call("finish-export", "drained"),
        call("finish-export", "running"),
        call("plan-export", "queued"),
        call("run-export-chunk", "7"),
        call("run-export-chunk", "8"),
    ];
    assert_eq!(calls.next(5).await, expected);
    assert!(calls.0.try_recv().is_err());
}

#[tokio::test]
async fn what_fails_for_good_becomes_a_dead_letter() {
    let bench = Bench::new().await;
    let (_pump, mut calls) = bench
        .pump(
            quick(),
            &[
                ("plan-export", 9),
                ("run-export-chunk", 9),
                ("fail-chunk", 1),
            ],
        )
        .await;
    bench.put_job("queued").await;
    let planned = call("plan-export", "queued");
    let letter = call("fail-chunk", "queued");
    let expected = [
        letter.clone(),
        letter,
        planned.clone(),
        planned.clone(),
        planned,
    ];
    assert_eq!(
        calls.next(5).await,
        expected,
        "three attempts, and the letter until it is dealt with"
    );
    bench.put_chunk("7", "pending").await;
    let run = call("run-export-chunk", "7");
    assert_eq!(
        calls.next(4).await,
        [call("fail-chunk", "7"), run.clone(), run.clone(), run]
    );
}

#[tokio::test]
async fn every_event_can_be_sent_twice() {
    let bench = Bench::new().await;
    let (_pump, mut calls) = bench
        .pump(
            PumpSettings {
                copies: 2,
                ..quick()
            },
            &[],
        )
        .await;
    bench.put_job("queued").await;
    bench.put_chunk("7", "pending").await;
    let (plan, run) = (call("plan-export", "queued"), call("run-export-chunk", "7"));
    assert_eq!(calls.next(4).await, [plan.clone(), plan, run.clone(), run]);
}

#[tokio::test]
async fn a_restart_picks_up_everything_that_waits() {
    let bench = Bench::new().await;
    bench.put_job("planning").await;
    for (number, state) in [
        ("1", "pending"),
        ("2", "running"),
        ("3", "prepared"),
        ("4", "recorded"),
        ("5", "failed"),
    ] {
        bench.put_chunk(number, state).await;
    }
    for (key, phase) in [("job 2", "finishing"), ("job 3", "succeeded")] {
        bench.put(key, &[("kind", "job"), ("phase", phase)]).await;
    }
    bench
        .put(
            "tally",
            &[("kind", "tally"), ("open", "0"), ("phase", "drained")],
        )
        .await;
    let (pump, mut calls) = bench.pump(quick(), &[]).await;
    let expected = [
        call("finish-export", "running"),
        call("plan-export", "queued"),
        call("run-export-chunk", "1"),
        call("run-export-chunk", "2"),
        call("run-export-chunk", "3"),
    ];
    assert_eq!(calls.next(5).await, expected);
    assert!(calls.0.try_recv().is_err());
    drop(pump);
    assert!(bench.dynamodb.endpoint().starts_with("http://127.0.0.1:"));
}
