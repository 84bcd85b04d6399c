#![expect(
    clippy::disallowed_methods,
    reason = "stored jobs are rebuilt here, to see which can be"
)]

mod chunks;
mod jobs;
mod requests;
mod versions;

use domain::app::AppScope;
use domain::chunk::Chunk;
use domain::container::{BlobName, PreparedFile};
use domain::job::{Job, JobId, JobKey};
use domain::listing::Names;
use proptest::prelude::*;
use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_dynamo::Item;
use time::{Date, OffsetDateTime};
use uuid::Uuid;

use super::{AcceptedRequest, ChunkItem, JobItem, RequestItem, RequestKey};
use chunks::chunk;
use jobs::job;

fn written(item: impl Serialize) -> Item {
    serde_dynamo::to_item(item).unwrap()
}

fn read<T: DeserializeOwned>(item: Item) -> T {
    serde_dynamo::from_item(item).unwrap()
}

/// A moment that RFC 3339 can spell.
fn moment() -> impl Strategy<Value = OffsetDateTime> {
    let seconds = -62_135_596_800_i128..253_402_300_800_i128;
    let nanos = (seconds, 0..1_000_000_000_i128)
        .prop_map(|(seconds, nanos)| seconds * 1_000_000_000 + nanos);
    nanos.prop_map(|nanos| OffsetDateTime::from_unix_timestamp_nanos(nanos).unwrap())
}

/// A moment that a time to live can be.
fn whole_second() -> impl Strategy<Value = OffsetDateTime> {
    moment().prop_map(OffsetDateTime::truncate_to_second)
}

fn day() -> impl Strategy<Value = Date> {
    moment().prop_map(OffsetDateTime::date)
}

fn one_of<T: Copy + std::fmt::Debug + 'static>(all: &'static [T]) -> impl Strategy<Value = T> {
    proptest::sample::select(all)
}

fn job_key() -> impl Strategy<Value = JobKey> {
    (any::<String>(), any::<u128>()).prop_map(|(scope, id)| JobKey {
        scope: AppScope::from_canonical(scope),
        id: JobId::new(Uuid::from_u128(id)),
    })
}

fn file() -> impl Strategy<Value = PreparedFile> {
    (
        any::<String>(),
        any::<u32>(),
        any::<u32>(),
        any::<u64>(),
        any::<String>(),
        any::<String>(),
    )
        .prop_map(
            |(name, attempt, blocks, size_bytes, sha256, crc64)| PreparedFile {
                name: BlobName::from_stored(name),
                attempt,
                blocks,
                size_bytes,
                sha256,
                crc64,
            },
        )
}

fn names() -> impl Strategy<Value = Names> {
    (any::<u64>(), any::<Vec<String>>()).prop_map(|(count, first)| Names { count, first })
}

proptest! {
    #[test]
    fn every_job_survives_being_an_item(job in job()) {
        let item: JobItem = read(written(JobItem::from(&job)));
        prop_assert_eq!(Job::try_from(item), Ok(job));
    }

    #[test]
    fn every_chunk_survives_being_an_item(chunk in chunk()) {
        let item: ChunkItem = read(written(ChunkItem::from(&chunk)));
        prop_assert_eq!(Chunk::try_from(item), Ok(chunk));
    }

    #[test]
    fn every_request_survives_being_an_item(key in any::<String>(), is_client: bool, id in any::<u128>(), body_hash in any::<String>(), expires in whole_second()) {
        let key = if is_client {
            RequestKey::Client { id: key, body_hash: body_hash.clone() }
        } else {
            RequestKey::Idempotency(key)
        };
        let request = AcceptedRequest { key, job: JobId::new(Uuid::from_u128(id)), body_hash, expires };
        let item: RequestItem = read(written(RequestItem::from(&request)));
        prop_assert_eq!(AcceptedRequest::try_from(item), Ok(request));
    }
}
