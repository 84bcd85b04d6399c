use time::macros::datetime;
use uuid::Uuid;

use super::*;
use crate::container::BlobName;
use crate::selection::{ExportFormat, ExportType, Selection};

const NOW: OffsetDateTime = datetime!(2026-01-05 12:00 UTC);

fn queued() -> Job {
    let request = ExportRequest {
        export_type: ExportType::Tag,
        selection: Selection::Devices,
        format: ExportFormat::JsonBlob,
        description: None,
        export_user_id: false,
    };
    let key = JobKey { scope: AppScope::from_canonical("/apps/a"), id: JobId::new(Uuid::nil()) };
    let sealed = SealedCredential(vec![1]);
    Job::queued(key, request, ContainerAddress::new("https://a"), sealed, NOW, Duration::days(90))
}

fn complete() -> Plan {
    Plan::Complete { read_up_to: NOW }
}

fn prepared(outcome: Outcome) -> (PreparedFile, Outcome) {
    let file = PreparedFile {
        name: BlobName::from_stored("m"),
        attempt: 1,
        blocks: 1,
        size_bytes: 2,
        sha256: String::new(),
        crc64: String::new(),
    };
    (file, outcome)
}

#[test]
fn a_job_is_planned_page_by_page_and_handed_over_between_them() {
    let job = queued().begin_planning().unwrap().plan_page(3, PlanCursor("c".to_owned())).unwrap();
    let job = job.hand_over_planning().unwrap();
    assert_eq!((job.phase.name(), job.chunks), ("queued", 3));
    let job = job.begin_planning().unwrap().close_plan(2, complete()).unwrap();
    assert_eq!((job.phase.name(), job.chunks, job.phase.wire_state()), ("running", 5, "Started"));
    assert_eq!(job.begin_planning().unwrap_err().to_string(), "cannot plan what is running");
}

#[test]
fn an_end_erases_the_credential_and_is_the_last_move() {
    let running = queued().close_plan(0, complete()).unwrap();
    let job = running.begin_finishing().unwrap().end(NOW, Outcome::Succeeded).unwrap();
    assert_eq!((job.phase.wire_state(), &job.credential), ("Succeeded", &None));
    assert!(job.clone().end(NOW, Outcome::Succeeded).is_err());
    assert!(job.clone().begin_finishing().is_err());
    assert!(job.clone().close_plan(0, complete()).is_err());
    assert!(job.prepare_manifest(None).is_err());
}

#[test]
fn a_second_finisher_keeps_the_prepared_manifest_and_takes_a_new_attempt() {
    let finishing = queued().close_plan(0, complete()).unwrap().begin_finishing().unwrap();
    let job = finishing.prepare_manifest(Some(prepared(Outcome::Succeeded))).unwrap().begin_finishing().unwrap();
    assert_eq!(job.finish_attempts, 2);
    assert_eq!(job.phase, Phase::Finishing { manifest: Some(prepared(Outcome::Succeeded)) });
}

#[test]
fn a_job_with_an_open_plan_cannot_finish() {
    assert!(queued().begin_finishing().is_err());
    assert!(queued().begin_planning().unwrap().begin_finishing().is_err());
}
