//! The stored form of a job.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use serde::{Deserialize, Serialize};
use time::{Date, OffsetDateTime};

use super::{FileAttribute, VERSION, moment_of_ttl, ttl, unreadable};
use crate::app::AppScope;
use crate::container::ContainerAddress;
use crate::job::{Job, JobId, JobKey, Outcome, Phase, Plan, PlanCursor, SealedCredential};
use crate::selection::{CampaignType, DateRange, ExportFormat, ExportRequest, ExportType, Selection};

/// A job's item. `phase` is what the pipe `jobs` filters on.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct JobItem {
    kind: String,
    v: u32,
    scope: String,
    job: String,
    phase: String,
    revision: u64,
    ttl: i64,
    #[serde(with = "time::serde::rfc3339")]
    created: OffsetDateTime,
    export_type: String,
    format: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    description: Option<String>,
    export_user_id: bool,
    selection: SelectionAttribute,
    destination: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    credential: Option<String>,
    plan: PlanAttribute,
    chunks: u32,
    shards: u16,
    finish_attempts: u32,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    manifest: Option<FileAttribute>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    outcome: Option<OutcomeAttribute>,
    #[serde(default, skip_serializing_if = "Option::is_none", with = "time::serde::rfc3339::option")]
    ended: Option<OffsetDateTime>,
}

/// What a list of jobs is sorted by.
#[derive(Debug, Deserialize)]
pub(crate) struct JobRow {
    pub(crate) job: String,
    pub(crate) phase: String,
    #[serde(default)]
    pub(crate) outcome: Option<OutcomeAttribute>,
    #[serde(default, with = "time::serde::rfc3339::option")]
    pub(crate) ended: Option<OffsetDateTime>,
}

/// How a job ended, or will end once its manifest is committed.
#[derive(Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum OutcomeAttribute {
    Succeeded,
    Incomplete(String),
    Failed(String),
}

#[derive(Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
enum PlanAttribute {
    Open(Option<String>),
    Complete {
        #[serde(with = "time::serde::rfc3339")]
        read_up_to: OffsetDateTime,
    },
    Failed(String),
}

#[derive(Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
enum SelectionAttribute {
    Days {
        start: Date,
        end: Date,
    },
    Devices,
    Campaigns {
        campaign_type: String,
        ids: Vec<i64>,
    },
    ActiveCampaigns {
        campaign_type: String,
        #[serde(with = "time::serde::rfc3339")]
        start: OffsetDateTime,
        #[serde(with = "time::serde::rfc3339")]
        end: OffsetDateTime,
    },
}

impl From<&Job> for JobItem {
    fn from(job: &Job) -> Self {
        let (manifest, outcome, ended) = match &job.phase {
            Phase::Queued | Phase::Planning | Phase::Running | Phase::Finishing { manifest: None } => {
                (None, None, None)
            }
            Phase::Finishing { manifest: Some((file, outcome)) } => (Some(file.into()), Some(outcome.into()), None),
            Phase::Ended { at, outcome } => (None, Some(outcome.into()), Some(*at)),
        };
        Self {
            kind: "job".to_owned(),
            v: VERSION,
            scope: job.key.scope.as_str().to_owned(),
            job: job.key.id.to_string(),
            phase: job.phase.name().to_owned(),
            revision: job.revision,
            ttl: ttl(job.expires),
            created: job.created,
            export_type: job.request.export_type.name().to_owned(),
            format: job.request.format.name().to_owned(),
            description: job.request.description.clone(),
            export_user_id: job.request.export_user_id,
            selection: (&job.request.selection).into(),
            destination: job.destination.as_str().to_owned(),
            credential: job.credential.as_ref().map(|sealed| STANDARD.encode(&sealed.0)),
            plan: (&job.plan).into(),
            chunks: job.chunks,
            shards: job.shards,
            finish_attempts: job.finish_attempts,
            manifest,
            outcome,
            ended,
        }
    }
}

impl TryFrom<JobItem> for Job {
    type Error = String;

    fn try_from(item: JobItem) -> Result<Self, String> {
        let id = JobId::parse(&item.job).ok_or_else(|| unreadable("job", &item.job))?;
        let phase = match (item.phase.as_str(), item.manifest, item.outcome, item.ended) {
            ("queued", ..) => Phase::Queued,
            ("planning", ..) => Phase::Planning,
            ("running", ..) => Phase::Running,
            ("finishing", None, ..) => Phase::Finishing { manifest: None },
            ("finishing", Some(file), Some(outcome), _) => {
                Phase::Finishing { manifest: Some((file.into(), outcome.into())) }
            }
            ("succeeded" | "incomplete" | "failed", _, Some(outcome), Some(at)) => {
                Phase::Ended { at, outcome: outcome.into() }
            }
            (other, ..) => return Err(unreadable("phase", other)),
        };
        let opened = |text: String| STANDARD.decode(&text).map_err(|_| unreadable("credential", "no base64"));
        Ok(Self {
            key: JobKey { scope: AppScope::from_canonical(item.scope), id },
            request: ExportRequest {
                export_type: ExportType::from_name(&item.export_type)
                    .ok_or_else(|| unreadable("export_type", &item.export_type))?,
                selection: item.selection.try_into()?,
                format: ExportFormat::from_name(&item.format).ok_or_else(|| unreadable("format", &item.format))?,
                description: item.description,
                export_user_id: item.export_user_id,
            },
            destination: ContainerAddress::new(item.destination),
            credential: item.credential.map(opened).transpose()?.map(SealedCredential),
            created: item.created,
            expires: moment_of_ttl(item.ttl)?,
            phase,
            plan: item.plan.into(),
            chunks: item.chunks,
            shards: item.shards,
            finish_attempts: item.finish_attempts,
            revision: item.revision,
        })
    }
}

impl From<&Outcome> for OutcomeAttribute {
    fn from(outcome: &Outcome) -> Self {
        match outcome {
            Outcome::Succeeded => Self::Succeeded,
            Outcome::Incomplete { details } => Self::Incomplete(details.clone()),
            Outcome::Failed { details } => Self::Failed(details.clone()),
        }
    }
}

impl From<OutcomeAttribute> for Outcome {
    fn from(outcome: OutcomeAttribute) -> Self {
        match outcome {
            OutcomeAttribute::Succeeded => Self::Succeeded,
            OutcomeAttribute::Incomplete(details) => Self::Incomplete { details },
            OutcomeAttribute::Failed(details) => Self::Failed { details },
        }
    }
}

impl From<&Plan> for PlanAttribute {
    fn from(plan: &Plan) -> Self {
        match plan {
            Plan::Open { cursor } => Self::Open(cursor.as_ref().map(|cursor| cursor.0.clone())),
            Plan::Complete { read_up_to } => Self::Complete { read_up_to: *read_up_to },
            Plan::Failed { reason } => Self::Failed(reason.clone()),
        }
    }
}

impl From<PlanAttribute> for Plan {
    fn from(plan: PlanAttribute) -> Self {
        match plan {
            PlanAttribute::Open(cursor) => Self::Open { cursor: cursor.map(PlanCursor) },
            PlanAttribute::Complete { read_up_to } => Self::Complete { read_up_to },
            PlanAttribute::Failed(reason) => Self::Failed { reason },
        }
    }
}

impl From<&Selection> for SelectionAttribute {
    fn from(selection: &Selection) -> Self {
        match selection {
            Selection::Days(range) => Self::Days { start: range.start, end: range.end },
            Selection::Devices => Self::Devices,
            Selection::Campaigns { campaign_type, ids } => {
                Self::Campaigns { campaign_type: campaign_type.name().to_owned(), ids: ids.clone() }
            }
            Selection::ActiveCampaigns { campaign_type, start, end } => {
                Self::ActiveCampaigns { campaign_type: campaign_type.name().to_owned(), start: *start, end: *end }
            }
        }
    }
}

impl TryFrom<SelectionAttribute> for Selection {
    type Error = String;

    fn try_from(selection: SelectionAttribute) -> Result<Self, String> {
        let campaign_type =
            |name: String| CampaignType::from_name(&name).ok_or_else(|| unreadable("campaign_type", &name));
        Ok(match selection {
            SelectionAttribute::Days { start, end } => Self::Days(DateRange { start, end }),
            SelectionAttribute::Devices => Self::Devices,
            SelectionAttribute::Campaigns { campaign_type: name, ids } => {
                Self::Campaigns { campaign_type: campaign_type(name)?, ids }
            }
            SelectionAttribute::ActiveCampaigns { campaign_type: name, start, end } => {
                Self::ActiveCampaigns { campaign_type: campaign_type(name)?, start, end }
            }
        })
    }
}
