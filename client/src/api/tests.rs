use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpListener;
use tokio_util::task::AbortOnDropHandle;

use super::*;
use crate::ending::Ending;

/// A service that gives these answers, one a connection, and what it was asked. An empty one breaks
/// the connection off.
pub(crate) struct Scripted {
    port: u16,
    asked: AbortOnDropHandle<Vec<String>>,
}

impl Scripted {
    pub(crate) async fn new(answers: Vec<&'static str>) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let port = listener.local_addr().unwrap().port();
        let asked = tokio::spawn(async move {
            let mut asked = Vec::new();
            for answer in answers {
                let (mut stream, _) = listener.accept().await.unwrap();
                let mut request = Vec::new();
                while !is_whole(&request) {
                    let read = stream.read_buf(&mut request).await.unwrap();
                    assert!(read > 0);
                }
                asked.push(String::from_utf8(request).unwrap());
                stream.write_all(answer.as_bytes()).await.unwrap();
            }
            asked
        });
        Self {
            port,
            asked: AbortOnDropHandle::new(asked),
        }
    }

    pub(crate) fn api(&self, token: Token) -> Api {
        let tasks = format!("http://127.0.0.1:{}/apps/a/exportTasks", self.port);
        let backoff = Backoff {
            first: Duration::from_millis(1),
            ..Backoff::usual()
        };
        let tasks = tasks.parse().unwrap();
        Api::with_backoff(Service { tasks, token }, backoff).unwrap()
    }

    pub(crate) async fn asked(self) -> Vec<String> {
        self.asked.await.unwrap()
    }
}

fn is_whole(request: &[u8]) -> bool {
    let text = String::from_utf8_lossy(request).to_ascii_lowercase();
    let Some((head, body)) = text.split_once("\r\n\r\n") else {
        return false;
    };
    let length = head
        .lines()
        .find_map(|line| line.strip_prefix("content-length: "));
    body.len() >= length.map_or(0, |length| length.parse().unwrap())
}

pub(crate) fn token() -> Token {
    Token::Given(Secret::new("abc"))
}

const ACCEPTED: &str =
    "HTTP/1.1 202 Accepted\r\nconnection: close\r\ncontent-length: 10\r\n\r\n{\"id\":\"x\"}";
const BUSY: &str = "HTTP/1.1 503 Service Unavailable\r\nconnection: close\r\nretry-after: 0\r\ncontent-length: 0\r\n\r\n";
const UNKNOWN_TOKEN: &str = "HTTP/1.1 401 Unauthorized\r\nconnection: close\r\ncontent-length: 26\r\n\r\n{\"message\":\"Unauthorized\"}";

fn header<'a>(request: &'a str, name: &str) -> Option<&'a str> {
    let mut lines = request.lines();
    lines.find_map(|line| line.strip_prefix(name)?.strip_prefix(": "))
}

#[tokio::test]
async fn a_create_whose_answer_is_lost_is_repeated_under_the_same_key() {
    let service = Scripted::new(vec!["", BUSY, ACCEPTED]).await;
    let api = service.api(token());
    let answer = api.create("events", &json!({"a": 1}), "key-1").await;
    assert_eq!(answer.unwrap().body["id"], "x");
    let asked = service.asked().await;
    assert_eq!(asked.len(), 3);
    for request in &asked {
        assert!(
            request.starts_with("POST /apps/a/exportTasks/events?api-version=2014-12-01 "),
            "{request}"
        );
        assert_eq!(header(request, "idempotency-key"), Some("key-1"));
        assert_eq!(header(request, "authorization"), Some("Bearer abc"));
        assert!(request.ends_with("{\"a\":1}"), "{request}");
    }
}

#[tokio::test]
async fn a_token_that_has_expired_is_asked_for_anew_once() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("token");
    std::fs::write(&path, "old").unwrap();
    let service = Scripted::new(vec![
        ACCEPTED,
        UNKNOWN_TOKEN,
        ACCEPTED,
        UNKNOWN_TOKEN,
        UNKNOWN_TOKEN,
    ])
    .await;
    let api = service.api(Token::File(path.clone()));
    let id = JobId::parse("01890a5d-ac96-774b-bcce-b302099a8057").unwrap();
    api.cancel(id).await.unwrap();
    std::fs::write(&path, "new").unwrap();
    api.cancel(id).await.unwrap();
    let failure = Failure::from(api.cancel(id).await.unwrap_err());
    assert_eq!(failure.ending, Ending::Refused);
    assert_eq!(failure.code.as_deref(), Some("Unauthorized"));
    let asked = service.asked().await;
    let tokens: Vec<_> = asked
        .iter()
        .map(|it| header(it, "authorization").unwrap())
        .collect();
    assert_eq!(
        tokens,
        [
            "Bearer old",
            "Bearer old",
            "Bearer new",
            "Bearer new",
            "Bearer new"
        ]
    );
}

#[tokio::test]
async fn a_token_that_cannot_change_is_tried_once() {
    let service = Scripted::new(vec![UNKNOWN_TOKEN]).await;
    let api = service.api(token());
    assert!(api.page(&[]).await.is_err());
    assert_eq!(service.asked().await.len(), 1);
}

#[tokio::test]
async fn an_answer_that_is_no_json_is_said_to_be_of_another_service() {
    let service = Scripted::new(vec![
        "HTTP/1.1 200 OK\r\nconnection: close\r\ncontent-length: 6\r\n\r\n<html>",
    ])
    .await;
    let failure = Failure::from(service.api(token()).page(&[]).await.unwrap_err());
    assert_eq!(failure.ending, Ending::Unknown);
    assert!(
        failure.message.contains("what answers is not this service"),
        "{failure}"
    );
}

#[tokio::test]
async fn a_service_that_does_not_answer_is_asked_a_few_times_and_its_url_is_not_repeated() {
    let service = Scripted::new(vec!["", "", "", ""]).await;
    let failure = Failure::from(service.api(token()).page(&[]).await.unwrap_err());
    assert_eq!(failure.ending, Ending::Unknown);
    assert!(failure.message.contains("asked 4 times"), "{failure}");
    assert!(!failure.message.contains("exportTasks"), "{failure}");
    assert_eq!(service.asked().await.len(), 4);
}

#[tokio::test]
async fn an_entity_tag_is_sent_back_and_304_is_an_answer() {
    let service = Scripted::new(vec![
        "HTTP/1.1 304 Not Modified\r\nconnection: close\r\netag: W/\"7\"\r\nretry-after: 20\r\n\r\n",
    ])
    .await;
    let id = JobId::parse("01890a5d-ac96-774b-bcce-b302099a8057").unwrap();
    let api = service.api(token());
    let answer = api.task(id, Some("W/\"7\"")).await.unwrap();
    assert_eq!(answer.status, StatusCode::NOT_MODIFIED);
    assert_eq!(answer.retry_after, Some(Duration::from_secs(20)));
    let asked = service.asked().await;
    assert_eq!(header(&asked[0], "if-none-match"), Some("W/\"7\""));
}
