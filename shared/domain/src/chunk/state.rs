//! Where a chunk stands.

use strum::{Display, EnumDiscriminants, EnumString, IntoStaticStr, VariantArray};
use time::OffsetDateTime;

use super::{MissingParts, Output};

/// Where a chunk stands, with what is true there.
#[derive(Debug, Clone, PartialEq, Eq, EnumDiscriminants)]
#[strum_discriminants(
    name(ChunkStateName),
    doc = "The name of a chunk's state.",
    derive(
        Hash,
        PartialOrd,
        Ord,
        Display,
        EnumString,
        IntoStaticStr,
        VariantArray
    ),
    strum(serialize_all = "kebab-case")
)]
pub enum ChunkState {
    /// Waits for a run.
    Pending {
        /// The files that an earlier run prepared, to be committed.
        prepared: Option<Output>,
    },
    /// A run stages blocks; nothing is visible.
    Running {
        /// When the run's lease ends.
        until: OffsetDateTime,
        /// What an earlier attempt found that cannot be exported.
        missing: MissingParts,
    },
    /// The files' block lists are durable; what remains is to commit and to record them.
    Prepared {
        /// When the run's lease ends.
        until: OffsetDateTime,
        /// The files and their figures.
        output: Output,
    },
    /// The files are committed, counted and never touched again.
    Recorded {
        /// The files and their figures.
        output: Output,
    },
    /// Waits for the job to get a new credential.
    Parked {
        /// The files that a run prepared, to be committed.
        prepared: Option<Output>,
    },
    /// No file, because the job was cancelled.
    Cancelled,
    /// No file, and why.
    Failed {
        /// The reason, for the job's owner.
        reason: String,
    },
}

impl ChunkState {
    /// The state's name, as stored and as the pipe's filter reads it.
    pub fn name(&self) -> &'static str {
        ChunkStateName::from(self).into()
    }
}

impl ChunkStateName {
    /// Every state, in the order of declaration.
    pub const ALL: &[Self] = Self::VARIANTS;

    /// Reads a stored name; `None` when it is no state's.
    pub fn from_name(name: &str) -> Option<Self> {
        name.parse().ok()
    }
}
