//! What a manifest lists: files, what has no rows, what is missing.

use serde::{Deserialize, Serialize};
use time::Date;

use super::{rfc3339, writer};
use crate::chunk::{Chunk, ChunkSource, ChunkState, MissingParts, Output, OutputFile};
use crate::counts::Counts;
use crate::job::MissingDay;

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

impl FileEntry {
    /// The entry of a recorded chunk's file of rows, which has nothing of what is missing.
    pub(super) fn of(chunk: &Chunk, part: Option<u32>, file: &OutputFile, output: &Output) -> Self {
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
    pub(super) fn of(chunk: &Chunk, output: &Output) -> Option<Self> {
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
    pub(super) fn of(chunk: &Chunk, file: &OutputFile) -> Self {
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
    pub(super) fn of(chunk: &Chunk, reason: &str) -> Self {
        Self {
            chunk: Some(chunk.key.number),
            day: None,
            object: None,
            reason: reason.to_owned(),
            sources: SourceEntry::all_but(&chunk.source, &MissingParts::new()),
        }
    }

    /// The entry of a day that could not be planned, or not to its end.
    pub(super) fn of_day(missing: &MissingDay) -> Self {
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

    pub(super) fn name(&self) -> &str {
        match self {
            Self::Object { object, .. } => object,
            Self::Partition { partition } => partition,
        }
    }
}
