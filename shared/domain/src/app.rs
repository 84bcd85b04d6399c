//! The app whose data is exported: the path that names it, in one canonical form.

use std::fmt;

use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};

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
}
