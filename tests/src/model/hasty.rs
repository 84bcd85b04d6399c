//! A protocol that is wrong: its runs commit a file before they have prepared it.

use std::sync::Arc;

use async_trait::async_trait;
use container::writer::commit_all;
use domain::chunk::{Chunk, ChunkKey, ChunkMove, ChunkState};
use domain::container::{ContainerAccess, ContainerAddress};
use domain::job::{Job, JobKey};
use domain::secret::Secret;
use domain::tally::Tally;
use ports::container::{Container, Containers};
use ports::store::{Chunks, Jobs, StoreError};
use time::OffsetDateTime;

use super::ports::{Storage, Table};
use super::signature;
use crate::world::CONTAINER;

/// A table whose callers commit a file before they prepare it.
pub(crate) struct HastyTable;

#[async_trait]
impl Jobs for HastyTable {
    async fn job(&self, key: &JobKey, now: OffsetDateTime) -> Result<Option<Job>, StoreError> {
        Table.job(key, now).await
    }

    async fn put_job(&self, job: Job) -> Result<Job, StoreError> {
        Table.put_job(job).await
    }

    async fn tally(&self, job: &Job) -> Result<Tally, StoreError> {
        Table.tally(job).await
    }
}

#[async_trait]
impl Chunks for HastyTable {
    async fn chunk(&self, key: &ChunkKey) -> Result<Option<Chunk>, StoreError> {
        Table.chunk(key).await
    }

    async fn apply(&self, step: ChunkMove) -> Result<Chunk, StoreError> {
        if let ChunkState::Prepared { output, .. } = &step.chunk.state {
            let container = open_first();
            let committed = commit_all(container.as_ref(), output, &super::job().request).await;
            committed.map_err(|error| StoreError::Unavailable {
                cause: error.into(),
            })?;
        }
        Table.apply(step).await
    }
}

/// The container with its first signature.
fn open_first() -> Arc<dyn Container> {
    let signature = Secret::new(signature(0));
    Storage
        .open(&ContainerAccess {
            address: ContainerAddress::new(CONTAINER),
            signature,
        })
        .unwrap()
}
