//! Lives of jobs that together go through every phase, and ask of every function what it does.

use domain::job::{MissingDay, PlanCursor};
use domain::warning::Warning;
use ports::store::Jobs;
use serde_json::json;
use time::Duration;
use time::macros::date;

use super::days;
use super::rows::{large_lake, small_lake};
use super::scenes::{NEW_SIGNATURE, grant, half_done, new_credential, planned, posted, revoke};
use crate::world::{APP_PATH, SIGNATURE, World};

/// One of them.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Life {
    Long,
    WaitingManifest,
    Crashes,
    Large,
}

impl Life {
    pub(crate) const ALL: [Self; 4] = [
        Self::Long,
        Self::WaitingManifest,
        Self::Crashes,
        Self::Large,
    ];

    /// Plays it in a new world.
    pub(crate) async fn play(self, world: &World) {
        match self {
            Self::Long | Self::WaitingManifest | Self::Crashes => drop(small_lake(world).await),
            Self::Large => drop(large_lake(world).await),
        }
        match self {
            Self::Long => Box::pin(a_long_life(world)).await,
            Self::WaitingManifest => Box::pin(a_manifest_that_waits(world)).await,
            Self::Crashes => Box::pin(one_crash_after_the_other(world)).await,
            Self::Large => Box::pin(a_large_one_with_a_chunk_that_fails(world)).await,
        }
    }
}

/// Another job, which its client knows again by a key of its own.
async fn posted_with_idempotency_key(world: &World) -> i64 {
    let mut body = days("CsvBlob", "2026-01-05", "2026-01-05");
    body["exportOptions"] =
        json!({"compression": "gzip", "byteOrderMark": true, "filter": {"session": "present"}});
    let mut event = World::http("POST", &format!("{APP_PATH}/events"), Some(&body));
    event
        .headers
        .insert("idempotency-key", "key-1".parse().unwrap());
    crate::described::create(event, &world.create)
        .await
        .status_code
}

async fn expire(world: &World) {
    expire_jobs::handle(json!({}), &world.expire).await.unwrap();
}

/// A job that waits, that waits too long, goes on, is cancelled, goes on again and succeeds.
async fn a_long_life(world: &World) {
    let (key, deliveries) = half_done(world).await;
    assert_eq!(posted(world).await, key);
    assert_eq!(posted_with_idempotency_key(world).await, 202);
    revoke(world, SIGNATURE);
    world.settle_on(deliveries).await;
    expire(world).await;
    world.clock.advance(Duration::days(8));
    expire(world).await;
    world.drive(&key).await;
    grant(world, NEW_SIGNATURE);
    assert_eq!(world.patch(&key, &new_credential()).await.status_code, 202);
    assert_eq!(world.delete(&key).await.status_code, 202);
    world.drive(&key).await;
    assert_eq!(world.patch(&key, &json!({})).await.status_code, 202);
    assert_eq!(world.drive(&key).await.phase.name(), "succeeded");
    world.task(&key).await;
    let sorted = format!(
        "{}&state=Succeeded",
        World::http("GET", APP_PATH, None).raw_query_string.unwrap()
    );
    for (path, query) in [
        (APP_PATH.to_owned(), None),
        (APP_PATH.to_owned(), Some(sorted)),
        (format!("{APP_PATH}/{}/chunks", key.id), None),
    ] {
        let mut event = World::http("GET", &path, None);
        event.raw_query_string = query.or(event.raw_query_string);
        let answer = crate::described::status(event, &world.status).await;
        assert_eq!(answer.status_code, 200, "{path}");
    }
}

/// A job whose last refusal is that of its manifest.
async fn a_manifest_that_waits(world: &World) {
    let key = planned(world).await;
    for chunk in 0..5 {
        run_export_chunk::handle(World::message_of(&key, 0, chunk), &world.run).await;
    }
    revoke(world, SIGNATURE);
    world.settle().await;
    assert_eq!(world.job(&key).await.phase.name(), "awaiting-credential");
}

/// A job whose planner, chunk and resumption crash at every attempt.
async fn one_crash_after_the_other(world: &World) {
    let key = planned(world).await;
    world.bury(&key, 0, 0).await;
    revoke(world, SIGNATURE);
    world.settle().await;
    grant(world, SIGNATURE);
    assert_eq!(world.patch(&key, &json!({})).await.status_code, 202);
    assert!(world.bury_event(&key, "resuming").await);
    assert_eq!(world.job(&key).await.phase.name(), "awaiting-credential");
}

/// A described job of several pages that its owner is warned of, of which one chunk crashes, one
/// object is no file of records, and two days could not be listed; it is tried again.
async fn a_large_one_with_a_chunk_that_fails(world: &World) {
    world
        .put_object(
            "events",
            "2026-01-05",
            "zz-bad.ndjson",
            "no record\nnor this\n",
        )
        .await;
    let mut body = days("JsonBlob", "2026-01-05", "2026-01-05");
    body["description"] = json!("the fifth");
    let key = world.post("events", &body).await;
    let job = world.job(&key).await.warn([Warning {
        code: "NoFolder".to_owned(),
        message: "there is none".to_owned(),
    }]);
    let missing = [date!(2026 - 01 - 06), date!(2026 - 01 - 07)].map(|day| {
        let cursor = PlanCursor(format!("lake2:{day}:0:0:only:0:"));
        MissingDay::new(day, "it could not be listed", cursor)
    });
    let job = job
        .miss_days(missing.into())
        .begin_planning()
        .unwrap()
        .fail_delivery()
        .unwrap();
    world.store.put_job(job).await.unwrap();
    plan_export::handle(World::event_of(&key, "queued"), &world.plan)
        .await
        .unwrap();
    world.bury(&key, 0, 0).await;
    assert_eq!(world.drive(&key).await.phase.name(), "incomplete");
    assert_eq!(world.patch(&key, &json!({})).await.status_code, 202);
    let job = world.drive(&key).await;
    assert_eq!(
        (job.phase.name(), job.missing_days.len()),
        ("incomplete", 0)
    );
}
