//! A container that keeps the beginnings of its files, and a sealer of nothing.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use async_trait::async_trait;
use bytes::Bytes;
use domain::container::{BlobName, BlockId, ContainerAccess};
use domain::job::{JobId, SealedCredential};
use domain::secret::Secret;
use ports::container::{Container, ContainerError, Containers};
use ports::seal::{SealError, Sealer};

/// How much of a file is kept. A file of rejects that is longer ends within a line.
const KEPT_BYTES: usize = 4 << 20;

/// What was written, by blob.
#[derive(Default, Clone)]
pub(super) struct Kept {
    blobs: Arc<Mutex<HashMap<BlobName, Blob>>>,
}

/// A blob, as its last attempt has staged it: an earlier one was given up.
#[derive(Default)]
struct Blob {
    attempt: u32,
    bytes: Vec<u8>,
}

impl Kept {
    pub(super) fn content(&self, name: &BlobName) -> Vec<u8> {
        let blobs = self.lock();
        blobs
            .get(name)
            .map(|blob| blob.bytes.clone())
            .unwrap_or_default()
    }

    pub(super) fn clear(&self) {
        self.lock().clear();
    }

    fn lock(&self) -> MutexGuard<'_, HashMap<BlobName, Blob>> {
        self.blobs.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Containers for Kept {
    fn open(&self, _: &ContainerAccess) -> Result<Arc<dyn Container>, ContainerError> {
        Ok(Arc::new(self.clone()))
    }
}

#[async_trait]
impl Container for Kept {
    /// Blocks of a file that is kept come in their order: a small file has one.
    async fn stage_block(
        &self,
        blob: &BlobName,
        block: BlockId,
        data: Bytes,
    ) -> Result<(), ContainerError> {
        let mut blobs = self.lock();
        let blob = blobs.entry(blob.clone()).or_default();
        if blob.attempt != block.attempt {
            *blob = Blob {
                attempt: block.attempt,
                bytes: Vec::new(),
            };
        }
        let room = KEPT_BYTES.saturating_sub(blob.bytes.len());
        blob.bytes
            .extend_from_slice(data.get(..room).unwrap_or(&data));
        Ok(())
    }

    async fn commit_blocks(
        &self,
        _: &BlobName,
        _: &[BlockId],
        _: &str,
    ) -> Result<(), ContainerError> {
        Ok(())
    }
}

/// There is no signature to keep.
pub(super) struct Unsealed;

#[async_trait]
impl Sealer for Unsealed {
    async fn seal(&self, _: JobId, _: &Secret) -> Result<SealedCredential, SealError> {
        Ok(SealedCredential(Vec::new()))
    }

    async fn open(&self, _: JobId, _: &SealedCredential) -> Result<Secret, SealError> {
        Ok(Secret::new(""))
    }
}
