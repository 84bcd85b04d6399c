//! What only a table of DynamoDB shows: items that no port writes, lost answers, refusals.

use domain::cause::in_one_line;
use domain::counts::Counts;
use domain::job::{Cancellation, JobKey};
use domain::tally::Tally;
use ports::store::{Act, Audit, Changes, Chunks, Grant, Intake, Jobs, Role, StoreError};
use time::Duration;

use super::chunks::{apply, plan, tally};
use super::engine::DynamoWorld;
use super::grants::{grant, role, subject};
use super::jobs::{assert_conflict, assert_stored, stored};
use super::samples::{NOW, accepted, claim, creation, output, prepare, record};
use super::waiting::{listed, waiting};
use crate::faults::{Fault, Faults};

pub(super) async fn a_write_whose_answer_was_lost_is_sent_again_and_succeeds(world: &DynamoWorld) {
    let faults = Faults::default();
    let store = world.faulty(&faults, 3);
    faults.arm(2, Fault::AnswerLost);
    let request = accepted(&world.job(), "request");
    let job = stored(
        store
            .create(world.job(), Some(request), creation(NOW))
            .await
            .unwrap(),
    );
    faults.arm(0, Fault::AnswerLost);
    let job = store.put_job(job.begin_planning().unwrap()).await.unwrap();
    assert!(!faults.is_armed());
    assert_eq!(job.revision, 2);
    assert_stored(world, &job).await;

    faults.arm(0, Fault::AnswerLost);
    let given_up = world
        .faulty(&faults, 1)
        .put_job(job.hand_over_planning().unwrap())
        .await;
    assert!(
        matches!(given_up, Err(StoreError::Unavailable { .. })),
        "{given_up:?}"
    );
}

pub(super) async fn a_change_is_stored_with_who_made_it_once_and_nobody_elses_is(
    world: &DynamoWorld,
) {
    let faults = Faults::default();
    let store = world.faulty(&faults, 1);
    let by = |by: &str, act| Audit {
        by: by.to_owned(),
        act,
        ..creation(NOW + Duration::MINUTE)
    };
    let job = stored(
        store
            .create(world.job(), None, creation(NOW))
            .await
            .unwrap(),
    );
    let job_id = job.key.id;
    let cancelled = job.clone().cancel(Cancellation::Asked).unwrap();
    let cancelled = store
        .put_change(cancelled, by("eve", Act::Cancel))
        .await
        .unwrap();
    assert_stored(world, &cancelled).await;
    let late = job.cancel(Cancellation::Asked).unwrap();
    assert_conflict(&store.put_change(late, by("bob", Act::Cancel)).await);
    faults.arm(0, Fault::AnswerLost);
    let again = world.faulty(&faults, 3);
    let moved = again.put_change(cancelled, by("ada", Act::Resume)).await;
    assert_eq!(moved.unwrap().revision, 3);

    let mut kept = world.audits(NOW.date(), job_id).await;
    kept.sort_by(|one, other| one["act"].cmp(&other["act"]));
    let said: Vec<_> = kept
        .iter()
        .map(|item| (item["act"].as_str(), item["by"].as_str()))
        .collect();
    assert_eq!(
        said,
        [("cancel", "eve"), ("create", "ada"), ("resume", "ada")]
    );
    for item in &kept {
        assert_eq!(item["kind"], "audit");
        assert_eq!(item["scope"], world.scope.as_str());
        assert!(item["phase"].starts_with(&format!("act={}&", item["act"])));
        let expires = creation(NOW).expires.unix_timestamp();
        assert!(item["ttl"].parse::<i64>().unwrap() >= expires);
    }
}

pub(super) async fn an_unreadable_job_is_named_with_what_is_wrong(world: &DynamoWorld) {
    let key = world.job().key.clone();
    world
        .put_raw(&[
            ("pk", &format!("APP#{}", world.scope)),
            ("sk", &format!("JOB#{}", key.id)),
        ])
        .await;
    let error = world.store.job(&key, NOW).await.unwrap_err();
    assert!(matches!(error, StoreError::Corrupt { .. }), "{error:?}");
    let text = in_one_line(&error);
    assert!(text.contains(&key.id.to_string()), "{text}");
    assert!(text.contains("missing field `kind`"), "{text}");
}

pub(super) async fn a_missing_table_and_a_refused_request_name_the_code(world: &DynamoWorld) {
    let missing = world
        .store_over("nowhere")
        .put_job(world.job())
        .await
        .unwrap_err();
    let grant = Grant {
        subject: "x".repeat(2_050),
        path: "/".to_owned(),
        role: Role::Reader,
    };
    let refused = world.store.put_grant(&grant).await.unwrap_err();
    for (error, code) in [
        (missing, "ResourceNotFoundException"),
        (refused, "ValidationException"),
    ] {
        assert!(matches!(error, StoreError::Corrupt { .. }), "{error:?}");
        let text = in_one_line(&error);
        assert!(text.contains(code), "{text}");
    }
}

pub(super) async fn a_move_whose_answer_was_lost_counts_once(world: &DynamoWorld) {
    let faults = Faults::default();
    let chunks = plan(world, 2).await;
    for (chunk, sdk_tries) in chunks.iter().zip([3, 1]) {
        let store = world.faulty(&faults, sdk_tries);
        let chunk = apply(world, claim(chunk.clone())).await.unwrap();
        let chunk = apply(world, prepare(chunk, output(5))).await.unwrap();
        faults.arm(0, Fault::AnswerLost);
        let recorded = store.apply(record(chunk)).await.unwrap();
        assert!(!faults.is_armed());
        assert_eq!(
            world.store.chunk(&recorded.key).await.unwrap(),
            Some(recorded)
        );
    }
    let twice = Tally {
        planned: 2,
        open: 0,
        recorded: 2,
        failed: 0,
        partial: 0,
        counts: Counts {
            read: 10 + 4,
            rows: 10,
            bytes: 100,
            rejected: 4,
            ..Counts::default()
        },
    };
    assert_eq!(tally(world, 1, &chunks[0]).await, twice);
}

/// Writes an entry as version 1 does.
async fn put_old_entry(world: &DynamoWorld, key: &JobKey) {
    let (scope, id) = (key.scope.as_str(), key.id.to_string());
    let sort = format!("{scope}#{id}");
    let attributes = [
        ("pk", "WAITING"),
        ("sk", sort.as_str()),
        ("kind", "waiting"),
        ("v", "1"),
        ("ttl", "4000000000"),
    ];
    world
        .put_raw(&[&attributes[..], &[("scope", scope), ("job", id.as_str())]].concat())
        .await;
}

pub(super) async fn entries_of_version_1_are_listed_and_struck(world: &DynamoWorld) {
    let jobs = [world.job(), world.job(), world.job()];
    let [old, both, new] = jobs.each_ref().map(|job| job.key.clone());
    for key in [&old, &both] {
        put_old_entry(world, key).await;
    }
    for job in [jobs[1].clone(), jobs[2].clone()] {
        let job = world.store.put_job(waiting(job)).await.unwrap();
        world.store.put_job(job.resume().unwrap()).await.unwrap();
    }
    let mut seen = listed(world, &world.scope).await;
    seen.sort_by_key(|key| key.id);
    seen.dedup();
    assert_eq!(seen, [old.clone(), both.clone(), new.clone()]);
    for key in [&old, &both, &new] {
        world.store.unlist(key).await.unwrap();
    }
    assert!(listed(world, &world.scope).await.is_empty());
}

pub(super) async fn an_unknown_role_allows_nothing(world: &DynamoWorld) {
    let ann = subject(world);
    let pk = format!("PRINCIPAL#{ann}");
    let (key, head) = (
        [("pk", pk.as_str()), ("sk", "SCOPE#/")],
        [("kind", "grant"), ("v", "1")],
    );
    world
        .put_raw(&[&key[..], &head, &[("path", "/"), ("role", "Owner")]].concat())
        .await;
    assert_eq!(role(world, &ann, "/apps/chess").await, None);
    grant(world, &ann, "/apps", Role::Reader).await;
    assert_eq!(role(world, &ann, "/apps/chess").await, Some(Role::Reader));
}
