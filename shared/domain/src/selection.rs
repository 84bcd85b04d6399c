//! What a client asks to have exported: type, range, campaigns, format.

mod format;

use strum::{Display, EnumString, IntoStaticStr, VariantArray};
use time::{Date, OffsetDateTime};

pub use self::format::{Compression, ExportFormat, Spelling};
use crate::columns::Columns;
use crate::filter::Filter;

/// The type of an export, named as on the wire.
#[derive(
    Debug, Clone, Copy, PartialEq, Eq, Hash, Display, EnumString, IntoStaticStr, VariantArray,
)]
pub enum ExportType {
    /// What a user looked at: screens, grouped by session.
    Activity,
    /// What a user did, grouped by device.
    Event,
    /// Tasks with a duration.
    Job,
    /// Errors that the app reported, grouped by device.
    Error,
    /// Uses of the app.
    Session,
    /// Crashes of the app.
    Crash,
    /// The tags of each device.
    Tag,
    /// The push token of each device.
    Token,
    /// What became of push campaigns, by device.
    Push,
    /// The devices and their technical data.
    Device,
}

impl ExportType {
    /// Every type, in the order of the contract.
    pub const ALL: &[Self] = Self::VARIANTS;

    /// The name on the wire and in blob names.
    pub fn name(self) -> &'static str {
        self.into()
    }

    /// Reads [`ExportType::name`], exactly as written.
    pub fn from_name(name: &str) -> Option<Self> {
        name.parse().ok()
    }
}

/// The type of a push campaign, named as on the wire.
#[derive(Debug, Clone, Copy, PartialEq, Eq, EnumString, IntoStaticStr, VariantArray)]
#[strum(ascii_case_insensitive)]
pub enum CampaignType {
    /// A notification with content.
    Announcement,
    /// Data for the app, unseen by the user.
    DataPush,
    /// A notification by the platform's own service.
    NativePush,
    /// Questions to the user.
    Poll,
}

impl CampaignType {
    /// Every campaign type, in the order in which an error lists them.
    pub const ALL: &[Self] = Self::VARIANTS;

    /// The name on the wire.
    pub fn name(self) -> &'static str {
        self.into()
    }

    /// Reads [`CampaignType::name`] ignoring case.
    pub fn from_name(name: &str) -> Option<Self> {
        name.parse().ok()
    }
}

/// Whole UTC days, both ends included.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct DateRange {
    /// The first day, which is not after `end` in a checked request.
    pub start: Date,
    /// The last day, included.
    pub end: Date,
}

impl DateRange {
    /// How many days they are, both ends included; less than one when the first is after the last.
    pub fn days(self) -> i64 {
        (self.end - self.start).whole_days() + 1
    }
}

/// A type of what happened, which the lake holds by day.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, VariantArray)]
pub enum HistoryType {
    /// [`ExportType::Activity`]; the `timestamp` says the day.
    Activity,
    /// [`ExportType::Event`]; the `timestamp` says the day.
    Event,
    /// [`ExportType::Job`]; the `start` says the day, and the folder where there is none.
    Job,
    /// [`ExportType::Error`]; the `timestamp` says the day.
    Error,
    /// [`ExportType::Session`]; the `start` says the day, and the folder where there is none.
    Session,
    /// [`ExportType::Crash`]; the `timestamp` says the day.
    Crash,
}

impl HistoryType {
    /// As the type of an export; `None` for what is known of the devices now.
    pub fn of(export_type: ExportType) -> Option<Self> {
        let mut all = Self::VARIANTS.iter().copied();
        all.find(|of| ExportType::from(*of) == export_type)
    }
}

impl From<HistoryType> for ExportType {
    fn from(of: HistoryType) -> Self {
        match of {
            HistoryType::Activity => Self::Activity,
            HistoryType::Event => Self::Event,
            HistoryType::Job => Self::Job,
            HistoryType::Error => Self::Error,
            HistoryType::Session => Self::Session,
            HistoryType::Crash => Self::Crash,
        }
    }
}

/// A type of what every device has.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, VariantArray)]
pub enum DeviceType {
    /// [`ExportType::Tag`], of the devices that have tags.
    Tag,
    /// [`ExportType::Token`], of the devices that have a token.
    Token,
    /// [`ExportType::Device`], of every device.
    Device,
}

impl DeviceType {
    /// As the type of an export; `None` for what no device has by itself.
    pub fn of(export_type: ExportType) -> Option<Self> {
        let mut all = Self::VARIANTS.iter().copied();
        all.find(|of| ExportType::from(*of) == export_type)
    }
}

impl From<DeviceType> for ExportType {
    fn from(of: DeviceType) -> Self {
        match of {
            DeviceType::Tag => Self::Tag,
            DeviceType::Token => Self::Token,
            DeviceType::Device => Self::Device,
        }
    }
}

/// What happened on some days: what the lake is asked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct History {
    /// The type of what happened, and so of the rows.
    pub of: HistoryType,
    /// The UTC days on which it happened.
    pub days: DateRange,
}

/// What is known of the devices now: what the registry is asked for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Snapshot {
    /// Something of every device.
    Devices(DeviceType),
    /// The feedback of these campaigns.
    Campaigns {
        /// The type of all of them.
        campaign_type: CampaignType,
        /// Their ids, without repeats.
        ids: Vec<i64>,
    },
    /// The feedback of the campaigns that were active at some moment of `start..=end`.
    ActiveCampaigns {
        /// The type of all of them.
        campaign_type: CampaignType,
        /// The window's first moment.
        start: OffsetDateTime,
        /// The window's last moment, included.
        end: OffsetDateTime,
    },
}

impl Snapshot {
    /// The type of the rows.
    pub fn export_type(&self) -> ExportType {
        match self {
            Self::Devices(of) => (*of).into(),
            Self::Campaigns { .. } | Self::ActiveCampaigns { .. } => ExportType::Push,
        }
    }
}

/// Which of the app's data an export holds.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Selection {
    /// What happened on some days, as the lake has it.
    History(History),
    /// What is known now.
    Snapshot(Snapshot),
}

impl From<History> for Selection {
    fn from(history: History) -> Self {
        Self::History(history)
    }
}

impl From<Snapshot> for Selection {
    fn from(snapshot: Snapshot) -> Self {
        Self::Snapshot(snapshot)
    }
}

impl Selection {
    /// The type of the rows.
    pub fn export_type(&self) -> ExportType {
        match self {
            Self::History(history) => history.of.into(),
            Self::Snapshot(snapshot) => snapshot.export_type(),
        }
    }
}

/// How the files of rows are written where a client asked for other than the usual.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct FileOptions {
    /// The columns of flat rows (`exportOptions.columns`); absent when they are all of the type's.
    pub columns: Option<Columns>,
    /// Whether a `CsvBlob` begins with a byte order mark (`exportOptions.byteOrderMark`).
    pub byte_order_mark: bool,
    /// Whether a text of a `CsvBlob` that a spreadsheet would take for a formula has an apostrophe
    /// before it (`exportOptions.escapeFormulas`).
    pub escape_formulas: bool,
    /// The most bytes of a file of rows, as it is stored (`exportOptions.maxFileBytes`).
    pub max_file_bytes: Option<u64>,
}

impl FileOptions {
    /// The least that a client may limit files to: 16 MiB.
    pub const LEAST_MAX_FILE_BYTES: u64 = 16 << 20;
}

/// What a job exports, as asked for and checked.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ExportRequest {
    /// Which rows: of some days, or of what is known now.
    pub selection: Selection,
    /// The format of the files of rows.
    pub format: ExportFormat,
    /// Their compression (`exportOptions.compression`).
    pub compression: Compression,
    /// The client's own words, up to 1,024 characters.
    pub description: Option<String>,
    /// Whether push feedback carries the user id (`exportOptions.exportUserId`).
    pub export_user_id: bool,
    /// Whether the activities of a `JsonBlob` carry the device id beside the session's
    /// (`exportOptions.exportDeviceId`).
    pub export_device_id: bool,
    /// What else was asked of the files of rows.
    pub files: FileOptions,
    /// Which records of the selection become rows (`exportOptions.filter`).
    pub filter: Filter,
}

impl ExportRequest {
    /// A request for nothing beyond a selection in a format.
    pub fn usual(selection: impl Into<Selection>, format: ExportFormat) -> Self {
        Self {
            selection: selection.into(),
            format,
            compression: format.usual_compression(),
            description: None,
            export_user_id: false,
            export_device_id: false,
            files: FileOptions::default(),
            filter: Filter::default(),
        }
    }

    /// The type of the rows.
    pub fn export_type(&self) -> ExportType {
        self.selection.export_type()
    }

    /// The columns of the rows, in their order; `None` when a row is not flat.
    pub fn columns(&self) -> Option<&[&'static str]> {
        let chosen = self.files.columns.as_ref().map(Columns::names);
        let all = || self.export_type().columns(self.export_user_id);
        self.format
            .has_columns()
            .then(|| chosen.unwrap_or_else(all))
    }

    /// What the names of the files of rows end with: `.json`, or `.json.gz`.
    pub fn ending(&self) -> String {
        let codec = match self.compression {
            Compression::None => "",
            Compression::Gzip => ".gz",
            Compression::Zstd => ".zst",
        };
        format!(".{}{codec}", self.format.extension())
    }

    /// The `Content-Type` of the files of rows. A compressed file is given that of its compression, and
    /// no `Content-Encoding`: whoever downloads it has the bytes whose checksums the manifest says.
    pub fn content_type(&self) -> &'static str {
        match self.compression {
            Compression::None => self.format.content_type(),
            Compression::Gzip => "application/gzip",
            Compression::Zstd => "application/zstd",
        }
    }
}

#[cfg(test)]
mod tests {
    use time::macros::date;

    use super::*;

    #[test]
    fn a_compressed_file_says_so_by_its_ending_and_its_content_type() {
        let day = date!(2026 - 01 - 05);
        let days = DateRange {
            start: day,
            end: day,
        };
        let of = HistoryType::Event;
        for (format, compression, ending, content_type) in [
            (
                ExportFormat::JsonBlob,
                Compression::None,
                ".json",
                "application/json",
            ),
            (
                ExportFormat::CsvBlob,
                Compression::None,
                ".csv",
                "text/csv; charset=utf-8",
            ),
            (
                ExportFormat::JsonLinesBlob,
                Compression::None,
                ".jsonl",
                "application/x-ndjson",
            ),
            (
                ExportFormat::CsvBlob,
                Compression::Gzip,
                ".csv.gz",
                "application/gzip",
            ),
            (
                ExportFormat::JsonLinesBlob,
                Compression::Zstd,
                ".jsonl.zst",
                "application/zstd",
            ),
        ] {
            let request = ExportRequest {
                compression,
                ..ExportRequest::usual(History { of, days }, format)
            };
            assert_eq!(
                (request.ending().as_str(), request.content_type()),
                (ending, content_type)
            );
        }
    }
}
