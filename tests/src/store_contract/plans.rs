//! Plans: a job, its new chunks and their tallies in one transaction.

use domain::chunk::{Chunk, ChunkMove, ChunkSource, Lease, MissingParts, Output};
use domain::job::MAX_SHARDS;
use domain::job::{Cancellation, Job, PlanCursor};
use domain::tally::Tally;
use ports::store::{PLAN_PAGE_CHUNKS, StoreError};

use super::engine::World;
use super::jobs::{assert_conflict, assert_stored};
use super::samples::{NOW, chunk, claim, objects, output, prepare, record};

/// A stored job that is being planned, over so many shards.
pub(super) async fn planning(world: &World, shards: u16) -> Job {
    let job = world
        .job()
        .begin_planning()
        .unwrap()
        .spread(shards)
        .unwrap();
    world.store.put_job(job).await.unwrap()
}

/// The job's next chunks.
pub(super) fn page(job: &Job, count: u32, source: &ChunkSource) -> (Job, Vec<Chunk>) {
    let chunks = (job.chunks..job.chunks + count)
        .map(|number| chunk(job, number, source.clone()))
        .collect();
    (
        job.clone()
            .plan_page(count, PlanCursor(format!("after {count}")))
            .unwrap(),
        chunks,
    )
}

pub(super) fn registry() -> ChunkSource {
    ChunkSource::Partitions(vec!["DEVICES#1".to_owned(), String::new()])
}

fn planned(count: u64) -> Tally {
    Tally {
        planned: count,
        open: count,
        ..Tally::default()
    }
}

pub(super) async fn a_page_of_a_plan_is_stored_with_its_job_and_tallies(world: &World) {
    let job = planning(world, 3).await;
    assert_eq!(world.store.tally(&job).await.unwrap(), Tally::default());
    let (job, chunks) = page(&job, 7, &registry());
    let job = world
        .store
        .put_page(job, chunks.clone(), Vec::new())
        .await
        .unwrap();
    assert_stored(world, &job).await;
    for chunk in chunks {
        let stored = world.store.chunk(&chunk.key).await.unwrap();
        assert_eq!(
            stored,
            Some(Chunk {
                revision: 1,
                ..chunk
            })
        );
    }
    assert_eq!(world.store.tally(&job).await.unwrap(), planned(7));

    let (job, chunks) = page(&job, 2, &registry());
    let job = world.store.put_page(job, chunks, Vec::new()).await.unwrap();
    assert_eq!(
        (job.chunks, world.store.tally(&job).await.unwrap()),
        (9, planned(9))
    );

    let closed = job.begin_planning().unwrap().complete_plan(0, NOW).unwrap();
    let closed = world
        .store
        .put_page(closed, Vec::new(), Vec::new())
        .await
        .unwrap();
    assert_stored(world, &closed).await;
}

pub(super) async fn a_page_that_meets_a_conflict_leaves_nothing(world: &World) {
    let before = planning(world, 2).await;
    let (stale, chunks) = page(&before, 2, &registry());
    let job = world.store.put_job(before).await.unwrap();
    assert_conflict(
        &world
            .store
            .put_page(stale, chunks.clone(), Vec::new())
            .await,
    );
    assert_eq!(world.store.chunk(&chunks[0].key).await.unwrap(), None);
    assert_eq!(world.store.tally(&job).await.unwrap(), Tally::default());
    assert_stored(world, &job).await;

    let theirs = world.store.apply(claim(chunks[1].clone())).await.unwrap();
    let (next, chunks) = page(&job, 2, &registry());
    assert_conflict(&world.store.put_page(next, chunks.clone(), Vec::new()).await);
    assert_eq!(world.store.chunk(&chunks[0].key).await.unwrap(), None);
    assert_eq!(
        world.store.chunk(&chunks[1].key).await.unwrap(),
        Some(theirs)
    );
    assert_eq!(world.store.tally(&job).await.unwrap(), Tally::default());
    assert_stored(world, &job).await;
}

pub(super) async fn of_two_planners_one_wins(world: &World) {
    let job = planning(world, 1).await;
    let ((one, one_chunks), (other, other_chunks)) =
        (page(&job, 3, &registry()), page(&job, 5, &objects(2, 9)));
    let answers = tokio::join!(
        world.store.put_page(one, one_chunks, Vec::new()),
        world.store.put_page(other, other_chunks, Vec::new())
    );
    let (winner, loser) = if answers.0.is_ok() {
        answers
    } else {
        (answers.1, answers.0)
    };
    let winner = winner.unwrap();
    assert_conflict(&loser);
    assert_stored(world, &winner).await;
    assert_eq!(
        world.store.tally(&winner).await.unwrap(),
        planned(u64::from(winner.chunks))
    );
}

pub(super) async fn chunks_are_reopened_together_and_only_while_nobody_moves_their_job(
    world: &World,
) {
    let (job, chunks) = page(&planning(world, 1).await, 3, &registry());
    let job = world.store.put_page(job, chunks, Vec::new()).await.unwrap();
    let stored = async || world.store.chunks(&job.key, 0, None).await.unwrap();
    let failed = world
        .store
        .apply(claim(stored().await.remove(1)))
        .await
        .unwrap();
    world
        .store
        .apply(Lease::of(failed).unwrap().fail("its data are damaged"))
        .await
        .unwrap();
    assert_eq!(
        world.store.tally(&job).await.unwrap(),
        Tally {
            open: 2,
            failed: 1,
            ..planned(3)
        }
    );

    let steps: Vec<ChunkMove> = stored()
        .await
        .into_iter()
        .filter_map(Chunk::reopen)
        .collect();
    assert_eq!(steps.len(), 3);
    world.store.reopen(&job, steps.clone()).await.unwrap();
    let reopened = stored().await;
    let states: Vec<_> = reopened.iter().map(|chunk| chunk.state.name()).collect();
    assert_eq!(
        (states, world.store.tally(&job).await.unwrap()),
        (vec!["pending"; 3], planned(3))
    );

    // One of the chunks has moved since it was read: none is reopened.
    assert_conflict(&world.store.reopen(&job, steps).await);
    assert_eq!(stored().await, reopened);

    // Somebody has moved the job.
    let steps: Vec<ChunkMove> = reopened.iter().cloned().filter_map(Chunk::reopen).collect();
    world
        .store
        .put_job(job.clone().cancel(Cancellation::Asked).unwrap())
        .await
        .unwrap();
    assert_conflict(&world.store.reopen(&job, steps).await);
    assert_eq!(stored().await, reopened);
}

/// The lake ends a page before its references take 2 MiB; a transaction holds 4 MB and 100 items
/// (<https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/transaction-apis.html>).
pub(super) async fn the_largest_page_fits_a_transaction(world: &World) {
    let job = planning(world, MAX_SHARDS).await;
    let count = u32::try_from(PLAN_PAGE_CHUNKS).unwrap();
    let (job, chunks) = page(&job, count, &objects(160, 160));
    let job = world.store.put_page(job, chunks, Vec::new()).await.unwrap();
    assert_eq!(
        world.store.tally(&job).await.unwrap(),
        planned(u64::from(count))
    );
}

pub(super) async fn what_a_chunk_hands_over_is_stored_with_its_move(world: &World) {
    let (job, chunks) = page(&planning(world, 2).await, 2, &objects(3, 9));
    let job = world.store.put_page(job, chunks, Vec::new()).await.unwrap();
    let partial = Output {
        missing: MissingParts::from([(1, "gone".to_owned())]),
        ..output(5)
    };
    let chunk = world
        .store
        .chunks(&job.key, 0, None)
        .await
        .unwrap()
        .remove(0);
    let chunk = world.store.apply(claim(chunk)).await.unwrap();
    let chunk = world.store.apply(prepare(chunk, partial)).await.unwrap();
    let recorded = world.store.apply(record(chunk)).await.unwrap();
    let before = world.store.tally(&job).await.unwrap();
    assert_eq!((before.planned, before.open, before.partial), (2, 1, 1));

    let (next, new) = page(&job, 1, &registry());
    let (step, taken) = recorded.clone().hand_over(new[0].key.clone()).unwrap();
    let job = world
        .store
        .put_page(next, vec![taken.clone()], vec![step.clone()])
        .await
        .unwrap();
    assert_stored(world, &job).await;
    for chunk in [step.chunk.clone(), taken] {
        let stored = world.store.chunk(&chunk.key).await.unwrap();
        assert_eq!(stored, Some(chunk.written()));
    }
    let after = Tally {
        planned: 3,
        open: 2,
        partial: 0,
        ..before
    };
    assert_eq!(world.store.tally(&job).await.unwrap(), after);

    // The chunk has moved since it was read: nothing is planned with its move.
    let (next, new) = page(&job, 1, &registry());
    let key = new[0].key.clone();
    assert_conflict(&world.store.put_page(next, new, vec![step]).await);
    assert_eq!(world.store.chunk(&key).await.unwrap(), None);
    assert_eq!(world.store.tally(&job).await.unwrap(), after);
    assert_stored(world, &job).await;
}

/// A transaction holds 100 items, and none twice
/// (<https://docs.aws.amazon.com/amazondynamodb/latest/APIReference/API_TransactWriteItems.html>).
pub(super) async fn a_page_of_too_many_chunks_or_of_one_twice_is_refused(world: &World) {
    let before = planning(world, 1).await;
    let (job, chunks) = page(&before, 101, &registry());
    let twice = vec![chunks[0].clone(); 2];
    for chunks in [chunks, twice] {
        let refused = world.store.put_page(job.clone(), chunks, Vec::new()).await;
        assert!(
            matches!(refused, Err(StoreError::Corrupt { .. })),
            "{refused:?}"
        );
    }
    assert_stored(world, &before).await;
}
