//! The API from a page of another origin, in a real browser: what the page may send and read.

use std::process::Stdio;
use std::time::Duration;

use local::dynamodb::scratch_dir;
use local::gateway::cors::{Cors, EXPOSE_HEADERS};
use local::sample::APPS;
use local::stack::{Stack, StackSettings};
use serde_json::{Value, json};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpListener;
use tokio::process::Command;
use tokio_util::task::AbortOnDropHandle;

/// An empty page of an origin of its own.
struct Page {
    origin: String,
    _serving: AbortOnDropHandle<()>,
}

impl Page {
    async fn serve() -> Self {
        let listener = TcpListener::bind(("127.0.0.1", 0)).await.unwrap();
        let port = listener.local_addr().unwrap().port();
        let serving = tokio::spawn(async move {
            loop {
                let (mut connection, _) = listener.accept().await.unwrap();
                let mut request = [0; 4096];
                let _ = connection.read(&mut request).await;
                let answer = "HTTP/1.1 200 OK\r\ncontent-type: text/html\r\ncontent-length: 0\r\n\
                              connection: close\r\n\r\n";
                let _ = connection.write_all(answer.as_bytes()).await;
            }
        });
        Self {
            origin: format!("http://localhost:{port}"),
            _serving: AbortOnDropHandle::new(serving),
        }
    }

    /// The visit of a page that sends these requests.
    fn sends(&self, requests: &[Value]) -> Value {
        json!({ "page": self.origin, "requests": requests })
    }
}

/// What the page of each visit can read of the answers to its requests.
async fn browse(visits: &[Value]) -> Vec<Vec<Value>> {
    let mut node = Command::new("node")
        .arg("fetch.mjs")
        .current_dir(concat!(env!("CARGO_MANIFEST_DIR"), "/browser"))
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .kill_on_drop(true)
        .spawn()
        .unwrap();
    let mut input = node.stdin.take().unwrap();
    input
        .write_all(json!(visits).to_string().as_bytes())
        .await
        .unwrap();
    drop(input);
    let done = node.wait_with_output().await.unwrap();
    assert!(
        done.status.success(),
        "is the browser installed? run `make setup`"
    );
    serde_json::from_slice(&done.stdout).unwrap()
}

async fn stack(folder: &std::path::Path, cors: Cors) -> Stack {
    let settings = StackSettings {
        cors,
        chunk_target_bytes: 1 << 20,
        ..StackSettings::in_folder(folder)
    };
    Stack::start(&settings).await.unwrap()
}

/// A creation, a list and a task that is not there, each with this token.
fn requests(stack: &Stack, token: &str) -> Vec<Value> {
    let tasks = format!("{}{}", stack.api_url(), APPS[0].exports_path());
    let request = |method: &str, url: String| {
        json!({
            "url": format!("{url}?api-version=2014-12-01"),
            "method": method,
            "headers": {
                "authorization": format!("Bearer {token}"),
                "content-type": "application/json",
                "idempotency-key": "one",
                "if-none-match": "W/\"none\"",
                "x-ms-client-request-id": "two",
            },
            "read": EXPOSE_HEADERS,
        })
    };
    let mut create = request("POST", format!("{tasks}/tags"));
    let container = stack.container_url("w");
    create["body"] = json!({"containerUrl": container.reveal(), "exportFormat": "CsvBlob"})
        .to_string()
        .into();
    let unknown = format!("{tasks}/01234567-89ab-cdef-0123-456789abcdef");
    vec![
        create,
        request("GET", tasks),
        request("DELETE", unknown.clone()),
        request("PATCH", unknown),
    ]
}

#[tokio::test]
async fn a_page_of_a_named_origin_reads_answers_and_refusals_and_any_other_page_nothing() {
    let (named, other) = (Page::serve().await, Page::serve().await);
    let cors = Cors {
        origins: vec![named.origin.parse().unwrap()],
    };
    let state = scratch_dir().unwrap();
    let stack = stack(state.path(), cors).await;
    let token = stack.token(Duration::from_mins(5)).unwrap();

    let visits = [
        named.sends(&requests(&stack, token.reveal())),
        named.sends(&requests(&stack, "no token")),
        other.sends(&requests(&stack, token.reveal())),
    ];
    let [answers, refused, kept_away] = browse(&visits).await.try_into().unwrap();
    let statuses: Vec<_> = answers.iter().map(|answer| &answer["status"]).collect();
    assert_eq!(statuses, [202, 200, 404, 404], "{answers:?}");
    let created = &answers[0]["headers"];
    for name in ["location", "retry-after", "x-ms-request-id"] {
        assert!(created[name].is_string(), "{name}: {created}");
    }
    for answer in &refused {
        assert_eq!(answer["status"], 401, "{answer}");
        assert_eq!(answer["body"], r#"{"message":"Unauthorized"}"#);
    }
    for answer in &kept_away {
        assert_eq!(answer["refused"], "TypeError: Failed to fetch", "{answer}");
    }
}
