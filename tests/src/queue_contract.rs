//! What the chunk queue owes whoever puts a message back: in memory, and SQS.
#![expect(clippy::disallowed_types, reason = "looks into the queue from outside")]

use std::sync::Arc;
use std::time::Duration;

use aws_sdk_sqs::Client;
use aws_sdk_sqs::types::QueueAttributeName;
use chunk_queue::SqsChunkQueue;
use domain::cause::in_one_line;
use fakes::queue::MemoryQueue;
use ports::clock::Clock;
use ports::queue::ChunkQueue;
use wiring::SystemClock;

use crate::ministack::Ministack;

const BODY: &str = r#"{"scope":"/s/ünï","job":"j","shard":"0","chunk":"7"}"#;

/// A queue of a server that runs as long as it is held.
async fn new_queue() -> (Arc<Ministack>, Client, String) {
    let server = Ministack::shared().await;
    let client = Client::new(&server.sdk_config().await);
    let name = SystemClock.fresh_id().to_string();
    let queue = client.create_queue().queue_name(name).send().await.unwrap();
    (server, client, queue.queue_url.unwrap())
}

#[tokio::test]
async fn a_message_is_received_as_it_was_sent() {
    let (_server, client, url) = new_queue().await;
    let queue = SqsChunkQueue::new(client.clone(), &url);
    queue.send(BODY, Duration::ZERO).await.unwrap();
    let received = client.receive_message().queue_url(url).send().await;
    let messages = received.unwrap().messages.unwrap();
    let bodies: Vec<_> = messages.iter().map(|message| message.body()).collect();
    assert_eq!(bodies, [Some(BODY)]);

    let queue = MemoryQueue::default();
    queue.send(BODY, Duration::ZERO).await.unwrap();
    assert_eq!(queue.take(), [(BODY.to_owned(), Duration::ZERO)]);
}

#[tokio::test]
async fn a_message_with_a_delay_waits() {
    let (_server, client, url) = new_queue().await;
    let queue = SqsChunkQueue::new(client.clone(), &url);
    queue.send(BODY, Duration::from_mins(15)).await.unwrap();
    let delayed = QueueAttributeName::ApproximateNumberOfMessagesDelayed;
    let asked = client.get_queue_attributes().queue_url(url);
    let answer = asked.attribute_names(delayed.clone()).send().await.unwrap();
    assert_eq!(answer.attributes.unwrap()[&delayed], "1");
}

#[tokio::test]
async fn a_queue_that_is_not_there_is_an_error_that_says_so() {
    let (_server, client, url) = new_queue().await;
    let queue = SqsChunkQueue::new(client, format!("{url}-gone"));
    let error = queue.send(BODY, Duration::ZERO).await.unwrap_err();
    let answer = in_one_line(&error);
    assert!(answer.contains("NonExistentQueue"), "{answer}");
}
