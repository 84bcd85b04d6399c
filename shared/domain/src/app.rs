//! The app whose data is exported: the path that names it, in one canonical form.

use std::fmt;

use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, percent_decode_str, utf8_percent_encode};
use thiserror::Error;

/// What stays as it is in a canonical path segment (the unreserved characters of RFC 3986).
const ENCODED: &AsciiSet = &NON_ALPHANUMERIC
    .remove(b'-')
    .remove(b'.')
    .remove(b'_')
    .remove(b'~');

/// The most bytes of a scope. It is part of keys of the tables, which take 1,024 bytes of a sort
/// key and 2,048 of a partition key
/// (<https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/Constraints.html#limits-partition-sort-keys>).
pub const MAX_SCOPE_BYTES: usize = 700;

/// The canonical path of an app: `/subscriptions/…/apps/{name}`, lower case, each segment
/// percent-encoded.
///
/// Azure's paths ignore case, so two spellings of one app are one scope. A scope holds only
/// unreserved characters, `%` and `/`: it is safe in keys, in JSON templates and in object names.
/// Its escapes are written in capitals, `%2F` (<https://www.rfc-editor.org/rfc/rfc3986#section-2.1>), whatever case they came in.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct AppScope(String);

impl AppScope {
    /// Builds the scope from the decoded path segments, `subscriptions` up to the app's name.
    pub fn from_segments<'a>(segments: impl IntoIterator<Item = &'a str>) -> Self {
        let mut path = String::new();
        for segment in segments {
            path.push('/');
            path.extend(utf8_percent_encode(&segment.to_lowercase(), ENCODED));
        }
        Self(path)
    }

    /// Reads a scope that was stored or sent in its canonical form.
    pub fn from_canonical(path: impl Into<String>) -> Self {
        Self(path.into())
    }

    /// The canonical path, such as `/subscriptions/s1/…/apps/my%20app`.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// Whether `ancestor` (a canonical path, its escapes in any case) is this scope or lies above
    /// it, compared segment by segment.
    pub fn is_within(&self, ancestor: &str) -> bool {
        let ancestor = with_capital_escapes(ancestor.trim_end_matches('/'));
        self.0
            .strip_prefix(ancestor.as_str())
            .is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
    }

    /// The name of this app's folder in the lake: the scope with `/` as `!`, a character that no
    /// segment holds.
    pub fn folder(&self) -> String {
        self.0.trim_start_matches('/').replace('/', "!")
    }
}

/// The segments of the path of an app's tasks in the API; `None` is a name.
pub const TASKS_PATH: [Option<&str>; 12] = [
    Some("subscriptions"),
    None,
    Some("resourceGroups"),
    None,
    Some("providers"),
    Some("Microsoft.MobileEngagement"),
    Some("appcollections"),
    None,
    Some("apps"),
    None,
    Some("devices"),
    Some("exportTasks"),
];

/// How many of them name the app.
pub const APP_SEGMENTS: usize = 10;

/// The path of an app, or one above it, in its canonical form; `/` is above all apps.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AppPath {
    path: String,
    segments: usize,
}

/// Why a text is no path of an app, and none above one.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum NoAppPath {
    /// There is none: a variable of a script that is not set, or a URL without a path. It must not
    /// stand for every app.
    #[error("the path is empty{}", EXAMPLE)]
    Empty,
    /// It has what ends the path of a URL.
    #[error("the path has a `{found}`, which ends one{}", EXAMPLE)]
    Ended {
        /// `?` or `#`.
        found: char,
    },
    /// A segment that is the same in every app's path is another one.
    #[error(
        "segment {number} of the path, `{found}`, should be `{expected}`{}",
        EXAMPLE
    )]
    Segment {
        /// Its place, from 1.
        number: usize,
        /// What stands there.
        found: String,
        /// What every app's path has there.
        expected: &'static str,
    },
    /// A segment that is a name is empty, `.`, `..`, or no UTF-8.
    #[error("segment {number} of the path is no name{}", EXAMPLE)]
    Name {
        /// Its place, from 1.
        number: usize,
    },
    /// There is more behind the app's name than the API has there.
    #[error("the path goes on behind the app's name with `{found}`{}", EXAMPLE)]
    Behind {
        /// The first segment behind it.
        found: String,
    },
    /// It cannot be stored.
    #[error("the path has {size_bytes} bytes as it is stored, and may have {MAX_SCOPE_BYTES}")]
    TooLong {
        /// How long it is.
        size_bytes: usize,
    },
}

/// What a path looks like, behind what is wrong with one.
const EXAMPLE: &str = ": give /subscriptions/…/resourceGroups/…/providers/Microsoft.MobileEngagement/appcollections/…/apps/…, \
                       or the beginning of such a path, or /";

impl AppPath {
    /// Reads a path as people spell it: in any case, with names as they are or percent-encoded, with
    /// or without a slash at its ends; or the URL of the app's exports. `/` alone is above all apps.
    ///
    /// # Errors
    /// [`NoAppPath`], which says what no app's path has.
    pub fn parse(text: &str) -> Result<Self, NoAppPath> {
        let segments: Vec<&str> = path_of(text.trim())?
            .split('/')
            .filter(|segment| !segment.is_empty())
            .collect();
        let (of_app, behind) = segments
            .split_at_checked(APP_SEGMENTS)
            .unwrap_or((&segments, &[]));
        let expected = TASKS_PATH.into_iter().skip(APP_SEGMENTS).flatten();
        if let Some((_, found)) = expected
            .zip(behind)
            .find(|(expected, found)| !expected.eq_ignore_ascii_case(found))
        {
            let found = (*found).to_owned();
            return Err(NoAppPath::Behind { found });
        }
        let names = (1..)
            .zip(of_app.iter().zip(TASKS_PATH))
            .map(|(number, (segment, literal))| name_of(number, segment, literal));
        let names = names.collect::<Result<Vec<String>, NoAppPath>>()?;
        let AppScope(path) = AppScope::from_segments(names.iter().map(String::as_str));
        match path.len() {
            0 => Ok(Self {
                path: "/".to_owned(),
                segments: 0,
            }),
            1..=MAX_SCOPE_BYTES => Ok(Self {
                path,
                segments: names.len(),
            }),
            size_bytes => Err(NoAppPath::TooLong { size_bytes }),
        }
    }

    /// The canonical path, as grants are stored under.
    pub fn as_str(&self) -> &str {
        &self.path
    }

    /// The app, when it is the whole path of one.
    pub fn app(&self) -> Option<AppScope> {
        (self.segments == APP_SEGMENTS).then(|| AppScope(self.path.clone()))
    }
}

impl fmt::Display for AppPath {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.path)
    }
}

/// The path of a URL, without its query, or the text itself.
fn path_of(text: &str) -> Result<&str, NoAppPath> {
    let rest = text
        .strip_prefix("https://")
        .or_else(|| text.strip_prefix("http://"));
    let path = match rest {
        Some(rest) => {
            let path = rest.find('/').and_then(|at| rest.get(at..));
            let path = path.and_then(|path| path.split('?').next());
            path.unwrap_or_default().trim_matches('/')
        }
        None => text,
    };
    match path.chars().find(|it| matches!(it, '?' | '#')) {
        Some(found) => Err(NoAppPath::Ended { found }),
        None if path.is_empty() => Err(NoAppPath::Empty),
        None => Ok(path),
    }
}

/// The name that a segment of an app's path holds.
fn name_of(
    number: usize,
    segment: &str,
    literal: Option<&'static str>,
) -> Result<String, NoAppPath> {
    let name = percent_decode_str(segment)
        .decode_utf8()
        .map_err(|_| NoAppPath::Name { number })?
        .into_owned();
    match literal {
        Some(expected) if !expected.eq_ignore_ascii_case(&name) => Err(NoAppPath::Segment {
            number,
            found: name,
            expected,
        }),
        None if matches!(name.as_str(), "" | "." | "..") => Err(NoAppPath::Name { number }),
        Some(_) | None => Ok(name),
    }
}

/// The path with its escapes in capitals: `%2f` is `%2F`.
fn with_capital_escapes(path: &str) -> String {
    let mut parts = path.split('%');
    let mut text = parts.next().unwrap_or_default().to_owned();
    for part in parts {
        let (digits, rest) = part.split_at_checked(2).unwrap_or((part, ""));
        text.push('%');
        text.push_str(&digits.to_ascii_uppercase());
        text.push_str(rest);
    }
    text
}

impl fmt::Display for AppScope {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn spellings_of_one_app_are_one_scope() {
        let one = AppScope::from_segments(["subscriptions", "S1", "apps", "My App"]);
        let other = AppScope::from_segments(["Subscriptions", "s1", "APPS", "my app"]);
        assert_eq!(one, other);
        assert_eq!(one.as_str(), "/subscriptions/s1/apps/my%20app");
    }

    #[test]
    fn a_scope_lies_within_whole_segments_only() {
        let scope = AppScope::from_segments(["subscriptions", "s1", "apps", "chess"]);
        for ancestor in [
            "",
            "/",
            "/subscriptions/s1",
            "/subscriptions/s1/",
            "/subscriptions/s1/apps/chess",
        ] {
            assert!(scope.is_within(ancestor), "{ancestor}");
        }
        for other in [
            "/subscriptions/s",
            "/subscriptions/s1/apps/che",
            "/subscriptions/s1/apps/chess/x",
        ] {
            assert!(!scope.is_within(other), "{other}");
        }
    }

    #[test]
    fn escapes_are_written_in_capitals_and_read_in_any_case() {
        let scope = AppScope::from_segments(["subscriptions", "s1", "apps", "Größe/n", "x"]);
        assert_eq!(
            scope.as_str(),
            "/subscriptions/s1/apps/gr%C3%B6%C3%9Fe%2Fn/x"
        );
        for name in [
            "gr%c3%b6%c3%9fe%2fn",
            "gr%C3%B6%C3%9Fe%2Fn",
            "gr%c3%B6%C3%9fe%2Fn",
        ] {
            assert!(
                scope.is_within(&format!("/subscriptions/s1/apps/{name}")),
                "{name}"
            );
            assert!(
                scope.is_within(&format!("/subscriptions/s1/apps/{name}/x/")),
                "{name}"
            );
        }
        for other in [
            "/subscriptions/s1/apps/gr%",
            "/subscriptions/s1/apps/gr%ü",
            "/subscriptions/s1/apps/gr%c3%b6",
        ] {
            assert!(!scope.is_within(other), "{other}");
        }
    }

    #[test]
    fn a_path_as_people_spell_it_is_the_apps_own() {
        let canonical = "/subscriptions/5f1c/resourcegroups/games/providers/microsoft.mobileengagement\
                         /appcollections/studio/apps/my%20app";
        for spelled in [
            "/subscriptions/5F1C/resourceGroups/Games/providers/Microsoft.MobileEngagement/appcollections/Studio/apps/My App",
            "subscriptions/5f1c/RESOURCEGROUPS/games/providers/microsoft.mobileengagement/appCollections/studio/apps/My%20App/",
            " /subscriptions/5f1c/resourcegroups/games/providers/microsoft.mobileengagement/appcollections/studio/apps/my app/devices/exportTasks",
            "https://exports.example.com/subscriptions/5f1c/resourcegroups/games/providers/microsoft.mobileengagement/appcollections/studio/apps/my%20app/devices/exportTasks/events?api-version=2014-12-01",
        ] {
            let path = AppPath::parse(spelled).unwrap();
            assert_eq!(path.as_str(), canonical, "{spelled}");
            assert_eq!(path.app(), Some(AppScope::from_canonical(canonical)));
        }
    }

    #[test]
    fn a_path_may_lie_above_apps_and_end_anywhere() {
        for (spelled, canonical) in [
            ("/", "/"),
            (" // ", "/"),
            ("/Subscriptions/5F1C/", "/subscriptions/5f1c"),
            (
                "/subscriptions/s/resourceGroups",
                "/subscriptions/s/resourcegroups",
            ),
        ] {
            let path = AppPath::parse(spelled).unwrap();
            assert_eq!((path.as_str(), path.app()), (canonical, None), "{spelled}");
        }
    }

    #[test]
    fn what_no_apps_path_has_is_named() {
        let long = format!("/subscriptions/{}", "x".repeat(MAX_SCOPE_BYTES));
        let app = "/subscriptions/s/resourceGroups/g/providers/Microsoft.MobileEngagement/appcollections/c/apps/a";
        for (path, said) in [
            ("", "the path is empty: give /subscriptions/"),
            (" \t", "the path is empty"),
            ("https://exports.example.com", "the path is empty"),
            ("https://exports.example.com/?x", "the path is empty"),
            ("?", "the path has a `?`"),
            ("/subscriptions#y/resourceGroups", "the path has a `#`"),
            ("/subscriptions/s?x", "the path has a `?`"),
            (
                "/subscription/s",
                "segment 1 of the path, `subscription`, should be `subscriptions`: give /subscriptions/",
            ),
            (
                "/subscriptions/s/groups/g",
                "segment 3 of the path, `groups`, should be `resourceGroups`",
            ),
            ("/subscriptions/..", "segment 2 of the path is no name"),
            ("/subscriptions/%ff", "segment 2 of the path is no name"),
            (
                &format!("{app}/users"),
                "goes on behind the app's name with `users`",
            ),
            (
                &long,
                "the path has 715 bytes as it is stored, and may have 700",
            ),
        ] {
            let error = AppPath::parse(path).unwrap_err().to_string();
            assert!(error.contains(said), "{path}: {error}");
        }
    }
}
