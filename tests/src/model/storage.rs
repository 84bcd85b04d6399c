//! A blob with the block semantics of Azure Storage: a commit keeps what its list names and discards all other blocks
//! (<https://learn.microsoft.com/en-us/rest/api/storageservices/put-block-list#remarks>).

use std::collections::BTreeMap;

use shared::container::{BlockId, ContainerError};

/// What a block holds, as far as it can be told apart.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(super) enum Block {
    /// The rows of a chunk that are at this place of its file, as one staging of the chunk read and encoded them.
    Rows {
        /// Which staging of the chunk: no two have the same bytes, even under the same attempt.
        staging: u8,
        /// The place.
        index: u32,
    },
    /// A whole manifest: of each chunk the staging that is recorded, or that it is missing.
    Listing(Vec<Option<u8>>),
}

/// A blob of the client's container.
#[derive(Debug, Clone, Default, PartialEq, Eq, Hash)]
pub(super) struct Blob {
    uncommitted: BTreeMap<BlockId, Block>,
    committed: Vec<(BlockId, Block)>,
}

impl Blob {
    /// Put Block.
    pub(super) fn stage(&mut self, id: BlockId, block: Block) {
        self.uncommitted.insert(id, block);
    }

    /// Put Block List.
    pub(super) fn commit(&mut self, list: &[BlockId]) -> Result<(), ContainerError> {
        let found: Option<Vec<_>> = list.iter().map(|id| Some((*id, self.latest(*id)?))).collect();
        self.committed = found.ok_or(ContainerError::BlocksGone)?;
        self.uncommitted.clear();
        Ok(())
    }

    /// What storage does with uncommitted blocks after a week.
    pub(super) fn drop_uncommitted(&mut self) {
        self.uncommitted.clear();
    }

    /// Whether blocks wait to be committed.
    pub(super) fn has_uncommitted(&self) -> bool {
        !self.uncommitted.is_empty()
    }

    /// What a reader sees; nothing before the first commit.
    pub(super) fn visible(&self) -> impl Iterator<Item = &Block> {
        self.committed.iter().map(|(_, block)| block)
    }

    fn latest(&self, id: BlockId) -> Option<Block> {
        let committed = || self.committed.iter().find(|(committed, _)| *committed == id).map(|(_, block)| block);
        self.uncommitted.get(&id).or_else(committed).cloned()
    }
}
