//! Where things are in the lake, and the text of a plan's cursor.
//!
//! ```text
//! {prefix}/{type}/app={AppScope::folder()}/date=YYYY-MM-DD/{anything}.ndjson[.gz|.zst]
//! ```
//!
//! `type` is the last segment of the API's path: `activities`, `events`, `jobs`, `errors`, `sessions`, `crashes`.

use time::Date;

use crate::app::AppScope;
use crate::record::timestamp;
use crate::selection::ExportType;

/// The folder of one type, app and UTC day, within the lake and without a trailing slash.
pub fn folder(export_type: ExportType, scope: &AppScope, day: Date) -> String {
    format!("{}/app={}/date={day}", type_folder(export_type), scope.folder())
}

fn type_folder(export_type: ExportType) -> &'static str {
    match export_type {
        ExportType::Activity => "activities",
        ExportType::Event => "events",
        ExportType::Job => "jobs",
        ExportType::Error => "errors",
        ExportType::Session => "sessions",
        ExportType::Crash => "crashes",
        ExportType::Tag => "tags",
        ExportType::Token => "tokens",
        ExportType::Push => "feedback",
        ExportType::Device => "devices",
    }
}

/// How an object's lines are compressed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Compression {
    /// Not at all: `.ndjson`.
    Plain,
    /// One or more gzip members: `.ndjson.gz`.
    Gzip,
    /// One or more Zstandard frames: `.ndjson.zst`.
    Zstd,
}

impl Compression {
    /// The compression of an object by its path below the day's folder; `None` when it holds no records: another
    /// ending, or a file or folder whose name begins with `_` or `.`, as writers name what is not finished.
    pub fn of(path: &str) -> Option<Self> {
        if path.split('/').any(|segment| segment.starts_with(['_', '.'])) {
            return None;
        }
        let endings = [(".ndjson", Self::Plain), (".ndjson.gz", Self::Gzip), (".ndjson.zst", Self::Zstd)];
        endings.into_iter().find(|(ending, _)| path.ends_with(ending)).map(|(_, compression)| compression)
    }
}

/// Where a plan goes on: at a day, after an object of its folder.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Position {
    pub(super) day: Date,
    /// The path below the day's folder; empty at the day's beginning.
    pub(super) after: String,
}

impl Position {
    const VERSION: &'static str = "lake1";

    pub(super) fn day(day: Date) -> Self {
        Self { day, after: String::new() }
    }

    pub(super) fn parse(text: &str) -> Option<Self> {
        let rest = text.strip_prefix(Self::VERSION)?.strip_prefix(':')?;
        let (day, after) = rest.split_once(':')?;
        Some(Self { day: timestamp::parse_date(day)?, after: after.to_owned() })
    }

    pub(super) fn to_text(&self) -> String {
        format!("{}:{}:{}", Self::VERSION, self.day, self.after)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use time::macros::date;

    #[test]
    fn a_folder_names_type_app_and_day() {
        let scope = AppScope::from_segments(["subscriptions", "S1", "apps", "My App"]);
        let folder = folder(ExportType::Activity, &scope, date!(2026 - 01 - 02));
        assert_eq!(folder, "activities/app=subscriptions!s1!apps!my%20app/date=2026-01-02");
    }

    #[test]
    fn only_finished_record_files_are_read() {
        assert_eq!(Compression::of("a.ndjson"), Some(Compression::Plain));
        assert_eq!(Compression::of("hour=01/a.ndjson.gz"), Some(Compression::Gzip));
        assert_eq!(Compression::of("a.b.ndjson.zst"), Some(Compression::Zstd));
        for other in ["a.json", "a.ndjson.bz2", "_a.ndjson", ".a.ndjson", "_temporary/a.ndjson", "ndjson"] {
            assert_eq!(Compression::of(other), None, "{other}");
        }
    }

    #[test]
    fn a_position_survives_being_text() {
        for after in ["", "a:b/c.ndjson"] {
            let position = Position { day: date!(2026 - 12 - 31), after: after.to_owned() };
            assert_eq!(Position::parse(&position.to_text()), Some(position));
        }
        for other in ["", "lake1", "lake1:2026-02-30:", "lake2:2026-02-01:", "registry1:2026-02-01:"] {
            assert_eq!(Position::parse(other), None, "{other}");
        }
    }
}
