//! The client's container: where it is, and what is written there.

use std::fmt;

use crate::job::JobId;
use crate::secret::Secret;
use crate::selection::{ExportRequest, ExportType};

/// The name of a blob within the container.
///
/// Everything of a job lies below `{exportType}/{jobId}/`.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct BlobName(String);

impl BlobName {
    /// The data file of chunk `number`, or a part of it where the size of files is limited:
    /// `{exportType}/{jobId}/[date=YYYY-MM-DD/]part-{number}[-{part}].{json|csv|jsonl|parquet}[.gz|.zst]`.
    pub fn part(
        request: &ExportRequest,
        job: JobId,
        day: Option<time::Date>,
        number: u32,
        part: u32,
    ) -> Self {
        let (export_type, ending) = (request.export_type(), request.ending());
        let day = day.map(|day| format!("date={day}/")).unwrap_or_default();
        let is_limited = request.files.max_file_bytes.is_some();
        let part = if is_limited {
            format!("-{part:04}")
        } else {
            String::new()
        };
        Self(format!(
            "{export_type}/{job}/{day}part-{number:05}{part}{ending}"
        ))
    }

    /// The file of what chunk `number` could not export:
    /// `{exportType}/{jobId}/_rejected/part-{number}.ndjson`.
    pub fn rejected(export_type: ExportType, job: JobId, number: u32) -> Self {
        Self(format!(
            "{export_type}/{job}/_rejected/part-{number:05}.ndjson"
        ))
    }

    /// What the columns of the job's files are: `{exportType}/{jobId}/_schema.json`. Common readers pass
    /// over names that begin so.
    pub fn schema(export_type: ExportType, job: JobId) -> Self {
        Self(format!("{export_type}/{job}/_schema.json"))
    }

    /// The job's manifest: `{exportType}/{jobId}/manifest.json`.
    pub fn manifest(export_type: ExportType, job: JobId) -> Self {
        Self(format!("{export_type}/{job}/manifest.json"))
    }

    /// Reads a name that was stored.
    pub fn from_stored(name: impl Into<String>) -> Self {
        Self(name.into())
    }

    /// The name, `/` separated, not percent-encoded.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for BlobName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// The id of a block within a blob: which attempt staged it, and its place.
///
/// All block ids of a blob must have one length
/// (<https://learn.microsoft.com/en-us/rest/api/storageservices/put-block#uri-parameters>).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct BlockId {
    /// The attempt that staged the block, so that two attempts never overwrite each other's.
    pub attempt: u32,
    /// The block's place in the file, from 0.
    pub index: u32,
}

impl BlockId {
    /// The id's bytes, before the base64 that the wire wants: always 20.
    pub fn to_bytes(self) -> Vec<u8> {
        format!("{:010}{:010}", self.attempt, self.index).into_bytes()
    }
}

/// A file whose blocks are staged: what it takes to commit it, and to prove it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PreparedFile {
    /// The blob that the commit makes.
    pub name: BlobName,
    /// The attempt whose blocks make up the file.
    pub attempt: u32,
    /// How many blocks: `0..blocks` of that attempt, in order.
    pub blocks: u32,
    /// The file's size, in bytes.
    pub size_bytes: u64,
    /// The file's SHA-256, in lower-case hex.
    pub sha256: String,
    /// The file's CRC-64/NVME, as Azure Storage computes it, in lower-case hex of the 64-bit
    /// number.
    pub crc64: String,
}

impl PreparedFile {
    /// The block list to commit.
    pub fn block_ids(&self) -> Vec<BlockId> {
        (0..self.blocks)
            .map(|index| BlockId {
                attempt: self.attempt,
                index,
            })
            .collect()
    }
}

/// Where a container is, without the signature: fit for logs, items and answers.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ContainerAddress(String);

impl ContainerAddress {
    /// Wraps a checked URL: scheme, host and path, no query, no trailing slash.
    pub fn new(url: impl Into<String>) -> Self {
        Self(url.into())
    }

    /// Scheme, host and path, without a slash at the end; never the signature.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The URL of a blob in this container.
    pub fn blob_url(&self, blob: &BlobName) -> String {
        format!("{}/{blob}", self.0)
    }
}

impl fmt::Display for ContainerAddress {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// A container and the shared access signature to write into it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ContainerAccess {
    /// The container's URL without the signature.
    pub address: ContainerAddress,
    /// The query string of the URL that the client gave, without the `?`.
    pub signature: Secret,
}

#[cfg(test)]
mod tests {
    use uuid::Uuid;

    use super::*;
    use crate::selection::{DeviceType, ExportFormat, FileOptions, Snapshot};

    #[test]
    fn a_file_is_named_as_a_part_only_where_the_size_of_files_is_limited() {
        let tags = Snapshot::Devices(DeviceType::Tag);
        let mut request = ExportRequest::usual(tags, ExportFormat::CsvBlob);
        let job = JobId::new(Uuid::nil());
        let day = Some(time::macros::date!(2026 - 01 - 05));
        let name = |request: &ExportRequest, day, part| {
            let name = BlobName::part(request, job, day, 3, part);
            let job = format!("Tag/{job}/");
            name.as_str().strip_prefix(&job).unwrap().to_owned()
        };
        assert_eq!(name(&request, None, 0), "part-00003.csv");
        request.files.max_file_bytes = Some(FileOptions::LEAST_MAX_FILE_BYTES);
        assert_eq!(name(&request, None, 0), "part-00003-0000.csv");
        assert_eq!(
            name(&request, day, 254),
            "date=2026-01-05/part-00003-0254.csv"
        );
    }
}
