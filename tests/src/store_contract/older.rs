//! The lists of apps that have jobs from before there were rows.

use domain::job::{Job, JobId};
use fakes::jobs::in_phase;
use ports::store::{Page, SortKey, Wanted};

use super::engine::DynamoWorld;
use super::lists::phases;
use super::samples::{NOW, creation};

/// A job that an older version wrote last.
async fn older(world: &DynamoWorld, place: usize) -> Job {
    let phase = phases().swap_remove(place);
    let job = in_phase(world.job(), phase);
    let job = world.store.put_job(job).await.unwrap();
    world.make_older(&job).await;
    job
}

async fn newer(world: &DynamoWorld) -> Job {
    let created = world.store.create(world.job(), None, creation(NOW)).await;
    super::jobs::stored(created.unwrap())
}

/// That lists in orders that no key has hold these jobs, each once.
async fn assert_listed(world: &DynamoWorld, jobs: &[&Job]) {
    let mut expected: Vec<JobId> = jobs.iter().map(|job| job.key.id).collect();
    expected.sort();
    for sort in [SortKey::State, SortKey::Completed, SortKey::ErrorDetails] {
        let page = Page {
            wanted: Wanted::default(),
            sort,
            descending: false,
            skip: 0,
            top: 40,
        };
        let listed = world.store.jobs(&world.scope, page, NOW).await.unwrap();
        let mut ids: Vec<_> = listed.jobs.iter().map(|job| job.key.id).collect();
        ids.sort();
        assert_eq!(ids, expected, "{sort:?}");
    }
}

pub(super) async fn jobs_from_before_are_listed_until_they_have_rows_and_then_once(
    world: &DynamoWorld,
) {
    assert_listed(world, &[]).await;
    let one = older(world, 0).await;
    let other = older(world, 1).await;
    assert_listed(world, &[&one, &other]).await;

    let new = newer(world).await;
    assert_eq!(world.marks().await, [other.key.id]);
    assert_listed(world, &[&one, &other, &new]).await;
    let newest = newer(world).await;
    assert_eq!(
        world.marks().await,
        [other.key.id],
        "nothing new is to be marked"
    );

    let read = world.store.job(&one.key, NOW).await.unwrap().unwrap();
    let moved = world.store.put_job(read.resume().unwrap()).await.unwrap();
    assert!(world.has_row(&moved).await);
    assert_listed(world, &[&moved, &other, &new, &newest]).await;
}

pub(super) async fn a_job_from_before_gets_its_row_with_whatever_is_written_of_it(
    world: &DynamoWorld,
) {
    let job = older(world, 1).await;
    assert!(!world.has_row(&job).await);
    let read = world.store.job(&job.key, NOW).await.unwrap().unwrap();
    let same = world.store.put_job(read).await.unwrap();
    assert_eq!(same.phase, job.phase);
    assert!(world.has_row(&same).await);
}

pub(super) async fn jobs_that_an_older_version_stores_later_are_listed(world: &DynamoWorld) {
    let first = newer(world).await;
    assert_eq!(world.marks().await, [JobId::NIL]);
    let back = older(world, 1).await;
    assert_listed(world, &[&first, &back]).await;
    let next = newer(world).await;
    assert_eq!(world.marks().await, [JobId::NIL, back.key.id]);
    assert_listed(world, &[&first, &back, &next]).await;
}

pub(super) async fn a_row_is_written_only_with_a_change_of_state(world: &DynamoWorld) {
    let job = newer(world).await;
    world.drop_row(&job).await;
    let job = world
        .store
        .put_job(job.begin_planning().unwrap())
        .await
        .unwrap();
    assert!(!world.has_row(&job).await, "it is queued still");
    let planned = job.complete_plan(0, NOW).unwrap();
    let job = world
        .store
        .put_page(planned, Vec::new(), Vec::new())
        .await
        .unwrap();
    assert!(world.has_row(&job).await);
}
