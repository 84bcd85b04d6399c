//! The stored form of a job.

mod filter;
mod history;
mod phase;
mod plan;
mod request;

use domain::app::AppScope;
use domain::container::ContainerAddress;
use domain::job::{Asking, Credential, Job, JobId, JobKey, PlanCursor, StoredJob};
use domain::listing::Listing;
use domain::rules::Rules;
use domain::selection::{ExportFormat, ExportRequest};
use domain::tally::Tally;
use domain::warning::Warning;
use serde::{Deserialize, Serialize};
use time::OffsetDateTime;

use self::filter::FilterAttribute;
use self::history::{StageAttribute, TotalsAttribute, stages};
use self::phase::{AwaitingAttribute, CancellationAttribute, OutcomeAttribute, PhaseAttributes};
use self::plan::{MissingDayAttribute, PlanAttribute, RulesAttribute};
use self::request::{
    CredentialAttribute, FileOptionsAttribute, SelectionAttribute, compression_of,
};
use super::listing::ListingAttribute;
use super::{FIRST_WITH_ROWS, FileAttribute, VERSION, moment_of_ttl, ttl, unreadable};

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
    /// Absent when the files of rows are as usual, and in older items.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    file_options: Option<FileOptionsAttribute>,
    /// Absent when nothing was asked for, and in older items.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    filter: Option<FilterAttribute>,
    selection: SelectionAttribute,
    /// Absent in older items.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    asked_by: Option<String>,
    /// Absent in older items.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    asked_options: Option<Vec<String>>,
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
    /// Empty in older items.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    history: Vec<StageAttribute>,
    /// Absent until the job has ended, and in older items.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    totals: Option<TotalsAttribute>,
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

/// What of a job's item is listed, where the job has no row.
#[derive(Debug, Deserialize)]
pub(crate) struct JobRow {
    v: u32,
    pub(crate) job: String,
    pub(crate) phase: String,
    pub(crate) export_type: String,
    #[serde(with = "time::serde::rfc3339")]
    pub(crate) created: OffsetDateTime,
    #[serde(default)]
    pub(crate) outcome: Option<OutcomeAttribute>,
    #[serde(default, with = "time::serde::rfc3339::option")]
    pub(crate) ended: Option<OffsetDateTime>,
}

impl JobRow {
    /// Whether the job has a row, so that it need not be listed by its item.
    pub(crate) fn has_row(&self) -> bool {
        self.v >= FIRST_WITH_ROWS
    }
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
            file_options: FileOptionsAttribute::unless_usual(&job.request.files),
            filter: FilterAttribute::unless_usual(&job.request.filter),
            selection: (&job.request.selection).into(),
            asked_by: job.asking.by.clone(),
            asked_options: job.asking.options.clone(),
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
            history: job.history.iter().map(StageAttribute::from).collect(),
            totals: job.totals.as_ref().map(TotalsAttribute::from),
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
        let selection = item.selection.of(&item.export_type)?;
        let files = item.file_options.unwrap_or_default();
        let phase = attributes.into_phase(&item.phase)?;
        Self::restore(StoredJob {
            key: JobKey {
                scope: AppScope::from_canonical(item.scope),
                id,
            },
            request: ExportRequest {
                files: files.of(selection.export_type())?,
                filter: item.filter.unwrap_or_default().try_into()?,
                selection,
                format: ExportFormat::from_name(&item.format)
                    .ok_or_else(|| unreadable("format", &item.format))?,
                compression: compression_of(item.compression.as_deref())?,
                description: item.description,
                export_user_id: item.export_user_id,
                export_device_id: item.export_device_id,
            },
            asking: Asking {
                by: item.asked_by,
                options: item.asked_options,
            },
            destination: ContainerAddress::new(item.destination),
            credential: item.credential.map(Credential::try_from).transpose()?,
            credentials_given: item.credentials_given,
            created: item.created,
            expires: moment_of_ttl(item.ttl)?,
            history: stages(item.history, &phase)?,
            phase,
            totals: item.totals.map(Tally::from),
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
            has_row: item.v >= FIRST_WITH_ROWS,
            revision: item.revision,
        })
        .map_err(|impossible| impossible.to_string())
    }
}
