//! The keys of the exports table: the one place where they stand.
//!
//! | item | `pk` | `sk` | written by |
//! |---|---|---|---|
//! | job | `APP#{scope}` | `JOB#{id}` | create-job; every other function moves it |
//! | request | `APP#{scope}` | `REQUEST#{key}` | create-job, when the client gave a request id; forgotten after a day |
//! | tally | `JOB#{id}#{shard}` | `TALLY` | plan-export with the first chunk of the shard, then with every closed chunk |
//! | chunk | `JOB#{id}#{shard}` | `CHUNK#{number}` | plan-export; run-export-chunk and fail-chunk move it |
//! | waiting | `WAITING` | `{scope}#{id}` | whoever finds that storage refuses a job's credential; struck by expire-jobs |
//! | grant | `PRINCIPAL#{subject}` | `SCOPE#{path}` | the operator |
//!
//! Numbers in sort keys are padded to ten digits, so that their order is the numbers'.

use crate::app::AppScope;
use crate::chunk::ChunkKey;
use crate::job::{JobId, JobKey};

/// The key of an item.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct ItemKey {
    /// The partition key.
    pub(crate) pk: String,
    /// The sort key.
    pub(crate) sk: String,
}

/// What the sort keys of an app's jobs begin with.
pub(crate) const JOB_PREFIX: &str = "JOB#";

/// The sort key that comes after those of all chunks.
pub(crate) const AFTER_CHUNKS: &str = "CHUNK#~";

pub(crate) fn app_partition(scope: &AppScope) -> String {
    format!("APP#{scope}")
}

pub(crate) fn shard_partition(job: JobId, shard: u16) -> String {
    format!("JOB#{job}#{shard}")
}

pub(crate) fn principal_partition(subject: &str) -> String {
    format!("PRINCIPAL#{subject}")
}

pub(crate) fn job(key: &JobKey) -> ItemKey {
    ItemKey { pk: app_partition(&key.scope), sk: format!("{JOB_PREFIX}{}", key.id) }
}

/// The partition of the jobs that wait for a credential.
pub(crate) const WAITING: &str = "WAITING";

pub(crate) fn waiting(key: &JobKey) -> ItemKey {
    ItemKey { pk: WAITING.to_owned(), sk: format!("{}#{}", key.scope, key.id) }
}

pub(crate) fn request(scope: &AppScope, key: &str) -> ItemKey {
    ItemKey { pk: app_partition(scope), sk: format!("REQUEST#{key}") }
}

pub(crate) fn tally(job: JobId, shard: u16) -> ItemKey {
    ItemKey { pk: shard_partition(job, shard), sk: "TALLY".to_owned() }
}

pub(crate) fn chunk(key: &ChunkKey) -> ItemKey {
    ItemKey { pk: shard_partition(key.job.id, key.shard), sk: chunk_sort(key.number) }
}

pub(crate) fn chunk_sort(number: u32) -> String {
    format!("CHUNK#{number:010}")
}

pub(crate) fn grant(subject: &str, path: &str) -> ItemKey {
    ItemKey { pk: principal_partition(subject), sk: format!("SCOPE#{path}") }
}
