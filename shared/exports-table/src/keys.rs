//! The keys of the exports table: the one place where they stand.
//!
//! | item | `pk` | `sk` | written by |
//! |---|---|---|---|
//! | job | `APP#{scope}` | `JOB#{id}` | create-job; every other function moves it |
//! | request | `APP#{scope}` | `REQUEST#{key}` | create-job, when the client gave an idempotency key; forgotten after a day |
//! | request | `APP#{scope}` | `CLIENT#{body_hash}#{key}` | create-job, when the client gave an id of the request only; forgotten after ten minutes |
//! | tally | `JOB#{id}#{shard}` | `TALLY` | plan-export with the first chunk of the shard, then with every closed chunk |
//! | chunk | `JOB#{id}#{shard}` | `CHUNK#{number}` | plan-export; run-export-chunk and fail-chunk move it |
//! | row | `APP#{hash}` | `ROW#{id}` | whoever writes the job, when it is new or comes into another state |
//! | mark | `APP#{hash}` | `MARK#{id}` | create-job, where the app may have jobs without rows up to this one |
//! | waiting | `WAITING` | `{id}` | run-export-chunk, finish-export or fail-chunk, with a job that begins to wait; removed by expire-jobs |
//! | audit | `AUDIT#{day}` | `{id}` | create-job, resume-job or cancel-job, with what it did to a job |
//! | grant | `PRINCIPAL#{subject}` | `SCOPE#{path}` | the operator |
//!
//! The `hash` of an app's scope keeps rows small. It has no slash, and every scope begins with one.
//!
//! Numbers in sort keys are padded to ten digits, so that their order is the numbers'. An older
//! version wrote waiting jobs as `{scope}#{id}`; such entries are read and removed, and sort in
//! front of the others, because a scope begins with a slash.

use aws_lc_rs::digest;
use domain::app::AppScope;
use domain::chunk::ChunkKey;
use domain::job::{JobId, JobKey};
use ports::store::{GRANT_KEY_PREFIX, RequestKey};
use time::Date;
use uuid::Uuid;

/// The key of an item.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct ItemKey {
    /// The partition key, such as `JOB#{id}#{shard}`.
    pub(crate) pk: String,
    /// The sort key, such as `CHUNK#{number}`.
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

/// What the partitions of grants begin with.
const PRINCIPAL_PREFIX: &str = "PRINCIPAL#";

/// What was changed on a UTC day.
pub(crate) fn audit_partition(day: Date) -> String {
    format!("AUDIT#{day}")
}

pub(crate) fn principal_partition(subject: &str) -> String {
    format!("{PRINCIPAL_PREFIX}{subject}")
}

pub(crate) fn job(key: &JobKey) -> ItemKey {
    ItemKey {
        pk: app_partition(&key.scope),
        sk: job_sort(key.id),
    }
}

pub(crate) fn job_sort(id: JobId) -> String {
    format!("{JOB_PREFIX}{id}")
}

/// What the sort keys of an app's rows begin with.
pub(crate) const ROW_PREFIX: &str = "ROW#";

/// What the sort keys of an app's marks begin with.
pub(crate) const MARK_PREFIX: &str = "MARK#";

/// Named by half of the scope's SHA-256: no two apps share it by chance.
pub(crate) fn rows_partition(scope: &AppScope) -> String {
    let hash = digest::digest(&digest::SHA256, scope.as_str().as_bytes());
    let half = hash.as_ref().first_chunk().copied().unwrap_or_default();
    format!("APP#{:032x}", u128::from_be_bytes(half))
}

pub(crate) fn row(key: &JobKey) -> ItemKey {
    ItemKey {
        pk: rows_partition(&key.scope),
        sk: format!("{ROW_PREFIX}{}", key.id),
    }
}

pub(crate) fn mark(scope: &AppScope, last: JobId) -> ItemKey {
    ItemKey {
        pk: rows_partition(scope),
        sk: format!("{MARK_PREFIX}{last}"),
    }
}

/// The partition of the jobs that wait for a credential.
pub(crate) const WAITING: &str = "WAITING";

/// What the sort keys of waiting jobs begin with that an older version wrote.
pub(crate) const OLD_WAITING_PREFIX: &str = "/";

/// The sort key that comes before those of all waiting jobs but the old ones.
pub(crate) const BEFORE_WAITING: &str = "0";

/// The most bytes of a sort key
/// (<https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/Constraints.html#limits-partition-sort-keys>).
const MOST_SORT_BYTES: usize = 1_024;

pub(crate) fn waiting(job: JobId) -> ItemKey {
    ItemKey {
        pk: WAITING.to_owned(),
        sk: job.to_string(),
    }
}

/// The entry that an older version would have written; `None` when its key could not have been.
pub(crate) fn old_waiting(key: &JobKey) -> Option<ItemKey> {
    let sk = format!("{}#{}", key.scope, key.id);
    (sk.len() <= MOST_SORT_BYTES).then(|| ItemKey {
        pk: WAITING.to_owned(),
        sk,
    })
}

pub(crate) fn request(scope: &AppScope, key: &RequestKey) -> ItemKey {
    let sk = match key {
        RequestKey::Idempotency(key) => format!("REQUEST#{key}"),
        RequestKey::Client { id, body_hash } => format!("CLIENT#{body_hash}#{id}"),
    };
    ItemKey {
        pk: app_partition(scope),
        sk,
    }
}

pub(crate) fn tally(job: JobId, shard: u16) -> ItemKey {
    ItemKey {
        pk: shard_partition(job, shard),
        sk: "TALLY".to_owned(),
    }
}

pub(crate) fn chunk(key: &ChunkKey) -> ItemKey {
    ItemKey {
        pk: shard_partition(key.job.id, key.shard),
        sk: chunk_sort(key.number),
    }
}

pub(crate) fn chunk_sort(number: u32) -> String {
    format!("CHUNK#{number:010}")
}

/// One partition a day, which is what people ask for. An API that takes 100 requests a second writes no
/// more items.
pub(crate) fn audit(day: Date, id: Uuid) -> ItemKey {
    ItemKey {
        pk: audit_partition(day),
        sk: id.to_string(),
    }
}

pub(crate) fn grant(subject: &str, path: &str) -> ItemKey {
    ItemKey {
        pk: principal_partition(subject),
        sk: format!("{GRANT_KEY_PREFIX}{path}"),
    }
}

/// The key of a grant of which `sort` alone is known.
pub(crate) fn grant_at(subject: &str, sort: &str) -> ItemKey {
    ItemKey {
        pk: principal_partition(subject),
        sk: sort.to_owned(),
    }
}

/// The subject whose partition of grants this is.
pub(crate) fn subject_of(pk: &str) -> Option<&str> {
    pk.strip_prefix(PRINCIPAL_PREFIX)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn chunk_key(shard: u16, number: u32) -> ItemKey {
        let job = JobKey {
            scope: AppScope::from_canonical("/apps/a"),
            id: JobId::new(uuid::Uuid::nil()),
        };
        chunk(&ChunkKey { job, shard, number })
    }

    proptest! {
        #[test]
        fn chunks_sort_by_their_numbers_before_everything_else(one: u32, other: u32, shard: u16) {
            let (one_key, other_key) = (chunk_key(shard, one), chunk_key(shard, other));
            prop_assert_eq!(one.cmp(&other), one_key.sk.cmp(&other_key.sk));
            prop_assert!(one_key.sk.as_str() < AFTER_CHUNKS);
            prop_assert!(AFTER_CHUNKS < tally(JobId::new(uuid::Uuid::nil()), shard).sk.as_str());
        }

        #[test]
        fn jobs_sort_by_their_ids(one: u128, other: u128) {
            let key = |id| job(&JobKey { scope: AppScope::from_canonical("/a"), id: JobId::new(uuid::Uuid::from_u128(id)) });
            prop_assert_eq!(one.cmp(&other), key(one).sk.cmp(&key(other).sk));
            prop_assert!(key(one).sk.starts_with(JOB_PREFIX));
        }
    }

    proptest! {
        #[test]
        fn waiting_jobs_sort_by_their_ids_behind_the_old_ones(id: u128, segment: String) {
            let id = JobId::new(uuid::Uuid::from_u128(id));
            let old = old_waiting(&JobKey { scope: AppScope::from_segments([segment.as_str()]), id });
            prop_assert!(waiting(id).sk.as_str() > BEFORE_WAITING);
            prop_assert!(old.is_none_or(|old| old.sk.as_str() < BEFORE_WAITING && old.sk.starts_with(OLD_WAITING_PREFIX)));
        }
    }
}
