//! Finds out whether a container can be written to, by writing.

use bytes::Bytes;

use super::{BlobName, BlockId, Container, ContainerError};

/// Stages one tiny block under the name of the job's manifest, and commits nothing.
///
/// The block is invisible, and nothing of it is ever left behind: the manifest's own commit discards it, and where no
/// manifest is ever written, storage does after a week
/// (<https://learn.microsoft.com/en-us/rest/api/storageservices/put-block#remarks>). Its id is of attempt 0; writers
/// count their attempts from 1, so none of them can take it for their own.
///
/// # Errors
/// What storage said of the write.
pub async fn preflight(container: &dyn Container, manifest: &BlobName) -> Result<(), ContainerError> {
    let block = BlockId { attempt: 0, index: 0 };
    container.stage_block(manifest, block, Bytes::from_static(b"preflight")).await
}
