//! The running count of a shard's chunks and rows.

use std::iter::Sum;
use std::ops::Add;

use crate::counts::Counts;

/// The phase that an event has for a shard whose tally has no open chunk.
pub const DRAINED: &str = "drained";

/// What a shard of a job (or, summed, the whole job) has come to.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
pub struct Tally<N = u64> {
    /// Chunks planned so far, whatever became of them.
    pub planned: N,
    /// Chunks that are neither recorded nor failed.
    pub open: N,
    /// Chunks whose files (or emptiness) are recorded for good.
    pub recorded: N,
    /// Chunks that could not be exported.
    pub failed: N,
    /// Recorded chunks that lack objects which could not be exported.
    pub partial: N,
    /// What the recorded chunks counted.
    pub counts: Counts,
}

/// A change of one shard's tally, written in one transaction with the chunk that causes it. A chunk
/// may be taken out of a number of chunks; what is recorded is never taken back.
pub type TallyChange = Tally<i64>;

impl<N: Add<Output = N>> Add for Tally<N> {
    type Output = Self;

    fn add(self, other: Self) -> Self {
        Self {
            planned: self.planned + other.planned,
            open: self.open + other.open,
            recorded: self.recorded + other.recorded,
            failed: self.failed + other.failed,
            partial: self.partial + other.partial,
            counts: self.counts + other.counts,
        }
    }
}

impl Tally {
    /// Whether every record of the chunks is in a file, as a row or as a reject, as a whole.
    pub(crate) fn is_complete(&self) -> bool {
        self.recorded == self.planned && self.partial == 0 && self.counts.rejected_in_part == 0
    }
}

impl Sum for Tally {
    fn sum<I: Iterator<Item = Self>>(tallies: I) -> Self {
        tallies.fold(Self::default(), Add::add)
    }
}
