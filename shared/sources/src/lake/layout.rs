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
use time::Date;

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
    fn cursor_version(self) -> &'static str {
        match self {
            Self::Upper => "lake2",
            Self::Lower => "lake2-lower",
        }
    }

    /// How they began before they counted the objects that have a chunk of their own.
    fn uncounted_cursor_version(self) -> &'static str {
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

/// Where a plan goes on: at a day, after an object of its folder.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Position {
    pub(super) day: Date,
    /// Which of the app's folders.
    pub(super) spelling: Spelling,
    /// The path below the day's folder; empty at its beginning.
    pub(super) after: String,
    /// How many objects before it have a chunk of their own because of their names.
    pub(super) alone: u32,
}

impl Position {
    /// The beginning of a day, in a plan with so many objects that have a chunk of their own.
    pub(super) fn day(day: Date, alone: u32) -> Self {
        Self {
            day,
            spelling: Spelling::Upper,
            after: String::new(),
            alone,
        }
    }

    /// Whether nothing of its day is planned yet.
    pub(super) fn begins_its_day(&self) -> bool {
        self.after.is_empty() && self.spelling == Spelling::Upper
    }

    pub(super) fn parse(text: &str) -> Option<Self> {
        let (version, rest) = text.split_once(':')?;
        let of_version = |name: fn(Spelling) -> &'static str| {
            Spelling::ALL.into_iter().find(|it| name(*it) == version)
        };
        let (day, rest) = rest.split_once(':')?;
        let (spelling, alone, after) = if let Some(spelling) = of_version(Spelling::cursor_version)
        {
            let (alone, after) = rest.split_once(':')?;
            (spelling, alone.parse().ok()?, after)
        } else {
            (of_version(Spelling::uncounted_cursor_version)?, 0, rest)
        };
        Some(Self {
            day: timestamp::parse_date(day)?,
            spelling,
            after: after.to_owned(),
            alone,
        })
    }

    pub(super) fn to_text(&self) -> String {
        format!(
            "{}:{}:{}:{}",
            self.spelling.cursor_version(),
            self.day,
            self.alone,
            self.after
        )
    }
}

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
            for after in ["", "a:b/c.ndjson"] {
                let position = Position {
                    day: date!(2026 - 12 - 31),
                    spelling,
                    after: after.to_owned(),
                    alone: 17,
                };
                assert_eq!(Position::parse(&position.to_text()), Some(position));
            }
        }
        let stored = Position {
            after: "a.ndjson".to_owned(),
            ..Position::day(date!(2026 - 01 - 02), 0)
        };
        assert_eq!(
            Position::parse("lake1:2026-01-02:a.ndjson"),
            Some(stored),
            "what earlier versions wrote"
        );
        for other in [
            "",
            "lake1",
            "lake1:2026-02-30:",
            "lake2:2026-02-01:",
            "lake2:2026-02-01:x:",
            "lake3:2026-02-01:0:",
            "registry1:2026-02-01:",
        ] {
            assert_eq!(Position::parse(other), None, "{other}");
        }
    }
}
