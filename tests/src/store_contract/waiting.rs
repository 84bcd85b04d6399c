//! The list of the jobs that wait for a credential. Tests over a shared engine share the list: each
//! looks at its app's.

use domain::app::AppScope;
use domain::job::{Job, JobKey};
use fakes::jobs::altered;

use super::engine::World;
use super::jobs::assert_conflict;
use super::samples::NOW;

/// The world's jobs on the list, page by page.
pub(super) async fn listed(world: &World, scope: &AppScope) -> Vec<JobKey> {
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

pub(super) fn waiting(job: Job) -> Job {
    job.begin_planning()
        .unwrap()
        .await_credential(NOW, "storage refuses it".to_owned())
        .unwrap()
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

pub(super) async fn however_many_jobs_wait_each_is_listed_once(world: &World) {
    let mut keys = Vec::new();
    for _ in 0..9 {
        let job = world.store.put_job(waiting(world.job())).await.unwrap();
        keys.push(job.key.clone());
    }
    keys.sort_by_key(|key| key.id);
    assert_eq!(listed(world, &world.scope).await, keys);
}
