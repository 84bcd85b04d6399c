//! Jobs: stored, read, moved.

use domain::app::AppScope;
use domain::chunk::ChunkMove;
use domain::counts::Counts;
use domain::job::{Asking, Cancellation, Job, JobKey, Phase, PhaseName, Plan, PlanCursor};
use domain::tally::{Tally, TallyChange};
use fakes::jobs::{altered, in_phase};
use ports::store::{AcceptedRequest, Created, Page, RequestKey, SortKey, StoreError, Wanted};
use time::{Duration, OffsetDateTime};

use super::engine::World;
use super::plans::{page, registry};
use super::samples::{NOW, accepted, chunk, creation, file, idempotency, outcomes, selections};
use crate::data_model::phases_of_the_code;

fn phases() -> Vec<Phase> {
    let mut phases = phases_of_the_code();
    for why in [Cancellation::Asked, Cancellation::CredentialOverdue] {
        phases.push(Phase::Cancelling { why });
        phases.push(Phase::Finishing {
            cancelled: Some(why),
            manifest: None,
        });
    }
    for outcome in outcomes() {
        phases.push(Phase::Finishing {
            cancelled: None,
            manifest: Some((file("Tag/1/manifest.json"), outcome.clone())),
        });
        phases.push(Phase::Ended {
            at: NOW,
            outcome,
            has_manifest: true,
        });
    }
    phases
}

fn plans() -> [Plan; 4] {
    [
        Plan::Open { cursor: None },
        Plan::Open {
            cursor: Some(PlanCursor("lake1:2026-01-02:a".to_owned())),
        },
        Plan::Complete { read_up_to: NOW },
        Plan::Failed {
            reason: "no \"lake\"".to_owned(),
            cursor: None,
        },
    ]
}

/// Asserts that the job is stored as it is in hand.
pub(super) async fn assert_stored(world: &World, job: &Job) {
    assert_eq!(
        world.store.job(&job.key, NOW).await.unwrap().as_ref(),
        Some(job)
    );
}

pub(super) fn assert_conflict<T: std::fmt::Debug>(answer: &Result<T, StoreError>) {
    assert!(
        matches!(answer, Err(StoreError::Conflict { .. })),
        "{answer:?}"
    );
}

pub(super) fn stored(created: Created) -> Job {
    let Created::New(job) = created else {
        panic!("{created:?}")
    };
    *job
}

/// Stores a new job under a client's key.
async fn create(world: &World, job: Job, request: &AcceptedRequest, now: OffsetDateTime) -> Job {
    let created = world
        .store
        .create(job, Some(request.clone()), creation(now))
        .await;
    stored(created.unwrap())
}

pub(super) async fn every_job_reads_back_as_it_was_written(world: &World) {
    let plain = selections()
        .map(|selection| world.job_selecting(selection))
        .into_iter();
    let phases = phases()
        .into_iter()
        .map(|phase| in_phase(world.job(), phase));
    let plans = plans().into_iter().map(|plan| {
        altered(world.job(), |job| {
            job.plan = plan;
            job.chunks = 100_000;
            job.shards = 32;
        })
    });
    let ended = altered(world.job(), |job| {
        job.credential = None;
        job.finish_attempts = 2;
        job.request.description = Some(String::new());
    });
    let known = altered(world.job(), |job| {
        job.asking = Asking {
            by: Some("alice".to_owned()),
            options: Some(vec!["filter".to_owned()]),
        };
        job.totals = Some(Tally {
            planned: u64::MAX >> 1,
            counts: Counts {
                rows: 3,
                ..Counts::default()
            },
            ..Tally::default()
        });
    });
    let terse = altered(world.job(), |job| job.request.description = None);
    for job in plain
        .chain(phases)
        .chain(plans)
        .chain([ended, terse, known])
    {
        let written = world.store.put_job(job.clone()).await.unwrap();
        assert_eq!(written, job.written(NOW));
        assert_stored(world, &written).await;
    }
    let nobody = JobKey {
        scope: world.scope.clone(),
        ..world.job().key
    };
    assert_eq!(world.store.job(&nobody, NOW).await.unwrap(), None);
}

pub(super) async fn a_job_is_created_together_with_its_request_id(world: &World) {
    let job = world.job();
    let request = accepted(&job, "request 1");
    let job = create(world, job, &request, NOW).await;
    assert_eq!(job.revision, 1);
    assert_stored(world, &job).await;
    assert_eq!(
        world
            .store
            .accepted(&world.scope, &idempotency("request 1"), NOW)
            .await
            .unwrap(),
        Some(request)
    );
    assert_eq!(
        world
            .store
            .accepted(&world.scope, &idempotency("request 2"), NOW)
            .await
            .unwrap(),
        None
    );
    stored(
        world
            .store
            .create(world.job(), None, creation(NOW))
            .await
            .unwrap(),
    );
    assert_conflict(&world.store.create(job.clone(), None, creation(NOW)).await);
    let request = accepted(&job, "request 3");
    let key = request.key.clone();
    assert_conflict(&world.store.create(job, Some(request), creation(NOW)).await);
    let remembered = world.store.accepted(&world.scope, &key, NOW).await;
    assert_eq!(remembered.unwrap(), None, "all or nothing");
}

pub(super) async fn a_request_id_used_before_answers_with_the_first_job(world: &World) {
    let first = world.job();
    let request = accepted(&first, "request");
    create(world, first, &request, NOW).await;
    let second = world.job();
    let key = second.key.clone();
    let again = world
        .store
        .create(
            second.clone(),
            Some(accepted(&second, "request")),
            creation(NOW),
        )
        .await
        .unwrap();
    assert!(matches!(again, Created::Repeated(first) if first == request));
    assert_eq!(
        world.store.job(&key, NOW).await.unwrap(),
        None,
        "all or nothing"
    );
    let elsewhere = AppScope::from_segments(["subscriptions", "elsewhere", &key.id.to_string()]);
    assert_eq!(
        world
            .store
            .accepted(&elsewhere, &idempotency("request"), NOW)
            .await
            .unwrap(),
        None
    );
}

pub(super) async fn of_two_creations_with_one_request_id_one_is_stored(world: &World) {
    let (one, other) = (world.job(), world.job());
    let (one_request, other_request) = (accepted(&one, "request"), accepted(&other, "request"));
    let answers = tokio::join!(
        world.store.create(one, Some(one_request), creation(NOW)),
        world
            .store
            .create(other, Some(other_request), creation(NOW)),
    );
    let (new, first) = match (answers.0.unwrap(), answers.1.unwrap()) {
        (Created::New(new), Created::Repeated(first))
        | (Created::Repeated(first), Created::New(new)) => (new, first),
        both => panic!("{both:?}"),
    };
    assert_eq!(first.job, new.key.id);
}

pub(super) async fn an_expired_request_id_can_be_used_again(world: &World) {
    let first = world.job();
    let request = accepted(&first, "request");
    let expires = request.expires;
    stored(
        world
            .store
            .create(first, Some(request), creation(NOW))
            .await
            .unwrap(),
    );
    assert_eq!(
        world
            .store
            .accepted(&world.scope, &idempotency("request"), expires)
            .await
            .unwrap(),
        None
    );

    world.clock.set(expires);
    let second = world.job();
    let mut request = accepted(&second, "request");
    request.expires = expires + Duration::DAY;
    create(world, second, &request, expires).await;
    assert_eq!(
        world
            .store
            .accepted(&world.scope, &idempotency("request"), expires)
            .await
            .unwrap(),
        Some(request)
    );
}

pub(super) async fn a_clients_id_stands_for_a_request_only_together_with_what_is_asked(
    world: &World,
) {
    let id = |body_hash: &str| RequestKey::Client {
        id: "1".to_owned(),
        body_hash: body_hash.to_owned(),
    };
    let keys = [id("aa"), id("bb"), idempotency("1"), idempotency("aa#1")];
    let mut accepted_requests = Vec::new();
    for key in keys {
        let job = world.job();
        let body_hash = if let RequestKey::Client { body_hash, .. } = &key {
            body_hash.clone()
        } else {
            "cc".to_owned()
        };
        let request = AcceptedRequest {
            key,
            body_hash,
            ..accepted(&job, "")
        };
        create(world, job, &request, NOW).await;
        accepted_requests.push(request);
    }
    for request in accepted_requests {
        let known = world
            .store
            .accepted(&world.scope, &request.key, NOW)
            .await
            .unwrap();
        assert_eq!(known.as_ref(), Some(&request));
        let job = world.job();
        let again = AcceptedRequest {
            job: job.key.id,
            ..request.clone()
        };
        let again = world
            .store
            .create(job, Some(again), creation(NOW))
            .await
            .unwrap();
        assert!(matches!(again, Created::Repeated(first) if first == request));
    }
}

pub(super) async fn a_stale_write_of_a_job_is_a_conflict_and_changes_nothing(world: &World) {
    let first = world.store.put_job(world.job()).await.unwrap();
    let second = world
        .store
        .put_job(first.clone().begin_planning().unwrap())
        .await
        .unwrap();
    assert_conflict(
        &world
            .store
            .put_job(altered(first.clone(), |job| job.chunks = 7))
            .await,
    );
    assert_conflict(
        &world
            .store
            .put_job(altered(first, |job| job.revision = 0))
            .await,
    );
    assert_stored(world, &second).await;
}

pub(super) async fn a_change_by_a_caller_is_a_write_like_any_other(world: &World) {
    let job = world.store.put_job(world.job()).await.unwrap();
    let cancelled = job.clone().cancel(Cancellation::Asked).unwrap();
    let cancelled = world.store.put_change(cancelled, creation(NOW)).await;
    assert_stored(world, &cancelled.unwrap()).await;
    let late = job.cancel(Cancellation::Asked).unwrap();
    assert_conflict(&world.store.put_change(late, creation(NOW)).await);
}

pub(super) async fn a_job_whose_retention_is_over_is_neither_read_nor_listed(world: &World) {
    let job = world.store.put_job(world.job()).await.unwrap();
    let page = Page {
        wanted: Wanted::default(),
        sort: SortKey::Id,
        descending: false,
        skip: 0,
        top: 20,
    };
    for (moment, there) in [(job.expires - Duration::SECOND, true), (job.expires, false)] {
        assert_eq!(
            world.store.job(&job.key, moment).await.unwrap().is_some(),
            there
        );
        for sort in [SortKey::Id, SortKey::State] {
            let listed = world
                .store
                .jobs(&world.scope, Page { sort, ..page }, moment)
                .await
                .unwrap();
            assert_eq!(!listed.jobs.is_empty(), there);
        }
    }
}

pub(super) async fn moments_of_forgetting_are_kept_in_whole_seconds(world: &World) {
    let part = Duration::milliseconds(700);
    let whole = world.job();
    let job = altered(whole.clone(), |job| job.expires += part);
    let remembered = accepted(&job, "request");
    let request = AcceptedRequest {
        expires: remembered.expires + part,
        ..remembered.clone()
    };
    let chunk = chunk(&job, 0, registry());
    let step = ChunkMove {
        chunk: chunk.clone(),
        tally: TallyChange::default(),
    };
    create(world, job, &request, NOW).await;
    world.store.apply(step).await.unwrap();

    assert_stored(world, &whole.clone().written(NOW)).await;
    let known = world
        .store
        .accepted(&world.scope, &request.key, NOW)
        .await
        .unwrap();
    assert_eq!(known, Some(remembered));
    let chunk = world.store.chunk(&chunk.key).await.unwrap();
    assert_eq!(chunk.map(|chunk| chunk.expires), Some(whole.expires));
}

pub(super) async fn a_move_is_written_down_with_its_moment(world: &World) {
    let job = world.job();
    let created = job.created;
    let Created::New(job) = world.store.create(job, None, creation(NOW)).await.unwrap() else {
        panic!("it is new")
    };
    let later = NOW + Duration::minutes(5);
    world.clock.set(later);
    let job = job.begin_planning().unwrap();
    let job = world.store.put_job(job).await.unwrap();
    world.clock.set(later + Duration::MINUTE);
    let (job, _) = page(&job, 1, &registry());
    let job = world
        .store
        .put_page(job, Vec::new(), Vec::new())
        .await
        .unwrap();
    assert_stored(world, &job).await;
    let stages = job.history.iter().map(|stage| (stage.phase, stage.since));
    let expected = [
        (PhaseName::Queued, Some(created)),
        (PhaseName::Planning, Some(later)),
    ];
    assert_eq!(stages.collect::<Vec<_>>(), expected);
}
