//! The stored form of a chunk.

use domain::app::AppScope;
use domain::chunk::{
    Chunk, ChunkKey, ChunkSource, ChunkState, ChunkStateName, FileKind, MissingParts, ObjectRef,
    Output, OutputFile,
};
use domain::container::{BlobName, PreparedFile};
use domain::counts::Counts;
use domain::job::{JobId, JobKey};
use serde::{Deserialize, Serialize};
use time::{Date, OffsetDateTime};

use super::{FileAttribute, VERSION, moment_of_ttl, ttl, unreadable};

/// A chunk's item. `state` is what the pipe `chunks` filters on.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct ChunkItem {
    kind: String,
    v: u32,
    scope: String,
    job: String,
    shard: u16,
    chunk: u32,
    state: String,
    attempt: u32,
    revision: u64,
    ttl: i64,
    /// `source` in version 1, which reads one file at most: it must not take an item of this version
    /// for one without a file, and finds nothing under its name.
    #[serde(alias = "source")]
    reads: SourceAttribute,
    #[serde(
        default,
        skip_serializing_if = "Option::is_none",
        with = "time::serde::rfc3339::option"
    )]
    lease_until: Option<OffsetDateTime>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    output: Option<OutputAttribute>,
    /// What a run found that cannot be exported, for the next one to know.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    missing: Vec<MissingAttribute>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    reason: Option<String>,
    /// The names of files that were prepared and then given up.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    given_up: Vec<String>,
}

#[derive(Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
enum SourceAttribute {
    Objects {
        day: Date,
        /// Absent when it is the day's own, and in version 1.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        folder: Option<Date>,
        objects: Vec<ObjectAttribute>,
    },
    Partitions(Vec<String>),
}

#[derive(Debug, Serialize, Deserialize)]
struct ObjectAttribute {
    path: String,
    etag: String,
    size_bytes: u64,
}

/// A part of the source that cannot be exported.
#[derive(Debug, Serialize, Deserialize)]
struct MissingAttribute {
    place: usize,
    reason: String,
}

fn missing_attributes(parts: &MissingParts) -> Vec<MissingAttribute> {
    let attribute = |(place, reason): (&usize, &String)| MissingAttribute {
        place: *place,
        reason: reason.clone(),
    };
    parts.iter().map(attribute).collect()
}

fn missing_parts(attributes: Vec<MissingAttribute>) -> MissingParts {
    let part = |attribute: MissingAttribute| (attribute.place, attribute.reason);
    attributes.into_iter().map(part).collect()
}

/// What a run came to. Version 1 had one file at most, whose span stood beside it, and did not
/// write the bytes.
#[derive(Debug, Serialize, Deserialize)]
struct OutputAttribute {
    #[serde(flatten, with = "domain::counts::stored")]
    counts: Counts,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    files: Vec<OutputFileAttribute>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    missing: Vec<MissingAttribute>,
    #[serde(default, skip_serializing)]
    file: Option<FileAttribute>,
    #[serde(default, skip_serializing, with = "time::serde::rfc3339::option")]
    earliest: Option<OffsetDateTime>,
    #[serde(default, skip_serializing, with = "time::serde::rfc3339::option")]
    latest: Option<OffsetDateTime>,
}

#[derive(Debug, Serialize, Deserialize)]
struct OutputFileAttribute {
    /// Absent of files of rows.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    holds: Option<String>,
    #[serde(flatten)]
    prepared: FileAttribute,
    #[serde(with = "domain::counts::stored")]
    counts: Counts,
    #[serde(
        default,
        skip_serializing_if = "Option::is_none",
        with = "time::serde::rfc3339::option"
    )]
    earliest: Option<OffsetDateTime>,
    #[serde(
        default,
        skip_serializing_if = "Option::is_none",
        with = "time::serde::rfc3339::option"
    )]
    latest: Option<OffsetDateTime>,
}

impl From<&Chunk> for ChunkItem {
    fn from(chunk: &Chunk) -> Self {
        let (lease_until, output, reason) = match &chunk.state {
            ChunkState::Pending { prepared } | ChunkState::Parked { prepared } => {
                (None, prepared.as_ref(), None)
            }
            ChunkState::Running { until, .. } => (Some(*until), None, None),
            ChunkState::Prepared { until, output } => (Some(*until), Some(output), None),
            ChunkState::Recorded { output } => (None, Some(output), None),
            ChunkState::Failed { reason } => (None, None, Some(reason.clone())),
            ChunkState::Cancelled => (None, None, None),
        };
        let missing = match &chunk.state {
            ChunkState::Running { missing, .. } => missing_attributes(missing),
            ChunkState::Pending { .. }
            | ChunkState::Prepared { .. }
            | ChunkState::Recorded { .. }
            | ChunkState::Parked { .. }
            | ChunkState::Failed { .. }
            | ChunkState::Cancelled => Vec::new(),
        };
        Self {
            kind: "chunk".to_owned(),
            v: VERSION,
            scope: chunk.key.job.scope.as_str().to_owned(),
            job: chunk.key.job.id.to_string(),
            shard: chunk.key.shard,
            chunk: chunk.key.number,
            state: chunk.state.name().to_owned(),
            attempt: chunk.attempt,
            revision: chunk.revision,
            ttl: ttl(chunk.expires),
            reads: (&chunk.source).into(),
            lease_until,
            output: output.map(OutputAttribute::from),
            missing,
            reason,
            given_up: chunk
                .given_up
                .iter()
                .map(|name| name.as_str().to_owned())
                .collect(),
        }
    }
}

impl TryFrom<ChunkItem> for Chunk {
    type Error = String;

    fn try_from(item: ChunkItem) -> Result<Self, String> {
        let id = JobId::parse(&item.job).ok_or_else(|| unreadable("job", &item.job))?;
        let wrong = || unreadable("state", &item.state);
        let output = item.output.map(Output::try_from).transpose()?;
        let state = match ChunkStateName::from_name(&item.state).ok_or_else(wrong)? {
            ChunkStateName::Pending => ChunkState::Pending { prepared: output },
            ChunkStateName::Parked => ChunkState::Parked { prepared: output },
            ChunkStateName::Cancelled => ChunkState::Cancelled,
            ChunkStateName::Running => ChunkState::Running {
                until: item.lease_until.ok_or_else(wrong)?,
                missing: missing_parts(item.missing),
            },
            ChunkStateName::Prepared => ChunkState::Prepared {
                until: item.lease_until.ok_or_else(wrong)?,
                output: output.ok_or_else(wrong)?,
            },
            ChunkStateName::Recorded => ChunkState::Recorded {
                output: output.ok_or_else(wrong)?,
            },
            ChunkStateName::Failed => ChunkState::Failed {
                reason: item.reason.ok_or_else(wrong)?,
            },
        };
        let job = JobKey {
            scope: AppScope::from_canonical(item.scope),
            id,
        };
        let key = ChunkKey {
            job,
            shard: item.shard,
            number: item.chunk,
        };
        Ok(Self {
            key,
            source: item.reads.into(),
            expires: moment_of_ttl(item.ttl)?,
            attempt: item.attempt,
            state,
            given_up: item
                .given_up
                .into_iter()
                .map(BlobName::from_stored)
                .collect(),
            revision: item.revision,
        })
    }
}

impl From<&ChunkSource> for SourceAttribute {
    fn from(source: &ChunkSource) -> Self {
        match source {
            ChunkSource::Objects {
                day,
                folder,
                objects,
            } => {
                let attribute = |object: &ObjectRef| ObjectAttribute {
                    path: object.path.clone(),
                    etag: object.etag.clone(),
                    size_bytes: object.size_bytes,
                };
                Self::Objects {
                    day: *day,
                    folder: (folder != day).then_some(*folder),
                    objects: objects.iter().map(attribute).collect(),
                }
            }
            ChunkSource::Partitions(partitions) => Self::Partitions(partitions.clone()),
        }
    }
}

impl From<SourceAttribute> for ChunkSource {
    fn from(source: SourceAttribute) -> Self {
        match source {
            SourceAttribute::Objects {
                day,
                folder,
                objects,
            } => {
                let object = |object: ObjectAttribute| ObjectRef {
                    path: object.path,
                    etag: object.etag,
                    size_bytes: object.size_bytes,
                };
                Self::Objects {
                    day,
                    folder: folder.unwrap_or(day),
                    objects: objects.into_iter().map(object).collect(),
                }
            }
            SourceAttribute::Partitions(partitions) => Self::Partitions(partitions),
        }
    }
}

impl From<&Output> for OutputAttribute {
    fn from(output: &Output) -> Self {
        Self {
            counts: output.counts,
            files: output.files.iter().map(Into::into).collect(),
            missing: missing_attributes(&output.missing),
            file: None,
            earliest: None,
            latest: None,
        }
    }
}

impl From<&OutputFile> for OutputFileAttribute {
    fn from(file: &OutputFile) -> Self {
        Self {
            holds: (file.kind != FileKind::Rows).then(|| file.kind.name().to_owned()),
            prepared: (&file.prepared).into(),
            counts: file.counts,
            earliest: file.earliest,
            latest: file.latest,
        }
    }
}

impl TryFrom<OutputFileAttribute> for OutputFile {
    type Error = String;

    fn try_from(file: OutputFileAttribute) -> Result<Self, String> {
        let kind = match &file.holds {
            None => FileKind::Rows,
            Some(name) => FileKind::from_name(name).ok_or_else(|| unreadable("holds", name))?,
        };
        Ok(Self {
            kind,
            prepared: file.prepared.into(),
            counts: file.counts,
            earliest: file.earliest,
            latest: file.latest,
        })
    }
}

impl TryFrom<OutputAttribute> for Output {
    type Error = String;

    fn try_from(output: OutputAttribute) -> Result<Self, String> {
        let mut counts = output.counts;
        let files = output.files.into_iter().map(OutputFile::try_from);
        let mut files = files.collect::<Result<Vec<_>, _>>()?;
        if let Some(file) = output.file {
            let prepared = PreparedFile::from(file);
            counts.bytes = prepared.size_bytes;
            files.push(OutputFile {
                kind: FileKind::Rows,
                prepared,
                counts,
                earliest: output.earliest,
                latest: output.latest,
            });
        }
        Ok(Self {
            counts,
            files,
            missing: missing_parts(output.missing),
        })
    }
}
