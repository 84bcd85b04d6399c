//! The list of the jobs that wait for a credential. Tests over a shared engine share the list: each
//! looks at its app's.

use domain::app::AppScope;
use domain::job::{Job, JobKey};
use fakes::jobs::altered;
use ports::store::{Jobs, WaitingJobs};

use super::engine::World;
use super::jobs::assert_conflict;
use super::samples::NOW;

/// The world's jobs on the list, page by page.
async fn listed(world: &World, scope: &AppScope) -> Vec<JobKey> {
    let (mut jobs, mut after) = (Vec::new(), None);
    loop {
        let page = world.store.waiting(after.as_ref()).await.unwrap();
        let Some(last) = page.last().cloned() else {
            return jobs;
        };
        jobs.extend(page.into_iter().filter(|key| key.scope == *scope));
        after = Some(last);
    }
}

fn waiting(job: Job) -> Job {
    job.begin_planning()
        .unwrap()
        .await_credential(NOW, "storage refuses it".to_owned())
        .unwrap()
}

/// Writes an entry as version 1 does.
async fn put_old_entry(world: &World, key: &JobKey) {
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

pub(super) async fn a_job_of_any_path_is_listed_until_it_waits_no_longer(world: &World) {
    for length in [1, 700, 987, 988, 2_000] {
        let job = altered(world.job(), |job| {
            let id = job.key.id.to_string();
            job.key.scope = AppScope::from_segments([id.as_str(), "a".repeat(length).as_str()]);
        });
        let key = job.key.clone();
        let job = world.store.put_job(waiting(job)).await.unwrap();
        assert_eq!(
            listed(world, &key.scope).await,
            std::slice::from_ref(&key),
            "{length}"
        );
        assert_conflict(&world.store.unlist(&key).await);
        world.store.put_job(job.resume().unwrap()).await.unwrap();
        world.store.unlist(&key).await.unwrap();
        world.store.unlist(&key).await.unwrap();
        assert!(listed(world, &key.scope).await.is_empty(), "{length}");
    }
}

pub(super) async fn entries_of_version_1_are_listed_and_struck(world: &World) {
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
