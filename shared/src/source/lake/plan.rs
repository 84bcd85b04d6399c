//! Cuts days into chunks: greedily, in the order of the objects' paths, never across a day.

use futures::future::ready;
use futures::stream::{self, BoxStream};
use futures::{Stream, StreamExt, TryStreamExt};
use object_store::{ObjectMeta, ObjectStore};
use time::Date;

use crate::chunk::{ChunkSource, ObjectRef};
use crate::job::PlanCursor;
use crate::source::lake::layout::{Compression, Position};
use crate::source::lake::{Lake, source_error};
use crate::source::{PlanPage, SourceError};

/// The most objects of a chunk.
const MAX_OBJECTS: usize = 500;

/// The most bytes that the paths and `ETag`s of a chunk may take: an item of DynamoDB holds 400 KB
/// (<https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/Constraints.html>).
const MAX_CHUNK_TEXT_BYTES: usize = 200 << 10;

/// The bytes of paths and `ETag`s after which a page ends: it is stored in one transaction, which holds 4 MB.
const PAGE_TEXT_BYTES: usize = 2 << 20;

/// What storing an object's reference takes beside its path and `ETag`, in bytes, generously.
const REF_OVERHEAD_BYTES: usize = 40;

/// Plans from `position` on, to the end of `last_day`, at most `limit` chunks.
pub(super) async fn plan_page(
    lake: &Lake,
    folder: impl Fn(Date) -> String,
    mut position: Position,
    last_day: Date,
    limit: usize,
) -> Result<PlanPage, SourceError> {
    let mut page = Page { chunks: Vec::new(), text_bytes: 0, limit: limit.max(1) };
    while position.day <= last_day {
        let folder = folder(position.day);
        let mut pack = Pack::new(lake.target_bytes);
        let mut objects = list(lake, &folder, &position.after).await?;
        while let Some(object) = objects.try_next().await? {
            if let Some(full) = pack.add(object) {
                position.after = page.push(position.day, &folder, full);
                if page.is_full() {
                    return Ok(page.ends_at(Some(&position)));
                }
            }
        }
        if !pack.objects.is_empty() {
            position.after = page.push(position.day, &folder, pack);
        }
        let Some(next_day) = position.day.next_day() else { break };
        position = Position::day(next_day);
        if page.is_full() && next_day <= last_day {
            return Ok(page.ends_at(Some(&position)));
        }
    }
    Ok(page.ends_at(None))
}

/// The objects of a folder that hold records, after one of them, by path.
async fn list(
    lake: &Lake,
    folder: &str,
    after: &str,
) -> Result<BoxStream<'static, Result<ObjectRef, SourceError>>, SourceError> {
    let prefix = lake.full_path(folder)?;
    let listing = if after.is_empty() {
        lake.store.list(Some(&prefix))
    } else {
        lake.store.list_with_offset(Some(&prefix), &lake.full_path(&format!("{folder}/{after}"))?)
    };
    let folder = folder.to_owned();
    let failed_at = folder.clone();
    let records = listing.map_err(move |error| source_error(&failed_at, &error)).try_filter_map(move |meta| {
        let below = meta.location.as_ref().strip_prefix(prefix.as_ref()).and_then(|below| below.strip_prefix('/'));
        let record = below.filter(|below| meta.size > 0 && Compression::of(below).is_some());
        ready(record.map(|below| pin(&meta, format!("{folder}/{below}"))).transpose())
    });
    if lake.lists_in_order { Ok(in_order(records).boxed()) } else { sorted(records).await }
}

/// Passes on what comes in the order of paths. A store that breaks the order would make planning lose objects, so that is
/// an error.
fn in_order<S>(records: S) -> impl Stream<Item = Result<ObjectRef, SourceError>> + Send + use<S>
where
    S: Stream<Item = Result<ObjectRef, SourceError>> + Send,
{
    let mut last = String::new();
    records.and_then(move |object| {
        if object.path <= last {
            let reason = format!("the store lists it after {last}; give the lake a store that lists by path");
            return ready(Err(SourceError::Corrupt { object: object.path, reason }));
        }
        last.clone_from(&object.path);
        ready(Ok(object))
    })
}

/// Puts in order what comes in none, as from a file system. One day's listing is held in memory.
async fn sorted(
    records: impl Stream<Item = Result<ObjectRef, SourceError>>,
) -> Result<BoxStream<'static, Result<ObjectRef, SourceError>>, SourceError> {
    let mut objects: Vec<ObjectRef> = records.try_collect().await?;
    objects.sort_unstable_by(|one, other| one.path.cmp(&other.path));
    Ok(stream::iter(objects.into_iter().map(Ok)).boxed())
}

fn pin(meta: &ObjectMeta, path: String) -> Result<ObjectRef, SourceError> {
    match &meta.e_tag {
        Some(etag) => Ok(ObjectRef { path, etag: etag.clone(), size_bytes: meta.size }),
        None => Err(SourceError::Corrupt { object: path, reason: "the store gives it no ETag".to_owned() }),
    }
}

/// The chunks of a page so far.
struct Page {
    chunks: Vec<ChunkSource>,
    text_bytes: usize,
    limit: usize,
}

impl Page {
    /// Closes a chunk; the answer is its last object's path below the folder.
    fn push(&mut self, day: Date, folder: &str, pack: Pack) -> String {
        let last = pack.objects.last().and_then(|last| last.path.strip_prefix(folder)?.strip_prefix('/'));
        let last = last.unwrap_or_default().to_owned();
        self.text_bytes += pack.text_bytes;
        self.chunks.push(ChunkSource::Objects { day, objects: pack.objects });
        last
    }

    fn is_full(&self) -> bool {
        self.chunks.len() >= self.limit || self.text_bytes >= PAGE_TEXT_BYTES
    }

    fn ends_at(self, position: Option<&Position>) -> PlanPage {
        PlanPage { chunks: self.chunks, next: position.map(|position| PlanCursor(position.to_text())) }
    }
}

/// The objects of a chunk that is still open.
struct Pack {
    objects: Vec<ObjectRef>,
    size_bytes: u64,
    text_bytes: usize,
    target_bytes: u64,
}

impl Pack {
    fn new(target_bytes: u64) -> Self {
        Self { objects: Vec::new(), size_bytes: 0, text_bytes: 0, target_bytes }
    }

    /// Adds an object; when it no longer fits, it begins the next chunk and the full one is the answer.
    fn add(&mut self, object: ObjectRef) -> Option<Self> {
        let text_bytes = object.path.len() + object.etag.len() + REF_OVERHEAD_BYTES;
        let fits = self.objects.is_empty()
            || (self.size_bytes + object.size_bytes <= self.target_bytes
                && self.text_bytes + text_bytes <= MAX_CHUNK_TEXT_BYTES
                && self.objects.len() < MAX_OBJECTS);
        let full = (!fits).then(|| std::mem::replace(self, Self::new(self.target_bytes)));
        self.size_bytes += object.size_bytes;
        self.text_bytes += text_bytes;
        self.objects.push(object);
        full
    }
}
