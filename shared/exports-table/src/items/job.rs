//! The stored form of a job.

use std::ops::Not;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use domain::app::AppScope;
use domain::container::ContainerAddress;
use domain::job::{
    Cancellation, Credential, Job, JobId, JobKey, MissingDay, Outcome, Phase, PhaseName, Plan,
    PlanCursor, SealedCredential, StoredJob, Wait,
};
use domain::listing::Listing;
use domain::rules::{Misread, OnBadRecord, Rules};
use domain::selection::{
    CampaignType, Compression, DateRange, DeviceType, ExportFormat, ExportRequest, ExportType,
    History, HistoryType, Selection, Snapshot,
};
use domain::warning::Warning;
use serde::{Deserialize, Serialize};
use time::{Date, OffsetDateTime};

use super::listing::ListingAttribute;
use super::{FileAttribute, VERSION, moment_of_ttl, ttl, unreadable};

/// What version 1 tells the owner of a job that could not be resumed, behind “because”.
const NOT_RESUMED: &str =
    "the service failed at every attempt to go on, for which PATCH with `{}` is enough";

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
    /// Absent when the files are not compressed, and in older items.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    compression: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    description: Option<String>,
    export_user_id: bool,
    /// Absent in the items of jobs that were accepted before there was a choice.
    #[serde(default = "as_before_the_choice")]
    export_device_id: bool,
    selection: SelectionAttribute,
    destination: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    credential: Option<CredentialAttribute>,
    credentials_given: u32,
    plan: PlanAttribute,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    missing_days: Vec<MissingDayAttribute>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    to_plan: Vec<String>,
    /// Absent when there was none, and in older items.
    #[serde(default, skip_serializing_if = "is_zero")]
    failed_deliveries: u32,
    /// Absent before the plan's first page, and in older items.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    listing: Option<ListingAttribute>,
    /// Absent before the first page is planned, and of plans that began before there were rules.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    rules: Option<RulesAttribute>,
    chunks: u32,
    shards: u16,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    warnings: Vec<Warning>,
    finish_attempts: u32,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    awaiting: Option<AwaitingAttribute>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    cancelled: Option<CancellationAttribute>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    manifest: Option<FileAttribute>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    outcome: Option<OutcomeAttribute>,
    #[serde(
        default,
        skip_serializing_if = "Option::is_none",
        with = "time::serde::rfc3339::option"
    )]
    ended: Option<OffsetDateTime>,
    /// Only of failed and cancelled jobs, and absent when no manifest was written.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    manifest_written: Option<bool>,
}

/// A job whose item does not say goes on with the files that it began: activities with the ids of
/// their devices.
fn as_before_the_choice() -> bool {
    true
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde passes it so")]
fn is_zero(count: &u32) -> bool {
    *count == 0
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

/// A sealed credential, in base64.
#[derive(Debug, Serialize, Deserialize)]
struct CredentialAttribute {
    sealed: String,
    #[serde(
        default,
        skip_serializing_if = "Option::is_none",
        with = "time::serde::rfc3339::option"
    )]
    expires: Option<OffsetDateTime>,
}

/// What a job's runs keep to.
#[derive(Debug, Serialize, Deserialize)]
struct RulesAttribute {
    on_bad_record: String,
    encoders: u32,
    late_days: u16,
    misread_from_records: u64,
    misread_percent: u64,
}

/// A day of which not all could be planned.
#[derive(Debug, Serialize, Deserialize)]
struct MissingDayAttribute {
    day: Date,
    reason: String,
    cursor: String,
}

impl From<&MissingDay> for MissingDayAttribute {
    fn from(missing: &MissingDay) -> Self {
        Self {
            day: missing.day,
            reason: missing.reason.clone(),
            cursor: missing.cursor.0.clone(),
        }
    }
}

impl From<MissingDayAttribute> for MissingDay {
    fn from(missing: MissingDayAttribute) -> Self {
        Self {
            day: missing.day,
            reason: missing.reason,
            cursor: PlanCursor(missing.cursor),
        }
    }
}

/// Since when and why a job waits for its owner.
#[derive(Debug, Serialize, Deserialize)]
struct AwaitingAttribute {
    #[serde(with = "time::serde::rfc3339")]
    since: OffsetDateTime,
    /// Version 1 tells it to the owner whatever `not_resumed` says.
    reason: String,
    /// Absent, and unknown to version 1, of a credential that was refused.
    #[serde(default, skip_serializing_if = "Not::not")]
    not_resumed: bool,
}

impl AwaitingAttribute {
    fn of(since: OffsetDateTime, why: &Wait) -> Self {
        let (reason, not_resumed) = match why {
            Wait::Refused { reason } => (reason.clone(), false),
            Wait::NotResumed => (NOT_RESUMED.to_owned(), true),
        };
        Self {
            since,
            reason,
            not_resumed,
        }
    }
}

impl From<AwaitingAttribute> for Phase {
    fn from(awaiting: AwaitingAttribute) -> Self {
        let AwaitingAttribute {
            since,
            reason,
            not_resumed,
        } = awaiting;
        let why = if not_resumed {
            Wait::NotResumed
        } else {
            Wait::Refused { reason }
        };
        Self::AwaitingCredential { since, why }
    }
}

/// Why a job is ended early.
#[derive(Debug, Clone, Copy, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
enum CancellationAttribute {
    Asked,
    CredentialOverdue,
}

/// How a job ended, or will end once its manifest is committed.
#[derive(Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum OutcomeAttribute {
    Succeeded,
    Incomplete(String),
    Failed(String),
    Cancelled(String),
}

#[derive(Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
enum PlanAttribute {
    Open(Option<String>),
    Complete {
        #[serde(with = "time::serde::rfc3339")]
        read_up_to: OffsetDateTime,
    },
    Failed {
        reason: String,
        #[serde(default, skip_serializing_if = "Option::is_none")]
        cursor: Option<String>,
    },
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
        let phase = PhaseAttributes::from(&job.phase);
        Self {
            kind: "job".to_owned(),
            v: VERSION,
            scope: job.key.scope.as_str().to_owned(),
            job: job.key.id.to_string(),
            phase: job.phase.name().to_owned(),
            revision: job.revision,
            ttl: ttl(job.expires),
            created: job.created,
            export_type: job.request.export_type().name().to_owned(),
            format: job.request.format.name().to_owned(),
            compression: job
                .request
                .compression
                .name_unless_none()
                .map(str::to_owned),
            description: job.request.description.clone(),
            export_user_id: job.request.export_user_id,
            export_device_id: job.request.export_device_id,
            selection: (&job.request.selection).into(),
            destination: job.destination.as_str().to_owned(),
            credential: job.credential.as_ref().map(CredentialAttribute::from),
            credentials_given: job.credentials_given,
            plan: (&job.plan).into(),
            missing_days: job.missing_days.iter().map(Into::into).collect(),
            to_plan: job.to_plan.iter().map(|cursor| cursor.0.clone()).collect(),
            failed_deliveries: job.failed_deliveries,
            listing: (job.listing != Listing::default()).then(|| (&job.listing).into()),
            rules: job.rules.map(RulesAttribute::from),
            chunks: job.chunks,
            shards: job.shards,
            warnings: job.warnings.clone(),
            finish_attempts: job.finish_attempts,
            awaiting: phase.awaiting,
            cancelled: phase.cancelled,
            manifest: phase.manifest,
            outcome: phase.outcome,
            ended: phase.ended,
            manifest_written: phase.manifest_written,
        }
    }
}

impl TryFrom<JobItem> for Job {
    type Error = String;

    #[expect(clippy::disallowed_methods, reason = "the one who rebuilds jobs")]
    fn try_from(item: JobItem) -> Result<Self, String> {
        let id = JobId::parse(&item.job).ok_or_else(|| unreadable("job", &item.job))?;
        let attributes = PhaseAttributes {
            awaiting: item.awaiting,
            cancelled: item.cancelled,
            manifest: item.manifest,
            outcome: item.outcome,
            ended: item.ended,
            manifest_written: item.manifest_written,
        };
        Self::restore(StoredJob {
            key: JobKey {
                scope: AppScope::from_canonical(item.scope),
                id,
            },
            request: ExportRequest {
                selection: item.selection.of(&item.export_type)?,
                format: ExportFormat::from_name(&item.format)
                    .ok_or_else(|| unreadable("format", &item.format))?,
                compression: compression_of(item.compression.as_deref())?,
                description: item.description,
                export_user_id: item.export_user_id,
                export_device_id: item.export_device_id,
            },
            destination: ContainerAddress::new(item.destination),
            credential: item.credential.map(Credential::try_from).transpose()?,
            credentials_given: item.credentials_given,
            created: item.created,
            expires: moment_of_ttl(item.ttl)?,
            phase: attributes.into_phase(&item.phase)?,
            plan: item.plan.into(),
            missing_days: item.missing_days.into_iter().map(Into::into).collect(),
            to_plan: item.to_plan.into_iter().map(PlanCursor).collect(),
            failed_deliveries: item.failed_deliveries,
            listing: item.listing.map(Listing::from).unwrap_or_default(),
            rules: item.rules.map(Rules::try_from).transpose()?,
            chunks: item.chunks,
            shards: item.shards,
            warnings: item.warnings,
            finish_attempts: item.finish_attempts,
            revision: item.revision,
        })
        .map_err(|impossible| impossible.to_string())
    }
}

fn compression_of(attribute: Option<&str>) -> Result<Compression, String> {
    attribute.map_or(Ok(Compression::None), |name| {
        Compression::from_name(name).ok_or_else(|| unreadable("compression", name))
    })
}

/// What is stored of a phase beside its name.
#[derive(Default)]
struct PhaseAttributes {
    awaiting: Option<AwaitingAttribute>,
    cancelled: Option<CancellationAttribute>,
    manifest: Option<FileAttribute>,
    outcome: Option<OutcomeAttribute>,
    ended: Option<OffsetDateTime>,
    manifest_written: Option<bool>,
}

impl From<&Phase> for PhaseAttributes {
    fn from(phase: &Phase) -> Self {
        match phase {
            Phase::Queued | Phase::Planning | Phase::Running | Phase::Resuming => Self::default(),
            Phase::AwaitingCredential { since, why } => Self {
                awaiting: Some(AwaitingAttribute::of(*since, why)),
                ..Self::default()
            },
            Phase::Cancelling { why } => Self {
                cancelled: Some((*why).into()),
                ..Self::default()
            },
            Phase::Finishing {
                cancelled,
                manifest,
            } => Self {
                cancelled: cancelled.map(Into::into),
                manifest: manifest.as_ref().map(|(file, _)| file.into()),
                outcome: manifest.as_ref().map(|(_, outcome)| outcome.into()),
                ..Self::default()
            },
            Phase::Ended {
                at,
                outcome,
                has_manifest,
            } => Self {
                outcome: Some(outcome.into()),
                ended: Some(*at),
                manifest_written: (*has_manifest && !outcome.is_told_by_its_manifest())
                    .then_some(true),
                ..Self::default()
            },
        }
    }
}

impl PhaseAttributes {
    fn into_phase(self, name: &str) -> Result<Phase, String> {
        let wrong = || unreadable("phase", name);
        let kind = PhaseName::from_name(name).ok_or_else(wrong)?;
        let phase = match kind {
            PhaseName::Queued => Some(Phase::Queued),
            PhaseName::Planning => Some(Phase::Planning),
            PhaseName::Running => Some(Phase::Running),
            PhaseName::Resuming => Some(Phase::Resuming),
            PhaseName::AwaitingCredential => self.awaiting.map(Phase::from),
            PhaseName::Cancelling => self
                .cancelled
                .map(|why| Phase::Cancelling { why: why.into() }),
            PhaseName::Finishing => self.finishing(),
            PhaseName::Succeeded
            | PhaseName::Incomplete
            | PhaseName::Failed
            | PhaseName::Cancelled => self.ended(),
        };
        phase.filter(|phase| phase.kind() == kind).ok_or_else(wrong)
    }

    fn finishing(self) -> Option<Phase> {
        let manifest = match (self.manifest, self.outcome) {
            (None, _) => None,
            (Some(file), outcome) => Some((file.into(), outcome?.into())),
        };
        Some(Phase::Finishing {
            cancelled: self.cancelled.map(Into::into),
            manifest,
        })
    }

    fn ended(self) -> Option<Phase> {
        let outcome = Outcome::from(self.outcome?);
        Some(Phase::Ended {
            at: self.ended?,
            has_manifest: self
                .manifest_written
                .unwrap_or_else(|| outcome.is_told_by_its_manifest()),
            outcome,
        })
    }
}

impl From<&Credential> for CredentialAttribute {
    fn from(credential: &Credential) -> Self {
        Self {
            sealed: STANDARD.encode(&credential.sealed.0),
            expires: credential.expires,
        }
    }
}

impl TryFrom<CredentialAttribute> for Credential {
    type Error = String;

    fn try_from(attribute: CredentialAttribute) -> Result<Self, String> {
        let sealed = STANDARD
            .decode(&attribute.sealed)
            .map_err(|_| unreadable("credential", "no base64"))?;
        Ok(Self {
            sealed: SealedCredential(sealed),
            expires: attribute.expires,
        })
    }
}

impl From<Rules> for RulesAttribute {
    fn from(rules: Rules) -> Self {
        Self {
            on_bad_record: rules.on_bad_record.word().to_owned(),
            encoders: rules.encoders,
            late_days: rules.late_days,
            misread_from_records: rules.misread.from_records,
            misread_percent: rules.misread.most_percent,
        }
    }
}

impl TryFrom<RulesAttribute> for Rules {
    type Error = String;

    fn try_from(attribute: RulesAttribute) -> Result<Self, String> {
        let word = &attribute.on_bad_record;
        Ok(Self {
            on_bad_record: OnBadRecord::from_word(word)
                .ok_or_else(|| unreadable("on_bad_record", word))?,
            late_days: attribute.late_days,
            misread: Misread {
                from_records: attribute.misread_from_records,
                most_percent: attribute.misread_percent,
            },
            encoders: attribute.encoders,
        })
    }
}

impl From<Cancellation> for CancellationAttribute {
    fn from(why: Cancellation) -> Self {
        match why {
            Cancellation::Asked => Self::Asked,
            Cancellation::CredentialOverdue => Self::CredentialOverdue,
        }
    }
}

impl From<CancellationAttribute> for Cancellation {
    fn from(why: CancellationAttribute) -> Self {
        match why {
            CancellationAttribute::Asked => Self::Asked,
            CancellationAttribute::CredentialOverdue => Self::CredentialOverdue,
        }
    }
}

impl From<&Outcome> for OutcomeAttribute {
    fn from(outcome: &Outcome) -> Self {
        match outcome {
            Outcome::Succeeded => Self::Succeeded,
            Outcome::Incomplete { details } => Self::Incomplete(details.clone()),
            Outcome::Failed { details } => Self::Failed(details.clone()),
            Outcome::Cancelled { details } => Self::Cancelled(details.clone()),
        }
    }
}

impl From<OutcomeAttribute> for Outcome {
    fn from(outcome: OutcomeAttribute) -> Self {
        match outcome {
            OutcomeAttribute::Succeeded => Self::Succeeded,
            OutcomeAttribute::Incomplete(details) => Self::Incomplete { details },
            OutcomeAttribute::Failed(details) => Self::Failed { details },
            OutcomeAttribute::Cancelled(details) => Self::Cancelled { details },
        }
    }
}

impl From<&Plan> for PlanAttribute {
    fn from(plan: &Plan) -> Self {
        match plan {
            Plan::Open { cursor } => Self::Open(cursor.as_ref().map(|cursor| cursor.0.clone())),
            Plan::Complete { read_up_to } => Self::Complete {
                read_up_to: *read_up_to,
            },
            Plan::Failed { reason, cursor } => Self::Failed {
                reason: reason.clone(),
                cursor: cursor.as_ref().map(|cursor| cursor.0.clone()),
            },
        }
    }
}

impl From<PlanAttribute> for Plan {
    fn from(plan: PlanAttribute) -> Self {
        match plan {
            PlanAttribute::Open(cursor) => Self::Open {
                cursor: cursor.map(PlanCursor),
            },
            PlanAttribute::Complete { read_up_to } => Self::Complete { read_up_to },
            PlanAttribute::Failed { reason, cursor } => Self::Failed {
                reason,
                cursor: cursor.map(PlanCursor),
            },
        }
    }
}

impl From<&Selection> for SelectionAttribute {
    fn from(selection: &Selection) -> Self {
        match selection {
            Selection::History(History { days, .. }) => Self::Days {
                start: days.start,
                end: days.end,
            },
            Selection::Snapshot(Snapshot::Devices(_)) => Self::Devices,
            Selection::Snapshot(Snapshot::Campaigns { campaign_type, ids }) => Self::Campaigns {
                campaign_type: campaign_type.name().to_owned(),
                ids: ids.clone(),
            },
            Selection::Snapshot(Snapshot::ActiveCampaigns {
                campaign_type,
                start,
                end,
            }) => Self::ActiveCampaigns {
                campaign_type: campaign_type.name().to_owned(),
                start: *start,
                end: *end,
            },
        }
    }
}

impl SelectionAttribute {
    /// The selection of an export of this type.
    fn of(self, export_type: &str) -> Result<Selection, String> {
        let unknown = || unreadable("export_type", export_type);
        let known = ExportType::from_name(export_type).ok_or_else(unknown)?;
        let campaign_type = |name: String| {
            CampaignType::from_name(&name).ok_or_else(|| unreadable("campaign_type", &name))
        };
        let selection = match self {
            Self::Days { start, end } => Selection::History(History {
                of: HistoryType::of(known).ok_or_else(unknown)?,
                days: DateRange { start, end },
            }),
            Self::Devices => {
                let of = DeviceType::of(known).ok_or_else(unknown)?;
                Selection::Snapshot(Snapshot::Devices(of))
            }
            Self::Campaigns {
                campaign_type: name,
                ids,
            } => Selection::Snapshot(Snapshot::Campaigns {
                campaign_type: campaign_type(name)?,
                ids,
            }),
            Self::ActiveCampaigns {
                campaign_type: name,
                start,
                end,
            } => Selection::Snapshot(Snapshot::ActiveCampaigns {
                campaign_type: campaign_type(name)?,
                start,
                end,
            }),
        };
        if selection.export_type() == known {
            Ok(selection)
        } else {
            Err(unknown())
        }
    }
}
