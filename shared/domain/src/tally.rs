//! The running count of a shard's chunks and rows.

use std::iter::Sum;
use std::ops::Add;

use crate::counts::Counts;

/// The phase that an event tells of a shard whose tally has no open chunk.
pub const DRAINED: &str = "drained";

/// What a shard of a job (or, summed, the whole job) has come to.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
pub struct Tally {
    /// Chunks planned.
    pub planned: u64,
    /// Chunks that are neither recorded nor failed.
    pub open: u64,
    /// Chunks whose files (or emptiness) are recorded for good.
    pub recorded: u64,
    /// Chunks that could not be exported.
    pub failed: u64,
    /// What the recorded chunks counted.
    pub counts: Counts,
}

impl Add for Tally {
    type Output = Self;

    fn add(self, other: Self) -> Self {
        Self {
            planned: self.planned + other.planned,
            open: self.open + other.open,
            recorded: self.recorded + other.recorded,
            failed: self.failed + other.failed,
            counts: self.counts + other.counts,
        }
    }
}

impl Sum for Tally {
    fn sum<I: Iterator<Item = Self>>(tallies: I) -> Self {
        tallies.fold(Self::default(), Add::add)
    }
}

/// A change of one shard's tally, written in one transaction with the chunk that causes it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct TallyChange {
    /// Added to [`Tally::planned`].
    pub planned: i64,
    /// Added to [`Tally::open`].
    pub open: i64,
    /// Added to [`Tally::recorded`].
    pub recorded: i64,
    /// Added to [`Tally::failed`].
    pub failed: i64,
    /// Added to [`Tally::counts`]: what is recorded is never taken back.
    pub counts: Counts,
}

impl Add for TallyChange {
    type Output = Self;

    fn add(self, other: Self) -> Self {
        Self {
            planned: self.planned + other.planned,
            open: self.open + other.open,
            recorded: self.recorded + other.recorded,
            failed: self.failed + other.failed,
            counts: self.counts + other.counts,
        }
    }
}
