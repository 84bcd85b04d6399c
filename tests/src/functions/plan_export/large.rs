//! The planner alone, over a selection as large as it promises to cut.

use std::sync::Arc;

use domain::job::Plan;
use fakes::jobs::altered;
use fakes::store::MemoryStore;
use ports::store::{ChunkLists, Jobs};
use time::Duration;
use time::macros::date;

use crate::stories::days;
use crate::world::World;

#[tokio::test]
async fn a_hundred_thousand_chunks_are_planned() {
    let mut world = World::new().await;
    let object = " ".repeat(1_990);
    for day in (0..366).map(|days| date!(2025 - 01 - 01) + Duration::days(days)) {
        for part in 0..274 {
            world
                .put_object(
                    "events",
                    &day.to_string(),
                    &format!("part-{part:03}.ndjson"),
                    object.clone(),
                )
                .await;
        }
    }
    let key = world
        .post("events", &days("JsonBlob", "2025-01-01", "2026-01-01"))
        .await;
    let job = altered(world.job(&key).await, |job| job.revision = 0);
    let store = Arc::new(MemoryStore::default());
    store.put_job(job).await.unwrap();
    world.plan.plans = Arc::clone(&store) as _;
    plan_export::handle(World::event_of(&key, "queued"), &world.plan)
        .await
        .unwrap();
    let [job] = store.stored().try_into().unwrap();
    assert!(matches!(job.plan, Plan::Complete { .. }), "{:?}", job.plan);
    assert_eq!((job.chunks, job.shards), (366 * 274, 3));
    // No number is taken twice in a shard, so none below the last one is missing.
    let tally = store.tally(&job).await.unwrap();
    assert_eq!((tally.planned, tally.open), (366 * 274, 366 * 274));
    for shard in 0..job.shards {
        let beyond = store.chunks(&job.key, shard, Some(job.chunks - 1)).await;
        assert_eq!(beyond.unwrap(), []);
    }
}
