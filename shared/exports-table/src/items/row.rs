//! What lists of jobs read instead of the jobs. A row must be small: ten thousand are to fit three
//! answers of 1 MB
//! (<https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/Query.Pagination.html>).

use domain::job::{Job, JobId, Outcome, Phase};
use ports::store::beginning;
use serde::{Deserialize, Serialize};
use time::OffsetDateTime;

use super::{VERSION, ttl, unreadable};
use crate::keys;

/// A job as lists filter and sort it. Its id stands in its key alone.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct RowItem {
    #[serde(skip_serializing)]
    sk: String,
    kind: String,
    v: u32,
    pub(crate) state: String,
    pub(crate) export_type: String,
    #[serde(with = "time::serde::rfc3339")]
    pub(crate) created: OffsetDateTime,
    #[serde(
        default,
        skip_serializing_if = "Option::is_none",
        with = "time::serde::rfc3339::option"
    )]
    pub(crate) ended: Option<OffsetDateTime>,
    /// The beginning of the error of a job that has ended.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) details: Option<String>,
    ttl: i64,
}

impl RowItem {
    pub(crate) fn id(&self) -> Result<JobId, String> {
        id(&self.sk, keys::ROW_PREFIX)
    }
}

impl From<&Job> for RowItem {
    fn from(job: &Job) -> Self {
        let ended = match &job.phase {
            Phase::Ended { at, outcome, .. } => Some((*at, outcome)),
            Phase::Queued
            | Phase::Planning
            | Phase::Running
            | Phase::AwaitingCredential { .. }
            | Phase::Resuming
            | Phase::Cancelling { .. }
            | Phase::Finishing { .. } => None,
        };
        let details = ended.and_then(|(_, outcome): (_, &Outcome)| outcome.details());
        Self {
            sk: String::new(),
            kind: "row".to_owned(),
            v: VERSION,
            state: job.phase.wire_state().to_owned(),
            export_type: job.request.export_type().name().to_owned(),
            created: job.created,
            ended: ended.map(|(at, _)| at),
            details: details.map(|details| beginning(details).to_owned()),
            ttl: ttl(job.expires),
        }
    }
}

/// That an app may have jobs without rows up to the one that stands in the key; the nil id says that
/// it has none.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct MarkItem {
    #[serde(skip_serializing)]
    sk: String,
    kind: String,
    v: u32,
    ttl: i64,
}

impl MarkItem {
    pub(crate) fn new(expires: OffsetDateTime) -> Self {
        Self {
            sk: String::new(),
            kind: "mark".to_owned(),
            v: VERSION,
            ttl: ttl(expires),
        }
    }

    pub(crate) fn job(&self) -> Result<JobId, String> {
        id(&self.sk, keys::MARK_PREFIX)
    }
}

fn id(sort: &str, prefix: &str) -> Result<JobId, String> {
    let id = sort.strip_prefix(prefix).and_then(JobId::parse);
    id.ok_or_else(|| unreadable("sk", sort))
}
