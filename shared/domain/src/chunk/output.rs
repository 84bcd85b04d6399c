//! What a chunk run came to.

use strum::{EnumString, IntoStaticStr, VariantArray};
use time::OffsetDateTime;

use super::MissingParts;
use crate::container::{BlobName, PreparedFile};
use crate::counts::Counts;
use crate::selection::ExportRequest;

/// What a file of a chunk holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq, EnumString, IntoStaticStr, VariantArray)]
#[strum(serialize_all = "snake_case")]
pub enum FileKind {
    /// Rows, in the format and with the compression that the client chose.
    Rows,
    /// Records that cannot be exported, and why.
    Rejected,
}

impl FileKind {
    /// Both kinds, in the order of their declaration.
    pub const ALL: &[Self] = Self::VARIANTS;

    /// Its name, as stored.
    pub fn name(self) -> &'static str {
        self.into()
    }

    /// Reads a stored name; `None` when it is none.
    pub fn from_name(name: &str) -> Option<Self> {
        name.parse().ok()
    }

    /// The content type of such a file, in an export of what was asked for.
    pub fn content_type(self, request: &ExportRequest) -> &'static str {
        match self {
            Self::Rows => request.content_type(),
            Self::Rejected => "application/x-ndjson",
        }
    }
}

/// A file of a chunk: its blocks are staged, and it is known what they hold.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OutputFile {
    /// Whether it holds rows or rejects; with the request, that decides its content type.
    pub kind: FileKind,
    /// What it takes to commit it.
    pub prepared: PreparedFile,
    /// What was counted while it was written.
    pub counts: Counts,
    /// The earliest timestamp among its rows.
    pub earliest: Option<OffsetDateTime>,
    /// The latest timestamp among its rows.
    pub latest: Option<OffsetDateTime>,
}

/// What a chunk run came to: prepared together, committed in this order, recorded together.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Output {
    /// What was counted, of all files and beside them.
    pub counts: Counts,
    /// The files, at most 256; none when there was nothing to write.
    pub files: Vec<OutputFile>,
    /// What of the source is in none of them.
    pub missing: MissingParts,
}

impl Output {
    /// The names of its files.
    pub(super) fn names(&self) -> Vec<BlobName> {
        let names = self.files.iter().map(|file| &file.prepared.name);
        names.cloned().collect()
    }
}
