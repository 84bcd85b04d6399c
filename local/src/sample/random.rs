//! A small random number generator whose numbers depend on its seed alone, on every machine and in
//! every version.

/// `SplitMix64` (<https://prng.di.unimi.it/splitmix64.c>): quick, and good enough for made-up data.
#[derive(Debug, Clone)]
pub(crate) struct Random(u64);

impl Random {
    /// A generator for one purpose: the seed, and the numbers that distinguish its purpose.
    pub(crate) fn new(seed: u64, purpose: &[u64]) -> Self {
        let mixed = purpose.iter().fold(seed, |state, number| {
            Self(state ^ number.rotate_left(32)).next()
        });
        Self(mixed)
    }

    /// The next number; all 64 bits of it are random.
    pub(crate) fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mixed = (self.0 ^ (self.0 >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        let mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^ (mixed >> 31)
    }

    /// A number below `bound`; 0 when there is none.
    pub(crate) fn below(&mut self, bound: u64) -> u64 {
        self.next().checked_rem(bound).unwrap_or(0)
    }

    /// True once in `times`.
    pub(crate) fn one_in(&mut self, times: u64) -> bool {
        self.below(times) == 0
    }

    /// One of the choices; nothing when there is none.
    pub(crate) fn pick<'a>(&mut self, choices: &'a [&'a str]) -> &'a str {
        let index = usize::try_from(self.below(choices.len() as u64)).unwrap_or(0);
        choices.get(index).copied().unwrap_or_default()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_depend_on_seed_and_purpose_alone() {
        let draw = |seed, purpose: &[u64]| Random::new(seed, purpose).next();
        assert_eq!(draw(1, &[2, 3]), draw(1, &[2, 3]));
        assert_ne!(draw(1, &[2, 3]), draw(1, &[3, 2]));
        assert_ne!(draw(1, &[2, 3]), draw(2, &[2, 3]));
    }
}
