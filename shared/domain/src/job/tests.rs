#![expect(
    clippy::disallowed_methods,
    reason = "stored jobs are rebuilt here, to see which can be"
)]

use time::Duration;
use time::macros::datetime;
use uuid::Uuid;

use super::*;
use crate::container::{BlobName, ContainerAddress, PreparedFile};
use crate::counts::Counts;
use crate::listing::Listing;
use crate::selection::{
    CampaignType, DateRange, DeviceType, ExportFormat, ExportRequest, History, HistoryType,
    Snapshot,
};
use crate::tally::Tally;
use crate::warning::{Warning, WarningCode};

const NOW: OffsetDateTime = datetime!(2026-01-05 12:00 UTC);

fn queued() -> Job {
    let request = ExportRequest {
        selection: Snapshot::Devices(DeviceType::Tag).into(),
        format: ExportFormat::JsonBlob,
        description: None,
        export_user_id: false,
        export_device_id: false,
    };
    let key = JobKey {
        scope: AppScope::from_canonical("/apps/a"),
        id: JobId::new(Uuid::nil()),
    };
    Job::queued(
        key,
        request,
        ContainerAddress::new("https://a"),
        credential(),
        NOW,
        Duration::days(90),
    )
}

fn credential() -> Credential {
    Credential {
        sealed: SealedCredential(vec![1]),
        expires: None,
    }
}

fn running() -> Job {
    queued()
        .begin_planning()
        .unwrap()
        .complete_plan(0, NOW)
        .unwrap()
}

fn file() -> PreparedFile {
    PreparedFile {
        name: BlobName::from_stored("m"),
        attempt: 1,
        blocks: 1,
        size_bytes: 2,
        sha256: String::new(),
        crc64: String::new(),
    }
}

/// The job at its end, with a manifest that tells this outcome.
fn ended(job: Job, outcome: Outcome) -> Job {
    job.begin_finishing()
        .unwrap()
        .prepare_manifest(file(), outcome.into())
        .unwrap()
        .end(NOW)
        .unwrap()
}

fn failed(job: Job) -> Job {
    let details = "denied".to_owned();
    ended(job, Outcome::Failed { details })
}

#[test]
fn a_job_is_planned_page_by_page_and_handed_over_between_them() {
    let job = queued()
        .begin_planning()
        .unwrap()
        .plan_page(3, PlanCursor("c".to_owned()))
        .unwrap();
    let job = job.hand_over_planning().unwrap();
    assert_eq!((job.phase.name(), job.chunks), ("queued", 3));
    let job = job.begin_planning().unwrap().complete_plan(2, NOW).unwrap();
    assert_eq!(
        (job.phase.name(), job.chunks, job.phase.wire_state()),
        ("running", 5, "Started")
    );
    assert_eq!(
        job.begin_planning().unwrap_err().to_string(),
        "cannot plan what is running"
    );
}

#[test]
fn success_erases_the_credential_and_is_the_last_move() {
    let job = ended(running(), Outcome::Succeeded);
    assert_eq!(
        (job.phase.wire_state(), &job.credential),
        ("Succeeded", &None)
    );
    assert!(job.clone().end(NOW).is_err());
    assert!(job.clone().begin_finishing().is_err());
    assert!(job.clone().complete_plan(0, NOW).is_err());
    assert!(job.clone().cancel(Cancellation::Asked).is_err());
    assert!(job.clone().resume().is_err());
    assert!(job.clone().restage_manifest().is_err());
    assert!(job.replace_credential(credential()).is_err());
}

#[test]
fn a_job_ends_by_its_prepared_manifest_alone_and_as_that_tells() {
    let finishing = running().begin_finishing().unwrap();
    assert_eq!(
        finishing.clone().end(NOW).unwrap_err().to_string(),
        "cannot end, without a prepared manifest, what is finishing"
    );
    let prepared = finishing.prepare_manifest(
        file(),
        Outcome::Incomplete {
            details: "1 chunk".to_owned(),
        }
        .into(),
    );
    let prepared = prepared.unwrap();
    assert!(
        prepared
            .clone()
            .restage_manifest()
            .unwrap()
            .end(NOW)
            .is_err()
    );
    let ended = prepared.end(NOW).unwrap();
    assert_eq!(ended.phase.name(), "incomplete");
    assert_eq!(ended.credential, Some(credential()), "a retry may need it");
}

#[test]
fn chunks_are_spread_before_the_first_page_only() {
    let planning = queued().begin_planning().unwrap();
    for (asked, settled) in [(0, 1), (7, 7), (99, MAX_SHARDS)] {
        assert_eq!(planning.clone().spread(asked).unwrap().shards, settled);
    }
    assert!(queued().spread(7).is_err());
    assert!(planning.plan_page(64, cursor()).unwrap().spread(7).is_err());
}

#[test]
fn a_resumed_job_runs_on_only_with_a_complete_plan() {
    let planning = queued().begin_planning().unwrap();
    assert!(planning.resume_running().is_err());
}

type Change = fn(&mut StoredJob);

#[test]
fn what_no_moves_lead_to_is_no_job() {
    let succeeded = ended(running(), Outcome::Succeeded).into_stored();
    assert!(Job::restore(succeeded.clone()).is_ok());
    let cases: [(&str, Change); 6] = [
        ("no shard", |job| job.shards = 0),
        ("too many", |job| job.shards = MAX_SHARDS + 1),
        ("plan is not complete", |job| {
            job.plan = Plan::Open { cursor: None };
        }),
        ("still holds a credential", |job| {
            job.credential = Some(credential());
        }),
        ("was not written", |job| {
            job.phase = Phase::Ended {
                at: NOW,
                outcome: Outcome::Succeeded,
                has_manifest: false,
            };
        }),
        ("plan is not complete", |job| {
            job.phase = Phase::Finishing {
                cancelled: None,
                manifest: Some((file(), Outcome::Succeeded)),
            };
            job.plan = Plan::Open { cursor: None };
        }),
    ];
    for (reason, change) in cases {
        let mut stored = succeeded.clone();
        change(&mut stored);
        let error = Job::restore(stored).unwrap_err().to_string();
        assert!(error.contains(reason), "{error}");
    }
}

#[test]
fn a_second_finisher_keeps_the_prepared_manifest_and_takes_a_new_attempt() {
    let finishing = running().begin_finishing().unwrap();
    let job = finishing
        .prepare_manifest(file(), Outcome::Succeeded.into())
        .unwrap()
        .begin_finishing()
        .unwrap();
    assert_eq!(job.finish_attempts, 2);
    assert_eq!(
        job.phase,
        Phase::Finishing {
            cancelled: None,
            manifest: Some((file(), Outcome::Succeeded))
        }
    );
}

#[test]
fn a_job_with_an_open_plan_cannot_finish() {
    assert!(queued().begin_finishing().is_err());
    assert!(
        queued()
            .begin_planning()
            .unwrap()
            .begin_finishing()
            .is_err()
    );
}

#[test]
fn a_job_that_waits_goes_on_with_a_new_credential() {
    let waiting = running()
        .await_credential(NOW, "expired".to_owned())
        .unwrap();
    assert_eq!(
        (waiting.phase.name(), waiting.phase.wire_state()),
        ("awaiting-credential", "Started")
    );
    assert!(
        waiting
            .clone()
            .await_credential(NOW, String::new())
            .is_err()
    );
    assert!(waiting.clone().begin_finishing().is_err());
    let job = waiting.replace_credential(credential()).unwrap();
    let job = job.resume().unwrap();
    assert_eq!((job.phase.name(), job.credentials_given), ("resuming", 2));
    let job = job.begin_planning().unwrap().resume_running().unwrap();
    assert_eq!(job.phase, Phase::Running);
}

#[test]
fn a_job_without_a_manifest_ends_as_its_owner_asked() {
    let why = |cancelled: Option<Cancellation>| {
        let job = cancelled.map_or_else(running, |why| running().cancel(why).unwrap());
        job.begin_finishing()
            .unwrap()
            .end_without_manifest(NOW, "gone")
            .unwrap()
            .into_stored()
            .phase
    };
    let (failed, asked, overdue) = (
        why(None),
        why(Some(Cancellation::Asked)),
        why(Some(Cancellation::CredentialOverdue)),
    );
    assert_eq!(
        [failed.name(), asked.name(), overdue.name()],
        ["failed", "cancelled", "failed"]
    );
    for phase in [failed, asked, overdue] {
        assert!(
            matches!(
                phase,
                Phase::Ended {
                    has_manifest: false,
                    ..
                }
            ),
            "{phase:?}"
        );
    }
}

#[test]
fn a_retry_goes_on_with_the_plan_where_it_failed() {
    let planning = queued()
        .begin_planning()
        .unwrap()
        .plan_page(3, PlanCursor("c".to_owned()))
        .unwrap();
    let failed = planning.fail_plan("denied".to_owned()).unwrap();
    let ended = self::failed(failed);
    assert_eq!(ended.credential, Some(credential()));
    let job = ended.resume().unwrap();
    assert_eq!(
        job.plan,
        Plan::Open {
            cursor: Some(PlanCursor("c".to_owned()))
        }
    );
}

#[test]
fn a_prepared_manifest_wins_over_a_cancellation() {
    let finishing = running().begin_finishing().unwrap();
    assert_eq!(
        finishing
            .clone()
            .cancel(Cancellation::Asked)
            .unwrap()
            .phase
            .name(),
        "cancelling"
    );
    let prepared = finishing
        .prepare_manifest(file(), Outcome::Succeeded.into())
        .unwrap();
    assert_eq!(
        prepared
            .cancel(Cancellation::Asked)
            .unwrap_err()
            .to_string(),
        "cannot cancel what is finishing"
    );
}

#[test]
fn a_cancelled_job_finishes_as_cancelled_whatever_comes_between() {
    let job = running()
        .await_credential(NOW, String::new())
        .unwrap()
        .cancel(Cancellation::CredentialOverdue)
        .unwrap();
    let job = job.begin_finishing().unwrap().begin_finishing().unwrap();
    assert_eq!(
        job.phase,
        Phase::Finishing {
            cancelled: Some(Cancellation::CredentialOverdue),
            manifest: None
        }
    );
    assert!(job.await_credential(NOW, String::new()).is_err());
}

fn of_days() -> Job {
    let mut job = queued();
    let day = |day| time::Date::from_calendar_date(2026, time::Month::February, day).unwrap();
    let (of, start, end) = (HistoryType::Event, day(1), day(3));
    let days = DateRange { start, end };
    job.0.request.selection = History { of, days }.into();
    job.begin_planning().unwrap()
}

/// A page that came upon an object and a folder that are not read.
fn a_page(name: &str) -> Listing {
    let mut found = Listing::default();
    found.leave_out(name, 100);
    found.no_days.add("date=2026-2-1/");
    found
}

fn cursor() -> PlanCursor {
    PlanCursor("c".to_owned())
}

fn codes(job: &Job) -> Vec<&str> {
    job.warnings
        .iter()
        .map(|warning| warning.code.as_str())
        .collect()
}

#[test]
fn a_plan_was_read_up_to_the_moment_before_its_first_page() {
    let [first, second] = [NOW + Duration::minutes(5), NOW + Duration::days(5)];
    let one_page = queued()
        .begin_planning()
        .unwrap()
        .list_page(first, Listing::default())
        .complete_plan(1, first);
    assert_eq!(one_page.unwrap().plan, Plan::Complete { read_up_to: first });

    let open = queued()
        .begin_planning()
        .unwrap()
        .list_page(first, Listing::default())
        .plan_page(64, cursor())
        .unwrap();
    let handed_over = open
        .clone()
        .hand_over_planning()
        .unwrap()
        .begin_planning()
        .unwrap();
    let failed = failed(open.fail_plan("denied".to_owned()).unwrap());
    let resumed = failed.resume().unwrap().begin_planning().unwrap();
    for job in [handed_over, resumed] {
        let job = job
            .list_page(second, Listing::default())
            .complete_plan(1, second)
            .unwrap();
        assert_eq!(job.plan, Plan::Complete { read_up_to: first });
    }
}

#[test]
fn a_plan_that_fails_before_its_first_page_is_listed_afresh() {
    let later = NOW + Duration::days(5);
    let failed = queued()
        .begin_planning()
        .unwrap()
        .fail_plan("denied".to_owned())
        .unwrap();
    let job = self::failed(failed).resume().unwrap();
    let job = job
        .begin_planning()
        .unwrap()
        .list_page(later, Listing::default())
        .complete_plan(1, later)
        .unwrap();
    assert_eq!(job.plan, Plan::Complete { read_up_to: later });
}

#[test]
fn a_plan_that_version_1_began_was_read_up_to_when_its_job_was_created() {
    let mut job = queued()
        .begin_planning()
        .unwrap()
        .plan_page(64, cursor())
        .unwrap();
    job.0.listing = Listing::default();
    let job = job
        .list_page(NOW + Duration::hours(1), Listing::default())
        .complete_plan(1, NOW)
        .unwrap();
    assert_eq!(
        job.plan,
        Plan::Complete {
            read_up_to: job.created
        }
    );
}

#[test]
fn what_all_pages_left_out_is_said_once_though_the_plan_failed_in_between() {
    let mut job = of_days();
    job.0
        .warnings
        .push(Warning::new(WarningCode::UnknownProperties, "x"));
    let job = job
        .list_page(NOW, a_page("a.json"))
        .plan_page(64, cursor())
        .unwrap();
    assert_eq!(codes(&job), ["UnknownProperties"], "not before it is known");
    let failed = job.fail_plan("denied".to_owned()).unwrap();
    assert_eq!(
        codes(&failed),
        ["UnknownProperties", "ObjectsLeftOut", "FoldersLeftOut"]
    );
    let resumed = self::failed(failed).resume().unwrap();
    let mut found = Listing::default();
    found.leave_out("b.json", 1);
    let job = resumed
        .begin_planning()
        .unwrap()
        .list_page(NOW, found)
        .complete_plan(1, NOW)
        .unwrap();
    assert_eq!(
        codes(&job),
        ["UnknownProperties", "ObjectsLeftOut", "FoldersLeftOut"]
    );
    let message = &job.warnings[1].message;
    assert!(
        message.contains("2 objects of the selected days (101 bytes): `a.json`, `b.json`."),
        "{message}"
    );
    let message = &job.warnings[2].message;
    assert!(
        message.contains("1 name in the app's folder: `date=2026-2-1/`."),
        "{message}"
    );
    assert_eq!(job.listing, Listing::default(), "it is not kept twice");
}

#[test]
fn a_job_that_is_cancelled_says_what_its_plan_left_out_so_far_and_keeps_what_it_said() {
    let cancelled = |job: Job| job.cancel(Cancellation::Asked).unwrap();
    let listed = || of_days().list_page(NOW, a_page("a.json"));
    let told = ["ObjectsLeftOut", "FoldersLeftOut"];
    let planning = cancelled(listed().plan_page(64, cursor()).unwrap());
    assert_eq!(codes(&planning), told);
    let running = cancelled(listed().complete_plan(1, NOW).unwrap());
    assert_eq!(codes(&running), told);
}

#[test]
fn days_without_objects_are_told_where_other_days_have_some() {
    let plan = |chunks| {
        let mut found = Listing::default();
        found.empty_days.add("2026-02-02");
        let job = of_days().list_page(NOW, found).complete_plan(chunks, NOW);
        job.unwrap()
    };
    let job = plan(2);
    assert_eq!(codes(&job), ["DaysWithoutObjects"]);
    let message = &job.warnings[0].message;
    let told = "no object with records of type Event on 1 of the selected days: `2026-02-02`.";
    assert!(message.contains(told), "{message}");
    assert_eq!(codes(&plan(0)), ["NoObjects"], "which says it of all days");
}

#[test]
fn a_plan_without_chunks_says_why() {
    let mut absent = Listing::default();
    absent.note_absent_folder("events/app=a");
    let planned = |found: Listing| {
        of_days()
            .list_page(NOW, found)
            .complete_plan(0, NOW)
            .unwrap()
    };
    let job = planned(absent.clone());
    assert_eq!(codes(&job), ["NoFolder"]);
    assert!(
        job.warnings[0].message.contains("`events/app=a`"),
        "{:?}",
        job.warnings
    );
    let job = planned(Listing::default());
    assert_eq!(codes(&job), ["NoObjects"]);
    assert!(
        job.warnings[0]
            .message
            .contains("Event from 2026-02-01 to 2026-02-03"),
        "{:?}",
        job.warnings
    );
    assert_eq!(
        codes(&planned(a_page("a.json"))),
        ["NoObjects", "ObjectsLeftOut", "FoldersLeftOut"]
    );
    let with_chunks = of_days()
        .list_page(NOW, absent)
        .complete_plan(1, NOW)
        .unwrap();
    assert!(
        with_chunks.warnings.is_empty(),
        "the folder was made in between: {:?}",
        with_chunks.warnings
    );
}

#[test]
fn an_export_without_rows_says_so_once_and_only_when_it_is_complete() {
    let done = Tally {
        planned: 4,
        recorded: 4,
        counts: Counts {
            bad_records: 2,
            ..Counts::default()
        },
        ..Tally::default()
    };
    let job = running().warn_of_rows(&done).warn_of_rows(&done);
    assert_eq!(codes(&job), ["NoRows"]);
    let message = "The registry has no row of type Tag for this app, beside 2 malformed records: the export has no rows.";
    assert_eq!(job.warnings[0].message, message);
    for other in [
        Tally {
            counts: Counts {
                rows: 1,
                ..done.counts
            },
            ..done
        },
        Tally {
            recorded: 3,
            failed: 1,
            ..done
        },
    ] {
        assert!(
            job.clone().warn_of_rows(&other).warnings.is_empty(),
            "{other:?}"
        );
    }
    let empty = of_days()
        .complete_plan(0, NOW)
        .unwrap()
        .warn_of_rows(&Tally::default());
    assert_eq!(codes(&empty), ["NoObjects"], "which says it already");

    let mut job = running();
    job.0.request.selection = Snapshot::Campaigns {
        campaign_type: CampaignType::Poll,
        ids: (1..=12).collect(),
    }
    .into();
    let message = &job.warn_of_rows(&done).warnings[0].message;
    assert!(
        message.contains("of type Poll with the ids 1, 2, 3, 4, 5, 6, 7, 8, 9, 10 and 2 more"),
        "{message}"
    );
}
