//! What can be wrong with an export, each in one line.

use std::path::Path;

use domain::plural::agree;
use indicatif::HumanCount;
use thiserror::Error;

use super::row::Difference;
use crate::console::counted;

/// The most characters of somebody else's text that are shown.
const MAX_SHOWN: usize = 300;

/// What is wrong with an export, in one line.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum Mismatch {
    /// A file that the manifest names does not exist.
    #[error("{}: it is in the manifest and does not exist", shown(name))]
    Missing {
        /// The blob's name, as the manifest has it.
        name: String,
    },
    /// A file that no manifest names.
    #[error("{}: it exists and is not in the manifest", shown(name))]
    Stray {
        /// Its name as a blob's, with the job's folder `{exportType}/{jobId}/`.
        name: String,
    },
    /// A file or the source does not hold what it should.
    #[error("{}: {}", shown(name), shown(reason))]
    Unreadable {
        /// The blob or the source's file.
        name: String,
        /// What is wrong with its name or its rows, or what the system says of the source's file.
        reason: String,
    },
    /// A figure of the manifest is wrong.
    #[error("{}: the manifest says {what}, found {found}", shown(name))]
    Figure {
        /// The blob, or `totals`.
        name: String,
        /// What the manifest says, with its unit.
        what: String,
        /// The figure that the files have: a number of things, or a checksum in hex.
        found: String,
    },
    /// A row that the manifest's filter does not want.
    #[error(
        "{}: row {} is not one that the filter wants: {reason}{}",
        shown(name), HumanCount(*row), and_others(*others)
    )]
    Outside {
        /// The blob.
        name: String,
        /// The number of the first such row, from 1.
        row: u64,
        /// Why the filter does not want it.
        reason: String,
        /// How many such rows there are beside it.
        others: u64,
    },
    /// The manifest lists something twice.
    #[error("the manifest lists {what} twice")]
    Twice {
        /// What, by name: `chunk 7`, or `the file` and the blob's name.
        what: String,
    },
    /// The manifest claims to be complete and lists missing chunks, objects or days.
    #[error("the manifest says complete, and lists {}", counted(*parts as u64, "missing part"))]
    CompleteWithMissing {
        /// How many.
        parts: usize,
    },
    /// The manifest says nothing of some chunks, neither that they are exported nor that they are not.
    #[error("the manifest says nothing of {}", counted(*chunks, "chunk"))]
    Unlisted {
        /// How many of the planned ones.
        chunks: u64,
    },
    /// The export is not complete.
    #[error("the manifest says that the export is incomplete")]
    Incomplete,
    /// The rows are not the source's.
    #[error(
        "{} {} missing and {} {} there once too often",
        counted(.0.missing, "row"), agree(.0.missing, "is", "are"), HumanCount(.0.surplus), agree(.0.surplus, "is", "are")
    )]
    Rows(Difference),
}

impl Mismatch {
    /// What kept a file, or the source, from being read.
    pub fn unreadable(path: &Path, error: &(impl std::error::Error + ?Sized)) -> Self {
        Self::Unreadable {
            name: path.display().to_string(),
            reason: error.to_string(),
        }
    }
}

fn and_others(others: u64) -> String {
    match others {
        0 => String::new(),
        others => format!(
            "; nor {} {}",
            agree(others, "is", "are"),
            counted(others, "more row")
        ),
    }
}

/// Compares a figure of the manifest, a number of things of one `kind`, with what was found.
pub(super) fn equal(name: &str, kind: &str, said: u64, found: u64) -> Result<(), Mismatch> {
    if said == found {
        return Ok(());
    }
    let (name, what) = (name.to_owned(), counted(said, kind));
    Err(Mismatch::Figure {
        name,
        what,
        found: HumanCount(found).to_string(),
    })
}

/// Compares a checksum of the manifest with the file's.
pub(super) fn same(name: &str, what: &str, said: &str, found: &str) -> Result<(), Mismatch> {
    if said.eq_ignore_ascii_case(found) {
        return Ok(());
    }
    let what = format!("{what} {}", shown(said));
    Err(Mismatch::Figure {
        name: name.to_owned(),
        what,
        found: found.to_owned(),
    })
}

/// Somebody else's text, fit for a line on a terminal.
pub fn shown(text: &str) -> String {
    shown_up_to(text, MAX_SHOWN)
}

/// Somebody else's text, fit for a line on a terminal, of at most so many characters.
pub fn shown_up_to(text: &str, most: usize) -> String {
    let mut line: String = text
        .chars()
        .take(most)
        .map(|c| if is_plain(c) { c } else { '\u{fffd}' })
        .collect();
    if text.chars().nth(most).is_some() {
        line.push('…');
    }
    line
}

/// Neither a control character nor one that turns the line around.
fn is_plain(c: char) -> bool {
    !c.is_control() && !matches!(c, '\u{2028}'..='\u{202e}' | '\u{2066}'..='\u{2069}')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_stays_one_line() {
        assert_eq!(shown("a\nb\u{1b}[31m"), "a\u{fffd}b\u{fffd}[31m");
        assert_eq!(shown(&"é".repeat(MAX_SHOWN)), "é".repeat(MAX_SHOWN));
        assert_eq!(
            shown(&"x".repeat(1_000)),
            format!("{}…", "x".repeat(MAX_SHOWN))
        );
    }
}
