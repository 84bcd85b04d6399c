//! The chunks and files of a task.

use std::collections::{BTreeMap, BTreeSet};

use domain::chunk::{
    Chunk, ChunkKey, ChunkMove, ChunkSource, ChunkState, FileKind, MissingParts, ObjectRef,
};
use domain::container::{BlobName, PreparedFile};
use domain::job::Job;
use domain::tally::TallyChange;
use fakes::chunks::one_file;
use fakes::jobs::altered;
use ports::store::{Chunks, Jobs};
use serde_json::{Value, json};
use time::Duration;
use time::macros::date;

use super::planned;
use crate::api::fakes::NOW;
use crate::api::{Request, World, answer};

fn source() -> ChunkSource {
    let object = |path: &str| ObjectRef {
        path: path.to_owned(),
        etag: "\"e\"".to_owned(),
        size_bytes: 7,
    };
    ChunkSource::Objects {
        day: date!(2026 - 11 - 01),
        folder: date!(2026 - 11 - 01),
        objects: vec![object("a"), object("b")],
    }
}

/// Stores a chunk in a state.
async fn put(world: &World, job: &Job, number: u32, state: ChunkState) {
    let key = ChunkKey {
        job: job.key.clone(),
        shard: job.shard_of(number),
        number,
    };
    let chunk = Chunk {
        attempt: 1,
        state,
        ..Chunk::planned(key, source(), job.expires)
    };
    let tally = TallyChange::default();
    world.store.apply(ChunkMove { chunk, tally }).await.unwrap();
}

fn file(name: &str) -> PreparedFile {
    PreparedFile {
        name: BlobName::from_stored(name),
        attempt: 1,
        blocks: 1,
        size_bytes: 70,
        sha256: "ab".repeat(32),
        crc64: "cd".repeat(8),
    }
}

/// A recorded chunk with so many files of rows, and one of rejects.
fn recorded(number: u32, files: usize) -> ChunkState {
    let mut output = one_file(file(&format!("rows-{number}")), 7, 1);
    let of_rows = output.files[0].clone();
    output.files = vec![of_rows.clone(); files];
    let mut rejects = of_rows;
    rejects.kind = FileKind::Rejected;
    rejects.prepared = file(&format!("rejects-{number}"));
    output.files.push(rejects);
    output.missing = MissingParts::from([(1, "was replaced".to_owned())]);
    ChunkState::Recorded { output }
}

async fn list(world: &World, job: &Job, parts: &str) -> Value {
    let path = format!("{}/{parts}", Request::task(&job.key.id.to_string()).path);
    let reply = world
        .send(&Request::new("GET", &path).by(Some("rita")))
        .await;
    assert_eq!(reply.status, 200, "{reply:?}");
    reply.json()
}

/// All rows, over all pages, and on how many they stand.
async fn all(world: &World, job: &Job, parts: &str) -> (Vec<Value>, usize) {
    let (mut rows, mut pages) = (Vec::new(), 0);
    let mut page = list(world, job, parts).await;
    loop {
        pages += 1;
        let value = page["value"].as_array().unwrap();
        assert!(value.len() <= 1_000, "{}", value.len());
        rows.extend(value.iter().cloned());
        let Some(link) = page.get("nextLink") else {
            return (rows, pages);
        };
        page = world
            .send(&Request::follow(link.as_str().unwrap()))
            .await
            .json();
    }
}

async fn spread(world: &World, chunks: u32, shards: u16) -> Job {
    let job = altered(planned(world, chunks).await, |job| job.shards = shards);
    world.store.put_job(job).await.unwrap()
}

#[tokio::test]
async fn a_chunk_says_what_it_reads_how_it_stands_and_why_it_failed() {
    let world = World::new().await;
    let job = spread(&world, 4, 1).await;
    let until = NOW + Duration::minutes(15);
    let missing = MissingParts::new();
    put(&world, &job, 0, ChunkState::Running { until, missing }).await;
    put(&world, &job, 1, recorded(1, 1)).await;
    let reason = "the disk is full".to_owned();
    put(&world, &job, 2, ChunkState::Failed { reason }).await;
    put(&world, &job, 3, ChunkState::Pending { prepared: None }).await;
    let page = list(&world, &job, "chunks").await;
    let object = |path: &str| json!({"object": path, "etag": "\"e\"", "bytes": 7});
    let sources = json!([object("a"), object("b")]);
    let row = |number: u32, state: &str| json!({"chunk": number, "state": state, "attempt": 1, "day": "2026-11-01", "sources": sources});
    let mut running = row(0, "running");
    running["leaseUntil"] = "2026-11-21T12:15:00.000Z".into();
    let mut failed = row(2, "failed");
    failed["reason"] = "the disk is full".into();
    let rows = page["value"].as_array().unwrap();
    assert_eq!(
        (&rows[0], &rows[2], &rows[3]),
        (&running, &failed, &row(3, "pending"))
    );
    let recorded = &rows[1];
    assert_eq!(
        (&recorded["files"], &recorded["rows"]),
        (&json!(2), &json!(7))
    );
    let missing = json!([{
        "chunk": 1, "object": "b", "reason": "was replaced", "sources": [object("b")],
    }]);
    assert_eq!(recorded["missing"], missing);
    assert_eq!(page.get("nextLink"), None);
}

#[tokio::test]
async fn files_have_the_fields_of_the_manifest_and_stand_there_before_the_end() {
    let world = World::new().await;
    let job = spread(&world, 2, 1).await;
    put(&world, &job, 0, recorded(0, 1)).await;
    put(&world, &job, 1, ChunkState::Pending { prepared: None }).await;
    let page = list(&world, &job, "FILES").await;
    let [rows, rejected] = page["value"].as_array().unwrap().as_slice() else {
        panic!("{page}")
    };
    assert_eq!(
        (&rows["kind"], &rows["name"]),
        (&json!("rows"), &json!("rows-0"))
    );
    assert_eq!(
        (&rows["rows"], &rows["day"]),
        (&json!(7), &json!("2026-11-01"))
    );
    assert_eq!(rows["sha256"], "ab".repeat(32));
    assert_eq!(rows["sources"][0]["object"], "a");
    let expected = json!({
        "kind": "rejected", "name": "rejects-0", "chunk": 0, "recordsRejected": 1, "bytes": 70,
        "sha256": "ab".repeat(32), "crc64": "cd".repeat(8),
    });
    assert_eq!(*rejected, expected);
}

#[tokio::test]
async fn following_the_links_visits_every_chunk_and_every_file_once() {
    let world = World::new().await;
    let job = spread(&world, 1_100, 3).await;
    for number in 0..1_100 {
        put(&world, &job, number, recorded(number, 2)).await;
    }
    let (chunks, pages) = all(&world, &job, "chunks").await;
    assert_eq!((chunks.len(), pages), (1_100, 2));
    let numbers: BTreeSet<_> = chunks.iter().map(|row| row["chunk"].as_u64()).collect();
    assert_eq!(numbers.len(), 1_100);

    let (files, pages) = all(&world, &job, "files").await;
    assert_eq!((files.len(), pages), (3_300, 4));
    let mut of_chunk: BTreeMap<_, Vec<_>> = BTreeMap::new();
    for file in &files {
        of_chunk
            .entry(file["chunk"].as_u64())
            .or_default()
            .push(file["part"].as_u64());
    }
    assert_eq!(of_chunk.len(), 1_100);
    let whole = vec![Some(0), Some(1), None];
    assert!(of_chunk.values().all(|parts| *parts == whole));
}

#[tokio::test]
async fn a_page_ends_before_it_is_too_large_to_answer() {
    let world = World::new().await;
    let job = spread(&world, 8, 1).await;
    for number in 0..8 {
        put(&world, &job, number, recorded(number, 1)).await;
        let key = ChunkKey {
            job: job.key.clone(),
            shard: 0,
            number,
        };
        let mut chunk = world.store.chunk(&key).await.unwrap().unwrap();
        if let ChunkSource::Objects { objects, .. } = &mut chunk.source {
            objects[0].path = "x".repeat(1 << 20);
        }
        let tally = TallyChange::default();
        world.store.apply(ChunkMove { chunk, tally }).await.unwrap();
    }
    let (chunks, pages) = all(&world, &job, "chunks").await;
    assert_eq!((chunks.len(), pages), (8, 2));
}

#[tokio::test]
async fn a_task_without_a_plan_has_no_parts_and_an_unknown_one_is_not_found() {
    let world = World::new().await;
    let job = spread(&world, 0, 1).await;
    for parts in ["chunks", "files"] {
        assert_eq!(list(&world, &job, parts).await, json!({"value": []}));
        let path = format!("{}/{parts}", Request::task("x").path);
        let unknown = world.send(&Request::new("GET", &path)).await;
        assert_eq!(unknown.error(), answer(404, "TaskNotFound"));
        let path = format!("{}/{parts}", Request::task(&job.key.id.to_string()).path);
        let request = Request::new("GET", &path);
        for query in ["$skiptoken=1", "$skiptoken=1-2-3&$skiptoken=1-2-3"] {
            let request = request
                .clone()
                .query(&format!("api-version=2014-12-01&{query}"));
            let refused = world.send(&request).await;
            assert_eq!(refused.error(), answer(400, "InvalidQuery"), "{query}");
        }
        let beyond = request
            .clone()
            .query("api-version=2014-12-01&$skiptoken=9-9-9");
        assert_eq!(world.send(&beyond).await.json(), json!({"value": []}));
        for method in ["POST", "PATCH", "DELETE"] {
            let other = Request {
                method: method.to_owned(),
                ..request.clone()
            };
            let refused = world.send(&other).await;
            assert_eq!(refused.error(), answer(405, "MethodNotAllowed"), "{method}");
        }
    }
}
