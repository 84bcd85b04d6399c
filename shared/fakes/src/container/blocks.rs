//! The blocks of one blob, and what storage does with them: a value, without a lock or a signature.

use std::collections::BTreeMap;

use bytes::Bytes;
use domain::container::BlockId;
use ports::container::ContainerError;

use super::StoredBlob;

/// A blob's blocks: those that were staged since the last commit, and those that it consists of.
#[derive(Debug, Clone, Default, PartialEq, Eq, Hash)]
pub struct Blocks {
    uncommitted: BTreeMap<BlockId, Bytes>,
    committed: Option<Committed>,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash)]
struct Committed {
    blocks: Vec<(BlockId, Bytes)>,
    content_type: String,
}

impl Blocks {
    /// Stages a block, in place of an uncommitted one of the same id
    /// (<https://learn.microsoft.com/en-us/rest/api/storageservices/put-block#remarks>).
    ///
    /// # Errors
    /// [`ContainerError::Refused`] when it is empty.
    pub fn stage(&mut self, id: BlockId, data: Bytes) -> Result<(), ContainerError> {
        if data.is_empty() {
            return Err(ContainerError::Refused {
                code: "InvalidHeaderValue".to_owned(),
            });
        }
        self.uncommitted.insert(id, data);
        Ok(())
    }

    /// Makes the blob consist of these blocks, and discards all other ones
    /// (<https://learn.microsoft.com/en-us/rest/api/storageservices/put-block-list#remarks>).
    ///
    /// # Errors
    /// [`ContainerError::BlocksGone`] when there is no such block: then nothing changes.
    pub fn commit(&mut self, list: &[BlockId], content_type: &str) -> Result<(), ContainerError> {
        let found: Option<Vec<_>> = list
            .iter()
            .map(|id| Some((*id, self.latest(*id)?)))
            .collect();
        let blocks = found.ok_or(ContainerError::BlocksGone)?;
        self.uncommitted.clear();
        self.committed = Some(Committed {
            blocks,
            content_type: content_type.to_owned(),
        });
        Ok(())
    }

    /// What readers see; `None` before the first commit.
    pub fn content(&self) -> Option<StoredBlob> {
        let committed = self.committed.as_ref()?;
        let blocks: Vec<&[u8]> = committed.blocks.iter().map(|(_, data)| &**data).collect();
        Some(StoredBlob {
            data: blocks.concat(),
            content_type: committed.content_type.clone(),
        })
    }

    /// Whether readers see a blob.
    pub(crate) fn is_committed(&self) -> bool {
        self.committed.is_some()
    }

    /// How many blocks are staged and not committed.
    pub fn uncommitted(&self) -> usize {
        self.uncommitted.len()
    }

    /// Forgets what is staged and not committed, as storage does after a week
    /// (<https://learn.microsoft.com/en-us/rest/api/storageservices/put-block#remarks>).
    pub fn drop_uncommitted(&mut self) {
        self.uncommitted.clear();
    }

    /// A block as `Latest` means it: the uncommitted one, else the one of the committed list
    /// (<https://learn.microsoft.com/en-us/rest/api/storageservices/put-block-list#request-body>).
    fn latest(&self, id: BlockId) -> Option<Bytes> {
        let committed = self
            .committed
            .iter()
            .flat_map(|committed| &committed.blocks);
        let committed = committed
            .filter(|(committed_id, _)| *committed_id == id)
            .map(|(_, data)| data);
        self.uncommitted
            .get(&id)
            .or_else(|| committed.last())
            .cloned()
    }
}
