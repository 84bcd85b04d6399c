//! How far tasks have come, as of the last change that was recorded.

use domain::counts::Counts;
use domain::job::{Job, Outcome};
use domain::tally::{Tally, TallyChange};
use ports::store::Jobs;
use serde_json::{Value, json};
use time::Duration;

use super::{count, planned};
use crate::api::fakes::NOW;
use crate::api::{Request, World, answer};

fn rows(rows: u64) -> Counts {
    Counts {
        read: rows,
        rows,
        ..Counts::default()
    }
}

/// A job of eight chunks, three of which were recorded in ten minutes, with 6,003 rows.
async fn running(world: &World) -> Job {
    let job = planned(world, 8).await;
    world.clock.set(NOW + Duration::minutes(10));
    let tally = TallyChange {
        planned: 8,
        open: 4,
        recorded: 3,
        failed: 1,
        counts: rows(6_003),
        ..TallyChange::default()
    };
    count(world, &job, tally).await;
    job
}

async fn progress(world: &World, job: &Job) -> Value {
    let request = Request::task(&job.key.id.to_string());
    world.send(&request).await.json()["progress"].clone()
}

#[tokio::test]
async fn rate_and_end_are_those_of_the_last_recorded_change_and_do_not_move_with_the_clock() {
    let world = World::new().await;
    let job = running(&world).await;
    let at_once = progress(&world, &job).await;
    assert_eq!(at_once["asOf"], "2026-11-21T12:10:00.000Z");
    assert_eq!(at_once["rowsPerSecond"], 10);
    assert_eq!(at_once["estimatedCompletion"], "2026-11-21T12:23:20.000Z");
    assert_eq!(at_once["chunksFailed"], 1);
    world.clock.set(NOW + Duration::hours(5));
    assert_eq!(progress(&world, &job).await, at_once);

    let waiting = job.await_credential(NOW + Duration::HOUR, String::new());
    let waiting = world.store.put_job(waiting.unwrap()).await.unwrap();
    let waits = progress(&world, &waiting).await;
    assert_eq!(waits["asOf"], "2026-11-21T13:00:00.000Z");
    assert_eq!(waits.get("estimatedCompletion"), None);
}

#[tokio::test]
async fn what_an_ended_task_came_to_stands_in_the_list_too() {
    let world = World::new().await;
    let job = running(&world).await;
    let totals = Tally {
        planned: 8,
        recorded: 8,
        counts: rows(16_000),
        ..Tally::default()
    };
    let end = NOW + Duration::minutes(20);
    let job = fakes::jobs::ended(job, end, Outcome::Succeeded).total(totals);
    let job = world.store.put_job(job).await.unwrap();
    let list = world.send(&Request::list()).await.json();
    let listed = &list["value"][0]["progress"];
    assert_eq!(listed["rows"], 16_000);
    assert_eq!(listed["chunksTotal"], 8);
    assert_eq!(
        (&listed["percent"], &listed["rowsPerSecond"]),
        (&json!(100), &json!(13))
    );
    assert_eq!(listed["asOf"], "2026-11-21T12:20:00.000Z");
    assert_eq!(
        progress(&world, &job).await["rows"],
        6_003,
        "its tallies say it"
    );
}

#[tokio::test]
async fn how_far_tasks_at_work_have_come_stands_in_a_short_list_that_asks_for_it() {
    let world = World::new().await;
    let job = running(&world).await;
    let ask = async |query: &str| {
        let query = format!("api-version=2014-12-01{query}");
        world.send(&Request::list().query(&query)).await
    };
    let without = ask("&$top=10").await.json();
    assert_eq!(without["value"][0].get("progress"), None);
    let with = ask("&$top=10&progress=true").await.json();
    assert_eq!(with["value"][0]["progress"], progress(&world, &job).await);
    for query in [
        "&progress=true",
        "&progress=true&$top=11",
        "&progress=yes&$top=1",
    ] {
        let refused = ask(query).await;
        assert_eq!(refused.error(), answer(400, "InvalidQuery"), "{query}");
        assert!(refused.message().contains("`progress`"), "{query}");
    }
    for _ in 0..2 {
        world.accepted().await;
    }
    let first = ask("&$top=1&progress=true").await.json();
    let link = first["nextLink"].as_str().unwrap();
    let next = world.send(&Request::follow(link)).await.json();
    assert!(next["value"][0]["progress"].is_object(), "{next}");
}
