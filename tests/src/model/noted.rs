//! Values that are compared and hashed by a fingerprint, taken once.

use std::fmt;
use std::hash::{DefaultHasher, Hash, Hasher};
use std::ops::Deref;
use std::sync::Arc;

use domain::chunk::Chunk;
use domain::job::Job;
use fakes::container::Blocks;

use super::calls::Call;

/// A shared value with its fingerprint, in 64 bits, as the checker itself knows whole states.
#[derive(Clone)]
pub(crate) struct Noted<T> {
    fingerprint: u64,
    value: Arc<T>,
}

impl Noted<Job> {
    pub(crate) fn job(job: Job) -> Self {
        Self {
            fingerprint: fingerprint_of_job(&job),
            value: Arc::new(job),
        }
    }
}

impl Noted<Chunk> {
    pub(crate) fn chunk(chunk: Chunk) -> Self {
        Self {
            fingerprint: hash(&format!("{chunk:?}")),
            value: Arc::new(chunk),
        }
    }
}

impl Noted<Blocks> {
    pub(crate) fn blocks(blocks: Blocks) -> Self {
        Self {
            fingerprint: hash(&blocks),
            value: Arc::new(blocks),
        }
    }
}

impl Noted<Call> {
    pub(crate) fn call(call: Call) -> Self {
        let credential = if let Call::PutJob(job) = &call {
            fingerprint_of_job(job)
        } else {
            0
        };
        Self {
            fingerprint: hash(&(format!("{call:?}"), credential)),
            value: Arc::new(call),
        }
    }
}

impl<T> Deref for Noted<T> {
    type Target = T;

    fn deref(&self) -> &T {
        &self.value
    }
}

impl<T> PartialEq for Noted<T> {
    fn eq(&self, other: &Self) -> bool {
        self.fingerprint == other.fingerprint
    }
}

impl<T> Eq for Noted<T> {}

impl<T> Hash for Noted<T> {
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.fingerprint.hash(state);
    }
}

impl<T: fmt::Debug> fmt::Debug for Noted<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.value.fmt(f)
    }
}

/// A job's credential does not show in its `Debug`.
fn fingerprint_of_job(job: &Job) -> u64 {
    let sealed = job
        .credential
        .as_ref()
        .map(|credential| &credential.sealed.0);
    hash(&(format!("{job:?}"), sealed))
}

pub(crate) fn hash(what: &impl Hash) -> u64 {
    let mut hasher = DefaultHasher::new();
    what.hash(&mut hasher);
    hasher.finish()
}
