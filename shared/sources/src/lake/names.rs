//! Which objects are read, by their names alone.

use wildmatch::WildMatch;

use crate::lake::layout::is_hidden;

/// The endings of files of records, before that of their compression.
const RECORDS: [&str; 4] = ["ndjson", "json", "jsonl", "log"];

/// The endings of compressed files.
const CODECS: [&str; 2] = ["gz", "zst"];

/// How an object is called.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum NameKind {
    /// It is not read.
    Ignored,
    /// As files of records are: with a known ending, or with none.
    Usual,
    /// With an ending that files of records do not have.
    Odd,
}

/// Patterns of the names of objects that are not read.
#[derive(Debug, Clone)]
pub struct IgnoredNames(Vec<WildMatch>);

impl IgnoredNames {
    /// Reads patterns, one behind the other with white space between: `*` stands for any
    /// characters, `?` for one, and whether a letter is a capital makes no difference.
    pub fn parse(patterns: &str) -> Self {
        let patterns = patterns.split_whitespace();
        Self(patterns.map(WildMatch::new_case_insensitive).collect())
    }

    /// How an object is called, by its path below the day's folder. Not read are, beside those that
    /// a pattern fits, files and folders whose names begin with `_` or `.`, as writers name what is
    /// not finished.
    pub(super) fn kind(&self, below: &str) -> NameKind {
        let name = below.rsplit('/').next().unwrap_or_default();
        let is_ignored =
            below.split('/').any(is_hidden) || self.0.iter().any(|pattern| pattern.matches(name));
        if is_ignored {
            NameKind::Ignored
        } else if is_usual(name) {
            NameKind::Usual
        } else {
            NameKind::Odd
        }
    }
}

/// Whether a name says that its object is compressed.
pub(super) fn says_compressed(name: &str) -> bool {
    without(name, &CODECS).is_some()
}

fn is_usual(name: &str) -> bool {
    let stored = without(name, &CODECS).unwrap_or(name);
    !stored.contains('.') || without(stored, &RECORDS).is_some()
}

/// The name without one of these endings, if it has one, in whatever case.
fn without<'a>(name: &'a str, endings: &[&str]) -> Option<&'a str> {
    let (rest, ending) = name.rsplit_once('.')?;
    let is_known = endings
        .iter()
        .any(|known| ending.eq_ignore_ascii_case(known));
    is_known.then_some(rest)
}

#[cfg(test)]
mod tests {
    use super::*;
    use wiring::config::LAKE_IGNORE;

    #[test]
    fn every_name_is_read_but_those_of_no_records() {
        use NameKind::{Ignored, Odd, Usual};
        let names = IgnoredNames::parse(LAKE_IGNORE.default);
        for (name, kind) in [
            ("a.ndjson", Usual),
            ("hour=01/a.ndjson.gz", Usual),
            ("a.b.ndjson.zst", Usual),
            ("F.NDJSON", Usual),
            ("a.json", Usual),
            ("a.JSONL.GZ", Usual),
            ("a.log", Usual),
            ("engagement-1-2026-02-01-00-00-12-0f6b1c9a", Usual),
            ("engagement-1-2026-02-01-00-05-12-0f6b1c9b.gz", Usual),
            ("v1.2/engagement", Usual),
            ("a.csv", Odd),
            ("a.parquet", Odd),
            ("a.ndjson.bz2", Odd),
            ("a.gz.gz", Odd),
            ("odd\tname.txt", Odd),
            ("_a.ndjson", Ignored),
            (".a.ndjson", Ignored),
            ("_temporary/a.ndjson", Ignored),
            ("a/.b/c.ndjson", Ignored),
            ("x_$folder$", Ignored),
            ("a.ndjson.tmp", Ignored),
            ("a.ndjson.PART", Ignored),
            ("a.ndjson~", Ignored),
            (".a.ndjson.crc", Ignored),
            ("tmp/a.ndjson", Usual),
        ] {
            assert_eq!(names.kind(name), kind, "{name}");
        }
    }

    #[test]
    fn other_patterns_replace_the_defaults() {
        let names = IgnoredNames::parse(" *.csv\n report-?? ");
        assert_eq!(names.kind("a.CSV"), NameKind::Ignored);
        assert_eq!(names.kind("report-01"), NameKind::Ignored);
        assert_eq!(names.kind("report-001"), NameKind::Usual);
        assert_eq!(names.kind("a.tmp"), NameKind::Odd);
        assert_eq!(IgnoredNames::parse("").kind("a.tmp"), NameKind::Odd);
    }
}
