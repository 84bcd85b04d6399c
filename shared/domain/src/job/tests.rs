#![expect(
    clippy::disallowed_methods,
    reason = "stored jobs are rebuilt here, to see which can be"
)]

mod history;
mod plans;

use time::Duration;
use time::macros::datetime;
use uuid::Uuid;

use super::*;
use crate::container::{BlobName, ContainerAddress, PreparedFile};
use crate::selection::{DeviceType, ExportFormat, ExportRequest, Snapshot};

const NOW: OffsetDateTime = datetime!(2026-01-05 12:00 UTC);

fn queued() -> Job {
    let tags = Snapshot::Devices(DeviceType::Tag);
    let request = ExportRequest::usual(tags, ExportFormat::JsonBlob);
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

/// The job at its end, with a manifest that states this outcome.
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

fn cursor() -> PlanCursor {
    PlanCursor("c".to_owned())
}
