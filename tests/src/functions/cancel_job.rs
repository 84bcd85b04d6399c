//! What a DELETE of a task is answered, in every phase.

use domain::job::{Cancellation, Phase};
use ports::store::Act;
use serde_json::json;

use crate::api::courses::{
    Course, cancelled, cancelling, failed, finishing, finishing_cancelled, finishing_prepared,
    incomplete, job, planning, resuming, running, succeeded, waiting, world_with,
};
use crate::api::{LIST, Request, VERSION, acts};

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
async fn who_cancels_is_kept_once_and_who_finds_it_done_is_not() {
    let (world, id) = world_with(running).await;
    for _ in 0..2 {
        assert_eq!(world.send(&Request::cancel(&id)).await.status, 202);
    }
    assert_eq!(acts(&world), [Act::Create, Act::Cancel]);
    let (world, id) = world_with(succeeded).await;
    world.send(&Request::cancel(&id)).await.error();
    assert_eq!(acts(&world), [Act::Create]);
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
