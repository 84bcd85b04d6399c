//! The operations that create an export, as the API's paths name them.

use crate::selection::{DeviceType, ExportType, HistoryType};

/// What a create operation exports, and so what it asks for beside the container and the format.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SelectionKind {
    /// What happened, in a range of days.
    Days(HistoryType),
    /// Something of every device; nothing is asked for.
    Devices(DeviceType),
    /// The feedback of a list of campaigns.
    Campaigns,
    /// The feedback of the campaigns that were active in a window of time.
    ActiveCampaigns,
}

impl SelectionKind {
    /// Its name in the hashes of requests that the service remembers: it must not change.
    pub fn name(self) -> &'static str {
        match self {
            Self::Days(_) => "Days",
            Self::Devices(_) => "Devices",
            Self::Campaigns => "Campaigns",
            Self::ActiveCampaigns => "ActiveCampaigns",
        }
    }
}

/// An operation that creates an export task.
#[derive(Debug, PartialEq, Eq)]
pub struct Operation {
    /// The path's last segment.
    pub name: &'static str,
    /// What the body selects by.
    pub selection: SelectionKind,
}

impl Operation {
    /// The type of the rows.
    pub fn export_type(&self) -> ExportType {
        match self.selection {
            SelectionKind::Days(of) => of.into(),
            SelectionKind::Devices(of) => of.into(),
            SelectionKind::Campaigns | SelectionKind::ActiveCampaigns => ExportType::Push,
        }
    }
}

/// Every create operation, and the two singular paths that a published sample sends.
pub const OPERATIONS: [Operation; 13] = [
    operation("activities", SelectionKind::Days(HistoryType::Activity)),
    operation("events", SelectionKind::Days(HistoryType::Event)),
    operation("jobs", SelectionKind::Days(HistoryType::Job)),
    operation("errors", SelectionKind::Days(HistoryType::Error)),
    operation("sessions", SelectionKind::Days(HistoryType::Session)),
    operation("crashes", SelectionKind::Days(HistoryType::Crash)),
    operation("tags", SelectionKind::Devices(DeviceType::Tag)),
    operation("tag", SelectionKind::Devices(DeviceType::Tag)),
    operation("tokens", SelectionKind::Devices(DeviceType::Token)),
    operation("token", SelectionKind::Devices(DeviceType::Token)),
    operation("feedbackByCampaign", SelectionKind::Campaigns),
    operation("feedbackByDate", SelectionKind::ActiveCampaigns),
    operation("devices", SelectionKind::Devices(DeviceType::Device)),
];

const fn operation(name: &'static str, selection: SelectionKind) -> Operation {
    Operation { name, selection }
}
