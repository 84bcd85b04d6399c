//! What is asked for, as a test needs it.

use domain::selection::{DateRange, ExportFormat, ExportRequest, History, HistoryType, Selection};
use time::Date;

/// A plain request: JSON, not compressed, no words, no option. Others differ by struct update.
pub fn request(selection: impl Into<Selection>) -> ExportRequest {
    ExportRequest::usual(selection, ExportFormat::JsonBlob)
}

/// What happened on the days from `start` to `end`.
pub fn history(of: HistoryType, start: Date, end: Date) -> History {
    let days = DateRange { start, end };
    History { of, days }
}

/// A plain request for the events of some days.
pub fn events(start: Date, end: Date) -> ExportRequest {
    request(history(HistoryType::Event, start, end))
}
