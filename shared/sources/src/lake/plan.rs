//! Cuts days into chunks: greedily, in the order of the objects' paths, never across a day.

use std::mem;

use domain::chunk::{ChunkSource, ObjectRef};
use domain::job::PlanCursor;
use domain::listing::Listing;
use futures::TryStreamExt;
use ports::source::{PlanPage, SourceError};
use time::Date;

use crate::lake::Lake;
use crate::lake::layout::{self, AppFolder, Position, Spelling};
use crate::lake::list::{Listed, list_day};

/// The most objects of a chunk.
const MAX_OBJECTS: usize = 500;

/// The most bytes that the paths and `ETag`s of a chunk may take: an item of DynamoDB holds 400 KB
/// (<https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/Constraints.html>).
const MAX_CHUNK_TEXT_BYTES: usize = 200 << 10;

/// The bytes of paths and `ETag`s after which a page ends: it is stored in one transaction, which
/// holds 4 MB.
const PAGE_TEXT_BYTES: usize = 2 << 20;

/// The most objects of a job that have a chunk of their own because of their names: each of them may
/// be no file of records, and then costs no other object a second reading.
const MAX_ALONE: u32 = 1_000;

/// What storing an object's reference takes beside its path and `ETag`, in bytes, generously.
const REF_OVERHEAD_BYTES: usize = 40;

/// Plans from `position` on, to the end of `last_day`, at most `limit` chunks, beside what was
/// `found` before.
///
/// What is left out counts to the page that plans the next object after it, or ends its day: a page
/// that ends before that object is followed by one that lists it again.
pub(super) async fn plan_page(
    lake: &Lake,
    folders: &[AppFolder],
    mut position: Position,
    last_day: Date,
    found: Listing,
    limit: usize,
) -> Result<PlanPage, SourceError> {
    let mut page = Page {
        chunks: Vec::new(),
        found,
        text_bytes: 0,
        limit: limit.max(1),
    };
    while position.day <= last_day {
        let is_begun = !position.begins_its_day();
        let (mut pack, mut passed) = (Pack::new(lake.target_bytes), Listing::default());
        let mut objects = list_day(lake, folders, &position).await?;
        while let Some(listed) = objects.try_next().await? {
            match listed {
                Listed::LeftOut { path, size_bytes } => {
                    passed.leave_out(layout::below_app(folders, &path), size_bytes);
                }
                Listed::Read {
                    spelling,
                    object,
                    is_odd,
                } => {
                    let is_alone = is_odd && position.alone + pack.alone() < MAX_ALONE;
                    if is_odd && !is_alone {
                        passed
                            .odd_names
                            .add(layout::below_app(folders, &object.path));
                    }
                    if let Some(full) = pack.add(spelling, object, is_alone) {
                        position = page.push(&position, folders, full);
                        if page.is_full() {
                            return Ok(page.ends_at(Some(&position)));
                        }
                    }
                    page.found.append(mem::take(&mut passed));
                }
            }
        }
        page.found.append(passed);
        if !pack.objects.is_empty() {
            position = page.push(&position, folders, pack);
        } else if !is_begun {
            page.found.empty_days.add(&position.day.to_string());
        }
        let Some(next_day) = position.day.next_day() else {
            break;
        };
        position = Position::day(next_day, position.alone);
        if page.is_full() && next_day <= last_day {
            return Ok(page.ends_at(Some(&position)));
        }
    }
    Ok(page.ends_at(None))
}

/// The chunks of a page so far.
struct Page {
    chunks: Vec<ChunkSource>,
    found: Listing,
    text_bytes: usize,
    limit: usize,
}

impl Page {
    /// Closes a chunk; the answer is the position after its last object.
    fn push(&mut self, from: &Position, folders: &[AppFolder], pack: Pack) -> Position {
        let day = from.day;
        let folder = folders
            .iter()
            .find(|folder| folder.spelling == pack.spelling)
            .map(|folder| folder.of_day(day));
        let last = pack.objects.last().zip(folder);
        let after =
            last.and_then(|(last, folder)| last.path.strip_prefix(&folder)?.strip_prefix('/'));
        let position = Position {
            day,
            spelling: pack.spelling,
            after: after.unwrap_or_default().to_owned(),
            alone: from.alone + pack.alone(),
        };
        self.text_bytes += pack.text_bytes;
        self.chunks.push(ChunkSource::Objects {
            day,
            objects: pack.objects,
        });
        position
    }

    fn is_full(&self) -> bool {
        self.chunks.len() >= self.limit || self.text_bytes >= PAGE_TEXT_BYTES
    }

    fn ends_at(self, position: Option<&Position>) -> PlanPage {
        let next = position.map(|position| PlanCursor(position.to_text()));
        PlanPage {
            chunks: self.chunks,
            next,
            found: self.found,
        }
    }
}

/// The objects of a chunk that is still open.
struct Pack {
    objects: Vec<ObjectRef>,
    /// Of the folder of the last object.
    spelling: Spelling,
    size_bytes: u64,
    text_bytes: usize,
    target_bytes: u64,
    /// Whether its object has it for its own because of its name.
    is_alone: bool,
}

impl Pack {
    fn new(target_bytes: u64) -> Self {
        Self {
            objects: Vec::new(),
            spelling: Spelling::Upper,
            size_bytes: 0,
            text_bytes: 0,
            target_bytes,
            is_alone: false,
        }
    }

    fn alone(&self) -> u32 {
        self.is_alone.into()
    }

    /// Adds an object; when it no longer fits, it begins the next chunk and the full one is the
    /// answer.
    fn add(&mut self, spelling: Spelling, object: ObjectRef, is_alone: bool) -> Option<Self> {
        let text_bytes = object.path.len() + object.etag.len() + REF_OVERHEAD_BYTES;
        let fits = self.objects.is_empty()
            || (!is_alone
                && !self.is_alone
                && self.size_bytes + object.size_bytes <= self.target_bytes
                && self.text_bytes + text_bytes <= MAX_CHUNK_TEXT_BYTES
                && self.objects.len() < MAX_OBJECTS);
        let full = (!fits).then(|| std::mem::replace(self, Self::new(self.target_bytes)));
        self.size_bytes += object.size_bytes;
        self.text_bytes += text_bytes;
        self.objects.push(object);
        self.is_alone = is_alone;
        self.spelling = spelling;
        full
    }
}
