mod bombs;
mod changing;
mod left_out;
mod planning;
mod prefetching;
mod spellings;
mod store;
mod stored;

use std::io::Write;
use std::sync::Arc;

use async_compression::Level as Quality;
use async_compression::tokio::write::ZstdEncoder;
use async_compression::zstd::CParameter;
use domain::cause::in_one_line;
use domain::chunk::ChunkSource;
use domain::listing::Listing;
use domain::selection::HistoryType;
use fakes::requests::history;
use flate2::Compression as Level;
use flate2::write::GzEncoder;
use futures::TryStreamExt;
use object_store::memory::InMemory;
use object_store::{ObjectStoreExt, PutPayload};
use store::Faulty;
use time::macros::date;
use tokio::io::AsyncWriteExt;

use super::*;

fn scope() -> AppScope {
    AppScope::from_segments(["subscriptions", "s", "apps", "My App"])
}

fn selected() -> History {
    history(
        HistoryType::Event,
        date!(2026 - 11 - 01),
        date!(2026 - 11 - 04),
    )
}

fn lake(store: &Arc<dyn ObjectStore>, target_bytes: u64) -> Lake {
    Lake::new(Arc::clone(store), Path::from("raw"), target_bytes)
}

fn in_memory() -> Arc<dyn ObjectStore> {
    Arc::new(InMemory::new())
}

async fn put(
    store: &Arc<dyn ObjectStore>,
    day: time::Date,
    name: &str,
    body: impl Into<PutPayload>,
) {
    let path = format!(
        "raw/{}/{name}",
        layout::folder(HistoryType::Event, &scope(), day)
    );
    store
        .put(&Path::parse(path).unwrap(), body.into())
        .await
        .unwrap();
}

async fn plan(lake: &Lake, limit: usize) -> Vec<ChunkSource> {
    plan_and_find(lake, limit).await.0
}

/// The chunks of a plan, and what it came upon.
async fn plan_and_find(lake: &Lake, limit: usize) -> (Vec<ChunkSource>, Listing) {
    let (mut chunks, mut cursor, mut found) = (Vec::new(), None, Listing::default());
    loop {
        let page = lake
            .plan(
                &scope(),
                &selected(),
                cursor.as_ref(),
                limit,
                Unanswered::IsRetried,
            )
            .await
            .unwrap();
        let again = lake
            .plan(
                &scope(),
                &selected(),
                cursor.as_ref(),
                limit,
                Unanswered::IsRetried,
            )
            .await
            .unwrap();
        assert_eq!(page, again, "the same cursor gives the same page");
        assert!(page.chunks.len() <= limit);
        chunks.extend(page.chunks);
        found.append(page.found);
        let Some(next) = page.next else {
            return (chunks, found);
        };
        cursor = Some(next);
    }
}

fn objects(chunk: &ChunkSource) -> &[ObjectRef] {
    let ChunkSource::Objects { objects, .. } = chunk else {
        panic!("{chunk:?}")
    };
    objects
}

/// The names of the objects of each chunk, without their folders.
fn names(chunks: &[ChunkSource]) -> Vec<Vec<&str>> {
    let name = |object: &'_ ObjectRef| object.path.rfind('=').map_or(0, |at| at + 12);
    chunks
        .iter()
        .map(|chunk| {
            objects(chunk)
                .iter()
                .map(|it| &it.path[name(it)..])
                .collect()
        })
        .collect()
}

/// The text of each object of a chunk, or why one cannot be read.
async fn texts(lake: &Lake, chunk: &ChunkSource) -> Result<Vec<String>, SourceError> {
    let mut texts = vec![String::new(); objects(chunk).len()];
    let mut ends = 0;
    let mut pieces = lake.read(objects(chunk), &selected());
    while let Some(piece) = pieces.try_next().await? {
        match piece {
            Piece::Text { origin, text } => {
                assert_eq!(origin, ends, "one object after the other");
                texts[origin].push_str(std::str::from_utf8(&text).unwrap());
            }
            Piece::Stored { origin, .. } => assert_eq!(origin, ends),
            Piece::End { origin } => {
                assert_eq!(origin, ends);
                ends += 1;
            }
            Piece::Unreadable { error, .. } => return Err(error),
        }
    }
    assert_eq!(ends, texts.len(), "each object to its end");
    Ok(texts)
}

fn gzip(text: &[u8]) -> Vec<u8> {
    let mut encoder = GzEncoder::new(Vec::new(), Level::fast());
    encoder.write_all(text).unwrap();
    encoder.finish().unwrap()
}

async fn zstd(text: &[u8]) -> Vec<u8> {
    let checksum = CParameter::checksum_flag(true);
    let mut encoder =
        ZstdEncoder::with_quality_and_params(Vec::new(), Quality::Fastest, &[checksum]);
    encoder.write_all(text).await.unwrap();
    encoder.shutdown().await.unwrap();
    encoder.into_inner()
}

/// The one chunk of a lake that holds one object.
async fn only_chunk(store: &Arc<dyn ObjectStore>, name: &str, body: Vec<u8>) -> ChunkSource {
    put(store, date!(2026 - 11 - 02), name, body).await;
    plan(&lake(store, 1 << 20), 64).await.pop().unwrap()
}

#[test]
fn an_address_that_is_no_lake_is_told_apart() {
    let words = |address| Lake::from_url(address, 1).unwrap_err().to_string();
    assert_eq!(words("lake"), "the lake's address is not a URL");
    assert_eq!(
        words("https://x/y"),
        "the lake's address begins with `https:`, not with `s3:` or `file:`"
    );
    assert_eq!(words("s3:///prefix"), "the lake's address names no bucket");
    assert_eq!(
        words("file://host/x"),
        "the lake's address is not the path of a folder"
    );
    assert_eq!(
        words("file:///no/such/folder/anywhere"),
        "the lake cannot be opened"
    );
    assert_eq!(
        words("s3://bucket/a//b"),
        "the lake's address has a prefix that no object can have"
    );
}

#[test]
fn a_bucket_with_a_prefix_is_a_lake() {
    let lake = Lake::from_url("s3://bucket/raw/data/", 1).unwrap();
    assert_eq!(
        lake.full_path("events/x").unwrap().as_ref(),
        "raw/data/events/x"
    );
}

#[tokio::test]
async fn an_empty_lake_gives_an_empty_plan() {
    let folder = tempfile::tempdir().unwrap();
    let local =
        Lake::from_url(Url::from_directory_path(folder.path()).unwrap().as_str(), 1).unwrap();
    for lake in [lake(&in_memory(), 1), local] {
        let mut found = Listing::default();
        found.note_absent_folder("events/app=subscriptions!s!apps!my%20app");
        for day in 1..5 {
            found.empty_days.add(&format!("2026-11-0{day}"));
        }
        let page = PlanPage {
            chunks: vec![],
            next: None,
            missing: Vec::new(),
            found,
        };
        assert_eq!(
            lake.plan(&scope(), &selected(), None, 64, Unanswered::IsRetried)
                .await
                .unwrap(),
            page
        );
    }
}

#[tokio::test]
async fn days_are_packed_in_order_of_path_up_to_the_target_and_never_across_midnight() {
    let folder = tempfile::tempdir().unwrap();
    let local: Arc<dyn ObjectStore> =
        Arc::new(LocalFileSystem::new_with_prefix(folder.path()).unwrap());
    for store in [in_memory(), local] {
        for name in ["d.ndjson", "b/x.ndjson", "c.ndjson", "a.ndjson.gz"] {
            put(&store, date!(2026 - 11 - 02), name, vec![b'x'; 40]).await;
        }
        put(
            &store,
            date!(2026 - 11 - 03),
            "huge.ndjson",
            vec![b'x'; 400],
        )
        .await;
        put(
            &store,
            date!(2026 - 11 - 03),
            "tiny.ndjson.zst",
            vec![b'x'; 1],
        )
        .await;
        for ignored in [
            "e.ndjson.tmp",
            "_e.ndjson",
            ".e.ndjson",
            "_temporary/0/e.ndjson",
        ] {
            put(&store, date!(2026 - 11 - 02), ignored, vec![b'x'; 40]).await;
        }
        put(&store, date!(2026 - 11 - 02), "empty.ndjson", Vec::new()).await;
        put(
            &store,
            date!(2026 - 10 - 31),
            "before.ndjson",
            vec![b'x'; 1],
        )
        .await;
        put(&store, date!(2026 - 11 - 05), "after.ndjson", vec![b'x'; 1]).await;

        let whole = plan(&lake(&store, 80), 64).await;
        let expected = [
            vec!["a.ndjson.gz", "b/x.ndjson"],
            vec!["c.ndjson", "d.ndjson"],
            vec!["huge.ndjson"],
            vec!["tiny.ndjson.zst"],
        ];
        assert_eq!(names(&whole), expected);
        for limit in 1..5 {
            assert_eq!(
                plan(&lake(&store, 80), limit).await,
                whole,
                "pages of {limit}"
            );
        }
    }
}

#[tokio::test]
async fn a_chunk_has_at_most_500_objects_and_a_page_fits_a_transaction() {
    let store = in_memory();
    let name = "n".repeat(400);
    for number in 0..1_001 {
        put(
            &store,
            date!(2026 - 11 - 01),
            &format!("{number:04}.ndjson"),
            "x",
        )
        .await;
    }
    for number in 0..6_000 {
        put(
            &store,
            date!(2026 - 11 - 02),
            &format!("{name}{number:04}.ndjson"),
            "x",
        )
        .await;
    }
    let lake = lake(&store, 1 << 20);
    let page = lake
        .plan(&scope(), &selected(), None, 64, Unanswered::IsRetried)
        .await
        .unwrap();
    let sizes: Vec<_> = page
        .chunks
        .iter()
        .map(|chunk| objects(chunk).len())
        .collect();
    assert_eq!(sizes[..3], [500, 500, 1]);
    let texts = page
        .chunks
        .iter()
        .flat_map(objects)
        .map(|object| object.path.len() + object.etag.len());
    assert!(texts.sum::<usize>() < 3 << 20);
    assert!(page.next.is_some());
    let all: Vec<_> = plan(&lake, 64).await;
    assert_eq!(
        all.iter().map(|chunk| objects(chunk).len()).sum::<usize>(),
        7_001
    );
}

#[tokio::test]
async fn a_strange_cursor_is_refused() {
    let lake = lake(&in_memory(), 1);
    let cursor = PlanCursor("lake0:x".to_owned());
    let error = lake
        .plan(
            &scope(),
            &selected(),
            Some(&cursor),
            1,
            Unanswered::IsRetried,
        )
        .await
        .unwrap_err();
    assert_eq!(
        in_one_line(&error),
        "the plan's cursor cannot be read: it is not one of the lake"
    );
}

#[tokio::test]
async fn every_compression_gives_the_same_text() {
    let (first, second) = (
        b"{\"a\":1}\n\n{\"b\":2}\n".as_slice(),
        b"{\"c\":3}".as_slice(),
    );
    let bodies = [
        ("a.ndjson", [first, second].concat()),
        (
            "a.ndjson.gz",
            [gzip(first), gzip(b""), gzip(second)].concat(),
        ),
        (
            "a.ndjson.zst",
            [zstd(first).await, zstd(b"").await, zstd(second).await].concat(),
        ),
    ];
    for (name, body) in bodies {
        let store = in_memory();
        let chunk = only_chunk(&store, name, body).await;
        let found = texts(&lake(&store, 1), &chunk).await.unwrap();
        assert_eq!(found, ["{\"a\":1}\n\n{\"b\":2}\n{\"c\":3}"], "{name}");
    }
}

#[tokio::test]
async fn pieces_stay_small_with_line_ends_and_without() {
    let row = format!("{}\n", "x".repeat(999));
    let body = [row.repeat(3_000), "y".repeat(5 << 20), row.clone()].concat();
    let store = in_memory();
    let chunk = only_chunk(&store, "a.ndjson.gz", gzip(body.as_bytes())).await;
    let mut pieces = lake(&store, 1).read(objects(&chunk), &selected());
    let mut text = Vec::new();
    while let Some(piece) = pieces.try_next().await.unwrap() {
        if let Piece::Text { text: piece, .. } = piece {
            assert!(piece.len() <= 1 << 20, "{}", piece.len());
            text.extend_from_slice(&piece);
        }
    }
    assert!(text == body.as_bytes());
}

#[tokio::test]
async fn a_compressed_object_cut_short_anywhere_is_corrupt() {
    let (first, second) = (b"{\"a\":1}\n".repeat(20), b"{\"b\":2}\n".repeat(20));
    let gz = (gzip(&first), gzip(&second), "a.ndjson.gz");
    let zst = (zstd(&first).await, zstd(&second).await, "a.ndjson.zst");
    for (head, tail, name) in [gz, zst] {
        let whole = [head.clone(), tail].concat();
        // Less than four bytes do not say what they are the beginning of: they are a bad record.
        for len in (4..whole.len()).filter(|len| *len != head.len()) {
            let store = in_memory();
            let chunk = only_chunk(&store, name, whole[..len].to_vec()).await;
            let error = texts(&lake(&store, 1), &chunk).await;
            assert!(
                matches!(error, Err(SourceError::Corrupt { .. })),
                "{name} cut to {len} bytes: {error:?}"
            );
        }
    }
}

#[tokio::test]
async fn a_damaged_object_or_trailing_garbage_is_corrupt() {
    let text = b"{\"a\":1}\n{\"a\":2}\n{\"b\":3}\n";
    for (name, body) in [
        ("a.ndjson.gz", gzip(text)),
        ("a.ndjson.zst", zstd(text).await),
    ] {
        let garbage = [body.as_slice(), b"\0\0\0\0garbage".as_slice()].concat();
        let mut damaged = body.clone();
        let last = damaged.len() - 2;
        damaged[last] ^= 0x55;
        for body in [garbage, damaged] {
            let store = in_memory();
            let chunk = only_chunk(&store, name, body).await;
            let error = texts(&lake(&store, 1), &chunk).await;
            assert!(
                matches!(error, Err(SourceError::Corrupt { .. })),
                "{name}: {error:?}"
            );
        }
    }
}

#[tokio::test]
async fn an_object_that_was_overwritten_or_removed_is_changed() {
    let folder = tempfile::tempdir().unwrap();
    let local: Arc<dyn ObjectStore> =
        Arc::new(LocalFileSystem::new_with_prefix(folder.path()).unwrap());
    for store in [in_memory(), local] {
        let chunk = only_chunk(&store, "a.ndjson", b"1\n".to_vec()).await;
        put(&store, date!(2026 - 11 - 02), "a.ndjson", "22\n").await;
        let changed = texts(&lake(&store, 1), &chunk).await;
        assert!(
            matches!(changed, Err(SourceError::Changed { .. })),
            "{changed:?}"
        );
        let path = lake(&store, 1).full_path(&objects(&chunk)[0].path).unwrap();
        store.delete(&path).await.unwrap();
        let gone = texts(&lake(&store, 1), &chunk).await;
        assert!(matches!(gone, Err(SourceError::Changed { .. })), "{gone:?}");
    }
}

#[tokio::test]
async fn a_store_that_ignores_if_match_is_found_out() {
    let memory = in_memory();
    let chunk = only_chunk(&memory, "a.ndjson", b"1\n".to_vec()).await;
    put(&memory, date!(2026 - 11 - 02), "a.ndjson", "2\n").await;
    let careless: Arc<dyn ObjectStore> = Arc::new(Faulty::over(memory));
    let changed = texts(&lake(&careless, 1), &chunk).await;
    assert!(
        matches!(changed, Err(SourceError::Changed { .. })),
        "{changed:?}"
    );
}

#[tokio::test]
async fn a_connection_that_breaks_within_a_body_may_be_tried_again() {
    for (name, body) in [
        ("a.ndjson", b"1\n2\n".to_vec()),
        ("a.ndjson.gz", gzip(b"1\n2\n")),
    ] {
        let memory = in_memory();
        let chunk = only_chunk(&memory, name, body).await;
        let broken: Arc<dyn ObjectStore> = Arc::new(Faulty {
            cut_bodies: true,
            ..Faulty::over(memory)
        });
        let error = texts(&lake(&broken, 1), &chunk).await.unwrap_err();
        assert!(error.is_transient(), "{name}: {error:?}");
    }
}

#[test]
fn what_the_environment_says_of_the_client_is_kept_beside_the_time_limits() {
    let key = AmazonS3ConfigKey::Client;
    let environment = AmazonS3Builder::new().with_config(key(ClientConfigKey::AllowHttp), "true");
    let builder = patient(environment.with_config(key(ClientConfigKey::ProxyUrl), "http://proxy"));
    let value = |one| builder.get_config_value(&key(one)).unwrap();
    assert_eq!(value(ClientConfigKey::AllowHttp), "true");
    assert_eq!(value(ClientConfigKey::ProxyUrl), "http://proxy");
    assert_eq!(value(ClientConfigKey::Timeout), "86400s");
    assert_eq!(value(ClientConfigKey::ReadTimeout), "30s");
}
