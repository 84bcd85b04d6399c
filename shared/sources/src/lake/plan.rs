//! Cuts days into chunks: greedily, in the order of the objects' paths, never across a day.

use std::mem;

use domain::cause::in_one_line;
use domain::chunk::{ChunkSource, ObjectRef};
use domain::job::{MissingDay, PlanCursor};
use domain::listing::Listing;
use futures::StreamExt;
use ports::source::{PlanPage, SourceError, Unanswered};
use time::Date;

use crate::lake::Lake;
use crate::lake::layout::{self, AppFolder, Position, Spelling};
use crate::lake::list::{Listed, list_folder};

/// The most objects of a chunk.
const MAX_OBJECTS: usize = 500;

/// The most bytes that the paths and `ETag`s of a chunk may take: an item of DynamoDB holds 400 KB
/// (<https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/Constraints.html>).
const MAX_CHUNK_TEXT_BYTES: usize = 200 << 10;

/// The bytes of paths and `ETag`s after which a page ends: it is stored in one transaction, which
/// holds 4 MB.
const PAGE_TEXT_BYTES: usize = 2 << 20;

/// How many days a page may miss: it is stored with the job.
const PAGE_MISSING_DAYS: usize = 16;

/// The most objects of a job that have a chunk of their own because of their names: each of them may
/// be no file of records, and then costs no other object a second reading.
const MAX_ALONE: u32 = 1_000;

/// What storing an object's reference takes beside its path and `ETag`, in bytes, generously.
const REF_OVERHEAD_BYTES: usize = 40;

/// Plans from `position` on, to the end of `last_day`, at most `limit` chunks, beside what was
/// `found` before.
///
/// What is left out counts to the page that plans the next object after it, or ends its folder: a
/// page that ends before that object is followed by one that lists it again. A folder that cannot be
/// listed, or no further, is missing from there on, and the plan goes on behind it; one that does not
/// answer is missing only when there is no later try.
pub(super) async fn plan_page(
    lake: &Lake,
    folders: &[AppFolder],
    mut position: Position,
    last_day: Date,
    found: Listing,
    limit: usize,
    unanswered: Unanswered,
) -> Result<PlanPage, SourceError> {
    let begun_at = position.clone();
    let mut page = Page {
        chunks: Vec::new(),
        missing: Vec::new(),
        found,
        text_bytes: 0,
        limit: limit.max(1),
        last_day,
    };
    loop {
        match page.plan_folder(lake, folders, &mut position).await {
            Ok(Folder::Whole) => {}
            Ok(Folder::PageIsFull) => return Ok(page.ends_at(Some(&position))),
            Err(error @ SourceError::Unordered { .. }) => return Err(error),
            Err(error) if error.is_transient() && unanswered == Unanswered::IsRetried => {
                // What is planned is kept: the next page begins with the folder that does not answer.
                if position == begun_at {
                    return Err(error);
                }
                return Ok(page.ends_at(Some(&position)));
            }
            Err(error) => page.miss(&position, &error),
        }
        let Some(next) = position.next_folder(last_day) else {
            return Ok(page.ends_at(None));
        };
        position = next;
        if page.is_full() {
            return Ok(page.ends_at(Some(&position)));
        }
    }
}

/// How far a folder was planned.
enum Folder {
    Whole,
    PageIsFull,
}

/// The chunks of a page so far.
struct Page {
    chunks: Vec<ChunkSource>,
    missing: Vec<MissingDay>,
    found: Listing,
    text_bytes: usize,
    limit: usize,
    /// The last day of the selection.
    last_day: Date,
}

impl Page {
    /// Plans the folder of a position, which moves on behind every chunk.
    async fn plan_folder(
        &mut self,
        lake: &Lake,
        folders: &[AppFolder],
        position: &mut Position,
    ) -> Result<Folder, SourceError> {
        let Some(folder) = position.folder() else {
            return Ok(Folder::Whole);
        };
        let is_begun = !position.begins_its_folder();
        let mut objects = list_folder(lake, folders, folder, position).await?;
        let mut open = OpenChunk::new(lake);
        while let Some(listed) = objects.next().await {
            let listed = match listed {
                Ok(listed) => listed,
                Err(error) => {
                    self.close(position, folder, folders, open.pack);
                    return Err(error);
                }
            };
            let is_read = matches!(listed, Listed::Read { .. });
            if let Some(full) = open.take(lake, folders, position.alone, listed) {
                self.close(position, folder, folders, full);
                if self.is_full() {
                    return Ok(Folder::PageIsFull);
                }
            }
            if is_read {
                self.find(position, mem::take(&mut open.passed));
            }
        }
        self.find(position, open.passed);
        if open.pack.objects.is_empty() && !is_begun && position.late == 0 {
            self.found.empty_days.add(&position.day.to_string());
        }
        self.close(position, folder, folders, open.pack);
        Ok(Folder::Whole)
    }

    /// What was come upon in a folder counts once: for the day whose own it is, or for the last day if
    /// the folder is behind it.
    fn find(&mut self, position: &Position, found: Listing) {
        if position.late == 0 || position.day == self.last_day {
            self.found.append(found);
        }
    }

    /// Closes a chunk, if there is anything in it; the position is then behind its last object.
    fn close(&mut self, position: &mut Position, folder: Date, folders: &[AppFolder], pack: Pack) {
        let Some(last) = pack.objects.last() else {
            return;
        };
        let path = folders
            .iter()
            .find(|folder| folder.spelling == pack.spelling)
            .map(|app| app.of_day(folder));
        let after = path.and_then(|path| last.path.strip_prefix(&path)?.strip_prefix('/'));
        after.unwrap_or_default().clone_into(&mut position.after);
        position.spelling = pack.spelling;
        position.alone += pack.alone();
        self.text_bytes += pack.text_bytes;
        self.chunks.push(ChunkSource::Objects {
            day: position.day,
            folder,
            objects: pack.objects,
        });
    }

    /// The rest of the folder is missing.
    fn miss(&mut self, position: &Position, error: &SourceError) {
        let from = Position {
            is_only: true,
            ..position.clone()
        };
        let cursor = PlanCursor(from.to_text());
        self.missing
            .push(MissingDay::new(position.day, &in_one_line(error), cursor));
    }

    fn is_full(&self) -> bool {
        self.chunks.len() >= self.limit
            || self.text_bytes >= PAGE_TEXT_BYTES
            || self.missing.len() >= PAGE_MISSING_DAYS
    }

    fn ends_at(self, position: Option<&Position>) -> PlanPage {
        let next = position.map(|position| PlanCursor(position.to_text()));
        PlanPage {
            chunks: self.chunks,
            next,
            missing: self.missing,
            found: self.found,
        }
    }
}

/// The chunk that is being filled, and what was come upon since its last object.
struct OpenChunk {
    pack: Pack,
    passed: Listing,
}

impl OpenChunk {
    fn new(lake: &Lake) -> Self {
        Self {
            pack: Pack::new(lake.target_bytes),
            passed: Listing::default(),
        }
    }

    /// Takes what was listed next, in a plan that has so many objects alone in closed chunks; the
    /// answer is the full chunk, when the object begins another one.
    fn take(
        &mut self,
        lake: &Lake,
        folders: &[AppFolder],
        alone: u32,
        listed: Listed,
    ) -> Option<Pack> {
        match listed {
            Listed::LeftOut { path, size_bytes } => {
                let name = layout::below_app(folders, &path);
                self.passed.leave_out(name, size_bytes);
                None
            }
            Listed::Read {
                spelling,
                object,
                is_odd,
            } => {
                let is_alone = is_odd && alone + self.pack.alone() < MAX_ALONE;
                let name = layout::below_app(folders, &object.path);
                if is_odd && !is_alone {
                    self.passed.odd_names.add(name);
                }
                if lake.is_large(&object) {
                    self.passed.large_objects.add(name);
                }
                self.pack.add(spelling, object, is_alone)
            }
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
