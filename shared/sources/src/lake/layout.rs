//! Where things are in the lake, and the text of a plan's cursor.
//!
//! ```text
//! {prefix}/{type}/app={AppScope::folder()}/date=YYYY-MM-DD/{anything}
//! ```
//!
//! `type` is the last segment of the API's path: `activities`, `events`, `jobs`, `errors`,
//! `sessions`, `crashes`. Percent escapes in the app's folder are written in upper case, and read
//! in upper or in lower case.

use domain::app::AppScope;
use domain::selection::HistoryType;
use formats::record::timestamp;
use time::{Date, Duration};

/// The folder of one type, app and UTC day, within the lake and without a trailing slash.
pub fn folder(of: HistoryType, scope: &AppScope, day: Date) -> String {
    AppFolder::spelled(Spelling::Upper, of, scope).of_day(day)
}

/// How the percent escapes of an app's folder are spelled, in the order in which a day's objects
/// are planned. It is the order of their paths, too.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Spelling {
    /// `%C3%A9`, as RFC 3986 recommends and as is written
    /// (<https://www.rfc-editor.org/rfc/rfc3986#section-2.1>).
    Upper,
    /// `%c3%a9`, as some writers do.
    Lower,
}

impl Spelling {
    const ALL: [Self; 2] = [Self::Upper, Self::Lower];

    /// How cursors within this folder begin.
    fn version_2(self) -> &'static str {
        match self {
            Self::Upper => "lake2",
            Self::Lower => "lake2-lower",
        }
    }

    /// How they began in version 1, whose records could not be late.
    fn version_1(self) -> &'static str {
        match self {
            Self::Upper => "lake1",
            Self::Lower => "lake1-lower",
        }
    }

    fn spell(self, folder: &str) -> String {
        let mut parts = folder.split('%');
        let mut spelled = parts.next().unwrap_or_default().to_owned();
        for part in parts {
            let (digits, rest) = part.split_at_checked(2).unwrap_or((part, ""));
            let digits = match self {
                Self::Upper => digits.to_ascii_uppercase(),
                Self::Lower => digits.to_ascii_lowercase(),
            };
            spelled.extend(["%", digits.as_str(), rest]);
        }
        spelled
    }
}

/// The folder of one type and app, within the lake and without a trailing slash.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct AppFolder {
    pub(super) spelling: Spelling,
    pub(super) path: String,
}

impl AppFolder {
    fn spelled(spelling: Spelling, of: HistoryType, scope: &AppScope) -> Self {
        let path = format!(
            "{}/app={}",
            type_folder(of),
            spelling.spell(&scope.folder())
        );
        Self { spelling, path }
    }

    /// Every folder that may hold the app's records: one, or two where an escape can be spelled in
    /// two ways.
    pub(super) fn all(of: HistoryType, scope: &AppScope) -> Vec<Self> {
        let [upper, lower] = Spelling::ALL.map(|spelling| Self::spelled(spelling, of, scope));
        if upper.path == lower.path {
            vec![upper]
        } else {
            vec![upper, lower]
        }
    }

    /// The folder of a day in it.
    pub(super) fn of_day(&self, day: Date) -> String {
        format!("{}/date={day}", self.path)
    }
}

/// The part of an object's path below the app's folder.
pub(super) fn below_app<'a>(folders: &[AppFolder], path: &'a str) -> &'a str {
    let below = folders
        .iter()
        .find_map(|folder| path.strip_prefix(&folder.path)?.strip_prefix('/'));
    below.unwrap_or(path)
}

/// Whether a folder below an app's is one of a day.
pub(super) fn is_day(name: &str) -> bool {
    name.strip_prefix("date=")
        .and_then(timestamp::parse_date)
        .is_some_and(|day| name == format!("date={day}"))
}

/// Whether a file or folder is not for readers, as writers name what is not finished or their own.
pub(super) fn is_hidden(name: &str) -> bool {
    name.starts_with(['_', '.'])
}

fn type_folder(of: HistoryType) -> &'static str {
    match of {
        HistoryType::Activity => "activities",
        HistoryType::Event => "events",
        HistoryType::Job => "jobs",
        HistoryType::Error => "errors",
        HistoryType::Session => "sessions",
        HistoryType::Crash => "crashes",
    }
}

/// Where a plan goes on: at a folder that a day's export reads, after an object of it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Position {
    /// The day whose records are exported.
    pub(super) day: Date,
    /// How many days later the folder is.
    pub(super) late: u16,
    /// How many days late records may be, in this plan.
    pub(super) late_days: u16,
    /// Whether the plan ends with this folder: it is all that was missing.
    pub(super) is_only: bool,
    /// Which of the app's folders.
    pub(super) spelling: Spelling,
    /// How many objects before it have a chunk of their own because of their names.
    pub(super) alone: u32,
    /// The path below the folder; empty at its beginning.
    pub(super) after: String,
}

impl Position {
    /// The beginning of a plan.
    pub(super) fn first(day: Date, late_days: u16) -> Self {
        Self {
            day,
            late: 0,
            late_days,
            is_only: false,
            spelling: Spelling::Upper,
            alone: 0,
            after: String::new(),
        }
    }

    /// The day of the folder; `None` beyond the last day that there is.
    pub(super) fn folder(&self) -> Option<Date> {
        self.day.checked_add(Duration::days(self.late.into()))
    }

    /// Whether nothing of its folder is planned yet.
    pub(super) fn begins_its_folder(&self) -> bool {
        self.after.is_empty() && self.spelling == Spelling::Upper
    }

    /// The beginning of the folder that comes next: one in which records of the same day are late,
    /// or that of the next day; `None` after the last.
    pub(super) fn next_folder(&self, last_day: Date) -> Option<Self> {
        if self.is_only {
            return None;
        }
        let (day, late) = if self.late < self.late_days {
            (self.day, self.late + 1)
        } else {
            (self.day.next_day()?, 0)
        };
        let next = Self {
            day,
            late,
            spelling: Spelling::Upper,
            after: String::new(),
            ..self.clone()
        };
        (day <= last_day).then_some(next)
    }

    pub(super) fn parse(text: &str) -> Option<Self> {
        let (version, rest) = text.split_once(':')?;
        let (day, rest) = rest.split_once(':')?;
        let day = timestamp::parse_date(day)?;
        let of_version = |name: fn(Spelling) -> &'static str| {
            Spelling::ALL.into_iter().find(|it| name(*it) == version)
        };
        if let Some(spelling) = of_version(Spelling::version_1) {
            return Some(Self {
                spelling,
                after: rest.to_owned(),
                ..Self::first(day, 0)
            });
        }
        let spelling = of_version(Spelling::version_2)?;
        let [late, late_days, only, alone, after]: [&str; 5] =
            rest.splitn(5, ':').collect::<Vec<_>>().try_into().ok()?;
        Some(Self {
            day,
            late: late.parse().ok()?,
            late_days: late_days.parse().ok()?,
            is_only: only == ONLY,
            spelling,
            alone: alone.parse().ok()?,
            after: after.to_owned(),
        })
    }

    pub(super) fn to_text(&self) -> String {
        let only = if self.is_only { ONLY } else { "" };
        format!(
            "{}:{}:{}:{}:{only}:{}:{}",
            self.spelling.version_2(),
            self.day,
            self.late,
            self.late_days,
            self.alone,
            self.after
        )
    }
}

/// What says in a cursor that the plan ends with its folder.
const ONLY: &str = "only";

#[cfg(test)]
mod tests {
    use super::*;
    use time::macros::date;

    #[test]
    fn a_folder_names_type_app_and_day() {
        let scope = AppScope::from_segments(["subscriptions", "S1", "apps", "My App"]);
        let folder = folder(HistoryType::Activity, &scope, date!(2026 - 01 - 02));
        assert_eq!(
            folder,
            "activities/app=subscriptions!s1!apps!my%20app/date=2026-01-02"
        );
    }

    #[test]
    fn an_app_has_a_folder_for_each_spelling_of_its_escapes() {
        let paths = |name| -> Vec<String> {
            let scope = AppScope::from_segments(["apps", name]);
            AppFolder::all(HistoryType::Event, &scope)
                .into_iter()
                .map(|folder| folder.path)
                .collect()
        };
        assert_eq!(
            paths("caf\u{e9} a"),
            [
                "events/app=apps!caf%C3%A9%20a",
                "events/app=apps!caf%c3%a9%20a"
            ]
        );
        assert_eq!(paths("chess a"), ["events/app=apps!chess%20a"]);
        assert_eq!(Spelling::Upper.spell("%c3%a9%2"), "%C3%A9%2");
    }

    #[test]
    fn only_whole_dates_are_days() {
        assert!(is_day("date=2026-02-01"));
        for other in [
            "date=2026-2-1",
            "date=2026-02-30",
            "dt=2026-02-01",
            "date=2026-02-01 ",
            "2026-02-01",
            "date=",
        ] {
            assert!(!is_day(other), "{other}");
        }
    }

    #[test]
    fn a_position_survives_being_text() {
        for spelling in Spelling::ALL {
            for (after, is_only) in [("", false), ("a:b/c.ndjson", true)] {
                let position = Position {
                    day: date!(2026 - 12 - 31),
                    late: 1,
                    late_days: 2,
                    is_only,
                    spelling,
                    alone: 17,
                    after: after.to_owned(),
                };
                assert_eq!(Position::parse(&position.to_text()), Some(position));
            }
        }
        let stored = Position {
            after: "a:b.ndjson".to_owned(),
            ..Position::first(date!(2026 - 01 - 02), 0)
        };
        assert_eq!(
            Position::parse("lake1:2026-01-02:a:b.ndjson"),
            Some(stored),
            "what earlier versions wrote"
        );
        for other in [
            "",
            "lake1",
            "lake1:2026-02-30:",
            "lake2:2026-02-01:",
            "lake2:2026-02-01:0:0::x:",
            "lake3:2026-02-01:0:0::0:",
            "registry1:2026-02-01:",
        ] {
            assert_eq!(Position::parse(other), None, "{other}");
        }
    }

    #[test]
    fn each_day_reads_its_folder_and_those_in_which_its_records_may_be_late() {
        let (first, last) = (date!(2026 - 02 - 27), date!(2026 - 02 - 28));
        let mut position = Some(Position::first(first, 1));
        let mut read = Vec::new();
        while let Some(at) = position {
            read.push((at.day.day(), at.folder().unwrap().day()));
            position = at.next_folder(last);
        }
        assert_eq!(read, [(27, 27), (27, 28), (28, 28), (28, 1)]);
        let only = Position {
            is_only: true,
            ..Position::first(first, 1)
        };
        assert_eq!(only.next_folder(last), None);
    }
}
