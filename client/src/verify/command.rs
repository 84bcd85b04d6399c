//! `engagement-export verify`: the command.

use std::io::{IsTerminal, Read};
use std::path::PathBuf;
use std::process::ExitCode;

use clap::Args;
use clap::builder::{StringValueParser, TypedValueParser};
use domain::plural::agree;
use domain::secret::Secret;
use domain::warning::Warning;
use indicatif::{ProgressBar, ProgressStyle};

use super::mismatch::{shown, shown_up_to};
use super::place::{ContainerPlace, Folder, JobName, Place, PlaceError, find_manifest, open_file};
use super::verdict::Outcome;
use super::{Export, Finding, Manifest};
use crate::console::{USAGE, complain, counted, say};

/// How many missing parts are named one by one.
const TOLD_CHUNKS: usize = 20;

/// How many warnings are shown one by one.
const TOLD_WARNINGS: usize = 20;

/// The characters of a warning that are shown: its counts, and the names of what was left out.
const MAX_WARNING: usize = 5_000;

/// The longest container URL that is read from a file.
const MAX_URL_BYTES: u64 = 64 * 1024;

const EXIT_CODES: &str = "\
Exit codes:
   0  every file is exactly as the manifest says, and the export is complete
   1  something is wrong; each wrong file is named in one line
   2  it could not be found out: no manifest, storage does not answer, signature refused
   3  every file is as the manifest says, and the manifest says that the export is incomplete
  64  the command line cannot be understood
  74  the output could not be written";

/// Checks that an export is exactly what its manifest says: each file's size, checksums and rows.
#[derive(Debug, Args)]
#[command(after_help = EXIT_CODES)]
pub struct VerifyArguments {
    /// The folder that the files were downloaded into, or the manifest in it.
    #[arg(value_name = "FOLDER", required_unless_present = "job", conflicts_with_all = ["job", "container_url_file"])]
    path: Option<PathBuf>,
    /// An export in its container: the task's id, or the manifest's name or URL.
    #[arg(long, value_parser = JobName::parse)]
    job: Option<JobName>,
    /// A file with the container's URL and a signature that may read (and list, to find stray
    /// files); `-` is the standard input.
    #[arg(long, value_name = "FILE", requires = "job")]
    container_url_file: Option<PathBuf>,
    /// The URL itself. Everybody on the machine can see a command line: set the variable instead.
    #[arg(long, value_name = "URL", env = "VERIFY_CONTAINER_URL", hide_env_values = true, value_parser = secret())]
    container_url: Option<Secret>,
}

fn secret() -> impl TypedValueParser<Value = Secret> {
    StringValueParser::new().map(Secret::new)
}

/// What is to be verified.
enum Wanted {
    Folder(PathBuf),
    Job(JobName, UrlFrom),
}

/// Where the container's URL comes from.
enum UrlFrom {
    File(PathBuf),
    Variable(Secret),
}

impl VerifyArguments {
    /// What the command line asks for.
    ///
    /// # Errors
    /// What it lacks.
    fn wanted(self) -> Result<Wanted, &'static str> {
        let url = self
            .container_url_file
            .map(UrlFrom::File)
            .or(self.container_url.map(UrlFrom::Variable));
        match (self.path, self.job, url) {
            (Some(folder), _, _) => Ok(Wanted::Folder(folder)),
            (None, Some(job), Some(url)) => Ok(Wanted::Job(job, url)),
            (None, Some(_), None) => Err(
                "give the container's URL in VERIFY_CONTAINER_URL, or in a file: --container-url-file",
            ),
            (None, None, _) => Err("name a folder, or a job with --job"),
        }
    }
}

/// Verifies, prints what is wrong, and answers the exit code.
pub async fn verify(arguments: VerifyArguments) -> ExitCode {
    let wanted = match arguments.wanted() {
        Ok(wanted) => wanted,
        Err(lacking) => {
            complain(format_args!("✗ {lacking}"));
            return ExitCode::from(USAGE);
        }
    };
    let outcome = run(wanted).await.unwrap_or_else(|error| {
        complain(format_args!("✗ {error}"));
        Outcome::Unknown
    });
    ExitCode::from(match outcome {
        Outcome::Right => 0,
        Outcome::Wrong => 1,
        Outcome::Unknown => 2,
        Outcome::Incomplete => 3,
    })
}

async fn run(wanted: Wanted) -> Result<Outcome, PlaceError> {
    let (job, url) = match wanted {
        Wanted::Folder(path) => {
            let path = find_manifest(&path)?;
            let manifest = Manifest::read(open_file(&path).await?).await?;
            let folder = Folder::of(&path, &manifest)?;
            return tell(&manifest, &folder).await;
        }
        Wanted::Job(job, UrlFrom::File(path)) => (job, read_url(&path)?),
        Wanted::Job(job, UrlFrom::Variable(url)) => (job, url),
    };
    let (place, opened) = ContainerPlace::open(&url, job).await?;
    let manifest = Manifest::read(opened).await?;
    if manifest.job != job.job() {
        return Err(PlaceError::Refused {
            reason: "the manifest cannot be used: it is of another job".to_owned(),
        });
    }
    tell(&manifest, &place).await
}

/// The first line of a file, or of the standard input.
fn read_url(path: &std::path::Path) -> Result<Secret, PlaceError> {
    let mut text = String::new();
    let read = if path.as_os_str() == "-" {
        std::io::stdin()
            .take(MAX_URL_BYTES)
            .read_to_string(&mut text)
    } else {
        std::fs::File::open(path)
            .and_then(|file| file.take(MAX_URL_BYTES).read_to_string(&mut text))
    };
    let refused = |reason: String| PlaceError::Refused { reason };
    read.map_err(|error| {
        refused(format!(
            "the container's URL cannot be read from {}: {error}",
            path.display()
        ))
    })?;
    match text.trim().lines().next() {
        Some(url) => Ok(Secret::new(url.trim())),
        None => Err(refused(format!(
            "there is no container URL in {}",
            path.display()
        ))),
    }
}

async fn tell(manifest: &Manifest, place: &dyn Place) -> Result<Outcome, PlaceError> {
    let bar = progress(manifest);
    let line = |line: String| bar.suspend(|| say(line));
    let mut hear = |finding: &Finding| match finding {
        Finding::Wrong(mismatch) => line(format!("✗ {mismatch}")),
        Finding::Unknown { name, reason } => line(format!("? {}: {}", shown(name), shown(reason))),
    };
    let export = Export {
        manifest,
        place,
        keep_rows: false,
    };
    let verdict = export.verify(&mut hear, &|bytes| bar.inc(bytes)).await;
    bar.finish_and_clear();
    let verdict = verdict?;
    tell_missing(manifest);
    warnings(manifest).into_iter().for_each(say);
    if verdict.rejected > 0 {
        let (records, were) = (
            counted(verdict.rejected, "record"),
            agree(verdict.rejected, "was", "were"),
        );
        say(format_args!("! {records} of the source {were} rejected"));
    }
    tell_leftovers(&manifest.leftovers);
    verdict.unfiltered_line().into_iter().for_each(say);
    match verdict.strays_unknown {
        Some(reason) => say(format_args!(
            "· files that are not in the manifest were not looked for: {reason}"
        )),
        None => say("· files that are not in the manifest were looked for"),
    }
    say(verdict.line());
    Ok(verdict.outcome())
}

fn tell_leftovers(names: &[String]) {
    let Some(first) = names.first() else { return };
    let count = names.len() as u64;
    let (files, are, them) = (
        counted(count, "file"),
        agree(count, "is", "are"),
        agree(count, "it", "them"),
    );
    say(format_args!(
        "! {files} may lie beside these that {are} no part of the export: an attempt left {them}, the first is {}",
        shown(first)
    ));
}

fn tell_missing(manifest: &Manifest) {
    for missing in manifest.missing.iter().take(TOLD_CHUNKS) {
        let (name, reason) = (missing.name(), shown(&missing.reason));
        match &missing.object {
            Some(object) => say(format_args!("! missing: {} {reason}", shown(object))),
            None => say(format_args!("! {name} is missing: {reason}")),
        }
    }
    if manifest.missing.len() > TOLD_CHUNKS {
        let others = (manifest.missing.len() - TOLD_CHUNKS) as u64;
        let (parts, are) = (counted(others, "more part"), agree(others, "is", "are"));
        say(format_args!("! {parts} {are} missing: see the manifest"));
    }
    if !manifest.complete && !manifest.planned {
        say("! the selection was not planned to its end: there may be more that is missing");
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
fn progress(manifest: &Manifest) -> ProgressBar {
    if !std::io::stderr().is_terminal() {
        return ProgressBar::hidden();
    }
    let bar = ProgressBar::new(manifest.totals.bytes);
    match ProgressStyle::with_template("  {bar:32} {bytes} of {total_bytes}, {eta} left") {
        Ok(style) => bar.with_style(style),
        Err(_) => bar,
    }
}
