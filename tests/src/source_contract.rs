//! What every source owes its callers.

pub(crate) mod registry;
mod s3;

use std::sync::Arc;

use domain::app::AppScope;
use domain::cause::in_one_line;
use domain::chunk::{ChunkSource, ObjectRef};
use domain::job::PlanCursor;
use domain::selection::{DeviceType, ExportType, History, HistoryType, Selection, Snapshot};
use fakes::sources::NoRows;
use formats::record::Shape;
use futures::TryStreamExt;
use object_store::local::LocalFileSystem;
use object_store::memory::InMemory;
use object_store::path::Path;
use object_store::{ObjectStore, ObjectStoreExt};
use ports::source::{Piece, Source, SourceError, Sources, Unanswered};
use serde_json::json;
use sources::lake::{Lake, layout};
use time::macros::date;

fn chess() -> AppScope {
    AppScope::from_segments(["subscriptions", "s", "apps", "My Chess"])
}

fn go() -> AppScope {
    AppScope::from_segments(["subscriptions", "s", "apps", "My"])
}

/// What a chunk of a source reads.
trait Parts: Sized + Send + Sync + 'static {
    /// Those of a chunk.
    fn of(chunk: &ChunkSource) -> &[Self];

    /// Some that are nothing.
    fn of_nothing() -> Vec<Self>;
}

impl Parts for ObjectRef {
    fn of(chunk: &ChunkSource) -> &[Self] {
        match chunk {
            ChunkSource::Objects { objects, .. } => objects,
            ChunkSource::Partitions(_) => panic!("{chunk:?}"),
        }
    }

    fn of_nothing() -> Vec<Self> {
        Vec::new()
    }
}

impl Parts for String {
    fn of(chunk: &ChunkSource) -> &[Self] {
        match chunk {
            ChunkSource::Partitions(partitions) => partitions,
            ChunkSource::Objects { .. } => panic!("{chunk:?}"),
        }
    }

    fn of_nothing() -> Vec<Self> {
        vec!["no partition".to_owned()]
    }
}

async fn plan<S: Source>(
    source: &S,
    scope: &AppScope,
    selected: &S::Selected,
    limit: usize,
) -> Vec<ChunkSource> {
    let (mut chunks, mut cursor) = (Vec::new(), None);
    loop {
        let page = source
            .plan(
                scope,
                selected,
                cursor.as_ref(),
                limit,
                Unanswered::IsRetried,
            )
            .await
            .unwrap();
        assert_eq!(
            page,
            source
                .plan(
                    scope,
                    selected,
                    cursor.as_ref(),
                    limit,
                    Unanswered::IsRetried
                )
                .await
                .unwrap(),
            "a plan is deterministic"
        );
        assert!(page.chunks.len() <= limit);
        chunks.extend(page.chunks);
        let Some(next) = page.next else { return chunks };
        cursor = Some(next);
    }
}

/// The lines of a chunk, in order: of one object or partition after the other, to the end of each.
async fn read<S: Source<Part: Parts>>(
    source: &S,
    chunk: &ChunkSource,
    selected: &S::Selected,
) -> Vec<String> {
    let (mut lines, mut ends) = (Vec::new(), 0);
    let parts = Parts::of(chunk);
    let mut pieces = source.read(parts, selected);
    while let Some(piece) = pieces.try_next().await.unwrap() {
        match piece {
            Piece::Text { origin, text } => {
                assert_eq!(origin, ends);
                let text = std::str::from_utf8(&text).unwrap();
                lines.extend(text.lines().map(str::to_owned));
            }
            Piece::Stored { origin, .. } => assert_eq!(origin, ends),
            Piece::End { origin } => {
                assert_eq!(origin, ends);
                ends += 1;
            }
            Piece::Unreadable { error, .. } => panic!("{error}"),
        }
    }
    assert_eq!(ends, parts.len());
    lines
}

async fn read_all<S: Source<Part: Parts>>(
    source: &S,
    scope: &AppScope,
    selected: &S::Selected,
) -> Vec<String> {
    let mut lines = Vec::new();
    for chunk in plan(source, scope, selected, 64).await {
        lines.extend(read(source, &chunk, selected).await);
    }
    lines
}

/// The contract of [`Source`], for a selection that has these lines and more than three chunks.
async fn assert_contract<S>(source: &S, selected: &S::Selected, mut expected: Vec<String>)
where
    S: Source<Selected: Clone + Into<Selection>, Part: Parts>,
{
    let chunks = plan(source, &chess(), selected, 64).await;
    assert!(chunks.len() > 3, "{}", chunks.len());
    for limit in [1, 2, 3] {
        assert_eq!(
            plan(source, &chess(), selected, limit).await,
            chunks,
            "pages of {limit}"
        );
    }
    let mut found = Vec::new();
    for chunk in &chunks {
        let lines = read(source, chunk, selected).await;
        assert_eq!(
            lines,
            read(source, chunk, selected).await,
            "a repeat reads the same"
        );
        found.extend(lines);
    }
    let selection: Selection = selected.clone().into();
    assert_records(selection.export_type(), &found);
    found.sort_unstable();
    expected.sort_unstable();
    assert!(
        found == expected,
        "every line once: {} of {}",
        found.len(),
        expected.len()
    );
    assert!(
        read_all(source, &go(), selected).await.is_empty(),
        "another app has its own data"
    );
    assert_refusals(source, selected).await;
}

/// Every line is a record of its type.
fn assert_records(export_type: ExportType, lines: &[String]) {
    let shape = Shape::of(export_type, true);
    for line in lines {
        let record = shape.parse(line.as_bytes());
        record.unwrap_or_else(|fault| panic!("{fault}: {line}"));
    }
}

async fn assert_refusals<S: Source<Part: Parts>>(source: &S, selected: &S::Selected) {
    for cursor in [
        "",
        "lake1:x:",
        "registry1",
        "lake2:2026-11-01:",
        "registry2:1",
    ] {
        let cursor = PlanCursor(cursor.to_owned());
        let error = source
            .plan(&chess(), selected, Some(&cursor), 1, Unanswered::IsRetried)
            .await
            .unwrap_err();
        assert!(!error.is_transient(), "{error}");
    }
    let nothing = <S::Part as Parts>::of_nothing();
    let read: Result<Vec<_>, SourceError> = source.read(&nothing, selected).try_collect().await;
    assert!(
        read.is_err() || read.is_ok_and(|pieces| pieces.is_empty()),
        "rows of nothing"
    );
}

#[tokio::test]
async fn a_chunk_of_another_source_than_its_job_is_refused() {
    let sources = Sources {
        lake: Arc::new(NoRows::default()),
        registry: Arc::new(NoRows::default()),
    };
    let objects = ChunkSource::Objects {
        day: date!(2026 - 11 - 01),
        folder: date!(2026 - 11 - 01),
        objects: Vec::new(),
    };
    let partitions = ChunkSource::Partitions(Vec::new());
    let devices = Snapshot::Devices(DeviceType::Tag).into();
    let events = Selection::from(events());
    let read = async |chunk, selection| {
        let pieces = sources.read(chunk, selection);
        pieces
            .try_collect::<Vec<_>>()
            .await
            .map(|pieces| pieces.len())
            .map_err(|error| in_one_line(&error))
    };
    let refusal = "the chunk cannot be read: it is of another source than the job".to_owned();
    assert_eq!(read(&objects, &devices).await, Err(refusal.clone()));
    assert_eq!(read(&partitions, &events).await, Err(refusal));
    assert_eq!(read(&objects, &events).await, Ok(0));
    assert_eq!(read(&partitions, &devices).await, Ok(0));
}

async fn fill_lake(store: Arc<dyn ObjectStore>) -> (Lake, Vec<String>) {
    let mut expected = Vec::new();
    for (day, parts) in [(date!(2026 - 11 - 01), 3), (date!(2026 - 11 - 03), 4)] {
        for part in 0..parts {
            let line = |number| {
                let id = format!("{part:032x}");
                json!({"deviceId": id, "name": format!("é{number}"), "timestamp": format!("{day}T10:00:00Z")})
                    .to_string()
            };
            let lines: Vec<String> = (0..50).map(line).collect();
            let folder = layout::folder(HistoryType::Event, &chess(), day);
            let path = Path::parse(format!("raw/{folder}/part-{part}.ndjson")).unwrap();
            store.put(&path, lines.join("\n").into()).await.unwrap();
            expected.extend(lines);
        }
    }
    (Lake::new(store, Path::from("raw"), 10_000), expected)
}

fn events() -> History {
    fakes::requests::history(
        HistoryType::Event,
        date!(2026 - 11 - 01),
        date!(2026 - 11 - 05),
    )
}

#[tokio::test]
async fn a_lake_in_memory_is_a_source() {
    let (lake, expected) = fill_lake(Arc::new(InMemory::new())).await;
    assert_contract(&lake, &events(), expected).await;
}

#[tokio::test]
async fn a_lake_in_a_folder_is_a_source() {
    let folder = tempfile::tempdir().unwrap();
    let store = LocalFileSystem::new_with_prefix(folder.path()).unwrap();
    let (lake, expected) = fill_lake(Arc::new(store)).await;
    assert_contract(&lake, &events(), expected).await;
}
