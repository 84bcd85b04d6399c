//! The list of an app's jobs.

use fakes::jobs::{altered, in_phase};
use std::cmp::Ordering;

use domain::app::AppScope;
use domain::job::{Job, JobKey, Outcome, Phase, State};
use domain::selection::{DeviceType, ExportType, HistoryType, Snapshot};
use fakes::requests::history;
use ports::store::{Page, SortKey, Wanted};
use time::macros::date;
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
pub(super) fn phases() -> Vec<Phase> {
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
                wanted: Wanted::default(),
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
        wanted: Wanted::default(),
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

pub(super) async fn a_list_holds_what_is_wanted_of_it(world: &World) {
    let mut jobs = Vec::new();
    for (minute, phase) in (0..).zip(phases()) {
        let of = if minute % 3 == 0 {
            HistoryType::Event.into()
        } else {
            ExportType::Tag
        };
        let selection = match HistoryType::of(of) {
            Some(of) => history(of, date!(2026 - 01 - 01), date!(2026 - 01 - 02)).into(),
            None => Snapshot::Devices(DeviceType::Tag).into(),
        };
        let job = in_phase(world.job_selecting(selection), phase);
        let job = altered(job, |job| job.created += Duration::minutes(minute));
        jobs.push(world.store.put_job(job).await.unwrap());
    }
    let states = State::ALL.iter().copied().map(Some).chain([None]);
    let types = [
        None,
        Some(ExportType::Event),
        Some(ExportType::Tag),
        Some(ExportType::Push),
    ];
    let moments = [None, Some(jobs[4].created), Some(jobs[9].created)];
    for (state, export_type) in states.flat_map(|state| types.map(|of| (state, of))) {
        for (created_after, sort) in moments
            .iter()
            .flat_map(|at| SORT_KEYS.map(|key| (*at, key)))
        {
            let wanted = Wanted {
                state,
                export_type,
                created_after,
            };
            let page = Page {
                wanted,
                sort,
                descending: true,
                skip: 1,
                top: 2,
            };
            let is_wanted = |job: &&Job| {
                state.is_none_or(|state| job.phase.wire_state() == state.name())
                    && export_type.is_none_or(|of| job.request.export_type() == of)
                    && created_after.is_none_or(|after| job.created > after)
            };
            let fitting: Vec<Job> = jobs.iter().filter(is_wanted).cloned().collect();
            let count = fitting.len();
            let expected = in_order(fitting, sort, true).into_iter().skip(1).take(2);
            let listed = world.store.jobs(&world.scope, page, NOW).await.unwrap();
            assert!(listed.jobs == expected.collect::<Vec<_>>(), "{page:?}");
            assert_eq!(listed.more, count > 3, "{page:?}");
        }
    }
}

pub(super) async fn errors_that_begin_alike_are_in_the_order_of_ids(world: &World) {
    let beginning = "é".repeat(60);
    let mut expected = Vec::new();
    for end in ["c", "b", "a"] {
        let details = format!("{beginning}{end}");
        let job = ended_with(world.job(), Outcome::Failed { details });
        expected.push(world.store.put_job(job).await.unwrap());
    }
    let details = "é!".to_owned();
    let first = ended_with(world.job(), Outcome::Failed { details });
    expected.insert(0, world.store.put_job(first).await.unwrap());
    let page = Page {
        wanted: Wanted::default(),
        sort: SortKey::ErrorDetails,
        descending: false,
        skip: 0,
        top: 20,
    };
    let listed = world.store.jobs(&world.scope, page, NOW).await.unwrap();
    assert_eq!(listed.jobs, expected);
}

fn ended_with(job: Job, outcome: Outcome) -> Job {
    fakes::jobs::ended(job, NOW, outcome)
}
