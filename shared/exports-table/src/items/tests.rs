#![expect(
    clippy::disallowed_methods,
    reason = "stored jobs are rebuilt here, to see which can be"
)]

mod versions;

use domain::app::AppScope;
use domain::chunk::{
    Chunk, ChunkKey, ChunkSource, ChunkState, FileKind, MissingParts, ObjectRef, Output, OutputFile,
};
use domain::columns::Columns;
use domain::container::{BlobName, ContainerAddress, PreparedFile};
use domain::counts::Counts;
use domain::filter::{self, DeviceId, Filter, Session};
use domain::job::{
    Asking, Cancellation, Credential, Job, JobId, JobKey, MAX_SHARDS, MissingDay, Outcome, Phase,
    PhaseName, Plan, PlanCursor, SealedCredential, Stage, StoredJob, Wait,
};
use domain::listing::{Listing, Names};
use domain::rules::{Misread, OnBadRecord, Rules};
use domain::selection::{
    CampaignType, Compression, DateRange, DeviceType, ExportFormat, ExportRequest, ExportType,
    FileOptions, History, HistoryType, Selection, Snapshot,
};
use domain::tally::Tally;
use domain::warning::Warning;
use proptest::collection::btree_set;
use proptest::option;
use proptest::prelude::*;
use proptest::sample::subsequence;
use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_dynamo::Item;
use time::{Date, OffsetDateTime};
use uuid::Uuid;

use super::{AcceptedRequest, ChunkItem, JobItem, RequestItem, RequestKey};

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

fn outcome() -> impl Strategy<Value = Outcome> {
    prop_oneof![
        Just(Outcome::Succeeded),
        any::<String>().prop_map(|details| Outcome::Incomplete { details }),
        any::<String>().prop_map(|details| Outcome::Failed { details }),
        any::<String>().prop_map(|details| Outcome::Cancelled { details }),
    ]
}

fn cancellation() -> impl Strategy<Value = Cancellation> {
    prop_oneof![
        Just(Cancellation::Asked),
        Just(Cancellation::CredentialOverdue)
    ]
}

fn credential() -> impl Strategy<Value = Credential> {
    (any::<Vec<u8>>(), proptest::option::of(moment())).prop_map(|(sealed, expires)| Credential {
        sealed: SealedCredential(sealed),
        expires,
    })
}

fn wait() -> impl Strategy<Value = Wait> {
    prop_oneof![
        any::<String>().prop_map(|reason| Wait::Refused { reason }),
        Just(Wait::NotResumed)
    ]
}

fn phase() -> impl Strategy<Value = Phase> {
    prop_oneof![
        Just(Phase::Queued),
        Just(Phase::Planning),
        Just(Phase::Running),
        Just(Phase::Resuming),
        (moment(), wait()).prop_map(|(since, why)| Phase::AwaitingCredential { since, why }),
        cancellation().prop_map(|why| Phase::Cancelling { why }),
        (
            proptest::option::of(cancellation()),
            proptest::option::of((file(), outcome()))
        )
            .prop_map(|(cancelled, manifest)| Phase::Finishing {
                cancelled,
                manifest
            }),
        (moment(), outcome(), any::<bool>()).prop_map(|(at, outcome, is_written)| {
            let has_manifest =
                is_written || matches!(outcome, Outcome::Succeeded | Outcome::Incomplete { .. });
            Phase::Ended {
                at,
                outcome,
                has_manifest,
            }
        }),
    ]
}

/// A phase, the stages before it and this one, and what it came to.
fn came_to() -> impl Strategy<Value = (Phase, Vec<Stage>, Option<Tally>)> {
    let stage = (one_of(PhaseName::ALL), option::of(moment()))
        .prop_map(|(phase, since)| Stage { phase, since });
    let totals = (any::<[u64; 5]>(), counts()).prop_map(
        |([planned, open, recorded, failed, partial], counts)| Tally {
            planned,
            open,
            recorded,
            failed,
            partial,
            counts,
        },
    );
    let stages = proptest::collection::vec(stage, 1..4);
    (phase(), stages, option::of(totals))
}

fn asking() -> impl Strategy<Value = Asking> {
    (any::<Option<String>>(), any::<Option<Vec<String>>>())
        .prop_map(|(by, options)| Asking { by, options })
}

fn plan() -> impl Strategy<Value = Plan> {
    prop_oneof![
        proptest::option::of(any::<String>().prop_map(PlanCursor))
            .prop_map(|cursor| Plan::Open { cursor }),
        moment().prop_map(|read_up_to| Plan::Complete { read_up_to }),
        (
            any::<String>(),
            proptest::option::of(any::<String>().prop_map(PlanCursor))
        )
            .prop_map(|(reason, cursor)| Plan::Failed { reason, cursor }),
    ]
}

fn names() -> impl Strategy<Value = Names> {
    (any::<u64>(), any::<Vec<String>>()).prop_map(|(count, first)| Names { count, first })
}

fn listing() -> impl Strategy<Value = Listing> {
    let since = proptest::option::of(moment());
    (
        since,
        names(),
        any::<u64>(),
        (names(), names(), names(), names()),
        any::<Option<String>>(),
    )
        .prop_map(
            |(
                since,
                left_out,
                left_out_bytes,
                (odd_names, large_objects, empty_days, no_days),
                absent_folder,
            )| {
                Listing {
                    since,
                    left_out,
                    left_out_bytes,
                    odd_names,
                    large_objects,
                    empty_days,
                    no_days,
                    absent_folder,
                }
            },
        )
}

fn selection() -> impl Strategy<Value = Selection> {
    let history = one_of(ExportType::ALL).prop_filter_map("a snapshot", HistoryType::of);
    let devices = one_of(ExportType::ALL).prop_filter_map("no snapshot", DeviceType::of);
    prop_oneof![
        (history, day(), day()).prop_map(|(of, start, end)| {
            let days = DateRange { start, end };
            History { of, days }.into()
        }),
        devices.prop_map(|of| Snapshot::Devices(of).into()),
        (one_of(CampaignType::ALL), any::<Vec<i64>>())
            .prop_map(|(campaign_type, ids)| Snapshot::Campaigns { campaign_type, ids }.into()),
        (one_of(CampaignType::ALL), moment(), moment()).prop_map(|(campaign_type, start, end)| {
            Snapshot::ActiveCampaigns {
                campaign_type,
                start,
                end,
            }
            .into()
        }),
    ]
}

fn file_options(of: ExportType) -> impl Strategy<Value = FileOptions> {
    let all = of.columns(true);
    let chosen = subsequence(all, 1..=all.len()).prop_shuffle();
    let columns = chosen.prop_map(move |names| Columns::choose(all, names).unwrap());
    (
        option::of(columns),
        any::<[bool; 2]>(),
        any::<Option<u64>>(),
    )
        .prop_map(
            |(columns, [byte_order_mark, escape_formulas], max_file_bytes)| FileOptions {
                columns,
                byte_order_mark,
                escape_formulas,
                max_file_bytes,
            },
        )
}

fn filter() -> impl Strategy<Value = Filter> {
    let names = || btree_set(any::<String>(), 1..4);
    let names = prop_oneof![
        names().prop_map(filter::Names::In),
        names().prop_map(filter::Names::NotIn)
    ];
    let id = any::<u128>().prop_map(|id| DeviceId::parse(&format!("{id:032x}")).unwrap());
    (
        option::of(names),
        option::of(btree_set(id, 1..4)),
        option::of(one_of(Session::ALL)),
        option::of(moment()),
        option::of(moment()),
    )
        .prop_map(|(names, device_ids, session, from, to)| Filter {
            names,
            device_ids,
            session,
            from,
            to,
        })
}

fn request() -> impl Strategy<Value = ExportRequest> {
    let selected = selection().prop_flat_map(|selection| {
        let files = file_options(selection.export_type());
        (Just(selection), files)
    });
    (
        (one_of(ExportFormat::ALL), one_of(Compression::ALL)),
        selected,
        any::<Option<String>>(),
        any::<[bool; 2]>(),
        filter(),
    )
        .prop_map(
            |(
                (format, compression),
                (selection, files),
                description,
                [export_user_id, export_device_id],
                filter,
            )| ExportRequest {
                selection,
                format,
                compression,
                description,
                export_user_id,
                export_device_id,
                files,
                filter,
            },
        )
}

fn warning() -> impl Strategy<Value = Warning> {
    (any::<String>(), any::<String>()).prop_map(|(code, message)| Warning { code, message })
}

fn rules() -> impl Strategy<Value = Rules> {
    (one_of(OnBadRecord::ALL), any::<(u16, u64, u64, u32)>()).prop_map(
        |(on_bad_record, (late_days, from_records, most_percent, encoders))| Rules {
            on_bad_record,
            late_days,
            misread: Misread {
                from_records,
                most_percent,
            },
            encoders,
        },
    )
}

fn missed() -> impl Strategy<Value = (Vec<MissingDay>, Vec<PlanCursor>)> {
    let cursor = || any::<String>().prop_map(PlanCursor);
    let day = (day(), any::<String>(), cursor())
        .prop_map(|(day, reason, cursor)| MissingDay::new(day, &reason, cursor));
    let days = proptest::collection::vec(day, 0..3);
    (days, proptest::collection::vec(cursor(), 0..3))
}

fn job() -> impl Strategy<Value = Job> {
    let credential = (proptest::option::of(credential()), any::<u32>());
    let asked = (
        (job_key(), asking()),
        request(),
        any::<String>(),
        credential,
        moment(),
        whole_second(),
    );
    let warnings = proptest::collection::vec(warning(), 0..3);
    let stands = (
        came_to(),
        (plan(), listing(), proptest::option::of(rules()), missed()),
        any::<u32>(),
        1..=MAX_SHARDS,
        warnings,
        (any::<u32>(), any::<u32>()),
        any::<u64>(),
    );
    let stored = (asked, stands).prop_map(
        |(
            (
                (key, asking),
                request,
                destination,
                (credential, credentials_given),
                created,
                expires,
            ),
            (
                (phase, history, totals),
                (plan, listing, rules, (missing_days, to_plan)),
                chunks,
                shards,
                warnings,
                (failed_deliveries, finish_attempts),
                revision,
            ),
        )| StoredJob {
            key,
            request,
            asking,
            destination: ContainerAddress::new(destination),
            credential,
            credentials_given,
            created,
            expires,
            phase,
            history,
            totals,
            plan,
            missing_days,
            to_plan,
            failed_deliveries,
            listing,
            rules,
            chunks,
            shards,
            warnings,
            finish_attempts,
            revision,
        },
    );
    stored.prop_filter_map("no job can be so", |stored| Job::restore(stored).ok())
}

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

fn counts() -> impl Strategy<Value = Counts> {
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

fn chunk() -> impl Strategy<Value = Chunk> {
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
