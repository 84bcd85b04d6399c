//! What an export lacks, in bounded memory.

use super::Missing;

/// How many entries of each kind are missing, and the first few of them.
#[derive(Debug, Default)]
pub(crate) struct Shortfall {
    pub(crate) chunks: u64,
    pub(crate) objects: u64,
    pub(crate) days: u64,
    pub(crate) first: Vec<Missing>,
}

/// How many of them the job's details name.
const DETAILED: usize = 10;

impl Shortfall {
    pub(super) fn add(&mut self, missing: &Missing) {
        let count = match (missing.day, &missing.object) {
            (Some(_), _) => &mut self.days,
            (None, Some(_)) => &mut self.objects,
            (None, None) => &mut self.chunks,
        };
        *count += 1;
        if self.first.len() < DETAILED {
            self.first.push(Missing {
                sources: Vec::new(),
                ..missing.clone()
            });
        }
    }

    /// How many entries there are.
    pub(crate) fn entries(&self) -> u64 {
        self.chunks + self.objects + self.days
    }
}
