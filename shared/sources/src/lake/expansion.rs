//! How far a compressed object may expand, so that no object is a decompression bomb.

use std::io;

use thiserror::Error;

/// The most bytes that a compressed object may expand to: `ratio` times its size as stored, and
/// `always_bytes` however small it is.
///
/// By gzip, records shrink to a 300th at most, even when one is repeated over and over, and a mere
/// byte to a 1,032nd: a ratio distinguishes a bomb from a log. By Zstandard it cannot: a byte
/// shrinks to a 32,000th, and the log of one device that says one thing to a 1,700th or less. What
/// is always allowed makes room for such a log; beyond it, the log is to be stored in several
/// objects, or uncompressed, which has no limit. `docs/DATA_MODEL.md` has the figures.
///
/// By default 500 times, and always 256 MiB. So a chunk of the default target, 64 MiB in at most
/// 500 objects, expands to 160 GiB at most, about what a run exports in the time that it has
/// (`docs/PERFORMANCE.md`).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ExpansionLimit {
    /// How many times its size as stored an object may expand to.
    pub ratio: u64,
    /// What every object may expand to, in bytes.
    pub always_bytes: u64,
}

impl Default for ExpansionLimit {
    fn default() -> Self {
        Self {
            ratio: 500,
            always_bytes: 256 << 20,
        }
    }
}

impl ExpansionLimit {
    /// The most bytes of an object of `stored_bytes`.
    pub fn most_bytes(self, stored_bytes: u64) -> u64 {
        self.ratio
            .saturating_mul(stored_bytes)
            .max(self.always_bytes)
    }
}

/// An object that expands too far.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
#[error(
    "it expands to more than {} bytes, the most for its size as stored, {stored_bytes} ({} times that, and always {}); \
     if its records are real, store it uncompressed or in smaller objects",
    limit.most_bytes(*stored_bytes), limit.ratio, limit.always_bytes
)]
pub(super) struct ExpandsTooFar {
    limit: ExpansionLimit,
    stored_bytes: u64,
}

/// How far one object may still expand.
#[derive(Debug)]
pub(super) struct Allowance {
    left: u64,
    problem: ExpandsTooFar,
}

impl Allowance {
    pub(super) fn new(limit: ExpansionLimit, stored_bytes: u64) -> Self {
        Self {
            left: limit.most_bytes(stored_bytes),
            problem: ExpandsTooFar {
                limit,
                stored_bytes,
            },
        }
    }

    /// Takes so many bytes more.
    ///
    /// # Errors
    /// [`ExpandsTooFar`], within, when they are more than there may be.
    pub(super) fn spend(&mut self, bytes: usize) -> io::Result<()> {
        let left = self.left.checked_sub(bytes as u64);
        self.left = left.ok_or_else(|| io::Error::other(self.problem))?;
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const LIMIT: ExpansionLimit = ExpansionLimit {
        ratio: 10,
        always_bytes: 100,
    };

    /// Expands an object a few bytes at a time.
    fn expand(bytes: usize, stored_bytes: u64) -> io::Result<()> {
        let mut allowance = Allowance::new(LIMIT, stored_bytes);
        let (portions, rest) = (bytes / 7, bytes % 7);
        (0..portions).try_for_each(|_| allowance.spend(7))?;
        allowance.spend(rest)
    }

    #[test]
    fn an_object_may_expand_to_the_ratio_or_to_what_is_always_allowed() {
        for (stored, most) in [
            (0, 100),
            (1, 100),
            (10, 100),
            (11, 110),
            (100_000, 1_000_000),
        ] {
            expand(most, stored).unwrap();
            expand(most + 1, stored).unwrap_err();
        }
    }

    #[test]
    fn the_refusal_names_the_limit_and_the_fix() {
        let error = expand(10_001, 1_000).unwrap_err();
        let words = "it expands to more than 10000 bytes, \
                     the most for its size as stored, 1000 (10 times that, and always 100); \
                     if its records are real, store it uncompressed or in smaller objects";
        assert_eq!(error.to_string(), words);
    }

    #[test]
    fn no_size_overflows_the_limit() {
        assert_eq!(LIMIT.most_bytes(u64::MAX), u64::MAX);
    }
}
