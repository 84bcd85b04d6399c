//! The planner alone, over a selection as large as it promises to cut.

use std::sync::{Arc, Mutex};

use async_trait::async_trait;
use domain::chunk::{Chunk, ChunkMove};
use domain::job::{Job, JobKey, Plan};
use domain::tally::Tally;
use ports::store::{Jobs, PLAN_PAGE_CHUNKS, Plans, StoreError};
use time::macros::date;
use time::{Duration, OffsetDateTime};

use crate::stories::days;
use crate::world::World;

/// Keeps the job and counts what is planned: every page must follow the one before.
struct Counting(Mutex<Job>);

#[async_trait]
impl Jobs for Counting {
    async fn job(&self, _: &JobKey, _: OffsetDateTime) -> Result<Option<Job>, StoreError> {
        Ok(Some(self.0.lock().unwrap().clone()))
    }

    async fn put_job(&self, job: Job) -> Result<Job, StoreError> {
        *self.0.lock().unwrap() = job.clone();
        Ok(job)
    }

    async fn tally(&self, _: &Job) -> Result<Tally, StoreError> {
        Ok(Tally::default())
    }
}

#[async_trait]
impl Plans for Counting {
    async fn put_page(
        &self,
        job: Job,
        chunks: Vec<Chunk>,
        _: Vec<ChunkMove>,
    ) -> Result<Job, StoreError> {
        let before = self.0.lock().unwrap().chunks;
        assert!(chunks.len() <= PLAN_PAGE_CHUNKS);
        assert!(
            chunks
                .iter()
                .map(|chunk| chunk.key.number)
                .eq(before..job.chunks),
            "numbers without a gap"
        );
        self.put_job(job).await
    }

    async fn reopen(&self, _: &Job, _: Vec<ChunkMove>) -> Result<(), StoreError> {
        Ok(())
    }
}

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
    let plans = Arc::new(Counting(Mutex::new(world.job(&key).await)));
    world.plan.plans = Arc::clone(&plans) as _;
    plan_export::handle(World::event_of(&key, "queued"), &world.plan)
        .await
        .unwrap();
    let job = plans.0.lock().unwrap().clone();
    assert!(matches!(job.plan, Plan::Complete { .. }), "{:?}", job.plan);
    assert_eq!((job.chunks, job.shards), (366 * 274, 3));
}
