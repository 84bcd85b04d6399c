//! The stored form of what was asked for, and of the credential that came with it.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use domain::columns::Columns;
use domain::job::{Credential, SealedCredential};
use domain::selection::{
    CampaignType, Compression, DateRange, DeviceType, ExportType, FileOptions, History,
    HistoryType, Selection, Snapshot,
};
use serde::{Deserialize, Serialize};
use time::{Date, OffsetDateTime};

use crate::items::unreadable;

#[derive(Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum SelectionAttribute {
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
    pub(super) fn of(self, export_type: &str) -> Result<Selection, String> {
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

/// Reads the compression of the files of rows; absent there is none.
pub(super) fn compression_of(attribute: Option<&str>) -> Result<Compression, String> {
    attribute.map_or(Ok(Compression::None), |name| {
        Compression::from_name(name).ok_or_else(|| unreadable("compression", name))
    })
}

/// What was asked of the files of rows; each member is absent when it is as usual.
#[derive(Debug, Default, Serialize, Deserialize)]
pub(super) struct FileOptionsAttribute {
    #[serde(default, skip_serializing_if = "Option::is_none")]
    columns: Option<Vec<String>>,
    #[serde(default, skip_serializing_if = "is_false")]
    byte_order_mark: bool,
    #[serde(default, skip_serializing_if = "is_false")]
    escape_formulas: bool,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    max_file_bytes: Option<u64>,
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde passes it so")]
fn is_false(flag: &bool) -> bool {
    !flag
}

impl FileOptionsAttribute {
    /// The attribute; none when nothing was asked for.
    pub(super) fn unless_usual(files: &FileOptions) -> Option<Self> {
        (*files != FileOptions::default()).then(|| {
            let names = |columns: &Columns| {
                let names = columns.names().iter();
                names.map(|&name| name.to_owned()).collect()
            };
            Self {
                columns: files.columns.as_ref().map(names),
                byte_order_mark: files.byte_order_mark,
                escape_formulas: files.escape_formulas,
                max_file_bytes: files.max_file_bytes,
            }
        })
    }

    /// What was asked of the files of an export of this type.
    pub(super) fn of(self, export_type: ExportType) -> Result<FileOptions, String> {
        let all = export_type.columns(true);
        let columns = self.columns.map(|names| {
            Columns::choose(all, names.iter().map(String::as_str))
                .map_err(|_| unreadable("columns", &names.join(",")))
        });
        Ok(FileOptions {
            columns: columns.transpose()?,
            byte_order_mark: self.byte_order_mark,
            escape_formulas: self.escape_formulas,
            max_file_bytes: self.max_file_bytes,
        })
    }
}

/// A sealed credential, in base64.
#[derive(Debug, Serialize, Deserialize)]
pub(super) struct CredentialAttribute {
    sealed: String,
    #[serde(
        default,
        skip_serializing_if = "Option::is_none",
        with = "time::serde::rfc3339::option"
    )]
    expires: Option<OffsetDateTime>,
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
