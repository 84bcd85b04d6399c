//! The whole service on one machine, as `make run` and `make serve` start it.

use std::path::Path;
use std::time::{Duration, Instant};

use client::blobs::ContainerView;
use domain::secret::Secret;
use domain::selection::HistoryType;
use local::demo::{self, DemoError};
use local::dynamodb::scratch_dir;
use local::sample::{APPS, DAYS, Sample, folder};
use local::stack::{Stack, StackSettings};
use reqwest::Response;
use serde_json::{Value, json};
use tempfile::TempDir;

fn settings(folder: &Path) -> StackSettings {
    StackSettings {
        chunk_target_bytes: 1 << 20,
        ..StackSettings::in_folder(folder)
    }
}

#[tokio::test]
async fn the_demonstration_ends_with_every_row_verified() {
    let folder = scratch_dir().unwrap();
    demo::run(folder.path(), Sample::SMALL).await.unwrap();
    let stack = Stack::start(&settings(folder.path())).await.unwrap();
    let view = ContainerView::open(&stack.container_url("rl")).unwrap();
    let blobs = view.list().await.unwrap();
    let has = |begin: &str, end: &str| {
        let mut names = blobs.iter().map(|blob| blob.name.as_str());
        names.any(|name| name.starts_with(begin) && name.ends_with(end))
    };
    assert!(has("Crash/", "/part-00000-0001.csv"), "one is in parts");
    let folder = "analytics/sessions/Session/";
    assert!(has(folder, ".parquet"), "one is in a folder");
}

#[tokio::test]
async fn an_object_that_is_no_file_of_records_ends_the_demonstration_in_words() {
    let state = scratch_dir().unwrap();
    let day = state
        .path()
        .join("lake")
        .join(folder(HistoryType::Event, &APPS[0], DAYS[0]));
    std::fs::create_dir_all(&day).unwrap();
    std::fs::write(day.join("part-99999.ndjson"), "no record\nnor is this\n").unwrap();
    let error = demo::run(state.path(), Sample::SMALL).await.unwrap_err();
    assert!(
        matches!(error, DemoError::Failed { what: "events", .. }),
        "{error}"
    );
    assert!(error.to_string().contains("part-99999.ndjson"), "{error}");
    assert!(
        error
            .to_string()
            .contains(": 1 object could not be exported: "),
        "{error}"
    );
}

/// A stack whose state outlives it.
struct Serving {
    state: TempDir,
    http: reqwest::Client,
}

impl Serving {
    /// Starts it; tokens name the issuer's port.
    async fn start(&self, issuer_port: u16) -> Stack {
        let settings = StackSettings {
            issuer_port,
            ..settings(self.state.path())
        };
        Stack::start(&settings).await.unwrap()
    }

    fn token(stack: &Stack) -> Secret {
        stack.token(Duration::from_mins(5)).unwrap()
    }

    /// The list of the app's tasks, asked for with a token.
    async fn list(&self, stack: &Stack, token: &Secret) -> Response {
        let url = format!(
            "{}{}?api-version=2014-12-01",
            stack.api_url(),
            APPS[0].exports_path()
        );
        let request = self.http.get(url).bearer_auth(token.reveal());
        request.send().await.unwrap()
    }

    /// The app's first task.
    async fn task(&self, stack: &Stack) -> Value {
        let answer = self.list(stack, &Self::token(stack)).await;
        let list: Value = serde_json::from_slice(&answer.bytes().await.unwrap()).unwrap();
        list["value"][0].clone()
    }

    /// The app's first task, once it has ended.
    async fn ended(&self, stack: &Stack) -> Value {
        let begun = Instant::now();
        loop {
            let task = self.task(stack).await;
            if matches!(task["state"].as_str(), Some("Succeeded" | "Failed")) {
                return task;
            }
            assert!(begun.elapsed() < DEADLINE, "it does not end: {task}");
            tokio::task::yield_now().await;
        }
    }
}

/// How long a small export may take on a busy machine; two seconds are usual.
const DEADLINE: Duration = Duration::from_mins(1);

#[tokio::test]
async fn a_job_and_its_token_outlive_the_process() {
    let http = reqwest::Client::builder().no_proxy().build().unwrap();
    let serving = Serving {
        state: scratch_dir().unwrap(),
        http,
    };
    let stack = serving.start(0).await;
    let token = Serving::token(&stack);
    let url = format!(
        "{}{}/tags?api-version=2014-12-01",
        stack.api_url(),
        APPS[0].exports_path()
    );
    let body =
        json!({ "containerUrl": stack.container_url("w").reveal(), "exportFormat": "CsvBlob" });
    let request = serving
        .http
        .post(url)
        .bearer_auth(token.reveal())
        .header("content-type", "application/json");
    assert_eq!(
        request
            .body(body.to_string())
            .send()
            .await
            .unwrap()
            .status(),
        202
    );
    let before = serving.ended(&stack).await;
    assert_eq!(before["state"], "Succeeded", "{before}");
    let issuer = url::Url::parse(&stack.issuer_url()).unwrap();
    let issuer_port = issuer.port().unwrap();
    drop(stack);
    // Its listeners are closed when their tasks have ended.
    while std::net::TcpListener::bind(("127.0.0.1", issuer_port)).is_err() {
        tokio::task::yield_now().await;
    }
    let stack = serving.start(issuer_port).await;
    assert_eq!(serving.task(&stack).await["id"], before["id"]);
    let answer = serving.list(&stack, &token).await;
    assert_eq!(answer.status(), 200, "the key of the tokens is kept");
}
