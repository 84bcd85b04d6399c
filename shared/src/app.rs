//! The app whose data is exported: the path that names it, in one canonical form.

use std::fmt;

use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};

/// What stays as it is in a canonical path segment (the unreserved characters of RFC 3986).
const ENCODED: &AsciiSet = &NON_ALPHANUMERIC.remove(b'-').remove(b'.').remove(b'_').remove(b'~');

/// The canonical path of an app: `/subscriptions/…/apps/{name}`, lower case, each segment percent-encoded.
///
/// Azure's paths ignore case, so two spellings of one app are one scope. A scope holds only unreserved characters,
/// `%` and `/`: it is safe in keys, in JSON templates and in object names.
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

    /// The canonical path.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// Whether `ancestor` (a canonical path) is this scope or lies above it, compared segment by segment.
    pub fn is_within(&self, ancestor: &str) -> bool {
        let ancestor = ancestor.trim_end_matches('/');
        self.0.strip_prefix(ancestor).is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
    }

    /// The name of this app's folder in the lake: the scope with `/` as `!`, a character that no segment holds.
    pub fn folder(&self) -> String {
        self.0.trim_start_matches('/').replace('/', "!")
    }
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
        for ancestor in ["", "/", "/subscriptions/s1", "/subscriptions/s1/", "/subscriptions/s1/apps/chess"] {
            assert!(scope.is_within(ancestor), "{ancestor}");
        }
        for other in ["/subscriptions/s", "/subscriptions/s1/apps/che", "/subscriptions/s1/apps/chess/x"] {
            assert!(!scope.is_within(other), "{other}");
        }
    }
}
