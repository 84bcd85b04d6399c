//! What a PATCH and a DELETE of a task are answered, in every phase.

use domain::container::{BlobName, PreparedFile};
use domain::job::{Cancellation, Job, Outcome, Phase};
use fakes::jobs::{altered, in_phase};
use ports::container::ContainerError;
use ports::seal::{SealError, Sealer};
use ports::store::{Jobs, StoreError};
use serde_json::{Value, json};
use time::Duration;

use super::fakes::NOW;
use super::{LIST, Request, SIGNATURE, VERSION, World, container_url};

const NEW_SIGNATURE: &str = "bmV3LXNpZ25hdHVyZQ";

fn new_url() -> Value {
    json!({"containerUrl": container_url().replace(SIGNATURE, NEW_SIGNATURE)})
}

fn denied() -> ContainerError {
    ContainerError::Denied {
        code: "AuthenticationFailed".to_owned(),
    }
}

/// How a job comes from its creation to a phase.
type Course = fn(Job) -> Job;

fn planning(job: Job) -> Job {
    job.begin_planning().unwrap()
}

fn running(job: Job) -> Job {
    planning(job).complete_plan(2, NOW).unwrap()
}

fn waiting(job: Job) -> Job {
    running(job)
        .await_credential(NOW, "storage refused the signature".to_owned())
        .unwrap()
}

fn resuming(job: Job) -> Job {
    waiting(job).resume().unwrap()
}

fn cancelling(job: Job) -> Job {
    running(job).cancel(Cancellation::Asked).unwrap()
}

fn finishing(job: Job) -> Job {
    running(job).begin_finishing().unwrap()
}

fn finishing_cancelled(job: Job) -> Job {
    cancelling(job).begin_finishing().unwrap()
}

fn finishing_prepared(job: Job) -> Job {
    let name = BlobName::from_stored("m");
    let (sha256, crc64) = (String::new(), String::new());
    let file = PreparedFile {
        name,
        attempt: 1,
        blocks: 1,
        size_bytes: 1,
        sha256,
        crc64,
    };
    let manifest = Some((file, Outcome::Succeeded));
    let cancelled = None;
    in_phase(
        finishing(job),
        Phase::Finishing {
            cancelled,
            manifest,
        },
    )
}

fn ended(job: Job, outcome: Outcome) -> Job {
    fakes::jobs::ended(finishing(job), NOW + Duration::HOUR, outcome)
}

fn succeeded(job: Job) -> Job {
    ended(job, Outcome::Succeeded)
}

fn incomplete(job: Job) -> Job {
    ended(
        job,
        Outcome::Incomplete {
            details: "chunk 1: crashed".to_owned(),
        },
    )
}

fn failed(job: Job) -> Job {
    ended(
        job,
        Outcome::Failed {
            details: "no manifest".to_owned(),
        },
    )
}

fn cancelled(job: Job) -> Job {
    let details = "The job was cancelled.".to_owned();
    fakes::jobs::ended(
        finishing_cancelled(job),
        NOW,
        Outcome::Cancelled { details },
    )
}

/// A world with one job in a phase, and the job's id.
async fn world_with(course: Course) -> (World, String) {
    let world = World::new().await;
    let id = world.accepted().await;
    let [job] = world.store.stored().try_into().unwrap();
    world.store.put_job(course(job)).await.unwrap();
    (world, id)
}

fn job(world: &World) -> Job {
    let [job] = world.store.stored().try_into().unwrap();
    job
}

#[tokio::test]
async fn a_new_signature_lets_a_job_go_on_from_a_wait_or_an_end_without_success() {
    for course in [waiting, incomplete, failed, cancelled] as [Course; 4] {
        let (world, id) = world_with(course).await;
        let reply = world.send(&Request::resume(&id, &new_url())).await;
        assert_eq!(
            (reply.status, &reply.json()["phase"]),
            (202, &json!("resuming")),
            "{reply:?}"
        );
        assert_eq!(
            reply.header("location"),
            Some(format!("https://api.example.com{LIST}/{id}?{VERSION}").as_str())
        );
        let job = job(&world);
        assert_eq!(job.credentials_given, 2);
        let sealed = &job.credential.as_ref().unwrap().sealed;
        assert!(
            world
                .sealer
                .open(job.key.id, sealed)
                .await
                .unwrap()
                .reveal()
                .ends_with(NEW_SIGNATURE)
        );
        assert_eq!(
            world.containers.staged().last().unwrap(),
            &format!("Activity/{id}/manifest.json")
        );
    }
}

#[tokio::test]
async fn a_job_at_work_takes_a_new_signature_ahead_of_the_expiry_of_its_own() {
    let queued: Course = |job| job;
    for course in [queued, planning, running, resuming] {
        let (world, id) = world_with(course).await;
        let before = job(&world);
        let reply = world.send(&Request::resume(&id, &new_url())).await;
        assert_eq!(
            (reply.status, &reply.json()["phase"]),
            (202, &json!(before.phase.name()))
        );
        let after = job(&world);
        assert_eq!((&after.phase, after.credentials_given), (&before.phase, 2));
    }
}

#[tokio::test]
async fn an_empty_patch_tries_again_with_the_signature_that_the_job_has() {
    let form = "application/x-www-form-urlencoded";
    for course in [waiting, incomplete, failed, cancelled] as [Course; 4] {
        for request in [
            Request::resume("x", &json!({})),
            Request::resume("x", &json!({"state": "Started", "containerUrl": null})),
            Request::new("PATCH", "x"),
            Request::new("PATCH", "x")
                .header("content-type", form)
                .body("x=1"),
        ] {
            let (world, id) = world_with(course).await;
            let reply = world
                .send(&Request {
                    path: format!("{LIST}/{id}"),
                    ..request
                })
                .await;
            assert_eq!(
                (reply.status, &reply.json()["phase"]),
                (202, &json!("resuming")),
                "{reply:?}"
            );
            assert_eq!(job(&world).credentials_given, 1);
            let opened = world.containers.opened();
            assert_eq!(
                (opened.len(), opened.first()),
                (2, opened.last()),
                "it was tried once more"
            );
        }
    }
}

#[tokio::test]
async fn an_empty_patch_of_a_job_whose_signature_is_refused_asks_for_a_new_one() {
    for course in [waiting, incomplete] as [Course; 2] {
        let (world, id) = world_with(course).await;
        world.containers.refuse(denied());
        let reply = world.send(&Request::resume(&id, &json!({}))).await;
        assert_eq!(reply.error(), (400, "NewCredentialNeeded".to_owned()));
        assert!(
            reply.message().contains("send a new `containerUrl`"),
            "{reply:?}"
        );
    }
    let (world, id) = world_with(|job| altered(failed(job), |job| job.credential = None)).await;
    assert_eq!(
        world.send(&Request::resume(&id, &json!({}))).await.error(),
        (400, "NewCredentialNeeded".to_owned())
    );
    let (world, id) = world_with(failed).await;
    world.sealer.fail_with(|| SealError::Unreadable);
    assert_eq!(
        world.send(&Request::resume(&id, &json!({}))).await.error(),
        (400, "NewCredentialNeeded".to_owned())
    );
}

#[tokio::test]
async fn a_container_that_cannot_be_written_to_changes_nothing() {
    let code = || "FromStorage".to_owned();
    for (refusal, body, expected) in [
        (denied(), new_url(), (400, "ContainerAccessDenied")),
        (
            ContainerError::Missing { code: code() },
            json!({}),
            (400, "ContainerNotFound"),
        ),
        (
            ContainerError::Refused { code: code() },
            json!({}),
            (400, "ContainerRefusesWrites"),
        ),
        (
            ContainerError::unavailable(code()),
            json!({}),
            (503, "StorageUnavailable"),
        ),
        (
            ContainerError::unavailable(code()),
            new_url(),
            (503, "StorageUnavailable"),
        ),
    ] {
        let (world, id) = world_with(waiting).await;
        let before = world.store.stored();
        world.containers.refuse(refusal);
        let (status, code) = world.send(&Request::resume(&id, &body)).await.error();
        assert_eq!((status, code.as_str()), expected);
        assert_eq!(world.store.stored(), before);
    }
}

#[tokio::test]
async fn the_signature_of_another_container_or_account_is_refused() {
    for (own, other) in [("/exports?", "/other?"), ("//account.", "//account2.")] {
        let (world, id) = world_with(waiting).await;
        let url = container_url().replace(own, other);
        let reply = world
            .send(&Request::resume(&id, &json!({"containerUrl": url})))
            .await;
        assert_eq!(
            reply.error(),
            (400, "ContainerUrlOtherContainer".to_owned())
        );
        assert!(
            !reply.text.contains(SIGNATURE) && reply.message().contains("/exports"),
            "{reply:?}"
        );
        assert_eq!(
            world.containers.staged().len(),
            1,
            "storage was called only by the creation"
        );
    }
}

#[tokio::test]
async fn a_new_container_url_is_checked_by_the_rules_of_a_creation() {
    let twice = format!(
        r#"{{"containerUrl":"{0}","ContainerUrl":"{0}"}}"#,
        container_url()
    );
    for (body, expected) in [
        (
            json!({"containerUrl": ""}).to_string(),
            "ContainerUrlNotAUrl",
        ),
        (
            json!({"containerUrl": container_url().replace("sp=w", "sp=r")}).to_string(),
            "ContainerUrlWriteMissing",
        ),
        (
            json!({"containerUrl": container_url().replace("2026-12-31", "2026-01-31")})
                .to_string(),
            "ContainerUrlExpired",
        ),
        (
            json!({"containerUrl": [container_url()]}).to_string(),
            "InvalidField",
        ),
        (twice, "DuplicateField"),
        ("[]".to_owned(), "InvalidBody"),
        (" ".to_owned(), "InvalidBody"),
    ] {
        let (world, id) = world_with(waiting).await;
        let reply = world
            .send(&Request::resume(&id, &json!({})).body(body))
            .await;
        assert_eq!(reply.error(), (400, expected.to_owned()));
        assert!(!reply.text.contains(SIGNATURE));
    }
    let (world, id) = world_with(waiting).await;
    let text = Request::resume(&id, &new_url()).header("content-type", "text/plain");
    assert_eq!(
        world.send(&text).await.error(),
        (415, "UnsupportedMediaType".to_owned())
    );
}

#[tokio::test]
async fn what_cannot_be_resumed_is_a_conflict_with_a_reason_of_its_own() {
    let queued: Course = |job| job;
    let table: [(Course, Value, &str); 12] = [
        (queued, json!({}), "TaskAtWork"),
        (planning, json!({}), "TaskAtWork"),
        (running, json!({}), "TaskAtWork"),
        (cancelling, json!({}), "TaskAtWork"),
        (finishing, json!({}), "TaskAtWork"),
        (finishing_prepared, json!({}), "TaskAtWork"),
        (cancelling, new_url(), "TaskEnding"),
        (finishing, new_url(), "TaskEnding"),
        (finishing_cancelled, new_url(), "TaskEnding"),
        (finishing_prepared, new_url(), "TaskEnding"),
        (succeeded, json!({}), "TaskSucceeded"),
        (succeeded, new_url(), "TaskSucceeded"),
    ];
    for (course, body, expected) in table {
        let (world, id) = world_with(course).await;
        let before = world.store.stored();
        assert_eq!(
            world.send(&Request::resume(&id, &body)).await.error(),
            (409, expected.to_owned())
        );
        assert_eq!(world.store.stored(), before);
        assert_eq!(
            world.containers.staged().len(),
            1,
            "storage was called only by the creation"
        );
    }
}

#[tokio::test]
async fn the_same_patch_twice_is_accepted_twice() {
    for body in [json!({}), new_url()] {
        let (world, id) = world_with(waiting).await;
        for _ in 0..2 {
            let reply = world.send(&Request::resume(&id, &body)).await;
            assert_eq!(
                (reply.status, &reply.json()["phase"]),
                (202, &json!("resuming"))
            );
        }
    }
}

#[tokio::test]
async fn a_cancellation_is_accepted_until_the_manifest_is_prepared() {
    let queued: Course = |job| job;
    for course in [queued, planning, running, waiting, resuming, finishing] {
        let (world, id) = world_with(course).await;
        let reply = world.send(&Request::cancel(&id)).await;
        assert_eq!(
            (reply.status, &reply.json()["phase"]),
            (202, &json!("cancelling"))
        );
        assert_eq!(
            reply.header("location"),
            Some(format!("https://api.example.com{LIST}/{id}?{VERSION}").as_str())
        );
        assert_eq!(
            job(&world).phase,
            Phase::Cancelling {
                why: Cancellation::Asked
            }
        );
    }
}

#[tokio::test]
async fn a_job_that_is_cancelled_is_cancelled_again_without_a_change() {
    for course in [cancelling, finishing_cancelled, cancelled] as [Course; 3] {
        let (world, id) = world_with(course).await;
        let before = world.store.stored();
        for _ in 0..2 {
            assert_eq!(world.send(&Request::cancel(&id)).await.status, 202);
        }
        assert_eq!(world.store.stored(), before);
    }
}

#[tokio::test]
async fn what_has_ended_or_is_about_to_cannot_be_cancelled() {
    let table: [(Course, &str); 4] = [
        (succeeded, "TaskFinished"),
        (failed, "TaskFinished"),
        (incomplete, "TaskFinished"),
        (finishing_prepared, "TaskEnding"),
    ];
    for (course, expected) in table {
        let (world, id) = world_with(course).await;
        let reply = world.send(&Request::cancel(&id)).await;
        assert_eq!(reply.error(), (409, expected.to_owned()));
    }
}

#[tokio::test]
async fn an_unknown_task_another_apps_and_a_forgotten_one_are_not_found() {
    let (world, id) = world_with(waiting).await;
    for method in ["PATCH", "DELETE"] {
        for path in [
            format!("{}/{id}", LIST.replace("chess", "go")),
            format!("{LIST}/019395a0-0000-7000-8000-000000000000"),
            format!("{LIST}/42"),
        ] {
            assert_eq!(
                world.send(&Request::new(method, &path)).await.error(),
                (404, "TaskNotFound".to_owned())
            );
        }
    }
    world.clock.set(NOW + Duration::days(91));
    assert_eq!(
        world.send(&Request::cancel(&id)).await.error(),
        (404, "TaskNotFound".to_owned())
    );
}

#[tokio::test]
async fn a_change_takes_a_contributor_a_version_and_a_store() {
    for request in [Request::resume("x", &json!({})), Request::cancel("x")] {
        let (world, id) = world_with(waiting).await;
        let request = Request {
            path: format!("{LIST}/{id}"),
            ..request
        };
        assert_eq!(
            world.send(&request.clone().by(None)).await.error(),
            (401, "Unauthenticated".to_owned())
        );
        assert_eq!(
            world.send(&request.clone().by(Some("rita"))).await.error(),
            (403, "Forbidden".to_owned())
        );
        let versionless = world.send(&request.clone().query("")).await;
        assert_eq!(
            versionless.error(),
            (400, "UnsupportedApiVersion".to_owned())
        );
        world.store.fail_with(|| StoreError::Unavailable {
            cause: "throttled".into(),
        });
        assert_eq!(
            world.send(&request).await.error(),
            (503, "ServiceUnavailable".to_owned())
        );
    }
}

#[tokio::test]
async fn a_change_that_loses_to_another_is_decided_anew() {
    let (world, id) = world_with(running).await;
    world
        .store
        .meddle(|job| job.await_credential(NOW, String::new()).unwrap());
    let reply = world.send(&Request::resume(&id, &new_url())).await;
    assert_eq!(
        reply.json()["phase"],
        "resuming",
        "the job began to wait just before it got its signature"
    );
    let (world, id) = world_with(waiting).await;
    world
        .store
        .meddle(|job| job.cancel(Cancellation::Asked).unwrap());
    assert_eq!(
        world.send(&Request::resume(&id, &new_url())).await.error(),
        (409, "TaskEnding".to_owned())
    );
    let (world, id) = world_with(waiting).await;
    world.store.meddle(|job| job.resume().unwrap());
    assert_eq!(
        world.send(&Request::cancel(&id)).await.json()["phase"],
        "cancelling"
    );
    let (world, id) = world_with(finishing).await;
    world
        .store
        .meddle(|job| fakes::jobs::ended(job, NOW, Outcome::Succeeded));
    assert_eq!(
        world.send(&Request::cancel(&id)).await.error(),
        (409, "TaskFinished".to_owned())
    );
}

#[tokio::test]
async fn a_job_that_moves_all_the_time_is_503() {
    for request in [Request::resume("x", &new_url()), Request::cancel("x")] {
        let (world, id) = world_with(running).await;
        (0..4).for_each(|_| world.store.meddle(|job| job));
        let reply = world
            .send(&Request {
                path: format!("{LIST}/{id}"),
                ..request
            })
            .await;
        assert_eq!(reply.error(), (503, "ServiceUnavailable".to_owned()));
    }
}
