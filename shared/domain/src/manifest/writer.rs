//! Writes a manifest list by list, in a pass over the job's chunks for each list that has entries:
//! nothing but the counts of what is missing, and its first reasons, is kept in memory.

use serde::Serialize;
use strum::{EnumIter, IntoEnumIterator, IntoStaticStr};

use super::{FileEntry, Head, Missing, RejectedEntry, Shortfall, WithoutRows};
use crate::chunk::{Chunk, FileKind, Output, OutputFile};
use crate::container::PreparedFile;
use crate::job::{Job, Outcome};
use crate::tally::Tally;

/// The lists behind a manifest's head, in their order, by the names that [`super::Manifest`] reads.
#[derive(Debug, Clone, Copy, PartialEq, Eq, EnumIter, IntoStaticStr)]
#[strum(serialize_all = "camelCase")]
enum List {
    Files,
    WithoutRows,
    Rejected,
    Missing,
    Leftovers,
}

/// An entry of a list.
#[derive(Debug, Serialize)]
#[serde(untagged)]
enum Entry<'a> {
    File(FileEntry),
    WithoutRows(WithoutRows),
    Rejected(RejectedEntry),
    Missing(Missing),
    Leftover(&'a str),
}

impl List {
    /// What of a closed chunk stands in the list.
    fn of(self, chunk: &Chunk) -> Vec<Entry<'_>> {
        let files = |kind| files_of(chunk, kind);
        match self {
            Self::Files => files_of_rows(chunk).map(Entry::File).collect(),
            Self::WithoutRows => {
                let read = chunk
                    .output()
                    .filter(|_| files(FileKind::Rows).next().is_none());
                let entry = read.and_then(|output| WithoutRows::of(chunk, output));
                entry.into_iter().map(Entry::WithoutRows).collect()
            }
            Self::Rejected => files_of_rejects(chunk).map(Entry::Rejected).collect(),
            Self::Missing => Missing::all_of(chunk)
                .into_iter()
                .map(Entry::Missing)
                .collect(),
            Self::Leftovers => {
                let names = chunk.leftovers().map(|name| Entry::Leftover(name.as_str()));
                names.collect()
            }
        }
    }

    fn next(self) -> Option<Self> {
        Self::iter().skip_while(|list| *list != self).nth(1)
    }
}

/// The entries of a recorded chunk's files of rows.
pub(super) fn files_of_rows(chunk: &Chunk) -> impl Iterator<Item = FileEntry> {
    let are_parts = files_of(chunk, FileKind::Rows).nth(1).is_some();
    let files = (0..).zip(files_of(chunk, FileKind::Rows));
    files.map(move |(place, (file, output))| {
        FileEntry::of(chunk, are_parts.then_some(place), file, output)
    })
}

/// The entries of a recorded chunk's files of rejects.
pub(super) fn files_of_rejects(chunk: &Chunk) -> impl Iterator<Item = RejectedEntry> {
    files_of(chunk, FileKind::Rejected).map(|(file, _)| RejectedEntry::of(chunk, file))
}

/// The files of a kind, each with all that its chunk came to.
fn files_of(chunk: &Chunk, kind: FileKind) -> impl Iterator<Item = (&OutputFile, &Output)> {
    let all = chunk.output().into_iter().flat_map(|output| {
        let files = output.files.iter();
        files.map(move |file| (file, output))
    });
    all.filter(move |(file, _)| file.kind == kind)
}

/// The outcome that a manifest states. Only who has written one to its end has it.
#[derive(Debug)]
#[must_use = "the job is to end so"]
pub struct StatedOutcome(Outcome);

impl StatedOutcome {
    pub(crate) fn into_outcome(self) -> Outcome {
        self.0
    }
}

/// What a test says that a manifest states.
#[cfg(test)]
impl From<Outcome> for StatedOutcome {
    fn from(outcome: Outcome) -> Self {
        Self(outcome)
    }
}

/// Writes the manifest of a job piece by piece, each into the buffer that it is given.
#[derive(Debug)]
pub struct ManifestWriter<'a> {
    job: &'a Job,
    tally: &'a Tally,
    list: List,
    /// How many entries the list has so far.
    entries: u64,
    /// Lists behind the first that have entries of chunks.
    with_entries: Vec<List>,
    shortfall: Shortfall,
}

/// How far a manifest is written.
#[derive(Debug)]
pub enum Written<'a> {
    /// The chunks are to be added once more, for the next list.
    UpToAList(ManifestWriter<'a>),
    /// To its end.
    Whole(StatedOutcome),
}

impl<'a> ManifestWriter<'a> {
    /// Begins the manifest of a job whose chunks come to this tally, and whose schema is in this file.
    ///
    /// # Errors
    /// None in practice: the types always serialize.
    pub fn begin(
        job: &'a Job,
        tally: &'a Tally,
        schema: &PreparedFile,
        out: &mut Vec<u8>,
    ) -> serde_json::Result<Self> {
        serde_json::to_writer(&mut *out, &Head::of(job, tally, schema))?;
        out.pop();
        let mut writer = Self {
            job,
            tally,
            list: List::Files,
            entries: 0,
            with_entries: Vec::new(),
            shortfall: Shortfall::default(),
        };
        writer.open(List::Files, out)?;
        Ok(writer)
    }

    /// Adds a closed chunk to the present list.
    ///
    /// # Errors
    /// None in practice: the types always serialize.
    pub fn add(&mut self, chunk: &Chunk, out: &mut Vec<u8>) -> serde_json::Result<()> {
        if self.list == List::Files {
            for list in List::iter().skip(1) {
                if !self.with_entries.contains(&list) && !list.of(chunk).is_empty() {
                    self.with_entries.push(list);
                }
            }
        }
        let entries = self.list.of(chunk);
        entries.iter().try_for_each(|entry| self.push(entry, out))
    }

    /// Ends the present list, and goes on to the next one that has entries of chunks.
    ///
    /// # Errors
    /// None in practice: the types always serialize.
    pub fn end_list(mut self, out: &mut Vec<u8>) -> serde_json::Result<Written<'a>> {
        out.push(b']');
        while let Some(list) = self.list.next() {
            self.open(list, out)?;
            if self.with_entries.contains(&list) {
                return Ok(Written::UpToAList(self));
            }
            out.push(b']');
        }
        out.extend_from_slice(b"}\n");
        let cancelled = self.job.phase.cancellation();
        let outcome = Outcome::of_manifest(&self.job.plan, cancelled, self.tally, &self.shortfall);
        Ok(Written::Whole(StatedOutcome(outcome)))
    }

    /// Begins a list, with the entries that are of no chunk.
    fn open(&mut self, list: List, out: &mut Vec<u8>) -> serde_json::Result<()> {
        let name: &str = list.into();
        out.extend_from_slice(format!(",\n\"{name}\":[").as_bytes());
        (self.list, self.entries) = (list, 0);
        if list == List::Missing {
            for day in &self.job.missing_days {
                self.push(&Entry::Missing(Missing::of_day(day)), out)?;
            }
        }
        Ok(())
    }

    fn push(&mut self, entry: &Entry<'_>, out: &mut Vec<u8>) -> serde_json::Result<()> {
        if let Entry::Missing(missing) = entry {
            self.shortfall.add(missing);
        }
        out.extend_from_slice(if self.entries == 0 { b"\n" } else { b",\n" });
        self.entries += 1;
        serde_json::to_writer(out, entry)
    }
}
