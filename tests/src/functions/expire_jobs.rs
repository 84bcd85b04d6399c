//! Jobs that have waited too long for a signature are ended, each by itself.

use domain::job::{JobId, JobKey, Outcome, Phase};
use ports::store::WaitingJobs;
use serde_json::json;
use time::Duration;

use crate::faults::Fault;
use crate::stories::days;
use crate::stories::rows::small_lake;
use crate::stories::scenes::{
    NEW_SIGNATURE, assert_exact, assert_honest, grant, new_credential, recorded, revoke, waiting,
};
use crate::world::{APP_PATH, SIGNATURE, World, body_of};

#[tokio::test]
async fn a_fault_at_one_waiting_job_keeps_no_other_from_its_end() {
    for call in 0..8 {
        let world = World::new().await;
        small_lake(&world).await;
        let first = waiting(&world).await;
        grant(&world, SIGNATURE);
        let body = days("JsonBlob", "2026-01-05", "2026-01-07");
        let event = World::http("POST", &format!("{APP_PATH}/events"), Some(&body));
        let id = body_of(&crate::described::create(event, &world.create).await)["id"]
            .as_str()
            .unwrap()
            .to_owned();
        let second = JobKey {
            id: JobId::parse(&id).unwrap(),
            ..first.clone()
        };
        revoke(&world, SIGNATURE);
        world.settle().await;
        assert_eq!(
            world.store.waiting(None).await.unwrap(),
            [first.clone(), second.clone()]
        );
        world.clock.advance(Duration::days(8));
        world.faults.arm(call, Fault::Refused);
        expire_jobs::handle(json!({}), &world.expire)
            .await
            .unwrap_err();
        let phases = [
            world.job(&first).await.phase.name(),
            world.job(&second).await.phase.name(),
        ];
        // The first two calls read the list: the entries of the older version, and the others.
        assert!(
            call < 2 || phases.contains(&"cancelling"),
            "{phases:?} after call {call}"
        );
        expire(&world).await;
        for key in [first, second] {
            assert_eq!(
                world.job(&key).await.phase.name(),
                "cancelling",
                "call {call}"
            );
        }
        assert!(world.store.waiting(None).await.unwrap().is_empty());
    }
}

async fn expire(world: &World) {
    expire_jobs::handle(json!({"detail-type": "Scheduled Event"}), &world.expire)
        .await
        .unwrap();
}

#[tokio::test]
async fn a_job_that_waits_too_long_fails_with_its_partial_manifest() {
    let world = World::new().await;
    let rows = small_lake(&world).await;
    let key = waiting(&world).await;
    expire(&world).await;
    assert_eq!(world.job(&key).await.phase.name(), "awaiting-credential");
    world.clock.advance(Duration::days(7));
    grant(&world, SIGNATURE);
    expire(&world).await;
    assert!(world.store.waiting(None).await.unwrap().is_empty());
    let job = world.drive(&key).await;
    let Phase::Ended {
        outcome: Outcome::Failed { details },
        ..
    } = &job.phase
    else {
        panic!("{:?}", job.phase)
    };
    assert!(details.starts_with("The job waited too long to be resumed. The files of 2 of 5"));
    assert_honest(&world, &job, &rows).await;
    let kept = recorded(&world, &key).await;
    assert_eq!(world.patch(&key, &json!({})).await.status_code, 202);
    assert_exact(&world, &world.drive(&key).await, &rows, &kept).await;
}

#[tokio::test]
async fn a_job_that_waits_too_long_for_a_storage_that_still_refuses_fails_and_says_both() {
    let world = World::new().await;
    let rows = small_lake(&world).await;
    let key = waiting(&world).await;
    world.clock.advance(Duration::days(8));
    expire(&world).await;
    let job = world.drive(&key).await;
    let Phase::Ended {
        outcome: Outcome::Failed { details },
        ..
    } = &job.phase
    else {
        panic!("{:?}", job.phase)
    };
    assert!(
        details.starts_with("The job waited too long")
            && details.contains("manifest could not be written")
    );
    assert_eq!(world.manifest(&job), None);
    grant(&world, NEW_SIGNATURE);
    let kept = recorded(&world, &key).await;
    assert_eq!(
        (
            world.patch(&key, &new_credential()).await.status_code,
            kept.len()
        ),
        (202, 1)
    );
    assert_exact(&world, &world.drive(&key).await, &rows, &kept).await;
}

#[tokio::test]
async fn a_job_that_went_on_is_taken_off_the_list_and_one_that_waits_again_is_not() {
    let world = World::new().await;
    small_lake(&world).await;
    let key = waiting(&world).await;
    world.store.unlist(&key).await.unwrap_err();
    assert_eq!(
        world.store.waiting(None).await.unwrap(),
        std::slice::from_ref(&key)
    );
    grant(&world, NEW_SIGNATURE);
    world.patch(&key, &new_credential()).await;
    assert_eq!(
        world.store.waiting(None).await.unwrap(),
        std::slice::from_ref(&key)
    );
    world.clock.advance(Duration::days(8));
    expire(&world).await;
    assert_eq!(world.job(&key).await.phase, Phase::Resuming);
    assert!(world.store.waiting(None).await.unwrap().is_empty());
    revoke(&world, NEW_SIGNATURE);
    world.settle().await;
    assert_eq!(world.store.waiting(None).await.unwrap(), [key]);
}
