//! A chunk queue in memory.

use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use async_trait::async_trait;
use ports::queue::{ChunkQueue, QueueError};

/// Keeps what is sent, until it is taken.
#[derive(Debug, Default)]
pub struct MemoryQueue(Mutex<Vec<(String, Duration)>>);

impl MemoryQueue {
    /// Takes all messages, in the order in which they were sent, with their delays.
    pub fn take(&self) -> Vec<(String, Duration)> {
        std::mem::take(&mut self.0.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

#[async_trait]
impl ChunkQueue for MemoryQueue {
    async fn send(&self, body: &str, delay: Duration) -> Result<(), QueueError> {
        let mut sent = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        sent.push((body.to_owned(), delay));
        Ok(())
    }
}
