//! A manifest as somebody else gives it: nothing in it is trusted, and it is never whole in memory.

mod contradictions;
mod read;

use std::collections::HashSet;
use std::sync::Arc;

use domain::job::JobId;
use domain::manifest::MANIFEST_VERSION;
use domain::selection::{Compression, ExportFormat, ExportType};
use domain::warning::Warning;
use formats::read::Kind;
use read::{Document, Files};
use serde::Deserialize;

use super::inspect::blocking;
use super::mismatch::{Mismatch, shown};
use super::place::{Opened, PlaceError};
use super::wanted::Wanted;

/// How every export's manifest is called, within the folder of its files.
pub const MANIFEST_NAME: &str = "manifest.json";

/// The largest manifest that is read, in bytes: millions of files. What is kept of it is less.
const MAX_MANIFEST_BYTES: u64 = 1 << 30;

/// The longest name of a blob
/// (<https://learn.microsoft.com/en-us/rest/api/storageservices/naming-and-referencing-containers--blobs--and-metadata#blob-names>).
const MAX_NAME_CHARACTERS: usize = 1_024;

/// The last version that kept nothing of what is rejected, and did not list what has no rows.
const VERSION_OF_ROWS_ONLY: u32 = 1;

/// What is verified of a manifest.
#[derive(Debug)]
pub struct Manifest {
    pub(super) job: JobId,
    pub(super) kind: Kind,
    /// The rows that its filter wants; absent when it has none.
    pub(super) wanted: Option<Arc<Wanted>>,
    /// The most bytes of a file of rows, unless it is counted as oversized.
    max_file_bytes: Option<u64>,
    /// The compression of the files of rows.
    pub(super) compression: Compression,
    pub(super) complete: bool,
    pub(super) planned: bool,
    pub(super) totals: Totals,
    /// The files of rows, those of rejects, and that of the schema.
    pub(super) files: Vec<ManifestFile>,
    /// The numbers of chunks that were read and have no rows.
    without_rows: Vec<u32>,
    /// Whether what was rejected is in files, and every chunk is listed.
    accounts_for_all: bool,
    pub(super) missing: Vec<MissingPart>,
    /// Files that may lie beside these, though they are no part of the export.
    pub(super) leftovers: Vec<String>,
    /// What it warns of.
    pub(super) warnings: Vec<Warning>,
    /// Sources that are in it twice.
    twice: Vec<Mismatch>,
}

#[derive(Debug, Clone, Copy, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Totals {
    pub(super) chunks: u64,
    pub(super) rows: u64,
    pub(super) bytes: u64,
    /// Version 1 called them skipped.
    #[serde(alias = "badRecordsSkipped")]
    pub(super) records_rejected: u64,
    #[serde(default)]
    pub(super) records_read: u64,
    #[serde(default)]
    pub(super) records_filtered: u64,
    #[serde(default)]
    pub(super) records_excluded: u64,
    #[serde(default)]
    pub(super) files_oversized: u64,
}

/// A file as the manifest has it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct ManifestFile {
    /// The blob's name, unchecked: `problem_of` says whether it may be asked for.
    pub name: String,
    /// Its rows, or its rejected records.
    pub rows: u64,
    /// Its size, in bytes.
    pub bytes: u64,
    pub(super) chunk: u32,
    /// Its place among the files of the chunk's rows.
    pub(super) part: u32,
    pub(super) sha256: String,
    pub(super) crc64: String,
    pub(super) holds: Holds,
}

/// What a file holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Holds {
    /// Rows, in the format of the export.
    Rows,
    /// Records that were rejected, a line each.
    Rejects,
    /// What the columns are.
    Schema,
}

/// What is in no file though it should be: a chunk, an object of one, or some of a day.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
pub(super) struct MissingPart {
    pub(super) chunk: Option<u32>,
    pub(super) day: Option<String>,
    pub(super) object: Option<String>,
    pub(super) reason: String,
}

impl MissingPart {
    /// What it is, in words.
    pub(super) fn name(&self) -> String {
        match (&self.object, &self.day, self.chunk) {
            (Some(object), _, _) => format!("the object {}", shown(object)),
            (None, Some(day), _) => format!("some of {}", shown(day)),
            (None, None, chunk) => format!("chunk {}", chunk.unwrap_or_default()),
        }
    }
}

impl Manifest {
    /// Reads a manifest.
    ///
    /// # Errors
    /// [`PlaceError::Refused`] when it is none.
    pub async fn read(opened: Opened) -> Result<Self, PlaceError> {
        let refused = |reason: String| PlaceError::Refused {
            reason: format!("the manifest cannot be used: {reason}"),
        };
        if opened.size > MAX_MANIFEST_BYTES {
            return Err(refused(format!(
                "it is larger than {MAX_MANIFEST_BYTES} bytes"
            )));
        }
        let read = blocking(opened.pieces, |input| {
            Document::read(input, MAX_MANIFEST_BYTES)
        })
        .await?;
        read.map_err(|error| shown(&error.to_string()))
            .and_then(Self::of)
            .map_err(refused)
    }

    fn of(document: Document) -> Result<Self, String> {
        if !(1..=MANIFEST_VERSION).contains(&document.manifest_version) {
            let version = document.manifest_version;
            return Err(format!(
                "its version is {version}, and only those up to {MANIFEST_VERSION} are known"
            ));
        }
        let export_type =
            ExportType::from_name(&document.export_type).ok_or("its export type is unknown")?;
        let format = ExportFormat::from_name(&document.format).ok_or("its format is unknown")?;
        let compression = match &document.compression {
            None => Compression::None,
            Some(name) => Compression::from_name(name).ok_or("its compression is unknown")?,
        };
        let Files { mut entries, twice } = document.files;
        entries.extend(document.rejected.into_iter().map(ManifestFile::from));
        entries.extend(document.schema.map(ManifestFile::from));
        let kind = Kind {
            export_type,
            format,
            columns: document.columns,
            byte_order_mark: document.byte_order_mark,
            escape_formulas: document.escape_formulas,
        };
        let wanted = document.filter.map(|filter| filter.wanted(&kind));
        Ok(Self {
            without_rows: document.without_rows.iter().map(|it| it.chunk).collect(),
            accounts_for_all: document.manifest_version > VERSION_OF_ROWS_ONLY,
            job: JobId::parse(&document.job_id).ok_or("its job id is none")?,
            kind,
            wanted: wanted.transpose()?.map(Arc::new),
            max_file_bytes: document.max_file_bytes,
            compression,
            complete: document.complete,
            planned: document.read_up_to.is_some(),
            totals: document.totals,
            files: entries,
            missing: document.missing,
            leftovers: document.leftovers,
            warnings: document.warnings,
            twice,
        })
    }

    /// What the files' names begin with: `{exportType}/{jobId}/`.
    pub fn prefix(&self) -> String {
        format!("{}/{}/", self.kind.export_type, self.job)
    }

    /// How many files of rejected records it lists.
    pub(crate) fn rejected_files(&self) -> u64 {
        let rejects = self
            .files
            .iter()
            .filter(|file| file.holds == Holds::Rejects);
        rejects.count() as u64
    }

    /// The files that may be asked for by their names.
    pub(super) fn safe_files(&self) -> impl Iterator<Item = &ManifestFile> {
        let prefix = self.prefix();
        self.files
            .iter()
            .filter(move |file| problem_of(&file.name, &prefix).is_none())
    }

    /// The files that are counted: of rows and of rejects.
    pub(super) fn counted_files(&self) -> impl Iterator<Item = &ManifestFile> {
        self.files.iter().filter(|file| file.holds != Holds::Schema)
    }

    /// The names of all that the manifest lists or says may be left, and its own.
    pub(super) fn names(&self) -> (HashSet<&str>, String) {
        let files = self.files.iter().map(|file| file.name.as_str());
        let leftovers = self.leftovers.iter().map(String::as_str);
        (
            files.chain(leftovers).collect(),
            self.prefix() + MANIFEST_NAME,
        )
    }
}

/// Why a name is none that this export can have; such a file is not asked for.
pub(super) fn problem_of(name: &str, prefix: &str) -> Option<&'static str> {
    let Some(rest) = name.strip_prefix(prefix) else {
        return Some("its name is not one of this export");
    };
    let is_plain = |part: &str| !matches!(part, "" | "." | "..") && !part.contains(['\\', ':']);
    if name.chars().count() > MAX_NAME_CHARACTERS
        || name.chars().any(char::is_control)
        || !rest.split('/').all(is_plain)
    {
        return Some("its name is none for a file");
    }
    (rest == MANIFEST_NAME).then_some("it is the manifest itself")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_that_leads_elsewhere_is_none() {
        let problem = |rest: &str| problem_of(&format!("Event/j/{rest}"), "Event/j/");
        assert_eq!(problem("date=2026-01-05/part-00000.json"), None);
        for rest in [
            "../x",
            "a/../../x",
            "./x",
            "",
            "a//b",
            "a\\..\\b",
            "c:x",
            "a\u{1b}[2J",
            "manifest.json",
        ] {
            assert!(problem(rest).is_some(), "{rest}");
        }
        for name in [
            "/etc/passwd",
            "Event/k/part-00000.json",
            "Event/j",
            "event/j/part-00000.json",
        ] {
            assert!(problem_of(name, "Event/j/").is_some(), "{name}");
        }
        assert!(problem(&"x".repeat(2_000)).is_some());
    }
}
