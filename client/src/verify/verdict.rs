//! What a verification came to.

use std::collections::BTreeSet;

use domain::plural::agree;
use indicatif::{DecimalBytes, HumanCount};

use super::manifest::MissingPart;
use super::{Finding, Holds, Manifest, RowSet, Rows};
use crate::console::counted;

/// What a verification came to.
#[derive(Debug, Default)]
pub struct Verdict {
    /// Files that the manifest lists.
    pub files: u64,
    /// Files that are not as it says.
    pub wrong: u64,
    /// Files that could not be read.
    pub unknown: u64,
    /// Contradictions within the manifest.
    pub contradictions: usize,
    /// The job's files that the manifest does not list.
    pub strays: usize,
    /// Why such files were not looked for.
    pub strays_unknown: Option<&'static str>,
    /// Whether the manifest says that the export is complete.
    pub complete: bool,
    /// Chunks that the manifest says are missing, of how many.
    pub missing: (u64, u64),
    /// Objects that it says are missing beside them.
    pub missing_objects: u64,
    /// Days that it says are missing, or some of them.
    pub missing_days: u64,
    /// Rows of the files that are right.
    pub rows: u64,
    /// Bytes of the files that are right, those of rejected records too.
    pub bytes: u64,
    /// Records that were rejected.
    pub rejected: u64,
    /// Rows of the files that are right that lack a column by which the manifest's filter chooses: it is
    /// not known of them whether it wants them.
    pub unfiltered: u64,
    /// These columns.
    pub unfiltered_by: BTreeSet<&'static str>,
    /// The rows of the files that are right, if they were kept.
    pub found: RowSet,
}

/// How a verification ends: what the command's exit code says.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Outcome {
    /// All is exactly as the manifest says.
    Right,
    /// A file is not as it says, it contradicts itself, or a file is not in it.
    Wrong,
    /// Nothing is wrong, and something could not be read.
    Unknown,
    /// All is as the manifest says, and it says that the export is incomplete.
    Incomplete,
}

impl Outcome {
    /// Its name where a verdict is JSON.
    pub(super) fn name(self) -> &'static str {
        match self {
            Self::Right => "right",
            Self::Wrong => "wrong",
            Self::Unknown => "unknown",
            Self::Incomplete => "incomplete",
        }
    }
}

impl Verdict {
    pub(super) fn of(manifest: &Manifest) -> Self {
        let missing = |is: fn(&&MissingPart) -> bool| {
            let missing = manifest.missing.iter().filter(is);
            missing.count() as u64
        };
        let chunks = missing(|it| it.object.is_none() && it.day.is_none());
        Self {
            files: manifest.counted_files().count() as u64,
            complete: manifest.complete,
            missing: (chunks, manifest.totals.chunks),
            missing_objects: missing(|it| it.object.is_some()),
            missing_days: missing(|it| it.day.is_some()),
            rejected: manifest.totals.records_rejected,
            ..Self::default()
        }
    }

    pub(super) fn add(&mut self, holds: Holds, bytes: u64, rows: Rows) {
        match holds {
            Holds::Rows => self.bytes += bytes,
            Holds::Rejects => return self.bytes += bytes,
            Holds::Schema => return,
        }
        self.rows += rows.count();
        let Rows::Collected(mut rows) = rows else {
            return;
        };
        if let Some(judge) = rows.judge() {
            self.unfiltered += judge.unchecked_rows;
            self.unfiltered_by.append(&mut judge.unchecked);
        }
        if let Some(rows) = rows.kept {
            self.found.extend(rows);
        }
    }

    pub(super) fn count(&mut self, finding: &Finding) {
        match finding {
            Finding::Wrong(_) => self.wrong += 1,
            Finding::Unknown { .. } => self.unknown += 1,
        }
    }

    /// How it ends. What is wrong weighs more than what is not known.
    pub fn outcome(&self) -> Outcome {
        if self.wrong > 0 || self.contradictions > 0 || self.strays > 0 {
            Outcome::Wrong
        } else if self.unknown > 0 {
            Outcome::Unknown
        } else if self.complete {
            Outcome::Right
        } else {
            Outcome::Incomplete
        }
    }

    /// The verdict in one line.
    pub fn line(&self) -> String {
        let (files, held) = (
            counted(self.files, "file"),
            format!(
                "{}, {}",
                counted(self.rows, "row"),
                DecimalBytes(self.bytes)
            ),
        );
        match self.outcome() {
            Outcome::Right => format!("✓ {files}, {held}: exactly as the manifest says"),
            Outcome::Incomplete => {
                format!(
                    "✗ {files}, {held}: exactly as the manifest says, but the export is incomplete{}",
                    self.gap()
                )
            }
            Outcome::Wrong | Outcome::Unknown => format!("✗ {}", self.faults().join("; ")),
        }
    }

    /// What could not be compared with the manifest's filter, in one line.
    pub(super) fn unfiltered_line(&self) -> Option<String> {
        let columns: Vec<_> = self
            .unfiltered_by
            .iter()
            .map(|it| format!("`{it}`"))
            .collect();
        let (rows, have) = (
            counted(self.unfiltered, "row"),
            agree(self.unfiltered, "has", "have"),
        );
        (self.unfiltered > 0).then(|| {
            format!(
                "! {rows} could not be compared with the whole filter: {} {have} no {}",
                agree(self.unfiltered, "it", "they"),
                columns.join(", ")
            )
        })
    }

    fn gap(&self) -> String {
        let (missing, planned) = self.missing;
        let mut gaps = Vec::new();
        if missing > 0 {
            let (missing, planned) = (HumanCount(missing), counted(planned, "chunk"));
            gaps.push(format!("{missing} of {planned} missing"));
        }
        if self.missing_objects > 0 {
            gaps.push(counted(self.missing_objects, "missing object"));
        }
        if self.missing_days > 0 {
            gaps.push(counted(self.missing_days, "missing day"));
        }
        if gaps.is_empty() {
            String::new()
        } else {
            format!(": {}", gaps.join(", "))
        }
    }

    fn faults(&self) -> Vec<String> {
        let files = counted(self.files, "file");
        let mut faults = Vec::new();
        if self.wrong > 0 {
            let (wrong, are) = (HumanCount(self.wrong), agree(self.wrong, "is", "are"));
            faults.push(format!("{wrong} of {files} {are} not as the manifest says"));
        }
        if self.contradictions > 0 {
            faults.push("the manifest contradicts itself".to_owned());
        }
        if self.strays > 0 {
            faults.push(format!(
                "{} not in the manifest",
                counted(self.strays as u64, "file")
            ));
        }
        if self.unknown > 0 {
            faults.push(format!(
                "{} of {files} could not be read",
                HumanCount(self.unknown)
            ));
        }
        if !self.complete {
            faults.push(format!("the export is incomplete{}", self.gap()));
        }
        faults
    }
}
