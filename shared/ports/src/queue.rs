//! The port to the chunk queue. The pipe `chunks` fills it, run-export-chunk empties it; this is for
//! those who put a message back.

use std::time::Duration;

use async_trait::async_trait;
use domain::cause::Cause;
use thiserror::Error;

/// Why a message is not on the queue: the queue does not answer, or refuses it.
#[derive(Debug, Error)]
#[error("the chunk queue does not take the message")]
pub struct QueueError(
    /// What the client says of it.
    #[source]
    pub Cause,
);

/// The queue of chunk messages.
#[async_trait]
pub trait ChunkQueue: Send + Sync {
    /// Sends a message that is delivered after `delay` (at most 15 minutes), its receives counted
    /// from none.
    ///
    /// # Errors
    /// [`QueueError`], whose repeat does no harm; the message may be on the queue all the same.
    async fn send(&self, body: &str, delay: Duration) -> Result<(), QueueError>;
}
