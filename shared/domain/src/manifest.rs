//! The manifest: the proof of an export, written last, as JSON of a documented version.
//!
//! It is written as a stream, list by list and a chunk at a time. So it is never whole in memory,
//! however much it lists. Every chunk that was planned is in it: with a file of rows, among those
//! without rows, or among what is missing.

mod filtered;
mod shortfall;
mod writer;

use std::ops::Not;

use serde::{Deserialize, Serialize};
use time::format_description::well_known::Rfc3339;
use time::{Date, OffsetDateTime};

use crate::chunk::{Chunk, ChunkSource, ChunkState, MissingParts, Output, OutputFile};
use crate::container::PreparedFile;
use crate::counts::Counts;
use crate::job::{Job, MissingDay, Plan};
use crate::listing::Ignored;
use crate::selection::{Selection, Snapshot};
use crate::tally::Tally;
use crate::warning::Warning;

pub use filtered::{Filtered, FilteredNames};
pub(crate) use shortfall::Shortfall;
pub use writer::{ManifestWriter, StatedOutcome, Written};

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
    /// The format of the files of rows.
    pub format: String,
    /// Their compression, `gzip` or `zstd`; absent when they have none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub compression: Option<String>,
    /// The columns of flat rows, in the order in which they are written; absent of a `JsonBlob`, and
    /// in manifests that are older than the choice.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub columns: Option<Vec<String>>,
    /// Whether each file begins with a byte order mark; absent when none does.
    #[serde(default, skip_serializing_if = "Not::not")]
    pub byte_order_mark: bool,
    /// Whether a text that a spreadsheet would take for a formula has an apostrophe before it; absent
    /// when none has.
    #[serde(default, skip_serializing_if = "Not::not")]
    pub escape_formulas: bool,
    /// The most bytes of a file that was asked for.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub max_file_bytes: Option<u64>,
    /// The app's canonical path.
    pub scope: String,
    /// The client's own words.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub description: Option<String>,
    /// When the job was created, RFC 3339.
    pub date_created: String,
    /// The file that says what the columns are; absent in manifests that are older than it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub schema: Option<SchemaEntry>,
    /// Which rows the client asked for.
    pub selection: Selected,
    /// Which of its records became rows; absent when all did.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub filter: Option<Filtered>,
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

/// The file of the schema.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct SchemaEntry {
    /// The blob's name in the container.
    pub name: String,
    /// Its size, in bytes.
    pub bytes: u64,
    /// Its SHA-256, in lower-case hex.
    pub sha256: String,
    /// Its CRC-64/NVME, in lower-case hex.
    pub crc64: String,
}

impl From<&PreparedFile> for SchemaEntry {
    fn from(file: &PreparedFile) -> Self {
        Self {
            name: file.name.as_str().to_owned(),
            bytes: file.size_bytes,
            sha256: file.sha256.clone(),
            crc64: file.crc64.clone(),
        }
    }
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
    #[serde(flatten, with = "crate::counts::wire")]
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
    /// Its place among the files of the chunk's rows, from 0; absent when it is the only one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub part: Option<u32>,
    /// The UTC day of its rows; absent of a snapshot.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub day: Option<Date>,
    /// What was counted while it was written.
    #[serde(flatten, with = "crate::counts::wire")]
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
    /// What it was made from, with the other parts of its chunk; of these the first says it for all.
    pub sources: Vec<SourceEntry>,
}

/// What was read and has no rows of the selection: all of it was rejected or is of other days, or
/// there was nothing in it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct WithoutRows {
    /// The chunk's number, from 0.
    pub chunk: u32,
    /// The UTC day whose rows were looked for; absent of a snapshot.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub day: Option<Date>,
    /// What was counted while it was read.
    #[serde(flatten, with = "crate::counts::wire")]
    pub counts: Counts,
    /// What was read to its end.
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

/// A file of a recorded chunk, of either kind.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum AnyFile {
    /// It holds rows.
    Rows(FileEntry),
    /// It holds records that cannot be exported.
    Rejected(RejectedEntry),
}

impl AnyFile {
    /// The files of a chunk as the manifest lists them, once the chunk is recorded.
    pub fn of(chunk: &Chunk) -> Vec<Self> {
        let rows = writer::files_of_rows(chunk).map(Self::Rows);
        let rejected = writer::files_of_rejects(chunk).map(Self::Rejected);
        rows.chain(rejected).collect()
    }
}

/// A whole manifest, as read back.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Manifest {
    /// What it says of the whole export.
    #[serde(flatten)]
    pub head: Head,
    /// The files of rows.
    pub files: Vec<FileEntry>,
    /// What was read and has no rows.
    #[serde(default)]
    pub without_rows: Vec<WithoutRows>,
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
    pub fn of(job: &Job, tally: &Tally, schema: &PreparedFile) -> Self {
        let read_up_to = match job.plan {
            Plan::Complete { read_up_to } => Some(rfc3339(read_up_to)),
            Plan::Open { .. } | Plan::Failed { .. } => None,
        };
        Self {
            manifest_version: MANIFEST_VERSION,
            job_id: job.key.id.to_string(),
            export_type: job.request.export_type().name().to_owned(),
            format: job.request.format.name().to_owned(),
            compression: job
                .request
                .compression
                .name_unless_none()
                .map(str::to_owned),
            columns: job
                .request
                .columns()
                .map(|names| names.iter().map(|&name| name.to_owned()).collect()),
            byte_order_mark: job.request.files.byte_order_mark,
            escape_formulas: job.request.files.escape_formulas,
            max_file_bytes: job.request.files.max_file_bytes,
            scope: job.key.scope.as_str().to_owned(),
            description: job.request.description.clone(),
            date_created: rfc3339(job.created),
            schema: Some(schema.into()),
            selection: (&job.request.selection).into(),
            filter: Filtered::of(&job.request.filter),
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
    fn of(chunk: &Chunk, part: Option<u32>, file: &OutputFile, output: &Output) -> Self {
        let sources = match part {
            None | Some(0) => SourceEntry::all_but(&chunk.source, &output.missing),
            Some(_) => Vec::new(),
        };
        Self {
            name: file.prepared.name.as_str().to_owned(),
            chunk: chunk.key.number,
            part,
            day: chunk.source.day(),
            counts: file.counts,
            sha256: file.prepared.sha256.clone(),
            crc64: file.prepared.crc64.clone(),
            min_timestamp: file.earliest.map(rfc3339),
            max_timestamp: file.latest.map(rfc3339),
            sources,
        }
    }
}

impl WithoutRows {
    /// The entry of a recorded chunk that has no file of rows, for what of it is not missing. Where all
    /// of it was missing and was handed over to another chunk, that is nothing; it stands here all
    /// the same, because every chunk stands in a list.
    fn of(chunk: &Chunk, output: &Output) -> Option<Self> {
        let sources = SourceEntry::all_but(&chunk.source, &output.missing);
        (!sources.is_empty() || output.missing.is_empty()).then(|| Self {
            chunk: chunk.key.number,
            day: chunk.source.day(),
            counts: output.counts,
            sources,
        })
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

    /// The entries of a chunk: itself, or what it could not export.
    pub fn all_of(chunk: &Chunk) -> Vec<Self> {
        match &chunk.state {
            ChunkState::Recorded { output } => Self::parts_of(chunk, output),
            ChunkState::Failed { reason } => vec![Self::of(chunk, reason)],
            ChunkState::Cancelled => vec![Self::of(chunk, "cancelled")],
            ChunkState::Pending { .. }
            | ChunkState::Running { .. }
            | ChunkState::Prepared { .. }
            | ChunkState::Parked { .. } => Vec::new(),
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
    /// All parts of a source.
    pub fn all_of(source: &ChunkSource) -> Vec<Self> {
        Self::all_but(source, &MissingParts::new())
    }

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

/// RFC 3339, or the year that it cannot write: `time` formats the years 0 to 9999 only.
fn rfc3339(moment: OffsetDateTime) -> String {
    moment
        .format(&Rfc3339)
        .unwrap_or_else(|_| moment.to_string())
}

#[cfg(test)]
mod tests;
