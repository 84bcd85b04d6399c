//! Containers in memory: a fake with the block semantics of Azure Storage, which passes the same
//! contract suite.

mod blocks;

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use async_trait::async_trait;
pub use blocks::Blocks;
use bytes::Bytes;
use domain::container::{BlobName, BlockId, ContainerAccess, ContainerAddress};
use domain::secret::Secret;
use ports::container::{Container, ContainerError, Containers};

/// What a signature permits.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Permission {
    /// To stage and commit blocks.
    Write,
    /// To read them, not to write.
    Read,
}

/// A committed blob, as readers see it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StoredBlob {
    /// The bytes of its blocks, in the order of the list that was committed.
    pub data: Vec<u8>,
    /// The content type that was given with the commit.
    pub content_type: String,
}

/// Any number of containers by address. Clones share them.
#[derive(Clone, Default)]
pub struct MemoryContainers {
    stored: Arc<Mutex<HashMap<String, StoredContainer>>>,
}

#[derive(Default)]
struct StoredContainer {
    grants: HashMap<String, Permission>,
    blobs: HashMap<BlobName, Blocks>,
}

impl MemoryContainers {
    /// Makes an empty container, and drops the one that was there.
    pub fn create(&self, address: &ContainerAddress) {
        self.lock()
            .insert(address.as_str().to_owned(), StoredContainer::default());
    }

    /// Deletes a container with all that is in it.
    pub fn delete(&self, address: &ContainerAddress) {
        self.lock().remove(address.as_str());
    }

    /// Accepts a signature for a container from now on; no effect on a container that does not
    /// exist.
    pub fn grant(&self, address: &ContainerAddress, signature: &Secret, permission: Permission) {
        self.change(address, |container| {
            container
                .grants
                .insert(signature.reveal().to_owned(), permission)
        });
    }

    /// Accepts a signature no longer: it has expired or its key was changed.
    pub fn revoke(&self, address: &ContainerAddress, signature: &Secret) {
        self.change(address, |container| {
            container.grants.remove(signature.reveal())
        });
    }

    /// A blob as its last commit left it; `None` when there was none.
    pub fn read(&self, address: &ContainerAddress, name: &BlobName) -> Option<StoredBlob> {
        let containers = self.lock();
        containers.get(address.as_str())?.blobs.get(name)?.content()
    }

    /// The names of the committed blobs, sorted.
    pub fn list(&self, address: &ContainerAddress) -> Vec<String> {
        let containers = self.lock();
        let blobs = containers
            .get(address.as_str())
            .into_iter()
            .flat_map(|container| &container.blobs);
        let committed = blobs.filter(|(_, blocks)| blocks.is_committed());
        let mut names: Vec<_> = committed
            .map(|(name, _)| name.as_str().to_owned())
            .collect();
        names.sort_unstable();
        names
    }

    /// How many uncommitted blocks a blob has.
    pub fn uncommitted(&self, address: &ContainerAddress, name: &BlobName) -> usize {
        let containers = self.lock();
        let blocks = containers
            .get(address.as_str())
            .and_then(|container| container.blobs.get(name));
        blocks.map_or(0, Blocks::uncommitted)
    }

    /// Drops the uncommitted blocks of every blob of a container, as storage does with those older
    /// than a week.
    pub fn drop_uncommitted(&self, address: &ContainerAddress) {
        self.change(address, |container| {
            container
                .blobs
                .values_mut()
                .for_each(Blocks::drop_uncommitted);
        });
    }

    fn change<T>(
        &self,
        address: &ContainerAddress,
        change: impl FnOnce(&mut StoredContainer) -> T,
    ) {
        self.lock().get_mut(address.as_str()).map(change);
    }

    fn lock(&self) -> MutexGuard<'_, HashMap<String, StoredContainer>> {
        self.stored.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Containers for MemoryContainers {
    fn open(&self, access: &ContainerAccess) -> Result<Arc<dyn Container>, ContainerError> {
        url::Url::parse(access.address.as_str()).map_err(|_| refused("InvalidUri"))?;
        Ok(Arc::new(MemoryContainer {
            containers: self.clone(),
            access: access.clone(),
        }))
    }
}

struct MemoryContainer {
    containers: MemoryContainers,
    access: ContainerAccess,
}

impl MemoryContainer {
    /// Changes a blob as storage would: container first, then signature, then permission.
    fn write<T>(
        &self,
        name: &BlobName,
        change: impl FnOnce(&mut Blocks) -> Result<T, ContainerError>,
    ) -> Result<T, ContainerError> {
        let mut containers = self.containers.lock();
        let container = containers
            .get_mut(self.access.address.as_str())
            .ok_or_else(|| ContainerError::Missing {
                code: "ContainerNotFound".to_owned(),
            })?;
        match container.grants.get(self.access.signature.reveal()) {
            Some(Permission::Write) => change(container.blobs.entry(name.clone()).or_default()),
            Some(Permission::Read) => Err(denied("AuthorizationPermissionMismatch")),
            None => Err(denied("AuthenticationFailed")),
        }
    }
}

#[async_trait]
impl Container for MemoryContainer {
    async fn stage_block(
        &self,
        blob: &BlobName,
        block: BlockId,
        data: Bytes,
    ) -> Result<(), ContainerError> {
        self.write(blob, |stored| stored.stage(block, data))
    }

    async fn commit_blocks(
        &self,
        blob: &BlobName,
        blocks: &[BlockId],
        content_type: &str,
    ) -> Result<(), ContainerError> {
        self.write(blob, |stored| stored.commit(blocks, content_type))
    }
}

fn refused(code: &str) -> ContainerError {
    ContainerError::Refused {
        code: code.to_owned(),
    }
}

fn denied(code: &str) -> ContainerError {
    ContainerError::Denied {
        code: code.to_owned(),
    }
}
