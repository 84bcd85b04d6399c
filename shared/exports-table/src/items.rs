//! The stored items of the exports table, apart from the domain's types so that either can change.
//! Every item says its `kind` and its version `v`; what an older version wrote stays readable.

mod audit;
mod chunk;
mod job;
mod listing;
mod row;

use std::collections::HashMap;

use aws_sdk_dynamodb::types::AttributeValue;
use serde::{Deserialize, Serialize};
use time::OffsetDateTime;

pub(crate) use audit::AuditItem;
pub(crate) use chunk::ChunkItem;
pub(crate) use job::{JobItem, JobRow};
pub(crate) use row::{MarkItem, RowItem};

use domain::app::AppScope;
use domain::container::{BlobName, PreparedFile};
use domain::counts::Counts;
use domain::job::{Job, JobId, JobKey};
use ports::store::{AcceptedRequest, RequestKey};

/// The version that this code writes.
pub(crate) const VERSION: u32 = 3;

/// The first version that wrote a row beside each job.
pub(crate) const FIRST_WITH_ROWS: u32 = 3;

/// The layout of an item that a newer version wrote.
pub(crate) fn newer_layout(item: &HashMap<String, AttributeValue>) -> Option<u32> {
    let layout: u32 = item.get("v")?.as_n().ok()?.parse().ok()?;
    (layout > VERSION).then_some(layout)
}

/// An attribute that does not hold what it should.
pub(crate) fn unreadable(attribute: &str, value: &str) -> String {
    format!("attribute `{attribute}` holds {value:?}")
}

/// A moment as DynamoDB's time to live wants it: whole seconds since 1970
/// (<https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/TTL.html>).
pub(crate) fn ttl(moment: OffsetDateTime) -> i64 {
    moment.unix_timestamp()
}

pub(crate) fn moment_of_ttl(seconds: i64) -> Result<OffsetDateTime, String> {
    OffsetDateTime::from_unix_timestamp(seconds)
        .map_err(|_| unreadable("ttl", &seconds.to_string()))
}

/// A prepared file, within a job's or a chunk's item.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct FileAttribute {
    name: String,
    attempt: u32,
    blocks: u32,
    size_bytes: u64,
    sha256: String,
    crc64: String,
}

impl From<&PreparedFile> for FileAttribute {
    fn from(file: &PreparedFile) -> Self {
        Self {
            name: file.name.as_str().to_owned(),
            attempt: file.attempt,
            blocks: file.blocks,
            size_bytes: file.size_bytes,
            sha256: file.sha256.clone(),
            crc64: file.crc64.clone(),
        }
    }
}

impl From<FileAttribute> for PreparedFile {
    fn from(file: FileAttribute) -> Self {
        Self {
            name: BlobName::from_stored(file.name),
            attempt: file.attempt,
            blocks: file.blocks,
            size_bytes: file.size_bytes,
            sha256: file.sha256,
            crc64: file.crc64,
        }
    }
}

/// What a client's key of a request is, when it is no idempotency key.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum KeySource {
    /// The client's id of its request.
    Client,
}

/// A client's key of a request and what was accepted under it.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct RequestItem {
    pub(crate) kind: String,
    pub(crate) v: u32,
    pub(crate) key: String,
    /// Absent of an idempotency key, and of whatever version 1 wrote.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) source: Option<KeySource>,
    pub(crate) job: String,
    pub(crate) body_hash: String,
    pub(crate) ttl: i64,
}

impl From<&AcceptedRequest> for RequestItem {
    fn from(request: &AcceptedRequest) -> Self {
        let (key, source) = match &request.key {
            RequestKey::Idempotency(key) => (key, None),
            RequestKey::Client { id, .. } => (id, Some(KeySource::Client)),
        };
        Self {
            kind: "request".to_owned(),
            v: VERSION,
            key: key.clone(),
            source,
            job: request.job.to_string(),
            body_hash: request.body_hash.clone(),
            ttl: ttl(request.expires),
        }
    }
}

impl TryFrom<RequestItem> for AcceptedRequest {
    type Error = String;

    fn try_from(item: RequestItem) -> Result<Self, String> {
        let key = match item.source {
            None => RequestKey::Idempotency(item.key),
            Some(KeySource::Client) => RequestKey::Client {
                id: item.key,
                body_hash: item.body_hash.clone(),
            },
        };
        Ok(Self {
            job: JobId::parse(&item.job).ok_or_else(|| unreadable("job", &item.job))?,
            key,
            body_hash: item.body_hash,
            expires: moment_of_ttl(item.ttl)?,
        })
    }
}

/// A shard's tally. Its numbers are changed by `ADD`, never written whole.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(crate) struct TallyItem {
    pub(crate) planned: u64,
    pub(crate) open: u64,
    pub(crate) recorded: u64,
    pub(crate) failed: u64,
    pub(crate) partial: u64,
    /// Absent where only an older version changed it.
    #[serde(with = "time::serde::rfc3339::option")]
    pub(crate) changed: Option<OffsetDateTime>,
    #[serde(flatten, with = "domain::counts::stored")]
    pub(crate) counts: Counts,
}

/// A job that waits for a credential.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct WaitingItem {
    pub(crate) kind: String,
    pub(crate) v: u32,
    pub(crate) scope: String,
    pub(crate) job: String,
    pub(crate) ttl: i64,
}

impl From<&Job> for WaitingItem {
    fn from(job: &Job) -> Self {
        Self {
            kind: "waiting".to_owned(),
            v: VERSION,
            scope: job.key.scope.as_str().to_owned(),
            job: job.key.id.to_string(),
            ttl: ttl(job.expires),
        }
    }
}

impl TryFrom<WaitingItem> for JobKey {
    type Error = String;

    fn try_from(item: WaitingItem) -> Result<Self, String> {
        let id = JobId::parse(&item.job).ok_or_else(|| unreadable("job", &item.job))?;
        Ok(Self {
            scope: AppScope::from_canonical(item.scope),
            id,
        })
    }
}

/// A grant, as the operator writes it.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct GrantItem {
    pub(crate) kind: String,
    pub(crate) v: u32,
    pub(crate) path: String,
    pub(crate) role: String,
}

#[cfg(test)]
mod tests;
