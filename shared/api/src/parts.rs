//! The chunks and files of a task, page by page.

use domain::chunk::{Chunk, ChunkSource, ChunkState};
use domain::counts::Counts;
use domain::job::Job;
use domain::manifest::{Missing, SourceEntry};
use serde::Serialize;
use time::{Date, OffsetDateTime};

use super::task::rfc3339;

/// The most rows of a page.
const MOST_ROWS: usize = 1_000;

/// About how many bytes of chunks are read for a page, at most: what Lambda takes as an answer is 6 MB
/// (<https://docs.aws.amazon.com/lambda/latest/dg/gettingstarted-limits.html>).
const MOST_BYTES: usize = 4 << 20;

/// Where in a job's chunks a page begins: shard by shard, in each by number.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Place {
    shard: u16,
    /// The number of the next chunk.
    number: u32,
    /// How many rows of this chunk stand on the page before.
    taken: usize,
}

impl Place {
    /// Before a job's first chunk; `None` when it has none.
    pub fn first(job: &Job) -> Option<Self> {
        Self::of_shard(job, 0)
    }

    fn of_shard(job: &Job, shard: u16) -> Option<Self> {
        let number = u32::from(shard);
        (shard < job.shards && number < job.chunks).then_some(Self {
            shard,
            number,
            taken: 0,
        })
    }

    /// Behind a chunk.
    fn behind(self, job: &Job) -> Option<Self> {
        match self.number.checked_add(u32::from(job.shards)) {
            Some(number) if number < job.chunks => Some(Self {
                number,
                taken: 0,
                ..self
            }),
            Some(_) | None => Self::of_shard(job, self.shard.checked_add(1)?),
        }
    }

    /// Reads [`Place::token`].
    pub fn parse(token: &str) -> Option<Self> {
        let mut parts = token.split('-');
        let place = Self {
            shard: parts.next()?.parse().ok()?,
            number: parts.next()?.parse().ok()?,
            taken: parts.next()?.parse().ok()?,
        };
        parts.next().is_none().then_some(place)
    }

    /// The place as links hold it.
    pub fn token(self) -> String {
        format!("{}-{}-{}", self.shard, self.number, self.taken)
    }

    /// The shard to read.
    pub fn shard(self) -> u16 {
        self.shard
    }

    /// The chunk behind which to read; `None` before the first.
    pub fn after(self) -> Option<u32> {
        self.number.checked_sub(1)
    }
}

/// A page of rows that is being filled.
#[derive(Debug)]
pub struct PartsPage<T> {
    rows: Vec<T>,
    bytes: usize,
    next: Option<Place>,
}

/// A page as it is answered.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct PartsList<T> {
    /// The rows.
    pub value: Vec<T>,
    /// The absolute URL of the next page; absent on the last one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub next_link: Option<String>,
}

impl<T> PartsPage<T> {
    /// An empty page that begins there.
    pub fn new(from: Option<Place>) -> Self {
        Self {
            rows: Vec::new(),
            bytes: 0,
            next: from,
        }
    }

    /// Where to read on, unless the page is full or all is read.
    pub fn reads_at(&self) -> Option<Place> {
        let is_full = self.rows.len() >= MOST_ROWS || self.bytes >= MOST_BYTES;
        self.next.filter(|_| !is_full)
    }

    /// Takes in what was read at that place: the next chunks of its shard, none when the shard is at
    /// its end.
    pub fn take(&mut self, job: &Job, chunks: &[Chunk], rows: impl Fn(&Chunk) -> Vec<T>) {
        let Some(at) = self.next else { return };
        if chunks.is_empty() {
            self.next = at
                .shard
                .checked_add(1)
                .and_then(|shard| Place::of_shard(job, shard));
        }
        for chunk in chunks {
            let Some(at) = self.reads_at() else { return };
            let taken = if at.number == chunk.key.number {
                at.taken
            } else {
                0
            };
            let mut rows = rows(chunk).into_iter().skip(taken);
            let room = MOST_ROWS - self.rows.len();
            self.rows.extend(rows.by_ref().take(room));
            self.bytes += size_bytes(chunk);
            let at = Place {
                number: chunk.key.number,
                ..at
            };
            self.next = match rows.len() {
                0 => at.behind(job),
                _ => Some(Place {
                    taken: taken + room,
                    ..at
                }),
            };
        }
    }

    /// The rows, and where the next page begins.
    pub fn finish(self) -> (Vec<T>, Option<Place>) {
        (self.rows, self.next)
    }
}

/// About how large the chunk's item is.
fn size_bytes(chunk: &Chunk) -> usize {
    const OF_AN_ITEM: usize = 500;
    const OF_AN_OBJECT: usize = 60;
    const OF_A_FILE: usize = 600;
    let source = match &chunk.source {
        ChunkSource::Objects { objects, .. } => objects
            .iter()
            .map(|object| object.path.len() + object.etag.len() + OF_AN_OBJECT)
            .sum(),
        ChunkSource::Partitions(partitions) => partitions.iter().map(String::len).sum::<usize>(),
    };
    let files = chunk.output().map_or(0, |output| output.files.len());
    OF_AN_ITEM + source + files * OF_A_FILE
}

/// A chunk, as its task's owner sees it.
#[derive(Debug, Clone, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct ChunkRow {
    chunk: u32,
    state: &'static str,
    attempt: u32,
    /// The UTC day of its rows; absent of a snapshot.
    #[serde(skip_serializing_if = "Option::is_none")]
    day: Option<Date>,
    /// The end of the right of the run that is at it.
    #[serde(skip_serializing_if = "Option::is_none")]
    lease_until: Option<String>,
    /// How many files it has; absent until they are known.
    #[serde(skip_serializing_if = "Option::is_none")]
    files: Option<usize>,
    /// Absent until they are known.
    #[serde(flatten)]
    counts: Option<Counted>,
    /// Why it is in no file.
    #[serde(skip_serializing_if = "Option::is_none")]
    reason: Option<String>,
    /// What of it is in none of its files.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    missing: Vec<Missing>,
    sources: Vec<SourceEntry>,
}

#[derive(Debug, Clone, Serialize)]
struct Counted {
    #[serde(flatten, with = "domain::counts::wire")]
    counts: Counts,
}

impl ChunkRow {
    /// What is said of a chunk.
    pub fn of(chunk: &Chunk) -> Self {
        let output = chunk.output();
        let (lease_until, reason) = match &chunk.state {
            ChunkState::Running { until, .. } | ChunkState::Prepared { until, .. } => {
                (Some(*until), None)
            }
            ChunkState::Failed { reason } => (None, Some(reason.clone())),
            ChunkState::Cancelled => (None, Some("cancelled".to_owned())),
            ChunkState::Pending { .. }
            | ChunkState::Parked { .. }
            | ChunkState::Recorded { .. } => (None, None),
        };
        let lease_until: Option<OffsetDateTime> = lease_until;
        Self {
            chunk: chunk.key.number,
            state: chunk.state.name(),
            attempt: chunk.attempt,
            day: chunk.source.day(),
            lease_until: lease_until.map(rfc3339),
            files: output.map(|output| output.files.len()),
            counts: output.map(|output| Counted {
                counts: output.counts,
            }),
            missing: output.map_or_else(Vec::new, |_| Missing::all_of(chunk)),
            reason,
            sources: SourceEntry::all_of(&chunk.source),
        }
    }

    /// The row of a chunk in a list of chunks.
    pub fn rows(chunk: &Chunk) -> Vec<Self> {
        vec![Self::of(chunk)]
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_place_reads_back_and_nothing_else_is_one() {
        let place = Place {
            shard: 31,
            number: 4_000_000_000,
            taken: 255,
        };
        assert_eq!(Place::parse(&place.token()), Some(place));
        for token in ["", "1", "1-2", "1-2-3-4", "a-2-3", "1--3", "99999-2-3"] {
            assert_eq!(Place::parse(token), None, "{token}");
        }
    }
}
