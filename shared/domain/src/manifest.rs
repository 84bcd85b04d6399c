//! The manifest: the proof of an export, written last, as JSON of a documented version.
//!
//! It is written as a stream, list by list and a chunk at a time. So it is never whole in memory,
//! however much it lists. Every chunk that was planned is in it: with a file of rows, among those
//! without rows, or among what is missing.

mod entries;
mod filtered;
mod head;
mod shortfall;
mod writer;

use serde::{Deserialize, Serialize};
use time::OffsetDateTime;
use time::format_description::well_known::Rfc3339;

pub use entries::{AnyFile, FileEntry, Missing, RejectedEntry, SourceEntry, WithoutRows};
pub use filtered::{Filtered, FilteredNames};
pub use head::{Head, SchemaEntry, Selected, Totals};
pub(crate) use shortfall::Shortfall;
pub use writer::{ManifestWriter, StatedOutcome, Written};

/// The version of the manifest's form. Version 1 had no files of rejects, and called what is rejected
/// now skipped.
pub const MANIFEST_VERSION: u32 = 2;

/// A whole manifest, as read back.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Manifest {
    /// What it says of the whole export.
    #[serde(flatten)]
    pub head: Head,
    /// The files of rows.
    pub files: Vec<FileEntry>,
    /// What was read and has no rows.
    #[serde(default)]
    pub without_rows: Vec<WithoutRows>,
    /// The files of records that cannot be exported.
    #[serde(default)]
    pub rejected: Vec<RejectedEntry>,
    /// What should be in a file and is in none; empty when the head says `complete`.
    pub missing: Vec<Missing>,
    /// Names of files that may lie beside these though they are no part of the export: an attempt
    /// prepared them, and they were given up before anybody knew whether they had been committed. A
    /// resumption that exports their chunk replaces them.
    #[serde(default)]
    pub leftovers: Vec<String>,
}

/// RFC 3339, or the year that it cannot write: `time` formats the years 0 to 9999 only.
fn rfc3339(moment: OffsetDateTime) -> String {
    moment
        .format(&Rfc3339)
        .unwrap_or_else(|_| moment.to_string())
}

#[cfg(test)]
mod tests;
