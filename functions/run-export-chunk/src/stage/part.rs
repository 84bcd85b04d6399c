//! What is found in one object or partition of a chunk.

use domain::chunk::{ChunkSource, MissingParts, ObjectRef};
use domain::plural::counted;
use domain::reason;
use domain::rules::Misread;
use formats::rejected::Reject;
use time::Duration;

/// The most characters of a reason why a part is missing, which goes without its name: a chunk's item
/// holds one for each of its objects.
const MAX_REASON_CHARS: usize = 256;

/// How many bytes of an object, as stored, no run exports in a second: three times the fastest that
/// was measured (`docs/PERFORMANCE.md`).
const NO_RUNS_BYTES_PER_SECOND: u64 = 1_000_000_000;

/// The objects that no run can export in its time: they are missing by name and size, before any
/// time is spent on them.
pub(super) fn too_large(source: &ChunkSource, time_limit: Duration) -> MissingParts {
    let ChunkSource::Objects { objects, .. } = source else {
        return MissingParts::new();
    };
    let seconds = time_limit.whole_seconds().unsigned_abs();
    let most = NO_RUNS_BYTES_PER_SECOND.saturating_mul(seconds);
    let is_too_large = |(_, object): &(usize, &ObjectRef)| object.size_bytes > most;
    let reason = |(place, object): (usize, &ObjectRef)| {
        let reason = format!(
            "has {} bytes, more than a run exports in the {seconds} seconds that it may take: divide it",
            object.size_bytes
        );
        (place, bounded(&reason))
    };
    let objects = objects.iter().enumerate();
    objects.filter(is_too_large).map(reason).collect()
}

/// What was counted of a part so far. Records of another day are left out: they say nothing of
/// what the object is.
#[derive(Debug, Default)]
pub(super) struct PartCounts {
    pub(super) records: u64,
    /// Records that can be exported.
    pub(super) good: u64,
    /// What is no JSON object, or lacks what is required.
    bad: u64,
    /// Where and why the first one is bad.
    first: Option<String>,
    /// Records of other days.
    pub(super) others: u64,
}

impl PartCounts {
    /// Counts a record that cannot be exported.
    pub(super) fn note(&mut self, reject: &Reject<'_>) {
        if reject.is_of_another_day() {
            self.others += 1;
            return;
        }
        self.records += 1;
        if reject.is_no_record() {
            self.bad += 1;
            self.first.get_or_insert_with(|| reject.to_string());
        }
    }

    /// Whether a record of it was found at all.
    pub(super) fn is_begun(&self) -> bool {
        self.records + self.others > 0
    }

    /// Why the part, which is read to its end, is no text of records, to be read behind its name; if it
    /// is none.
    pub(super) fn problem(&self, misread: Misread) -> Option<String> {
        if !misread.is(self.records, self.bad, self.good) {
            return None;
        }
        let first = self.first.as_deref().unwrap_or("none is as its type says");
        let records = counted(self.records, "record");
        Some(format!(
            "is taken for no file of records, as {} of {records} cannot be exported ({first}): correct it and create the \
             export anew, or leave it out by LAKE_IGNORE",
            self.records - self.good,
        ))
    }
}

/// A reason as it is kept.
pub(super) fn bounded(reason: &str) -> String {
    reason::bounded(reason, MAX_REASON_CHARS)
}
