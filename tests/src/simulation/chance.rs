//! The one source of chance of a run: the same seed gives the same numbers, on every machine.

use time::Duration;

/// `SplitMix64` (<https://doi.org/10.1145/2714064.2660195>).
#[derive(Debug, Clone)]
pub(crate) struct Chance(u64);

impl Chance {
    pub(crate) fn new(seed: u64) -> Self {
        Self(seed)
    }

    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut bits = self.0;
        bits = (bits ^ (bits >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        bits = (bits ^ (bits >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        bits ^ (bits >> 31)
    }

    /// A number from 0 to below `end`, which is at least 1.
    pub(crate) fn below(&mut self, end: usize) -> usize {
        usize::try_from(self.next() % u64::try_from(end).unwrap()).unwrap()
    }

    /// True `per_mille` times in a thousand.
    pub(crate) fn is(&mut self, per_mille: usize) -> bool {
        self.below(1_000) < per_mille
    }

    /// A span of less than `end` milliseconds.
    pub(crate) fn millis(&mut self, end: usize) -> Duration {
        Duration::milliseconds(i64::try_from(self.below(end)).unwrap())
    }

    pub(crate) fn pick<T: Copy>(&mut self, choices: &[T]) -> T {
        choices[self.below(choices.len())]
    }

    /// One of the choices, each as often as its weight says; `None` when all weigh nothing.
    pub(crate) fn weigh<T: Copy>(&mut self, choices: &[(usize, T)]) -> Option<T> {
        let sum = choices.iter().map(|(weight, _)| weight).sum();
        if sum == 0 {
            return None;
        }
        let mut at = self.below(sum);
        let mut chosen = choices.iter().filter(|(weight, _)| {
            let hit = at < *weight;
            at = at.saturating_sub(*weight);
            hit
        });
        chosen.next().map(|(_, choice)| *choice)
    }
}
