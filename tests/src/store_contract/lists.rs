//! The list of an app's jobs.

use fakes::jobs::{altered, in_phase};
use std::cmp::Ordering;

use domain::app::AppScope;
use domain::job::{Job, JobKey, Outcome, Phase};
use ports::store::{Page, SortKey};
use time::{Duration, OffsetDateTime};

use super::engine::World;
use super::samples::{NOW, file};

const SORT_KEYS: [SortKey; 5] = [
    SortKey::Id,
    SortKey::State,
    SortKey::Created,
    SortKey::Completed,
    SortKey::ErrorDetails,
];

/// Jobs whose order differs by every key, some of them equal.
fn phases() -> Vec<Phase> {
    let failed = |details: &str| Outcome::Failed {
        details: details.to_owned(),
    };
    let incomplete = Outcome::Incomplete {
        details: "a chunk".to_owned(),
    };
    let ended = |minutes, outcome| Phase::Ended {
        at: NOW - Duration::minutes(minutes),
        outcome,
        has_manifest: true,
    };
    vec![
        ended(1, failed("no lake")),
        Phase::Running,
        ended(3, Outcome::Succeeded),
        Phase::Queued,
        ended(2, incomplete.clone()),
        Phase::Finishing {
            cancelled: None,
            manifest: Some((file("manifest.json"), incomplete)),
        },
        Phase::Finishing {
            cancelled: None,
            manifest: None,
        },
        ended(3, failed("a chunk")),
        Phase::Planning,
        ended(0, Outcome::Succeeded),
    ]
}

fn ended(job: &Job) -> Option<OffsetDateTime> {
    let Phase::Ended { at, .. } = &job.phase else {
        return None;
    };
    Some(*at)
}

fn details(job: &Job) -> Option<&str> {
    let Phase::Ended {
        outcome: Outcome::Failed { details } | Outcome::Incomplete { details },
        ..
    } = &job.phase
    else {
        return None;
    };
    Some(details)
}

/// What is absent comes last.
fn compare<T: Ord>(one: Option<T>, other: Option<T>) -> Ordering {
    match (one, other) {
        (Some(one), Some(other)) => one.cmp(&other),
        (Some(_), None) => Ordering::Less,
        (None, Some(_)) => Ordering::Greater,
        (None, None) => Ordering::Equal,
    }
}

fn in_order(mut jobs: Vec<Job>, sort: SortKey, descending: bool) -> Vec<Job> {
    jobs.sort_by_key(|job| job.key.id);
    jobs.sort_by(|one, other| match sort {
        SortKey::Id | SortKey::Created => Ordering::Equal,
        SortKey::State => one.phase.wire_state().cmp(other.phase.wire_state()),
        SortKey::Completed => compare(ended(one), ended(other)),
        SortKey::ErrorDetails => compare(details(one), details(other)),
    });
    if descending {
        jobs.reverse();
    }
    jobs
}

pub(super) async fn a_list_is_in_every_order_and_in_pages(world: &World) {
    let mut jobs = Vec::new();
    for phase in phases() {
        jobs.push(
            world
                .store
                .put_job(in_phase(world.job(), phase))
                .await
                .unwrap(),
        );
    }
    for (sort, descending) in SORT_KEYS
        .into_iter()
        .flat_map(|sort| [(sort, false), (sort, true)])
    {
        let expected = in_order(jobs.clone(), sort, descending);
        for (skip, top) in [
            (0, 20),
            (0, jobs.len()),
            (0, 4),
            (4, 4),
            (8, 4),
            (9, 1),
            (10, 4),
            (99, 1),
        ] {
            let page = Page {
                sort,
                descending,
                skip,
                top,
            };
            let listed = world.store.jobs(&world.scope, page, NOW).await.unwrap();
            let expected_page: Vec<_> = expected.iter().skip(skip).take(top).cloned().collect();
            assert!(listed.jobs == expected_page, "{page:?}");
            assert_eq!(listed.more, skip + top < jobs.len(), "{page:?}");
        }
    }
}

pub(super) async fn a_list_holds_the_jobs_of_its_app_only(world: &World) {
    let mine = world.store.put_job(world.job()).await.unwrap();
    let neighbour = AppScope::from_canonical(format!("{}s", world.scope));
    let key = JobKey {
        scope: neighbour.clone(),
        id: world.job().key.id,
    };
    let theirs = world
        .store
        .put_job(altered(world.job(), |job| job.key = key))
        .await
        .unwrap();
    let page = Page {
        sort: SortKey::Completed,
        descending: true,
        skip: 0,
        top: 20,
    };
    for (scope, job) in [(&world.scope, mine), (&neighbour, theirs)] {
        let listed = world.store.jobs(scope, page, NOW).await.unwrap();
        assert_eq!((listed.jobs, listed.more), (vec![job], false));
    }
}
