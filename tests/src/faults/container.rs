//! Containers whose calls meet the faults.

use std::sync::Arc;

use async_trait::async_trait;
use bytes::Bytes;
use domain::container::{BlobName, BlockId, ContainerAccess};
use ports::container::{Container, ContainerError, Containers};

use super::{Call, Fault, Faults};

/// Containers whose calls meet the faults.
pub(crate) struct FaultyContainers<C> {
    pub(crate) faults: Faults,
    pub(crate) inner: C,
}

impl<C: Containers> Containers for FaultyContainers<C> {
    fn open(&self, access: &ContainerAccess) -> Result<Arc<dyn Container>, ContainerError> {
        Ok(Arc::new(FaultyContainer {
            faults: self.faults.of_present_process(),
            inner: self.inner.open(access)?,
        }))
    }
}

struct FaultyContainer {
    faults: Faults,
    inner: Arc<dyn Container>,
}

fn no_answer(fault: Fault) -> ContainerError {
    let reason = "503".to_owned();
    if fault == Fault::Damaged {
        ContainerError::Damaged { code: reason }
    } else {
        ContainerError::unavailable(reason)
    }
}

#[async_trait]
impl Container for FaultyContainer {
    async fn stage_block(
        &self,
        blob: &BlobName,
        block: BlockId,
        data: Bytes,
    ) -> Result<(), ContainerError> {
        let (inner, blob) = (Arc::clone(&self.inner), blob.clone());
        let call = async move { inner.stage_block(&blob, block, data).await };
        self.faults.call(Call::Stage, call, no_answer).await
    }

    async fn commit_blocks(
        &self,
        blob: &BlobName,
        blocks: &[BlockId],
        content_type: &str,
    ) -> Result<(), ContainerError> {
        let (inner, blob, blocks) = (Arc::clone(&self.inner), blob.clone(), blocks.to_vec());
        let content_type = content_type.to_owned();
        let call = async move { inner.commit_blocks(&blob, &blocks, &content_type).await };
        self.faults.call(Call::Commit, call, no_answer).await
    }
}
