//! The port to the chunk queue. The pipe `chunks` fills it, run-export-chunk empties it; this is for
//! whoever puts a message back.

use std::time::Duration;

use async_trait::async_trait;
use thiserror::Error;

/// Why a message is not on the queue: the queue does not answer, or refuses it.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[error("the chunk queue does not take the message ({reason})")]
pub struct QueueError {
    /// What happened.
    pub reason: String,
}

/// The queue of chunk messages.
#[async_trait]
pub trait ChunkQueue: Send + Sync {
    /// Sends a message that is delivered after `delay` (at most 15 minutes), its receives counted
    /// from none.
    ///
    /// # Errors
    /// [`QueueError`]; the message may be on the queue all the same.
    async fn send(&self, body: &str, delay: Duration) -> Result<(), QueueError>;
}
