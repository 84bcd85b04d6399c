//! The chunk queue over SQS, for those who put a message back.
#![expect(
    clippy::disallowed_types,
    reason = "the one adapter over the SQS client"
)]

use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use aws_errors::AwsError;
use aws_sdk_sqs::Client;
use ports::queue::{ChunkQueue, QueueError};
use wiring::Wiring;
use wiring::config::{CHUNK_QUEUE_URL, ConfigError};

/// A chunk queue in SQS.
#[derive(Debug, Clone)]
pub struct SqsChunkQueue {
    client: Client,
    url: String,
}

/// The queue that the settings name, if they name one.
///
/// # Errors
/// [`ConfigError`] when the setting cannot be read.
pub fn wire(wiring: &Wiring) -> Result<Option<Arc<dyn ChunkQueue>>, ConfigError> {
    let url = wiring.env().get(&CHUNK_QUEUE_URL)?;
    let queue = url.map(|url| SqsChunkQueue::new(Client::new(wiring.sdk()), url));
    Ok(queue.map(|queue| Arc::new(queue) as _))
}

impl SqsChunkQueue {
    /// The queue at this URL.
    pub fn new(client: Client, url: impl Into<String>) -> Self {
        Self {
            client,
            url: url.into(),
        }
    }
}

#[async_trait]
impl ChunkQueue for SqsChunkQueue {
    /// A delay of its own, up to 15 minutes, is what a standard queue allows a message
    /// (<https://docs.aws.amazon.com/AWSSimpleQueueService/latest/APIReference/API_SendMessage.html#API_SendMessage_RequestSyntax>).
    async fn send(&self, body: &str, delay: Duration) -> Result<(), QueueError> {
        let seconds = i32::try_from(delay.as_secs()).unwrap_or(i32::MAX);
        let request = self
            .client
            .send_message()
            .queue_url(&self.url)
            .delay_seconds(seconds)
            .message_body(body);
        match request.send().await {
            Ok(_) => Ok(()),
            Err(error) => Err(QueueError(AwsError::of(error).into())),
        }
    }
}
