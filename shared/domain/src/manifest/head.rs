//! What a manifest says of the whole export.

use std::ops::Not;

use serde::{Deserialize, Serialize};
use time::Date;

use super::{Filtered, MANIFEST_VERSION, rfc3339};
use crate::container::PreparedFile;
use crate::counts::Counts;
use crate::job::{Job, Plan};
use crate::listing::Ignored;
use crate::selection::{Selection, Snapshot};
use crate::tally::Tally;
use crate::warning::Warning;

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
