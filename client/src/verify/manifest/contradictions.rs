//! What is wrong with a manifest in itself.

use std::collections::HashSet;

use super::{Holds, Manifest};
use crate::verify::mismatch::{Mismatch, equal, shown};

impl Manifest {
    /// What is wrong with the manifest in itself, before any file is looked at.
    pub(in crate::verify) fn contradictions(&self) -> Vec<Mismatch> {
        let mut found = self.twice.clone();
        found.extend(self.listed_twice());
        found.extend(self.wrong_totals());
        if self.complete && !self.missing.is_empty() {
            found.push(Mismatch::CompleteWithMissing {
                parts: self.missing.len(),
            });
        }
        found.extend(self.wrong_chunks());
        found
    }

    /// Every chunk that was planned is listed, and no other.
    fn wrong_chunks(&self) -> Option<Mismatch> {
        let files = self.files.iter().filter(|file| file.holds == Holds::Rows);
        let missing = self.missing.iter().filter_map(|missing| missing.chunk);
        let listed: HashSet<u64> = files
            .map(|file| file.chunk)
            .chain(missing)
            .chain(self.without_rows.iter().copied())
            .map(u64::from)
            .collect();
        let (planned, found) = (self.totals.chunks, listed.len() as u64);
        if found > planned {
            return equal("totals", "chunk", planned, found).err();
        }
        let known = listed.iter().filter(|number| **number < planned).count();
        let chunks = planned - known as u64;
        (self.accounts_for_all && chunks > 0).then_some(Mismatch::Unlisted { chunks })
    }

    /// A chunk has one file of each part of its rows and one of rejects at most, and is missing itself
    /// only when it has none.
    fn listed_twice(&self) -> Vec<Mismatch> {
        let (mut found, mut names, mut chunks) = (Vec::new(), HashSet::new(), HashSet::new());
        let mut parts = HashSet::new();
        let twice = |what| Mismatch::Twice { what };
        for file in &self.files {
            if !names.insert(&file.name) {
                found.push(twice(format!("the file {}", shown(&file.name))));
            }
            if file.holds == Holds::Rows {
                chunks.insert((file.chunk, None));
                if !parts.insert((file.chunk, file.part)) {
                    found.push(twice(format!("chunk {}", file.chunk)));
                }
            }
        }
        for chunk in &self.without_rows {
            if !chunks.insert((*chunk, None)) {
                found.push(twice(format!("chunk {chunk}")));
            }
        }
        for missing in &self.missing {
            let Some(chunk) = missing.chunk else { continue };
            if !chunks.insert((chunk, missing.object.as_deref())) {
                found.push(twice(missing.name()));
            }
        }
        found
    }

    fn wrong_totals(&self) -> Vec<Mismatch> {
        let of = |holds: Holds| self.files.iter().filter(move |file| file.holds == holds);
        let rows = |holds| of(holds).fold(0_u64, |sum, file| sum.saturating_add(file.rows));
        let bytes = self.counted_files().map(|file| file.bytes);
        let mut figures = vec![
            ("row", self.totals.rows, rows(Holds::Rows)),
            (
                "byte",
                self.totals.bytes,
                bytes.fold(0, u64::saturating_add),
            ),
        ];
        if let Some(most) = self.max_file_bytes {
            let oversized = of(Holds::Rows).filter(|file| file.bytes > most).count() as u64;
            figures.push(("oversized file", self.totals.files_oversized, oversized));
        }
        if self.accounts_for_all {
            let rejected = self.totals.records_rejected;
            figures.push(("rejected record", rejected, rows(Holds::Rejects)));
            let told = [
                self.totals.rows,
                rejected,
                self.totals.records_filtered,
                self.totals.records_excluded,
            ];
            let sum = told.into_iter().fold(0, u64::saturating_add);
            figures.push(("record", self.totals.records_read, sum));
        }
        figures
            .into_iter()
            .filter_map(|(what, said, found)| equal("totals", what, said, found).err())
            .collect()
    }
}
