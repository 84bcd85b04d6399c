//! How large the largest items are, as DynamoDB counts.

use domain::chunk::{ChunkState, MOST_FILES_OF_ROWS};
use domain::container::BlobName;
use domain::filter::{Filter, Names};
use domain::job::{Job, Outcome, Phase};
use domain::selection::ExportType;
use serde_dynamo::AttributeValue;

use super::{NOW, a_prepared_chunk, a_stored_job, reread};
use crate::items::tests::written;
use crate::items::{ChunkItem, JobItem, RowItem};

/// <https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/CapacityUnitCalculations.html>:
/// the bytes of names and of texts in UTF-8, and some for each list and map.
fn size(value: &AttributeValue) -> usize {
    match value {
        AttributeValue::S(text) | AttributeValue::N(text) => text.len() + 1,
        AttributeValue::L(list) => 3 + list.iter().map(|it| 1 + size(it)).sum::<usize>(),
        AttributeValue::M(map) => {
            let members = map.iter().map(|(name, it)| 1 + name.len() + size(it));
            3 + members.sum::<usize>()
        }
        AttributeValue::Bool(_) | AttributeValue::Null(_) => 1,
        AttributeValue::B(_)
        | AttributeValue::Ss(_)
        | AttributeValue::Ns(_)
        | AttributeValue::Bs(_) => panic!("no item has it"),
    }
}

#[test]
fn the_largest_filter_leaves_a_jobs_item_room_for_the_rest() {
    let longest = "\u{1f600}".repeat(Filter::MOST_NAME_CHARACTERS - 4);
    let names = (0..Filter::MOST_VALUES).map(|number| format!("{number:04}{longest}"));
    let mut job = a_stored_job();
    job.request.filter.names = Some(Names::NotIn(names.collect()));
    assert_eq!(job.request.filter.values(), Filter::MOST_VALUES);
    let job = Job::restore(job).unwrap();
    let item = written(JobItem::from(&job));
    assert_eq!(reread(item.clone()), Ok(job));
    let attributes = item.iter().map(|(name, value)| name.len() + size(value));
    let bytes: usize = attributes.sum();
    assert!((240_000..260_000).contains(&bytes), "{bytes}");
}

#[test]
fn as_many_files_as_a_chunk_may_have_leave_its_item_room_for_what_it_reads() {
    let mut chunk = a_prepared_chunk();
    let ChunkState::Prepared { output, .. } = &mut chunk.state else {
        panic!("it is prepared")
    };
    let mut file = output.files[0].clone();
    let name =
        "Activity/0198f7a4-0000-7000-8000-000000000000/date=2026-01-05/part-00003-0254.jsonl.zst";
    file.prepared.name = BlobName::from_stored(name);
    (file.earliest, file.latest) = (Some(NOW), Some(NOW));
    file.counts.bytes = u64::MAX;
    output.files = vec![file; MOST_FILES_OF_ROWS + 1];
    let item = written(ChunkItem::from(&chunk));
    let attributes = item.iter().map(|(name, value)| name.len() + size(value));
    let bytes: usize = attributes.sum();
    // What it reads has 200 KiB at most.
    assert!(bytes < 170 << 10, "{bytes}");
}

/// Three answers of 1 MB (<https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/Query.Pagination.html>).
#[test]
fn ten_thousand_of_the_largest_rows_are_three_answers() {
    let mut job = a_stored_job();
    job.created = NOW + time::Duration::nanoseconds(123_456_789);
    let outcome = Outcome::Incomplete {
        details: "é".repeat(1_000),
    };
    job.phase = Phase::Ended {
        at: job.created,
        outcome,
        has_manifest: true,
    };
    for export_type in ExportType::ALL {
        assert!(export_type.name().len() <= "Activity".len());
    }
    let job = Job::restore(job).unwrap();
    let mut row = written(RowItem::from(&job));
    let key = crate::keys::row(&job.key);
    row.insert("pk".to_owned(), AttributeValue::S(key.pk));
    row.insert("sk".to_owned(), AttributeValue::S(key.sk));
    let attributes = row.iter().map(|(name, value)| name.len() + size(value));
    let bytes: usize = attributes.sum();
    assert!(bytes * 10_000 <= 3 << 20, "{bytes}");
}
