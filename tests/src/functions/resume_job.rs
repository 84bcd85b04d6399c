//! What a PATCH of a task is answered, in every phase.

use fakes::jobs::altered;
use ports::container::ContainerError;
use ports::seal::{SealError, Sealer};
use ports::store::Act;
use serde_json::{Value, json};

use crate::api::courses::{
    Course, NEW_SIGNATURE, cancelled, cancelling, denied, failed, finishing, finishing_cancelled,
    finishing_prepared, incomplete, job, new_url, planning, resuming, running, succeeded, waiting,
    world_with,
};
use crate::api::{LIST, Request, SIGNATURE, VERSION, acts, container_url};

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
async fn who_renews_or_lets_go_on_is_kept() {
    for (body, act) in [(new_url(), Act::Renew), (json!({}), Act::Resume)] {
        let (world, id) = world_with(waiting).await;
        let reply = world.send(&Request::resume(&id, &body)).await;
        assert_eq!(reply.status, 202, "{reply:?}");
        assert_eq!(acts(&world), [Act::Create, act]);
        // It is resuming: there is nothing to change.
        world.send(&Request::resume(&id, &json!({}))).await;
        assert_eq!(acts(&world).len(), 2);
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
