//! Jobs and chunks of every kind.

use domain::chunk::{Chunk, ChunkKey, ChunkMove, ChunkSource, Claim, Lease, ObjectRef, Output};
use domain::container::{BlobName, ContainerAddress, PreparedFile};
use domain::filter::{DeviceId, Filter};
use domain::job::{Credential, Job, JobId, JobKey, Outcome, SealedCredential};
use domain::selection::{
    CampaignType, Compression, DeviceType, ExportFormat, ExportRequest, FileOptions, HistoryType,
    Selection, Snapshot,
};
use fakes::chunks::one_file;
use fakes::requests::history;
use ports::clock::Clock;
use ports::store::{AcceptedRequest, Act, Audit, RequestKey};
use time::macros::{date, datetime};
use time::{Duration, OffsetDateTime};

use super::engine::World;

/// When every test begins: so late that no engine finds an item past its time to live by its own
/// clock.
pub(super) const NOW: OffsetDateTime = datetime!(2096-02-01 08:00:00.123456789 UTC);

/// How long a job of the tests is kept; it ends at a whole second, as stored.
const RETENTION: Duration = Duration::new(90 * 24 * 3_600, 1_000_000_000 - 123_456_789);

pub(super) const LEASE: Duration = Duration::minutes(15);

pub(super) fn selections() -> [Selection; 5] {
    let event = HistoryType::Event;
    [
        Snapshot::Devices(DeviceType::Tag).into(),
        history(event, date!(2026 - 01 - 01), date!(2026 - 01 - 31)).into(),
        history(event, date!(2024 - 02 - 29), date!(2024 - 02 - 29)).into(),
        Snapshot::Campaigns {
            campaign_type: CampaignType::Poll,
            ids: vec![1, -7, i64::MAX, i64::MIN],
        }
        .into(),
        Snapshot::ActiveCampaigns {
            campaign_type: CampaignType::NativePush,
            start: NOW - RETENTION,
            end: NOW,
        }
        .into(),
    ]
}

pub(super) fn outcomes() -> [Outcome; 4] {
    let details = "chunk 3: events/a.ndjson, line 7: not JSON, “é”".to_owned();
    [
        Outcome::Succeeded,
        Outcome::Incomplete {
            details: details.clone(),
        },
        Outcome::Failed {
            details: details.clone(),
        },
        Outcome::Cancelled { details },
    ]
}

pub(super) fn file(name: &str) -> PreparedFile {
    PreparedFile {
        name: BlobName::from_stored(name),
        attempt: 3,
        blocks: 50_000,
        size_bytes: u64::MAX >> 1,
        sha256: "5e".repeat(32),
        crc64: "00ff".repeat(4),
    }
}

pub(super) fn idempotency(key: &str) -> RequestKey {
    RequestKey::Idempotency(key.to_owned())
}

/// That somebody made a job, kept for a year.
pub(super) fn creation(at: OffsetDateTime) -> Audit {
    Audit {
        by: "ada".to_owned(),
        act: Act::Create,
        at,
        expires: at + Duration::days(365),
    }
}

/// An accepted request for a job, kept for a day.
pub(super) fn accepted(job: &Job, key: &str) -> AcceptedRequest {
    let expires = datetime!(2096-02-02 08:00 UTC);
    AcceptedRequest {
        key: idempotency(key),
        job: job.key.id,
        body_hash: "ab".repeat(32),
        expires,
    }
}

impl World {
    /// A job that was never stored.
    pub(super) fn job(&self) -> Job {
        self.job_selecting(Snapshot::Devices(DeviceType::Tag).into())
    }

    pub(super) fn job_selecting(&self, selection: Selection) -> Job {
        let request = ExportRequest {
            selection,
            format: ExportFormat::CsvBlob,
            compression: Compression::Gzip,
            description: Some("all of it".to_owned()),
            export_user_id: true,
            export_device_id: false,
            files: FileOptions {
                byte_order_mark: true,
                ..FileOptions::default()
            },
            filter: Filter {
                device_ids: Some([DeviceId::parse(&"0a".repeat(16)).unwrap()].into()),
                ..Filter::default()
            },
        };
        let key = JobKey {
            scope: self.scope.clone(),
            id: JobId::new(self.clock.fresh_id()),
        };
        let credential = Credential {
            sealed: SealedCredential((0..=255).collect()),
            expires: Some(NOW),
        };
        let address = ContainerAddress::new("https://account1.blob.core.windows.net/exports");
        Job::queued(key, request, address, credential, NOW, RETENTION)
    }
}

pub(super) fn objects(count: usize, path_bytes: usize) -> ChunkSource {
    let object = |number: usize| ObjectRef {
        path: "x".repeat(path_bytes),
        etag: format!("\"{number}\""),
        size_bytes: number as u64,
    };
    ChunkSource::Objects {
        day: date!(2026 - 01 - 31),
        folder: date!(2026 - 02 - 01),
        objects: (0..count).map(object).collect(),
    }
}

/// A chunk of the job that was never stored, in a shard of so many.
pub(super) fn chunk(job: &Job, number: u32, source: ChunkSource) -> Chunk {
    Chunk::planned(
        ChunkKey {
            job: job.key.clone(),
            shard: job.shard_of(number),
            number,
        },
        source,
        job.expires,
    )
}

pub(super) fn output(rows: u64) -> Output {
    let prepared = PreparedFile {
        size_bytes: rows * 10,
        ..file("Tag/1/part-00001.csv")
    };
    let mut output = one_file(prepared, rows, 2);
    for file in &mut output.files {
        (file.earliest, file.latest) = (Some(NOW - LEASE), Some(NOW));
    }
    output
}

/// The move that takes a chunk's lease.
pub(super) fn claim(chunk: Chunk) -> ChunkMove {
    let Claim::Free(step) = chunk.claim(NOW, LEASE) else {
        panic!("the chunk is not free")
    };
    *step
}

pub(super) fn prepare(chunk: Chunk, output: Output) -> ChunkMove {
    Lease::of(chunk).unwrap().prepare(output).unwrap()
}

pub(super) fn record(chunk: Chunk) -> ChunkMove {
    Lease::of(chunk).unwrap().record().unwrap()
}
