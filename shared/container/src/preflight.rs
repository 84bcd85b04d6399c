//! Finds out whether a container can be written to, by writing.

use std::time::Duration;

use bytes::Bytes;
use domain::container::{BlobName, BlockId};
use ports::container::{Container, ContainerError};
use tokio::time::timeout;

/// How long a caller is kept waiting, whatever storage says of when to ask again. An HTTP API
/// answers within 30 seconds (<https://docs.aws.amazon.com/apigateway/latest/developerguide/http-api-quotas.html>).
const DEADLINE: Duration = Duration::from_secs(15);

/// Stages one tiny block under the name of the job's manifest, and commits nothing.
///
/// The block is invisible, and nothing of it is ever left behind: the manifest's own commit
/// discards it, and where no manifest is ever written, storage does after a week
/// (<https://learn.microsoft.com/en-us/rest/api/storageservices/put-block#remarks>). Its id is of attempt 0; writers
/// count their attempts from 1, so none of them can take it for their own.
///
/// # Errors
/// What storage said of the write; [`ContainerError::Unavailable`] when it said nothing within 15
/// seconds.
pub async fn preflight(
    container: &dyn Container,
    manifest: &BlobName,
) -> Result<(), ContainerError> {
    stage_within(DEADLINE, container, manifest).await
}

async fn stage_within(
    deadline: Duration,
    container: &dyn Container,
    blob: &BlobName,
) -> Result<(), ContainerError> {
    let block = BlockId {
        attempt: 0,
        index: 0,
    };
    let staged = timeout(
        deadline,
        container.stage_block(blob, block, Bytes::from_static(b"preflight")),
    )
    .await;
    staged.unwrap_or_else(|_| Err(ContainerError::unavailable("no answer in time")))
}

#[cfg(test)]
mod tests {
    use std::future::pending;

    use async_trait::async_trait;

    use super::*;

    /// Storage that never answers.
    struct Silent;

    #[async_trait]
    impl Container for Silent {
        async fn stage_block(
            &self,
            _: &BlobName,
            _: BlockId,
            _: Bytes,
        ) -> Result<(), ContainerError> {
            pending().await
        }

        async fn commit_blocks(
            &self,
            _: &BlobName,
            _: &[BlockId],
            _: &str,
        ) -> Result<(), ContainerError> {
            pending().await
        }
    }

    #[tokio::test]
    async fn a_storage_that_never_answers_is_unavailable() {
        let blob = BlobName::from_stored("events/job/manifest.json");
        let staged = stage_within(Duration::ZERO, &Silent, &blob).await;
        assert_eq!(
            staged,
            Err(ContainerError::unavailable("no answer in time"))
        );
    }
}
