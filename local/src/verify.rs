//! Whether an export is what its manifest says and what the source holds: every file's size and checksum, every row,
//! once.

mod file;
mod row;
mod source;

pub use row::{Difference, RowSet};
pub use source::{device_rows, lake_rows};

use std::collections::BTreeSet;
use std::fmt;
use std::path::Path;

use aws_lc_rs::digest::{SHA256, digest};
use serde::Deserialize;
use shared::selection::{ExportFormat, ExportType};
use thiserror::Error;

use row::Form;

/// What of a manifest is verified.
#[derive(Debug, Clone, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Manifest {
    job_id: String,
    export_type: String,
    format: String,
    complete: bool,
    totals: Totals,
    files: Vec<ManifestFile>,
}

#[derive(Debug, Clone, Deserialize)]
struct Totals {
    rows: u64,
    bytes: u64,
}

/// A file as the manifest has it.
#[derive(Debug, Clone, Deserialize)]
pub struct ManifestFile {
    /// The blob's name.
    pub name: String,
    /// Its rows.
    pub rows: u64,
    /// Its size, in bytes.
    pub bytes: u64,
    sha256: String,
}

/// What is wrong with an export, in one line.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum Mismatch {
    /// The manifest is none, or not of this job.
    #[error("the manifest cannot be used: {reason}")]
    Manifest {
        /// Why.
        reason: String,
    },
    /// The export is not complete.
    #[error("the manifest says that the export is not complete")]
    Incomplete,
    /// A file that the manifest names does not exist.
    #[error("{name} is in the manifest and not in the container")]
    Missing {
        /// The blob.
        name: String,
    },
    /// A file that no manifest names.
    #[error("{name} is in the container and not in the manifest")]
    Stray {
        /// The blob.
        name: String,
    },
    /// A file or the source cannot be read.
    #[error("{name} cannot be read: {reason}")]
    Unreadable {
        /// The blob or the source's file.
        name: String,
        /// Why.
        reason: String,
    },
    /// A figure of the manifest is wrong.
    #[error("{name}: the manifest says {what} {expected}, found {found}")]
    Figure {
        /// The blob, or `totals`.
        name: String,
        /// Which figure.
        what: &'static str,
        /// What the manifest says.
        expected: String,
        /// What is there.
        found: String,
    },
    /// The rows are not the source's.
    #[error("{} rows are missing and {} are there once too often", .0.missing, .0.surplus)]
    Rows(Difference),
}

impl Mismatch {
    fn unreadable(path: &Path, error: &(impl std::error::Error + ?Sized)) -> Self {
        Self::Unreadable { name: path.display().to_string(), reason: error.to_string() }
    }

    fn manifest(reason: &(impl fmt::Display + ?Sized)) -> Self {
        Self::Manifest { reason: reason.to_string() }
    }
}

fn form_of(format: ExportFormat) -> Form {
    match format {
        ExportFormat::JsonBlob => Form::Json,
        ExportFormat::CsvBlob => Form::Csv,
    }
}

fn equal<T: PartialEq + ToString>(name: &str, what: &'static str, expected: &T, found: &T) -> Result<(), Mismatch> {
    if expected == found {
        return Ok(());
    }
    let (expected, found) = (expected.to_string(), found.to_string());
    Err(Mismatch::Figure { name: name.to_owned(), what, expected, found })
}

/// An export that is being verified, file by file.
#[derive(Debug)]
pub struct Verification {
    manifest: Manifest,
    export_type: ExportType,
    format: ExportFormat,
    found: RowSet,
    bytes: u64,
}

/// What a verified export holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Verified {
    /// Data files.
    pub files: u64,
    /// Rows in them.
    pub rows: u64,
    /// Their bytes.
    pub bytes: u64,
}

impl Verification {
    /// Begins with the manifest of a job.
    ///
    /// # Errors
    /// [`Mismatch`] when it is unreadable, of another job or not complete.
    pub fn begin(manifest: &[u8], job: &str) -> Result<Self, Mismatch> {
        let manifest: Manifest = serde_json::from_slice(manifest).map_err(|error| Mismatch::manifest(&error))?;
        if manifest.job_id != job {
            return Err(Mismatch::manifest("it is of another job"));
        }
        if !manifest.complete {
            return Err(Mismatch::Incomplete);
        }
        let export_type = ExportType::from_name(&manifest.export_type);
        let format = ExportFormat::from_name(&manifest.format);
        let export_type = export_type.ok_or_else(|| Mismatch::manifest("unknown export type"))?;
        let format = format.ok_or_else(|| Mismatch::manifest("unknown format"))?;
        Ok(Self { manifest, export_type, format, found: RowSet::default(), bytes: 0 })
    }

    /// The files that the manifest names.
    pub fn files(&self) -> &[ManifestFile] {
        &self.manifest.files
    }

    /// Compares the container's data files (all blobs of the job but the manifest) with the manifest's.
    ///
    /// # Errors
    /// [`Mismatch`] when one is missing or too many.
    pub fn check_names<'a>(&self, listed: impl IntoIterator<Item = &'a str>) -> Result<(), Mismatch> {
        let listed = listed.into_iter().collect::<BTreeSet<_>>();
        let named = self.manifest.files.iter().map(|file| file.name.as_str()).collect::<BTreeSet<_>>();
        if let Some(name) = named.difference(&listed).next() {
            return Err(Mismatch::Missing { name: (*name).to_owned() });
        }
        match listed.difference(&named).next() {
            Some(name) => Err(Mismatch::Stray { name: (*name).to_owned() }),
            None => Ok(()),
        }
    }

    /// Checks a file's bytes and takes its rows.
    ///
    /// # Errors
    /// [`Mismatch`] when size, checksum or row count are not the manifest's.
    pub fn check_file(&mut self, file: &ManifestFile, bytes: &[u8]) -> Result<(), Mismatch> {
        equal(&file.name, "bytes", &file.bytes, &(bytes.len() as u64))?;
        equal(&file.name, "SHA-256", &file.sha256, &hex::encode(digest(&SHA256, bytes)))?;
        let rows = file::rows_of(bytes, self.export_type, self.format)
            .map_err(|error| Mismatch::unreadable(Path::new(&file.name), &*error))?;
        equal(&file.name, "rows", &file.rows, &rows.len())?;
        self.found.extend(rows);
        self.bytes += bytes.len() as u64;
        Ok(())
    }

    /// Compares all rows with the source's, and the totals with what was found.
    ///
    /// # Errors
    /// [`Mismatch`] when a row is missing, doubled or changed, or a total is wrong.
    pub fn finish(self, expected: &RowSet) -> Result<Verified, Mismatch> {
        let totals = &self.manifest.totals;
        equal("totals", "rows", &totals.rows, &self.found.len())?;
        equal("totals", "bytes", &totals.bytes, &self.bytes)?;
        if let Some(difference) = expected.difference(&self.found) {
            return Err(Mismatch::Rows(difference));
        }
        let files = self.manifest.files.len() as u64;
        Ok(Verified { files, rows: totals.rows, bytes: totals.bytes })
    }
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;

    const NAME: &str = "Event/j1/part-00000.json";
    const LINES: [&str; 3] = [
        r#"{"deviceId":"d1","name":"a","timestamp":"t1","extras":{"n":1e-7}}"#,
        r#"{"deviceId":"d1","name":"b","timestamp":"t2"}"#,
        r#"{"deviceId":"d2","name":"\u00e9","timestamp":"t3"}"#,
    ];
    const FILE: &str = r#"[{"deviceId":"d1","events":[{"name":"a","timestamp":"t1","extras":{"n":1e-7}},{"name":"b","timestamp":"t2"}]},{"deviceId":"d2","events":[{"name":"é","timestamp":"t3"}]}]"#;

    fn expected() -> RowSet {
        let mut rows = RowSet::default();
        for line in LINES {
            rows.add(&serde_json::from_str(line).unwrap(), Form::Json).unwrap();
        }
        rows
    }

    fn manifest(content: &str, rows: u64) -> Value {
        let file = json!({
            "name": NAME, "rows": rows, "bytes": content.len(), "sha256": hex::encode(digest(&SHA256, content.as_bytes())),
        });
        json!({
            "jobId": "j1", "exportType": "Event", "format": "JsonBlob", "complete": true,
            "totals": { "rows": rows, "bytes": content.len() }, "files": [file],
        })
    }

    fn begin(manifest: &Value) -> Result<Verification, Mismatch> {
        Verification::begin(manifest.to_string().as_bytes(), "j1")
    }

    /// Verifies a file whose manifest was made for it.
    fn verify(content: &str, rows: u64) -> Result<Verified, Mismatch> {
        let mut verification = begin(&manifest(content, rows))?;
        let file = verification.files()[0].clone();
        verification.check_names([NAME])?;
        verification.check_file(&file, content.as_bytes())?;
        verification.finish(&expected())
    }

    #[test]
    fn an_exact_export_is_verified() {
        assert_eq!(verify(FILE, 3), Ok(Verified { files: 1, rows: 3, bytes: FILE.len() as u64 }));
    }

    #[test]
    fn a_dropped_row_is_found() {
        let content = FILE.replace(r#",{"name":"b","timestamp":"t2"}"#, "");
        assert_eq!(verify(&content, 2), Err(Mismatch::Rows(Difference { missing: 1, surplus: 0 })));
    }

    #[test]
    fn a_doubled_row_is_found() {
        let row = r#"{"name":"b","timestamp":"t2"}"#;
        let content = FILE.replace(row, &format!("{row},{row}"));
        assert_eq!(verify(&content, 4), Err(Mismatch::Rows(Difference { missing: 0, surplus: 1 })));
    }

    #[test]
    fn a_changed_number_or_owner_is_found() {
        let changed = Err(Mismatch::Rows(Difference { missing: 1, surplus: 1 }));
        assert_eq!(verify(&FILE.replace("1e-7", "0.0000001"), 3), changed);
        assert_eq!(verify(&FILE.replace("d2", "d3"), 3), changed);
    }

    #[test]
    fn a_changed_byte_is_found() {
        let mut verification = begin(&manifest(FILE, 3)).unwrap();
        let file = verification.files()[0].clone();
        let error = verification.check_file(&file, FILE.replace("t3", "t4").as_bytes()).unwrap_err();
        assert!(matches!(error, Mismatch::Figure { what: "SHA-256", .. }), "{error}");
        let error = verification.check_file(&file, FILE.trim_end_matches(']').as_bytes()).unwrap_err();
        assert!(matches!(error, Mismatch::Figure { what: "bytes", .. }), "{error}");
    }

    #[test]
    fn a_wrong_row_count_is_found() {
        let error = verify(FILE, 4).unwrap_err();
        assert_eq!(error.to_string(), format!("{NAME}: the manifest says rows 4, found 3"));
    }

    #[test]
    fn missing_and_stray_files_are_found() {
        let verification = begin(&manifest(FILE, 3)).unwrap();
        assert_eq!(verification.check_names([]), Err(Mismatch::Missing { name: NAME.to_owned() }));
        assert_eq!(verification.check_names([NAME, "x"]), Err(Mismatch::Stray { name: "x".to_owned() }));
    }

    #[test]
    fn an_incomplete_export_is_not_verified() {
        let mut manifest = manifest(FILE, 3);
        manifest["complete"] = Value::Bool(false);
        assert_eq!(begin(&manifest).unwrap_err(), Mismatch::Incomplete);
    }
}
