//! The manifest: the proof of an export, written last, as JSON of a documented version.
//!
//! It is written as a stream, a chunk at a time: the head, then one entry for each file, then the
//! chunks that are missing. So it is never whole in memory, however many files it lists.

use serde::{Deserialize, Serialize};
use time::format_description::well_known::Rfc3339;
use time::{Date, OffsetDateTime};

use crate::chunk::{Chunk, ChunkSource, ChunkState, FileKind, MissingParts, Output, OutputFile};
use crate::counts::Counts;
use crate::job::{Job, MissingDay, Outcome, Plan};
use crate::listing::Ignored;
use crate::selection::{Selection, Snapshot};
use crate::tally::Tally;
use crate::warning::Warning;

/// The version of the manifest's form. Version 1 had no files of rejects, and called what is rejected
/// now skipped.
pub const MANIFEST_VERSION: u32 = 2;

/// What a manifest says of the whole export.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Head {
    /// [`MANIFEST_VERSION`] of the code that wrote the manifest.
    pub manifest_version: u32,
    /// The id of the export task, which stands in the names of its blobs, too.
    pub job_id: String,
    /// The type of the rows.
    pub export_type: String,
    /// The format of the files.
    pub format: String,
    /// The app's canonical path.
    pub scope: String,
    /// The client's own words.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub description: Option<String>,
    /// When the job was created, RFC 3339.
    pub date_created: String,
    /// Which rows the client asked for.
    pub selection: Selected,
    /// When the source was first listed, RFC 3339: data that was there before is in the export,
    /// data that came later may not be. Absent when the plan failed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub read_up_to: Option<String>,
    /// Whether every record of the selection is in a file: as a row, or whole as a reject.
    pub complete: bool,
    /// What was ignored, left out or defaulted.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub warnings: Vec<Warning>,
    /// Objects in the folders that were read that were not read.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ignored: Option<Ignored>,
    /// Sums over all files.
    pub totals: Totals,
}

/// The selection, as asked for.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(
    rename_all = "camelCase",
    rename_all_fields = "camelCase",
    tag = "kind"
)]
pub enum Selected {
    /// Whole UTC days, both included.
    Days {
        /// The first day, `YYYY-MM-DD`.
        start_date: Date,
        /// The last day, `YYYY-MM-DD`.
        end_date: Date,
    },
    /// The devices as they were when their chunk was read.
    Devices,
    /// The feedback of these campaigns.
    Campaigns {
        /// The type of all of them, such as `DataPush`.
        campaign_type: String,
        /// Their ids in the order of the request, without repeats.
        campaign_ids: Vec<i64>,
    },
    /// The feedback of the campaigns active in a window.
    ActiveCampaigns {
        /// The type of all of them, such as `DataPush`.
        campaign_type: String,
        /// The window's first moment, RFC 3339.
        campaign_window_start: String,
        /// The window's last moment, RFC 3339.
        campaign_window_end: String,
    },
}

/// Sums over all files.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Totals {
    /// Chunks planned, whatever became of them.
    pub chunks: u64,
    /// Chunks that could not be exported.
    pub failed_chunks: u64,
    /// What was counted, of all files and beside them.
    #[serde(flatten, with = "crate::counts::told")]
    pub counts: Counts,
}

/// A file of rows, as the manifest lists it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct FileEntry {
    /// The blob's name within the container: `{exportType}/{jobId}/…`.
    pub name: String,
    /// The number of the chunk whose rows it holds, from 0.
    pub chunk: u32,
    /// What was counted while it was written.
    #[serde(flatten, with = "crate::counts::told")]
    pub counts: Counts,
    /// SHA-256, lower-case hex.
    pub sha256: String,
    /// CRC-64/NVME, lower-case hex of the 64-bit number.
    pub crc64: String,
    /// The earliest timestamp among the rows, RFC 3339 UTC.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub min_timestamp: Option<String>,
    /// The latest timestamp among the rows, RFC 3339 UTC.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub max_timestamp: Option<String>,
    /// What it was made from.
    pub sources: Vec<SourceEntry>,
}

/// What a file was made from.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(untagged)]
pub enum SourceEntry {
    /// An object of the lake, in the version that was read.
    Object {
        /// Its path within the lake.
        object: String,
        /// Its `ETag` at planning: no other version is read.
        etag: String,
        /// Its size as stored, in bytes.
        bytes: u64,
    },
    /// A partition of the registry.
    Partition {
        /// Its partition key in the registry's table.
        partition: String,
    },
}

/// A file of records that cannot be exported: a line of JSON each, with object, line or offset,
/// code, reason, and the record itself.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct RejectedEntry {
    /// The blob's name within the container: `{exportType}/{jobId}/_rejected/…`.
    pub name: String,
    /// The number of the chunk that could not export them, from 0.
    pub chunk: u32,
    /// How many records, which is how many lines, it holds.
    pub records_rejected: u64,
    /// The file's size, in bytes.
    pub bytes: u64,
    /// SHA-256, lower-case hex.
    pub sha256: String,
    /// CRC-64/NVME, lower-case hex of the 64-bit number.
    pub crc64: String,
}

/// What is in no file though it should be: a chunk, an object of one, or a day, or some of it, that
/// could not be planned.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Missing {
    /// The chunk's number; absent of a day.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub chunk: Option<u32>,
    /// The day that could not be planned, or not to its end.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub day: Option<Date>,
    /// The object, when the rest of the chunk is exported.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub object: Option<String>,
    /// Why; of an object, to be read behind its name.
    pub reason: String,
    /// What it should have been made from.
    pub sources: Vec<SourceEntry>,
}

/// A whole manifest, as read back.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
pub struct Manifest {
    /// What it says of the whole export.
    #[serde(flatten)]
    pub head: Head,
    /// The files of rows.
    pub files: Vec<FileEntry>,
    /// The files of records that cannot be exported.
    #[serde(default)]
    pub rejected: Vec<RejectedEntry>,
    /// What should be in a file and is in none; empty when the head says `complete`.
    pub missing: Vec<Missing>,
    /// Names of files that may lie beside these though they are no part of the export: an attempt
    /// prepared them, and they were given up before anybody knew whether they had been committed. A
    /// resumption that exports their chunk replaces them.
    #[serde(default)]
    pub leftovers: Vec<String>,
}

impl Head {
    /// The head of a job's manifest.
    pub fn of(job: &Job, tally: &Tally) -> Self {
        let read_up_to = match job.plan {
            Plan::Complete { read_up_to } => Some(rfc3339(read_up_to)),
            Plan::Open { .. } | Plan::Failed { .. } => None,
        };
        Self {
            manifest_version: MANIFEST_VERSION,
            job_id: job.key.id.to_string(),
            export_type: job.request.export_type().name().to_owned(),
            format: job.request.format.name().to_owned(),
            scope: job.key.scope.as_str().to_owned(),
            description: job.request.description.clone(),
            date_created: rfc3339(job.created),
            selection: (&job.request.selection).into(),
            complete: read_up_to.is_some() && job.missing_days.is_empty() && tally.is_complete(),
            read_up_to,
            warnings: job.warnings.clone(),
            ignored: job.listing.ignored(),
            totals: Totals {
                chunks: tally.planned,
                failed_chunks: tally.failed,
                counts: tally.counts,
            },
        }
    }
}

impl From<&Selection> for Selected {
    fn from(selection: &Selection) -> Self {
        match selection {
            Selection::History(history) => Self::Days {
                start_date: history.days.start,
                end_date: history.days.end,
            },
            Selection::Snapshot(Snapshot::Devices(_)) => Self::Devices,
            Selection::Snapshot(Snapshot::Campaigns { campaign_type, ids }) => Self::Campaigns {
                campaign_type: campaign_type.name().to_owned(),
                campaign_ids: ids.clone(),
            },
            Selection::Snapshot(Snapshot::ActiveCampaigns {
                campaign_type,
                start,
                end,
            }) => Self::ActiveCampaigns {
                campaign_type: campaign_type.name().to_owned(),
                campaign_window_start: rfc3339(*start),
                campaign_window_end: rfc3339(*end),
            },
        }
    }
}

impl FileEntry {
    /// The entry of a recorded chunk's file of rows, which has nothing of what is missing.
    fn of(chunk: &Chunk, file: &OutputFile, missing: &MissingParts) -> Self {
        Self {
            name: file.prepared.name.as_str().to_owned(),
            chunk: chunk.key.number,
            counts: file.counts,
            sha256: file.prepared.sha256.clone(),
            crc64: file.prepared.crc64.clone(),
            min_timestamp: file.earliest.map(rfc3339),
            max_timestamp: file.latest.map(rfc3339),
            sources: SourceEntry::all_but(&chunk.source, missing),
        }
    }
}

impl RejectedEntry {
    /// The entry of a recorded chunk's file of rejects.
    fn of(chunk: &Chunk, file: &OutputFile) -> Self {
        Self {
            name: file.prepared.name.as_str().to_owned(),
            chunk: chunk.key.number,
            records_rejected: file.counts.rejected,
            bytes: file.prepared.size_bytes,
            sha256: file.prepared.sha256.clone(),
            crc64: file.prepared.crc64.clone(),
        }
    }
}

impl Missing {
    /// The entry of a chunk that could not be exported.
    fn of(chunk: &Chunk, reason: &str) -> Self {
        Self {
            chunk: Some(chunk.key.number),
            day: None,
            object: None,
            reason: reason.to_owned(),
            sources: SourceEntry::all_but(&chunk.source, &MissingParts::new()),
        }
    }

    /// The entry of a day that could not be planned, or not to its end.
    fn of_day(missing: &MissingDay) -> Self {
        Self {
            chunk: None,
            day: Some(missing.day),
            object: None,
            reason: missing.reason.clone(),
            sources: Vec::new(),
        }
    }

    /// The entries of what a recorded chunk could not export.
    fn parts_of(chunk: &Chunk, output: &Output) -> Vec<Self> {
        let entry = |(place, reason): (&usize, &String)| {
            let source = SourceEntry::at(&chunk.source, *place);
            Self {
                chunk: Some(chunk.key.number),
                day: None,
                object: source.as_ref().map(|source| source.name().to_owned()),
                reason: reason.clone(),
                sources: source.into_iter().collect(),
            }
        };
        output.missing.iter().map(entry).collect()
    }
}

impl SourceEntry {
    fn all_but(source: &ChunkSource, missing: &MissingParts) -> Vec<Self> {
        let places = source.places_without(missing).into_iter();
        places.filter_map(|place| Self::at(source, place)).collect()
    }

    /// The part at a place of a source.
    fn at(source: &ChunkSource, place: usize) -> Option<Self> {
        match source {
            ChunkSource::Objects { objects, .. } => {
                let object = objects.get(place)?;
                Some(Self::Object {
                    object: object.path.clone(),
                    etag: object.etag.clone(),
                    bytes: object.size_bytes,
                })
            }
            ChunkSource::Partitions(partitions) => {
                let partition = partitions.get(place)?.clone();
                Some(Self::Partition { partition })
            }
        }
    }

    fn name(&self) -> &str {
        match self {
            Self::Object { object, .. } => object,
            Self::Partition { partition } => partition,
        }
    }
}

/// Writes the manifest of a job piece by piece, each into the buffer that it is given.
#[derive(Debug)]
pub struct ManifestWriter<'a> {
    job: &'a Job,
    tally: &'a Tally,
    text: ManifestText,
    rejected: Vec<RejectedEntry>,
    missing: Vec<Missing>,
    leftovers: Vec<String>,
}

/// The outcome that a manifest states. Only who has written one to its end has it.
#[derive(Debug)]
#[must_use = "the job is to end so"]
pub struct Told(Outcome);

impl Told {
    pub(crate) fn into_outcome(self) -> Outcome {
        self.0
    }
}

/// What a test says that a manifest states.
#[cfg(test)]
impl From<Outcome> for Told {
    fn from(outcome: Outcome) -> Self {
        Self(outcome)
    }
}

impl<'a> ManifestWriter<'a> {
    /// Begins the manifest of a job whose chunks come to this tally.
    ///
    /// # Errors
    /// None in practice: the types always serialize.
    pub fn begin(job: &'a Job, tally: &'a Tally, out: &mut Vec<u8>) -> serde_json::Result<Self> {
        let text = ManifestText::begin(&Head::of(job, tally), out)?;
        Ok(Self {
            job,
            tally,
            text,
            rejected: Vec::new(),
            missing: job.missing_days.iter().map(Missing::of_day).collect(),
            leftovers: Vec::new(),
        })
    }

    /// Adds what a chunk came to: the files of one that is recorded, or that it is missing; and what it
    /// may have left. One that is open adds no more.
    ///
    /// # Errors
    /// None in practice: the types always serialize.
    pub fn add(&mut self, chunk: &Chunk, out: &mut Vec<u8>) -> serde_json::Result<()> {
        let leftovers = chunk.leftovers().map(|name| name.as_str().to_owned());
        self.leftovers.extend(leftovers);
        match &chunk.state {
            ChunkState::Recorded { output } => return self.add_output(chunk, output, out),
            ChunkState::Failed { reason } => self.missing.push(Missing::of(chunk, reason)),
            ChunkState::Cancelled => self.missing.push(Missing::of(chunk, "cancelled")),
            ChunkState::Pending { .. }
            | ChunkState::Running { .. }
            | ChunkState::Prepared { .. }
            | ChunkState::Parked { .. } => {}
        }
        Ok(())
    }

    fn add_output(
        &mut self,
        chunk: &Chunk,
        output: &Output,
        out: &mut Vec<u8>,
    ) -> serde_json::Result<()> {
        for file in &output.files {
            match file.kind {
                FileKind::Rows => {
                    let entry = FileEntry::of(chunk, file, &output.missing);
                    self.text.add(&entry, out)?;
                }
                FileKind::Rejected => self.rejected.push(RejectedEntry::of(chunk, file)),
            }
        }
        self.missing.extend(Missing::parts_of(chunk, output));
        Ok(())
    }

    /// Ends the manifest with the files of rejects, what is missing and what may be left; the
    /// answer is the job's outcome.
    ///
    /// # Errors
    /// None in practice: the types always serialize.
    pub fn finish(self, out: &mut Vec<u8>) -> serde_json::Result<Told> {
        let end = Tail {
            rejected: &self.rejected,
            missing: &self.missing,
            leftovers: &self.leftovers,
        };
        self.text.finish(&end, out)?;
        let cancelled = self.job.phase.cancellation();
        let outcome = Outcome::told(&self.job.plan, cancelled, self.tally, &self.missing);
        Ok(Told(outcome))
    }
}

/// What a manifest says behind the files of rows, as in [`Manifest`].
#[derive(Debug, Clone, Copy, Default)]
pub struct Tail<'a> {
    /// The files of records that cannot be exported.
    pub rejected: &'a [RejectedEntry],
    /// What should be in a file and is in none.
    pub missing: &'a [Missing],
    /// Names of files that may lie beside these.
    pub leftovers: &'a [String],
}

/// Writes a manifest's JSON, of whatever job.
#[derive(Debug, Default)]
pub struct ManifestText {
    files: u64,
}

impl ManifestText {
    /// Begins the manifest.
    ///
    /// # Errors
    /// None in practice: the types always serialize.
    pub fn begin(head: &Head, out: &mut Vec<u8>) -> serde_json::Result<Self> {
        serde_json::to_writer(&mut *out, head)?;
        out.pop();
        out.extend_from_slice(b",\n\"files\":[");
        Ok(Self::default())
    }

    /// Adds a file.
    ///
    /// # Errors
    /// None in practice: the types always serialize.
    pub fn add(&mut self, file: &FileEntry, out: &mut Vec<u8>) -> serde_json::Result<()> {
        out.extend_from_slice(if self.files == 0 { b"\n" } else { b",\n" });
        self.files += 1;
        serde_json::to_writer(out, file)
    }

    /// Ends the manifest with what follows the files of rows.
    ///
    /// # Errors
    /// None in practice: the types always serialize.
    pub fn finish(self, tail: &Tail<'_>, out: &mut Vec<u8>) -> serde_json::Result<()> {
        out.extend_from_slice(b"],\n\"rejected\":");
        serde_json::to_writer(&mut *out, tail.rejected)?;
        out.extend_from_slice(b",\n\"missing\":");
        serde_json::to_writer(&mut *out, tail.missing)?;
        out.extend_from_slice(b",\n\"leftovers\":");
        serde_json::to_writer(&mut *out, tail.leftovers)?;
        out.extend_from_slice(b"}\n");
        Ok(())
    }
}

/// RFC 3339, or the year that it cannot write: `time` formats the years 0 to 9999 only.
fn rfc3339(moment: OffsetDateTime) -> String {
    moment
        .format(&Rfc3339)
        .unwrap_or_else(|_| moment.to_string())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::warning::WarningCode;

    const COUNTS: Counts = Counts {
        read: 3,
        rows: 3,
        bytes: 4,
        rejected: 0,
        rejected_in_part: 0,
        filtered: 0,
        repaired: 0,
    };

    fn head() -> Head {
        Head {
            manifest_version: MANIFEST_VERSION,
            job_id: "j".to_owned(),
            export_type: "Event".to_owned(),
            format: "JsonBlob".to_owned(),
            scope: "/subscriptions/s/apps/a".to_owned(),
            description: Some("\"quoted\"\n".to_owned()),
            date_created: "2026-01-01T00:00:00Z".to_owned(),
            selection: Selected::Devices,
            read_up_to: None,
            complete: false,
            warnings: vec![Warning::new(WarningCode::NoObjects, "none")],
            ignored: Some(Ignored {
                objects: 1,
                bytes: 2,
                first: vec!["i".to_owned()],
            }),
            totals: Totals {
                chunks: 2,
                failed_chunks: 1,
                counts: COUNTS,
            },
        }
    }

    fn entry(name: &str) -> FileEntry {
        FileEntry {
            name: name.to_owned(),
            chunk: 0,
            counts: COUNTS,
            sha256: String::new(),
            crc64: String::new(),
            min_timestamp: None,
            max_timestamp: None,
            sources: vec![SourceEntry::Partition {
                partition: "p".to_owned(),
            }],
        }
    }

    #[test]
    fn a_manifest_written_in_pieces_reads_back_whole() {
        for names in [vec![], vec!["one"], vec!["one", "two"]] {
            let files: Vec<FileEntry> = names.into_iter().map(entry).collect();
            let missing = vec![Missing {
                chunk: Some(1),
                day: None,
                object: Some("o".to_owned()),
                reason: "gone".to_owned(),
                sources: vec![],
            }];
            let rejected = vec![RejectedEntry {
                name: "r".to_owned(),
                chunk: 0,
                records_rejected: 2,
                bytes: 10,
                sha256: "s".to_owned(),
                crc64: "c".to_owned(),
            }];
            let mut out = Vec::new();
            let mut writer = ManifestText::begin(&head(), &mut out).unwrap();
            for file in &files {
                writer.add(file, &mut out).unwrap();
            }
            let leftovers = vec!["l".to_owned()];
            let tail = Tail {
                rejected: &rejected,
                missing: &missing,
                leftovers: &leftovers,
            };
            writer.finish(&tail, &mut out).unwrap();
            let read: Manifest = serde_json::from_slice(&out).unwrap();
            assert_eq!(
                read,
                Manifest {
                    head: head(),
                    files,
                    rejected,
                    missing,
                    leftovers
                }
            );
        }
    }
}
