use std::collections::{BTreeMap, BTreeSet};

use time::macros::{date, datetime};
use time::{Date, Duration};
use uuid::Uuid;

use super::*;
use crate::app::AppScope;
use crate::chunk::FileKind::{Rejected, Rows};
use crate::chunk::{
    Chunk, ChunkKey, ChunkSource, ChunkState, FileKind, ObjectRef, Output, OutputFile,
};
use crate::container::{BlobName, ContainerAddress, PreparedFile};
use crate::counts::Counts;
use crate::job::{
    Credential, Job, JobId, JobKey, MissingDay, Outcome, PlanCursor, SealedCredential,
};
use crate::selection::{DeviceType, ExportFormat, ExportRequest, Snapshot};
use crate::tally::Tally;

const NOW: OffsetDateTime = datetime!(2026-01-05 12:00 UTC);
const DAY: Date = date!(2026 - 01 - 05);

fn job() -> Job {
    let request = ExportRequest {
        description: Some("\"quoted\"\n".to_owned()),
        ..ExportRequest::usual(Snapshot::Devices(DeviceType::Tag), ExportFormat::JsonBlob)
    };
    let key = JobKey {
        scope: AppScope::from_canonical("/apps/a"),
        id: JobId::new(Uuid::nil()),
    };
    let credential = Credential {
        sealed: SealedCredential(vec![1]),
        expires: None,
    };
    let address = ContainerAddress::new("https://a");
    Job::queued(key, request, address, credential, NOW, Duration::days(90))
}

/// A chunk of two objects.
fn chunk(number: u32, state: ChunkState) -> Chunk {
    let object = |name: &str| ObjectRef {
        path: format!("{number}/{name}"),
        etag: "e".to_owned(),
        size_bytes: 7,
    };
    let source = ChunkSource::Objects {
        day: DAY,
        folder: DAY,
        objects: vec![object("a"), object("b")],
    };
    let job = job().key.clone();
    let key = ChunkKey {
        job,
        shard: 0,
        number,
    };
    Chunk {
        state,
        ..Chunk::planned(key, source, NOW)
    }
}

/// The file of the schema.
fn schema() -> PreparedFile {
    file(9, Rows, ROWS).prepared
}

fn file(number: u32, kind: FileKind, counts: Counts) -> OutputFile {
    let name = BlobName::from_stored(format!("{kind:?}-{number}"));
    let prepared = PreparedFile {
        name,
        attempt: 1,
        blocks: 1,
        size_bytes: counts.bytes,
        sha256: "s".to_owned(),
        crc64: "c".to_owned(),
    };
    OutputFile {
        kind,
        prepared,
        counts,
        earliest: Some(NOW),
        latest: None,
    }
}

const ROWS: Counts = Counts {
    read: 3,
    rows: 3,
    bytes: 4,
    rejected: 0,
    rejected_in_part: 0,
    filtered: 0,
    excluded: 0,
    repaired: 0,
    truncated: 0,
    oversized: 0,
};

const REJECTS: Counts = Counts {
    read: 2,
    rows: 0,
    rejected: 2,
    ..ROWS
};

/// A recorded chunk with files of these kinds; the objects at these places are missing.
fn recorded(number: u32, kinds: &[FileKind], missing: &[usize]) -> Chunk {
    let file = |kind: &FileKind| match kind {
        FileKind::Rows => file(number, *kind, ROWS),
        FileKind::Rejected => file(number, *kind, REJECTS),
    };
    let missing = missing.iter().map(|place| (*place, "is gone".to_owned()));
    let output = Output {
        counts: ROWS,
        files: kinds.iter().map(file).collect(),
        missing: missing.collect(),
    };
    chunk(number, ChunkState::Recorded { output })
}

/// The manifest of these chunks, and how often they were read for it.
fn written(job: &Job, chunks: &[Chunk]) -> (Manifest, Outcome, usize) {
    let (mut out, mut passes) = (Vec::new(), 0);
    let tally = Tally::default();
    let mut writer = ManifestWriter::begin(job, &tally, &schema(), &mut out).unwrap();
    loop {
        passes += 1;
        for chunk in chunks {
            writer.add(chunk, &mut out).unwrap();
        }
        match writer.end_list(&mut out).unwrap() {
            Written::UpToAList(more) => writer = more,
            Written::Whole(outcome) => {
                let manifest: Manifest = serde_json::from_slice(&out).unwrap();
                let value: serde_json::Value = serde_json::from_slice(&out).unwrap();
                assert_eq!(
                    value,
                    serde_json::to_value(&manifest).unwrap(),
                    "no other member"
                );
                return (manifest, outcome.into_outcome(), passes);
            }
        }
    }
}

/// What stands in each list, by chunk and by the names of sources or files.
fn lists(manifest: &Manifest) -> BTreeMap<&str, Vec<String>> {
    let sources = |of: &[SourceEntry]| {
        let names: Vec<_> = of.iter().map(SourceEntry::name).collect();
        names.join("+")
    };
    let files = manifest.files.iter();
    let without_rows = manifest.without_rows.iter();
    let missing = manifest.missing.iter();
    BTreeMap::from([
        ("files", files.map(|it| sources(&it.sources)).collect()),
        (
            "withoutRows",
            without_rows.map(|it| sources(&it.sources)).collect(),
        ),
        (
            "rejected",
            manifest.rejected.iter().map(|it| it.name.clone()).collect(),
        ),
        ("missing", missing.map(|it| sources(&it.sources)).collect()),
        ("leftovers", manifest.leftovers.clone()),
    ])
}

#[test]
fn every_object_of_every_chunk_is_in_one_list() {
    let job = job();
    let failed = ChunkState::Failed {
        reason: "storage refuses it".to_owned(),
    };
    let chunks = [
        recorded(0, &[Rows], &[]),
        recorded(1, &[Rows, Rejected], &[1]),
        recorded(2, &[Rejected], &[]),
        recorded(3, &[], &[0]),
        recorded(4, &[], &[0, 1]),
        chunk(5, failed),
        chunk(6, ChunkState::Cancelled),
    ];
    let (manifest, _, passes) = written(&job, &chunks);
    let expected = [
        ("files", vec!["0/a+0/b", "1/a"]),
        ("withoutRows", vec!["2/a+2/b", "3/b"]),
        ("rejected", vec!["Rejected-1", "Rejected-2"]),
        (
            "missing",
            vec!["1/b", "3/a", "4/a", "4/b", "5/a+5/b", "6/a+6/b"],
        ),
        ("leftovers", vec![]),
    ];
    let expected = expected.map(|(list, names)| {
        (
            list,
            names.into_iter().map(str::to_owned).collect::<Vec<_>>(),
        )
    });
    assert_eq!(lists(&manifest), BTreeMap::from(expected));
    assert_eq!(manifest.files[0].day, Some(DAY));
    assert_eq!(passes, 4, "one for each list that has entries");
}

#[test]
fn the_parts_of_a_chunk_are_numbered_and_the_first_says_the_sources_of_all() {
    let chunks = [
        recorded(0, &[Rows, Rows, Rows, Rejected], &[]),
        recorded(1, &[Rows, Rejected], &[]),
    ];
    let (manifest, ..) = written(&job(), &chunks);
    let files = manifest.files.iter();
    let parts: Vec<_> = files
        .map(|file| (file.chunk, file.part, file.sources.len()))
        .collect();
    let expected = [
        (0, Some(0), 2),
        (0, Some(1), 0),
        (0, Some(2), 0),
        (1, None, 2),
    ];
    assert_eq!(parts, expected);
}

#[test]
fn chunks_are_read_once_when_all_of_them_have_rows_and_nothing_else() {
    let job = job();
    for count in [0, 1, 2] {
        let chunks: Vec<_> = (0..count)
            .map(|number| recorded(number, &[Rows], &[]))
            .collect();
        let (manifest, _, passes) = written(&job, &chunks);
        assert_eq!((manifest.files.len(), passes), (chunks.len(), 1));
        assert_eq!(manifest.head, Head::of(&job, &Tally::default(), &schema()));
    }
}

#[test]
fn what_was_given_up_is_in_the_last_list() {
    let given_up = BTreeSet::from([
        BlobName::from_stored("Rows-0"),
        BlobName::from_stored("old"),
    ]);
    let chunk = Chunk {
        given_up,
        ..recorded(0, &[Rows], &[])
    };
    let (manifest, _, passes) = written(&job(), &[chunk]);
    assert_eq!((manifest.leftovers, passes), (vec!["old".to_owned()], 2));
}

#[test]
fn what_is_missing_is_counted_and_its_first_reasons_are_in_the_details() {
    let missing_day = MissingDay::new(DAY, "no answer", PlanCursor(String::new()));
    let job = job().begin_planning().unwrap().miss_days(vec![missing_day]);
    let job = job.complete_plan(0, NOW).unwrap();
    let failed = |number| {
        let reason = "storage refuses it".to_owned();
        chunk(number, ChunkState::Failed { reason })
    };
    let mut chunks: Vec<_> = (0..9).map(failed).collect();
    chunks.push(recorded(9, &[Rows], &[1]));
    let (manifest, outcome, _) = written(&job, &chunks);
    assert_eq!(manifest.missing.len(), 11);
    let details = outcome.details().unwrap();
    for said in [
        "9 chunks and 1 object and 1 day could not be exported: ",
        "2026-01-05: no answer; chunk 0: storage refuses it; ",
        "chunk 8: storage refuses it; the manifest lists the others",
    ] {
        assert!(details.contains(said), "{details}");
    }
}

#[test]
fn a_chunk_that_was_handed_over_as_a_whole_stands_in_the_manifest_still() {
    let lost = recorded(0, &[], &[0, 1]);
    let to = ChunkKey {
        number: 1,
        ..lost.key.clone()
    };
    let (whole, _) = lost.hand_over(to).unwrap();
    let retried = recorded(1, &[Rows], &[]);
    let (manifest, ..) = written(&job(), &[whole.chunk, retried]);
    let without_rows: Vec<u32> = manifest.without_rows.iter().map(|it| it.chunk).collect();
    assert_eq!(without_rows, [0], "verify counts the chunks");
    assert_eq!(lists(&manifest)["missing"], Vec::<String>::new());
}
