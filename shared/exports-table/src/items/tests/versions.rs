//! Items as each version wrote them.

mod attributes;
mod sizes;

use std::collections::BTreeSet;

use domain::app::AppScope;
use domain::chunk::{Chunk, ChunkKey, ChunkSource, ChunkState, ObjectRef};
use domain::container::{BlobName, ContainerAddress, PreparedFile};
use domain::counts::Counts;
use domain::job::{
    Asking, Cancellation, Credential, Job, JobId, JobKey, Outcome, Phase, Plan, PlanCursor,
    SealedCredential, StoredJob,
};
use domain::listing::Listing;
use domain::selection::{
    CampaignType, DateRange, ExportFormat, ExportRequest, History, HistoryType, Selection, Snapshot,
};
use domain::tally::Tally;
use serde_dynamo::{AttributeValue, Item};
use time::OffsetDateTime;
use time::macros::{date, datetime};

use super::{read, written};
use crate::items::{
    AcceptedRequest, ChunkItem, GrantItem, JobItem, MarkItem, RequestItem, RequestKey, RowItem,
    TallyItem, VERSION,
};

/// An item as version 1 wrote it, in DynamoDB's JSON: these files never change.
fn v1(name: &str) -> Item {
    let text = match name {
        "job_planning" => include_str!("../v1/job_planning.json"),
        "job_finishing" => include_str!("../v1/job_finishing.json"),
        "job_ended" => include_str!("../v1/job_ended.json"),
        "chunk_pending" => include_str!("../v1/chunk_pending.json"),
        "chunk_prepared" => include_str!("../v1/chunk_prepared.json"),
        "chunk_failed" => include_str!("../v1/chunk_failed.json"),
        "request" => include_str!("../v1/request.json"),
        "tally" => include_str!("../v1/tally.json"),
        "grant" => include_str!("../v1/grant.json"),
        other => panic!("no item {other}"),
    };
    serde_json::from_str(text).unwrap()
}

const NOW: OffsetDateTime = datetime!(2026-01-05 12:00:00.5 UTC);
const EXPIRES: OffsetDateTime = datetime!(2026-04-05 12:00 UTC);

fn a_file(name: &str) -> PreparedFile {
    PreparedFile {
        name: BlobName::from_stored(name),
        attempt: 2,
        blocks: 3,
        size_bytes: 20_000_000,
        sha256: "ab".repeat(32),
        crc64: "cd".repeat(8),
    }
}

fn a_job() -> Job {
    Job::restore(a_stored_job()).unwrap()
}

fn a_stored_job() -> StoredJob {
    let id = JobId::parse("0198f7a4-0000-7000-8000-000000000000").unwrap();
    let history = History {
        of: HistoryType::Event,
        days: DateRange {
            start: date!(2026 - 01 - 01),
            end: date!(2026 - 01 - 04),
        },
    };
    let request = ExportRequest {
        description: Some("the first days".to_owned()),
        // What an item of version 1 means that does not say.
        export_device_id: true,
        ..ExportRequest::usual(history, ExportFormat::JsonBlob)
    };
    StoredJob {
        key: JobKey {
            scope: AppScope::from_canonical("/subscriptions/s1/apps/chess"),
            id,
        },
        request,
        asking: Asking::default(),
        destination: ContainerAddress::new("https://account1.blob.core.windows.net/exports"),
        credential: Some(Credential {
            sealed: SealedCredential(vec![1, 2, 3]),
            expires: Some(EXPIRES),
        }),
        credentials_given: 1,
        created: NOW,
        expires: EXPIRES,
        history: Phase::Planning.known_history(),
        totals: None,
        phase: Phase::Planning,
        plan: Plan::Open {
            cursor: Some(PlanCursor("lake1:2026-01-02:a.ndjson".to_owned())),
        },
        missing_days: Vec::new(),
        to_plan: Vec::new(),
        failed_deliveries: 0,
        listing: Listing::default(),
        rules: None,
        chunks: 64,
        shards: 32,
        warnings: Vec::new(),
        finish_attempts: 0,
        has_row: false,
        revision: 3,
    }
}

fn a_finishing_job() -> Job {
    let incomplete = Outcome::Incomplete {
        details: "chunk 3: a.ndjson changed after the export was planned".to_owned(),
    };
    let mut job = a_stored_job();
    job.request.selection = Selection::Snapshot(Snapshot::Campaigns {
        campaign_type: CampaignType::Poll,
        ids: vec![7, 8],
    });
    job.phase = Phase::Finishing {
        cancelled: Some(Cancellation::Asked),
        manifest: Some((a_file("Push/1/manifest.json"), incomplete)),
    };
    job.history = job.phase.known_history();
    job.plan = Plan::Complete { read_up_to: NOW };
    Job::restore(job).unwrap()
}

fn an_ended_job() -> Job {
    let mut job = a_stored_job();
    let (start, end) = (datetime!(2026-01-01 0:00 UTC), NOW);
    let campaign_type = CampaignType::Announcement;
    job.request.selection = Selection::Snapshot(Snapshot::ActiveCampaigns {
        campaign_type,
        start,
        end,
    });
    job.request.description = None;
    let outcome = Outcome::Failed {
        details: "no lake".to_owned(),
    };
    job.phase = Phase::Ended {
        at: NOW,
        outcome,
        has_manifest: false,
    };
    job.history = job.phase.known_history();
    job.plan = Plan::Failed {
        reason: "no lake".to_owned(),
        cursor: None,
    };
    job.credential = None;
    Job::restore(job).unwrap()
}

fn a_chunk(state: ChunkState) -> Chunk {
    let object = |path: &str| ObjectRef {
        path: path.to_owned(),
        etag: "\"e1\"".to_owned(),
        size_bytes: 1_000,
    };
    let source = if matches!(state, ChunkState::Prepared { .. }) {
        let objects = vec![object("events/a.ndjson"), object("events/b.ndjson.gz")];
        ChunkSource::Objects {
            day: date!(2026 - 01 - 04),
            folder: date!(2026 - 01 - 04),
            objects,
        }
    } else {
        ChunkSource::Partitions(vec!["DEVICES#/apps/chess#0".to_owned()])
    };
    let key = ChunkKey {
        job: a_stored_job().key,
        shard: 3,
        number: 35,
    };
    Chunk {
        key,
        source,
        expires: EXPIRES,
        attempt: 2,
        state,
        given_up: BTreeSet::new(),
        revision: 4,
    }
}

fn a_prepared_chunk() -> Chunk {
    let prepared = a_file("Event/1/date=2026-01-04/part-00035.json");
    let mut output = fakes::chunks::one_file(prepared, 8, 1);
    for file in &mut output.files {
        (file.earliest, file.latest) = (Some(NOW), Some(NOW));
    }
    a_chunk(ChunkState::Prepared { until: NOW, output })
}

#[test]
fn the_jobs_of_version_1_are_read() {
    for (name, job) in [
        ("job_planning", a_job()),
        ("job_finishing", a_finishing_job()),
        ("job_ended", an_ended_job()),
    ] {
        assert_eq!(Job::try_from(read::<JobItem>(v1(name))), Ok(job), "{name}");
    }
}

#[test]
fn the_chunks_of_version_1_are_read() {
    let failed = ChunkState::Failed {
        reason: "a.ndjson, line 7: not JSON".to_owned(),
    };
    for (name, chunk) in [
        (
            "chunk_pending",
            a_chunk(ChunkState::Pending { prepared: None }),
        ),
        ("chunk_prepared", a_prepared_chunk()),
        ("chunk_failed", a_chunk(failed)),
    ] {
        assert_eq!(
            Chunk::try_from(read::<ChunkItem>(v1(name))),
            Ok(chunk),
            "{name}"
        );
    }
}

#[test]
fn the_other_items_of_version_1_are_read() {
    let (key, body_hash) = (
        RequestKey::Idempotency("request 1".to_owned()),
        "ef".repeat(32),
    );
    let request = AcceptedRequest {
        key,
        job: a_job().key.id,
        body_hash,
        expires: EXPIRES,
    };
    assert_eq!(
        AcceptedRequest::try_from(read::<RequestItem>(v1("request"))),
        Ok(request)
    );
    let tally = Tally {
        planned: 8,
        open: 1,
        recorded: 6,
        failed: 1,
        partial: 0,
        counts: Counts {
            rows: 600,
            bytes: 60_000,
            rejected: 2,
            ..Counts::default()
        },
    };
    assert_eq!(Tally::from(read::<TallyItem>(v1("tally"))), tally);
    let grant: GrantItem = read(v1("grant"));
    assert_eq!(
        (grant.path.as_str(), grant.role.as_str()),
        ("/subscriptions/s1", "Contributor")
    );
}

/// An item as the present version writes it, where it differs from version 1.
fn v2(name: &str) -> Item {
    let text = match name {
        "chunk_pending" => include_str!("../v2/chunk_pending.json"),
        "chunk_prepared" => include_str!("../v2/chunk_prepared.json"),
        other => panic!("no item {other}"),
    };
    serde_json::from_str(text).unwrap()
}

/// The history of a job that version 1 wrote last.
fn begun(job: &Job) -> AttributeValue {
    let text = |text: &str| AttributeValue::S(text.to_owned());
    let phase = ("phase".to_owned(), text(job.phase.name()));
    let since = matches!(job.phase, Phase::Ended { .. })
        .then(|| ("since".to_owned(), text("2026-01-05T12:00:00.5Z")));
    let stage = [phase].into_iter().chain(since).collect();
    AttributeValue::L(vec![AttributeValue::M(stage)])
}

/// When this fails, the layout has changed: raise `VERSION`, keep what there is readable, and add
/// what the new version writes. An attribute that may be absent is no new layout: it is named here.
#[test]
fn what_is_written_is_version_3() {
    let of_items = |mut item: Item| {
        item.retain(|name, _| !["pk", "sk", "write_id"].contains(&name.as_str()));
        item
    };
    for (name, job) in [
        ("job_planning", a_job()),
        ("job_finishing", a_finishing_job()),
        ("job_ended", an_ended_job()),
    ] {
        // A job's layout is that of version 1.
        let mut item = of_items(v1(name));
        item.insert("history".to_owned(), begun(&job));
        item.insert("export_device_id".to_owned(), AttributeValue::Bool(true));
        item.insert("v".to_owned(), present());
        assert_eq!(written(JobItem::from(&job)), item, "{name}");
    }
    let pending = a_chunk(ChunkState::Pending { prepared: None });
    for (name, chunk) in [
        ("chunk_pending", pending),
        ("chunk_prepared", a_prepared_chunk()),
    ] {
        let item = v2(name);
        let mut present_item = of_items(item.clone());
        present_item.insert("v".to_owned(), present());
        assert_eq!(written(ChunkItem::from(&chunk)), present_item, "{name}");
        assert_eq!(
            Chunk::try_from(read::<ChunkItem>(item)),
            Ok(chunk),
            "{name}"
        );
    }
    let row: Item = serde_json::from_str(include_str!("../v3/row.json")).unwrap();
    assert_eq!(
        written(RowItem::from(&an_ended_job())),
        of_items(row.clone())
    );
    assert_eq!(read::<RowItem>(row).id(), Ok(a_job().key.id));
    let mark: Item = serde_json::from_str(include_str!("../v3/mark.json")).unwrap();
    assert_eq!(written(MarkItem::new(EXPIRES)), of_items(mark.clone()));
    assert_eq!(read::<MarkItem>(mark).job(), Ok(a_job().key.id));
}

/// A job as this version reads it, but for its row, of which the jobs here have none.
fn reread(item: Item) -> Result<Job, String> {
    let job = Job::try_from(read::<JobItem>(item))?;
    let mut stored = job.into_stored();
    assert!(std::mem::take(&mut stored.has_row));
    Job::restore(stored).map_err(|error| error.to_string())
}

fn present() -> AttributeValue {
    AttributeValue::N(VERSION.to_string())
}

/// Version 1 reads one file at most and looks at no version: it would record a chunk of this one
/// without committing its files. What it asks for is not there, so it retries until the deployment
/// is over.
#[test]
fn a_chunk_of_this_version_is_unreadable_to_version_1() {
    for name in ["chunk_pending", "chunk_prepared"] {
        assert!(!v2(name).contains_key("source"), "{name}");
        assert!(v1(name).contains_key("source"), "{name}");
    }
}

#[test]
fn an_item_that_contradicts_itself_is_named_by_its_attribute() {
    let mut item = v1("chunk_prepared");
    item.remove("output");
    assert_eq!(
        Chunk::try_from(read::<ChunkItem>(item)),
        Err("attribute `state` holds \"prepared\"".to_owned())
    );
    let mut item = v1("job_ended");
    item.remove("ended");
    assert_eq!(
        Job::try_from(read::<JobItem>(item)),
        Err("attribute `phase` holds \"failed\"".to_owned())
    );
    let mut item = v1("request");
    item.insert("job".to_owned(), AttributeValue::S("seven".to_owned()));
    let unreadable = AcceptedRequest::try_from(read::<RequestItem>(item));
    assert_eq!(
        unreadable,
        Err("attribute `job` holds \"seven\"".to_owned())
    );
}
