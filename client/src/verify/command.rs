//! `engagement-export verify`: the command.

use std::path::PathBuf;

use clap::Args;
use domain::plural::agree;
use domain::warning::Warning;
use indicatif::{ProgressBar, ProgressStyle};
use serde_json::{Value, json};

use super::mismatch::{shown, shown_up_to};
use super::place::{JobName, Place, PlaceError};
use super::verdict::Verdict;
use super::which::find;
use super::{Export, Finding, Manifest, Reading};
use crate::console::{Output, add, counted};
use crate::container_url::UrlFlags;
use crate::ending::Ending;
use crate::failure::Failure;

/// How many missing parts are named one by one.
const TOLD_CHUNKS: usize = 20;

/// How many warnings are shown one by one.
const TOLD_WARNINGS: usize = 20;

/// How many findings stand in a JSON document; all are counted.
const MOST_FINDINGS: usize = 1_000;

/// The characters of a warning that are shown: its counts, and the names of what was left out.
const MAX_WARNING: usize = 5_000;

/// Which exports are verified.
#[derive(Debug, Args)]
pub(crate) struct VerifyArguments {
    /// The folder that the files were downloaded into, or the manifest in it.
    #[arg(value_name = "FOLDER", required_unless_present_any = ["job", "all"], conflicts_with_all = ["job", "container_url_file"])]
    pub(super) path: Option<PathBuf>,
    /// An export in its container: the task's id, or the manifest's name or URL. May be repeated.
    #[arg(long, value_parser = JobName::parse)]
    pub(super) job: Vec<JobName>,
    /// Every export in or below the folder; without a folder, every one in the container.
    #[arg(long, conflicts_with = "job")]
    pub(super) all: bool,
    #[command(flatten)]
    pub(super) url: UrlFlags,
}

/// Verifies, and says what is wrong.
///
/// # Errors
/// What keeps it from being found out, unless several exports are verified.
pub(crate) async fn verify(arguments: VerifyArguments, output: Output) -> Result<Ending, Failure> {
    let exports = find(&arguments).await?;
    if exports.is_empty() {
        return Err(Failure::unknown(
            "there is no export to verify: none has a manifest there",
        ));
    }
    let is_one = exports.len() == 1 && !arguments.all;
    let (mut endings, mut documents) = (Vec::new(), Vec::new());
    for export in &exports {
        if !is_one {
            output.line(export.label());
        }
        let (ending, document) = match export.verify(output).await {
            Ok(verified) => verified,
            Err(failure) if is_one => return Err(failure),
            Err(failure) => {
                output.line(format_args!("✗ {failure}"));
                let mut document = failure.document();
                add(&mut document, "export", export.label());
                (failure.ending, document)
            }
        };
        endings.push(ending);
        documents.push(document);
    }
    let ending = endings.into_iter().fold(Ending::Done, Ending::worse);
    output.document(&json!({"exports": documents, "exitCode": ending.code()}));
    Ok(ending)
}

/// Verifies one export, tells a person, and answers how it ends and the same as JSON.
pub(crate) async fn tell(
    manifest: &Manifest,
    place: &dyn Place,
    reading: Reading,
    output: Output,
) -> Result<(Ending, Value), PlaceError> {
    let bar = progress(manifest, output);
    let (mut findings, mut count) = (Vec::new(), 0_u64);
    let mut hear = |finding: &Finding| {
        let (kind, mark, text) = match finding {
            Finding::Wrong(mismatch) => ("wrong", '✗', mismatch.to_string()),
            Finding::Unknown { name, reason } => {
                let text = format!("{}: {}", shown(name), shown(reason));
                ("unknown", '?', text)
            }
        };
        bar.suspend(|| output.line(format_args!("{mark} {text}")));
        count += 1;
        if findings.len() < MOST_FINDINGS {
            findings.push(json!({"kind": kind, "message": text}));
        }
    };
    let export = Export {
        manifest,
        place,
        keep_rows: false,
    };
    let done = |bytes| bar.inc(bytes);
    let verdict = export.verify_of(reading, &mut hear, &done).await;
    bar.finish_and_clear();
    let verdict = verdict?;
    tell_verdict(manifest, &verdict, output);
    let ending = Ending::from(verdict.outcome());
    let document = json!({
        "jobId": manifest.job.to_string(),
        "exportType": manifest.kind.export_type.name(),
        "outcome": verdict.outcome().name(),
        "exitCode": ending.code(),
        "complete": verdict.complete,
        "files": verdict.files,
        "filesWrong": verdict.wrong,
        "filesUnknown": verdict.unknown,
        "filesNotInManifest": verdict.strays_unknown.is_none().then_some(verdict.strays),
        "rows": verdict.rows,
        "bytes": verdict.bytes,
        "rowsUnfiltered": verdict.unfiltered,
        "recordsRejected": verdict.rejected,
        "findings": findings,
        "findingsCount": count,
        "warnings": manifest.warnings,
    });
    Ok((ending, document))
}

fn tell_verdict(manifest: &Manifest, verdict: &Verdict, output: Output) {
    if !output.quiet {
        tell_missing(manifest, output);
        let warnings = warnings(manifest);
        for warning in warnings {
            output.line(warning);
        }
        if verdict.rejected > 0 {
            let (records, were) = (
                counted(verdict.rejected, "record"),
                agree(verdict.rejected, "was", "were"),
            );
            output.line(format_args!("! {records} of the source {were} rejected"));
        }
        tell_leftovers(&manifest.leftovers, output);
        if let Some(line) = verdict.unfiltered_line() {
            output.line(line);
        }
        match verdict.strays_unknown {
            Some(reason) => output.line(format_args!(
                "· files that are not in the manifest were not looked for: {reason}"
            )),
            None => output.line("· files that are not in the manifest were looked for"),
        }
    }
    output.line(verdict.line());
}

fn tell_leftovers(names: &[String], output: Output) {
    let Some(first) = names.first() else { return };
    let count = names.len() as u64;
    let (files, are, them) = (
        counted(count, "file"),
        agree(count, "is", "are"),
        agree(count, "it", "them"),
    );
    output.line(format_args!(
        "! {files} may lie beside these that {are} no part of the export: an attempt left {them}, the first is {}",
        shown(first)
    ));
}

fn tell_missing(manifest: &Manifest, output: Output) {
    for missing in manifest.missing.iter().take(TOLD_CHUNKS) {
        let (name, reason) = (missing.name(), shown(&missing.reason));
        match &missing.object {
            Some(object) => output.line(format_args!("! missing: {} {reason}", shown(object))),
            None => output.line(format_args!("! {name} is missing: {reason}")),
        }
    }
    if manifest.missing.len() > TOLD_CHUNKS {
        let others = (manifest.missing.len() - TOLD_CHUNKS) as u64;
        let (parts, are) = (counted(others, "more part"), agree(others, "is", "are"));
        output.line(format_args!("! {parts} {are} missing: see the manifest"));
    }
    if !manifest.complete && !manifest.planned {
        output
            .line("! the selection was not planned to its end: there may be more that is missing");
    }
}

/// What the manifest warns of, a line each. It changes nothing of how the verification ends.
pub(super) fn warnings(manifest: &Manifest) -> Vec<String> {
    let line = |warning: &Warning| {
        format!(
            "! {}: {}",
            shown(&warning.code),
            shown_up_to(&warning.message, MAX_WARNING)
        )
    };
    let mut lines: Vec<String> = manifest
        .warnings
        .iter()
        .take(TOLD_WARNINGS)
        .map(line)
        .collect();
    if let Some(others) = manifest
        .warnings
        .len()
        .checked_sub(TOLD_WARNINGS)
        .filter(|others| *others > 0)
    {
        lines.push(format!(
            "! {}: see the manifest",
            counted(others as u64, "more warning")
        ));
    }
    lines
}

/// A bar of the bytes that are verified, for a person.
fn progress(manifest: &Manifest, output: Output) -> ProgressBar {
    let bar = output.bar(manifest.totals.bytes);
    match ProgressStyle::with_template("  {bar:32} {bytes} of {total_bytes}, {eta} left") {
        Ok(style) => bar.with_style(style),
        Err(_) => bar,
    }
}
