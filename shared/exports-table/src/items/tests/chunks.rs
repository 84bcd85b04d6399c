//! Any chunk, in any state.

use domain::chunk::{
    Chunk, ChunkKey, ChunkSource, ChunkState, FileKind, MissingParts, ObjectRef, Output, OutputFile,
};
use domain::container::BlobName;
use domain::counts::Counts;
use proptest::prelude::*;

use super::{day, file, job_key, moment, one_of, whole_second};

fn source() -> impl Strategy<Value = ChunkSource> {
    let object = (any::<String>(), any::<String>(), any::<u64>());
    let object = object.prop_map(|(path, etag, size_bytes)| ObjectRef {
        path,
        etag,
        size_bytes,
    });
    prop_oneof![
        (day(), day(), proptest::collection::vec(object, 0..4)).prop_map(
            |(day, folder, objects)| ChunkSource::Objects {
                day,
                folder,
                objects,
            }
        ),
        any::<Vec<String>>().prop_map(ChunkSource::Partitions),
    ]
}

pub(super) fn counts() -> impl Strategy<Value = Counts> {
    any::<[u64; Counts::COUNTERS.len()]>().prop_map(|values| {
        let names = Counts::COUNTERS
            .iter()
            .map(|counter| counter.stored.to_owned());
        let stored = names.zip(values.map(serde_json::Value::from)).collect();
        domain::counts::stored::deserialize(serde_json::Value::Object(stored)).unwrap()
    })
}

fn missing() -> impl Strategy<Value = MissingParts> {
    proptest::collection::btree_map(any::<usize>(), any::<String>(), 0..3)
}

fn output() -> impl Strategy<Value = Output> {
    let moment = || proptest::option::of(moment());
    let of_kind = one_of(FileKind::ALL);
    let file = (of_kind, file(), counts(), moment(), moment()).prop_map(
        |(kind, prepared, counts, earliest, latest)| OutputFile {
            kind,
            prepared,
            counts,
            earliest,
            latest,
        },
    );
    let files = proptest::collection::vec(file, 0..4);
    (counts(), files, missing()).prop_map(|(counts, files, missing)| Output {
        counts,
        files,
        missing,
    })
}

fn state() -> impl Strategy<Value = ChunkState> {
    prop_oneof![
        Just(ChunkState::Cancelled),
        proptest::option::of(output()).prop_map(|prepared| ChunkState::Pending { prepared }),
        proptest::option::of(output()).prop_map(|prepared| ChunkState::Parked { prepared }),
        (moment(), missing()).prop_map(|(until, missing)| ChunkState::Running { until, missing }),
        (moment(), output()).prop_map(|(until, output)| ChunkState::Prepared { until, output }),
        output().prop_map(|output| ChunkState::Recorded { output }),
        any::<String>().prop_map(|reason| ChunkState::Failed { reason }),
    ]
}

pub(super) fn chunk() -> impl Strategy<Value = Chunk> {
    let key = (job_key(), any::<u16>(), any::<u32>());
    (
        key,
        source(),
        whole_second(),
        any::<u32>(),
        state(),
        proptest::collection::btree_set(any::<String>().prop_map(BlobName::from_stored), 0..3),
        any::<u64>(),
    )
        .prop_map(
            |((job, shard, number), source, expires, attempt, state, given_up, revision)| Chunk {
                key: ChunkKey { job, shard, number },
                source,
                expires,
                attempt,
                state,
                given_up,
                revision,
            },
        )
}
