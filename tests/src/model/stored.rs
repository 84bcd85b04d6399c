//! The domain's own jobs, chunks and tallies, made fit for a set of states: shared, compared and hashed.

use std::hash::{Hash, Hasher};
use std::ops::Deref;
use std::sync::Arc;

use shared::chunk::{Chunk, ChunkState, Output};
use shared::job::{Job, Phase, Plan};
use shared::tally::Tally;

/// An item as the table holds it, or as an actor once read it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Stored<T>(Arc<T>);

impl<T: Clone> Stored<T> {
    pub(super) fn new(item: T) -> Self {
        Self(Arc::new(item))
    }

    /// A copy for a move to consume.
    pub(super) fn take(&self) -> T {
        self.0.as_ref().clone()
    }
}

impl<T> Deref for Stored<T> {
    type Target = T;

    fn deref(&self) -> &T {
        &self.0
    }
}

/// Hashes what differs between the states of one model; equality compares everything.
impl Hash for Stored<Chunk> {
    fn hash<H: Hasher>(&self, hasher: &mut H) {
        (self.key.number, self.attempt, self.revision, self.state.name()).hash(hasher);
        match &self.state {
            ChunkState::Pending { prepared } | ChunkState::Parked { prepared } => {
                prepared.as_ref().map(fingerprint).hash(hasher);
            }
            ChunkState::Running { until } => until.hash(hasher),
            ChunkState::Prepared { until, output } => (until, fingerprint(output)).hash(hasher),
            ChunkState::Recorded { output } => fingerprint(output).hash(hasher),
            ChunkState::Cancelled | ChunkState::Failed { .. } => {}
        }
    }
}

impl Hash for Stored<Job> {
    fn hash<H: Hasher>(&self, hasher: &mut H) {
        let plan_is_open = matches!(self.plan, Plan::Open { .. });
        let counts = (self.chunks, self.credentials_given, self.finish_attempts, self.revision);
        (self.phase.name(), plan_is_open, counts, self.credential.is_some()).hash(hasher);
        if let Phase::Finishing { cancelled, manifest } = &self.phase {
            (cancelled.is_some(), manifest.as_ref().map(|(file, _)| (file.attempt, &file.sha256))).hash(hasher);
        }
    }
}

impl Hash for Stored<Tally> {
    fn hash<H: Hasher>(&self, hasher: &mut H) {
        (self.planned, self.open, self.recorded, self.failed, self.rows).hash(hasher);
    }
}

/// The staging whose file this is; `None` when there is no file.
pub(super) fn staging_of(output: &Output) -> Option<u8> {
    output.file.as_ref().and_then(|file| file.sha256.parse().ok())
}

fn fingerprint(output: &Output) -> (Option<u8>, u32) {
    (staging_of(output), output.file.as_ref().map_or(0, |file| file.attempt))
}
