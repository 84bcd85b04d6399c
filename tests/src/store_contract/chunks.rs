//! Chunks: stored, moved, counted, listed.

use domain::chunk::{Chunk, ChunkMove, ChunkSource, ChunkState, Lease, MissingParts};
use domain::counts::Counts;
use domain::tally::{Tally, TallyChange};
use fakes::chunks::nothing;
use fakes::jobs::altered;
use futures::future::join_all;
use ports::store::{Counted, StoreError};
use time::Duration;

use super::engine::World;
use super::jobs::assert_conflict;
use super::plans::{page, planning, registry};
use super::samples::{LEASE, NOW, chunk, claim, objects, output, prepare, record};

fn states() -> Vec<ChunkState> {
    let (full, until) = (output(u64::MAX >> 8), NOW + LEASE);
    let empty = nothing();
    let states = vec![
        ChunkState::Pending { prepared: None },
        ChunkState::Pending {
            prepared: Some(full.clone()),
        },
        ChunkState::Parked { prepared: None },
        ChunkState::Parked {
            prepared: Some(full.clone()),
        },
        ChunkState::Cancelled,
        ChunkState::Running {
            until,
            missing: MissingParts::new(),
        },
        ChunkState::Running {
            until,
            missing: MissingParts::from([(1, "gone".to_owned())]),
        },
        ChunkState::Prepared {
            until,
            output: full.clone(),
        },
        ChunkState::Prepared {
            until,
            output: empty.clone(),
        },
        ChunkState::Recorded { output: full },
        ChunkState::Recorded { output: empty },
        ChunkState::Failed {
            reason: "a.ndjson, line 7: not JSON".to_owned(),
        },
    ];
    let mut seen = [false; 7];
    for state in &states {
        // A new state does not compile until it has a place here, and is missed until it stands
        // above.
        let place = match state {
            ChunkState::Pending { .. } => 0,
            ChunkState::Running { .. } => 1,
            ChunkState::Prepared { .. } => 2,
            ChunkState::Recorded { .. } => 3,
            ChunkState::Parked { .. } => 4,
            ChunkState::Cancelled => 5,
            ChunkState::Failed { .. } => 6,
        };
        seen[place] = true;
    }
    assert_eq!(seen, [true; 7]);
    states
}

pub(super) async fn tally(world: &World, shards: u16, chunk: &Chunk) -> Tally {
    let job = altered(world.job(), |job| {
        job.key = chunk.key.job.clone();
        job.shards = shards;
    });
    world.store.tally(&job).await.unwrap()
}

pub(super) async fn apply(world: &World, step: ChunkMove) -> Result<Chunk, StoreError> {
    world.store.apply(step).await
}

/// A stored plan of so many chunks in one shard.
pub(super) async fn plan(world: &World, count: u32) -> Vec<Chunk> {
    let (job, chunks) = page(&planning(world, 1).await, count, &registry());
    world
        .store
        .put_page(job, chunks.clone(), Vec::new())
        .await
        .unwrap();
    chunks
        .into_iter()
        .map(|chunk| Chunk {
            revision: 1,
            ..chunk
        })
        .collect()
}

pub(super) async fn every_chunk_reads_back_as_it_was_written(world: &World) {
    let job = world.job();
    let sources = [
        registry(),
        objects(3, 12),
        objects(0, 1),
        ChunkSource::Partitions(Vec::new()),
    ];
    let combinations = sources
        .iter()
        .flat_map(|source| states().into_iter().map(move |state| (source, state)));
    for (number, (source, state)) in (0..).zip(combinations) {
        let chunk = Chunk {
            state,
            attempt: 7,
            ..chunk(&job, number, source.clone())
        };
        let move_to = ChunkMove {
            chunk: chunk.clone(),
            tally: TallyChange::default(),
        };
        let written = apply(world, move_to).await.unwrap();
        assert_eq!(
            written,
            Chunk {
                revision: 1,
                ..chunk
            }
        );
        assert_eq!(
            world.store.chunk(&written.key).await.unwrap(),
            Some(written)
        );
    }
    assert_eq!(
        world
            .store
            .chunk(&chunk(&job, u32::MAX, registry()).key)
            .await
            .unwrap(),
        None
    );
}

pub(super) async fn a_stale_move_of_a_chunk_is_a_conflict_and_counts_nothing(world: &World) {
    let pending = plan(world, 1).await.remove(0);
    let zombie = apply(world, claim(pending.clone())).await.unwrap();
    assert_conflict(&apply(world, claim(pending.clone())).await);
    let taken_over = zombie.clone().claim(NOW + LEASE, LEASE);
    let domain::chunk::Claim::Free(step) = taken_over else {
        panic!("{taken_over:?}")
    };
    let holder = apply(world, *step).await.unwrap();

    assert_conflict(&apply(world, prepare(zombie.clone(), output(1))).await);
    assert_conflict(&apply(world, Lease::of(zombie).unwrap().fail("late")).await);
    assert_eq!(
        world.store.chunk(&holder.key).await.unwrap(),
        Some(holder.clone())
    );
    assert_eq!(
        tally(world, 1, &holder).await,
        Tally {
            planned: 1,
            open: 1,
            ..Tally::default()
        }
    );
}

async fn run(world: &World, chunk: Chunk) -> Result<(), StoreError> {
    let number = u64::from(chunk.key.number);
    let chunk = apply(world, claim(chunk)).await?;
    if number % 5 == 4 {
        return apply(
            world,
            Lease::of(chunk).unwrap().fail("its data are damaged"),
        )
        .await
        .map(drop);
    }
    let chunk = apply(world, prepare(chunk, output(number))).await?;
    apply(world, record(chunk)).await.map(drop)
}

pub(super) async fn tallies_add_up_under_concurrent_records(world: &World) {
    let chunks = plan(world, 20).await;
    for done in join_all(chunks.iter().map(|chunk| run(world, chunk.clone()))).await {
        done.unwrap();
    }
    let rows = (0..20).filter(|number| number % 5 != 4).sum();
    let expected = Tally {
        planned: 20,
        open: 0,
        recorded: 16,
        failed: 4,
        partial: 0,
        counts: Counts {
            read: rows + 16 * 2,
            rows,
            bytes: rows * 10,
            rejected: 16 * 2,
            ..Counts::default()
        },
    };
    assert_eq!(tally(world, 1, &chunks[0]).await, expected);
}

/// Three chunks of 350 KB are more than the 1 MB that a page of an answer holds
/// (<https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/Query.Pagination.html>).
pub(super) async fn chunks_are_listed_in_order_over_many_pages(world: &World) {
    let mut job = planning(world, 2).await;
    for count in [9, 4] {
        let (next, chunks) = page(&job, count, &objects(1, 350_000));
        job = world
            .store
            .put_page(next, chunks, Vec::new())
            .await
            .unwrap();
    }
    for (shard, expected) in [
        (0, vec![0, 2, 4, 6, 8, 10, 12]),
        (1, vec![1, 3, 5, 7, 9, 11]),
        (2, vec![]),
    ] {
        let (mut numbers, mut pages) = (Vec::new(), 0);
        loop {
            let chunks = world
                .store
                .chunks(&job.key, shard, numbers.last().copied())
                .await
                .unwrap();
            if chunks.is_empty() {
                break;
            }
            pages += 1;
            numbers.extend(chunks.iter().map(|chunk| chunk.key.number));
        }
        assert_eq!(pages > 1, !expected.is_empty(), "{pages}");
        assert_eq!(numbers, expected);
    }
}

pub(super) async fn tallies_say_when_they_were_changed(world: &World) {
    let job = altered(world.job(), |job| job.shards = 2);
    assert_eq!(world.store.counted(&job).await.unwrap(), Counted::default());
    let mut latest = NOW;
    for number in 0..3 {
        latest = NOW + Duration::minutes(number.into());
        world.clock.set(latest);
        let step = ChunkMove {
            chunk: chunk(&job, number, registry()),
            tally: TallyChange {
                planned: 1,
                open: 1,
                ..TallyChange::default()
            },
        };
        apply(world, step).await.unwrap();
    }
    let counted = world.store.counted(&job).await.unwrap();
    assert_eq!((counted.tally.open, counted.changed), (3, Some(latest)));
    assert_eq!(counted.tally, world.store.tally(&job).await.unwrap());

    world.clock.set(latest + Duration::HOUR);
    let step = ChunkMove {
        chunk: chunk(&job, 3, registry()),
        tally: TallyChange::default(),
    };
    apply(world, step).await.unwrap();
    let counted = world.store.counted(&job).await.unwrap();
    assert_eq!(counted.changed, Some(latest), "nothing was counted");
}
