//! What the registry makes of answers that no table of ours gives.

use domain::cause::in_one_line;
use domain::chunk::ChunkSource;
use domain::selection::{DeviceType, Snapshot};
use futures::TryStreamExt;
use ports::source::{Source, Unanswered};
use serde_json::{Value, json};
use sources::registry::Registry;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpListener;

use super::super::{Parts, chess};
use super::{TABLE, client_of, feedback, window};

/// A DynamoDB that gives these answers, one connection each, and tells what it was asked.
async fn scripted(answers: Vec<(u16, String)>) -> (Registry, tokio::task::JoinHandle<Vec<String>>) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let client = client_of(listener.local_addr().unwrap());
    let server = tokio::spawn(async move {
        let mut asked = Vec::new();
        for (status, body) in answers {
            let (mut connection, _) = listener.accept().await.unwrap();
            asked.push(read_request(&mut connection).await);
            let head = format!(
                "HTTP/1.1 {status} X\r\nconnection: close\r\ncontent-length: {}\r\n\r\n",
                body.len()
            );
            connection
                .write_all((head + &body).as_bytes())
                .await
                .unwrap();
        }
        asked
    });
    (Registry::new(client, TABLE, 1), server)
}

async fn read_request(connection: &mut tokio::net::TcpStream) -> String {
    let mut text = String::new();
    loop {
        let mut buffer = [0; 4_096];
        let len = connection.read(&mut buffer).await.unwrap();
        text.push_str(std::str::from_utf8(&buffer[..len]).unwrap());
        let Some((head, body)) = text.split_once("\r\n\r\n") else {
            continue;
        };
        let length = head.lines().find_map(|line| {
            line.to_lowercase()
                .strip_prefix("content-length: ")?
                .parse()
                .ok()
        });
        if body.len() >= length.unwrap_or(0) {
            return body.to_owned();
        }
    }
}

#[tokio::test]
async fn failures_of_dynamodb_are_told_apart() {
    let cases = [
        (
            400,
            "ThrottlingException",
            "the source of registry does not answer: ThrottlingException: m",
        ),
        (
            400,
            "ProvisionedThroughputExceededException",
            "the source of registry does not answer: ProvisionedThroughputExceededException: m",
        ),
        (
            500,
            "InternalServerError",
            "the source of registry does not answer: InternalServerError: m",
        ),
        (503, "Odd", "the source of registry does not answer: Odd: m"),
        (
            400,
            "AccessDeniedException",
            "registry may not be read by the service",
        ),
        (
            400,
            "ExpiredTokenException",
            "registry may not be read by the service",
        ),
        (
            400,
            "ResourceNotFoundException",
            "registry cannot be read: the table does not exist",
        ),
        (
            400,
            "ValidationException",
            "registry cannot be read: ValidationException",
        ),
    ];
    for (status, code, words) in cases {
        let body =
            json!({"__type": format!("com.amazonaws.dynamodb.v20120810#{code}"), "message": "m"});
        let (registry, server) = scripted(vec![(status, body.to_string())]).await;
        let error = registry
            .plan(&chess(), &window(), None, 1, Unanswered::IsRetried)
            .await
            .unwrap_err();
        assert_eq!(in_one_line(&error), words);
        assert_eq!(
            error.is_transient(),
            words.contains("does not answer"),
            "{code}"
        );
        server.await.unwrap();
    }
}

#[tokio::test]
async fn a_dynamodb_that_is_not_there_may_be_tried_again() {
    let deaf = crate::faults::deaf_socket();
    let address = deaf.local_addr().unwrap();
    let registry = Registry::new(client_of(address), TABLE, 1);
    let request = Snapshot::Devices(DeviceType::Device);
    let error = registry
        .plan(&chess(), &request, None, 1, Unanswered::IsRetried)
        .await
        .unwrap_err();
    assert!(error.is_transient(), "{error}");
    let chunk = ChunkSource::Partitions(vec![format!("DEVICES#{}#0", chess())]);
    let error = registry
        .read(Parts::of(&chunk), &request)
        .try_collect::<Vec<_>>()
        .await
        .unwrap_err();
    assert!(error.is_transient(), "{error}");
}

#[tokio::test]
async fn what_a_batch_leaves_undone_is_written_again() {
    let left = json!({"UnprocessedItems": {TABLE: [{"PutRequest": {"Item": {"pk": {"S": "p"}, "sk": {"S": "left"}}}}]}});
    let (registry, server) = scripted(vec![(200, left.to_string()), (200, "{}".to_owned())]).await;
    registry
        .put_feedback(&chess(), &[feedback(1, 1), feedback(1, 2)])
        .await
        .unwrap();
    let asked = server.await.unwrap();
    assert_eq!(asked.len(), 2);
    let again: Value = serde_json::from_str(&asked[1]).unwrap();
    assert_eq!(
        again["RequestItems"][TABLE],
        left["UnprocessedItems"][TABLE]
    );
}

#[tokio::test]
async fn a_damaged_campaign_is_named_without_its_content() {
    let item =
        json!({"pk": {"S": "p"}, "sk": {"S": "09223372036854775815"}, "activeFrom": {"S": "soon"}});
    let (registry, server) = scripted(vec![(200, json!({"Items": [item]}).to_string())]).await;
    let error = registry
        .plan(&chess(), &window(), None, 1, Unanswered::IsRetried)
        .await
        .unwrap_err();
    let error = in_one_line(&error);
    assert!(
        error.ends_with(
            "#Poll 09223372036854775815 cannot be read: `activeFrom` is not a timestamp"
        ),
        "{error}"
    );
    assert!(!error.contains("soon"));
    server.await.unwrap();
}
