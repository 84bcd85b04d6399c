//! `engagement-export download`: the files of an export into a folder, each verified while it
//! comes.

mod landing;

use std::fs::{File, TryLockError};
use std::path::{Path, PathBuf};

use clap::Args;
use indicatif::DecimalBytes;
use serde_json::json;
use tokio::io::AsyncWriteExt;

use self::landing::Landing;
use crate::console::{Output, add, counted};
use crate::container_url::{Purpose, UrlFlags};
use crate::ending::Ending;
use crate::environment::of_process;
use crate::failure::Failure;
use crate::verify::{
    ContainerPlace, JobName, MANIFEST_NAME, Manifest, Opened, Reading, open_file, tell,
};

/// What keeps two downloads of one export out of each other's way. Hidden files are none of an
/// export.
const LOCK_NAME: &str = ".engagement-export.lock";

/// What the name of a file ends with that is not whole yet.
const PARTIAL: &str = ".partial";

/// An export, and where its files are to lie.
#[derive(Debug, Args)]
pub(crate) struct DownloadArguments {
    /// The export: its id, or its manifest's name or URL.
    #[arg(value_name = "EXPORT", value_parser = JobName::parse)]
    job: JobName,
    /// The folder below which the files lie as in the container: TYPE/ID/…
    #[arg(long, value_name = "FOLDER", default_value = ".")]
    into: PathBuf,
    /// The files of rejected records, too.
    #[arg(long)]
    include_rejected: bool,
    /// How many files are downloaded at once.
    #[arg(long, value_name = "COUNT", default_value_t = 8, value_parser = clap::value_parser!(u16).range(1..=64))]
    at_once: u16,
    #[command(flatten)]
    url: UrlFlags,
}

/// Downloads what is not there yet, and verifies everything. Files that lie there already are read
/// instead of downloaded; those that are not whole are gone on with.
///
/// # Errors
/// What keeps the files from coming, or from being written.
pub(crate) async fn download(
    arguments: DownloadArguments,
    output: Output,
) -> Result<Ending, Failure> {
    let url = arguments.url.url(Purpose::Read, &of_process).await?;
    let (container, opened) = ContainerPlace::open(&url, arguments.job).await?;
    let folder = arguments.into.join(container.prefix());
    let _lock = lock(&folder)?;
    let manifest = Kept::new(&folder, opened).await?;
    let read = Manifest::read(open_file(&manifest.partial).await?).await?;
    if read.prefix() != container.prefix() {
        return Err(Failure::unknown(
            "the manifest cannot be used: it is of another job",
        ));
    }
    let reading = Reading {
        rejects: arguments.include_rejected,
        at_once: arguments.at_once.into(),
    };
    let landing = Landing::new(&container, &arguments.into, &read, reading)?;
    make_room(&folder, landing.bytes_to_come())?;
    let (ending, mut export) = tell(&read, &landing, reading, output).await?;
    manifest.keep()?;
    // Nobody else waits for it: what is left of it does no harm.
    drop(std::fs::remove_file(folder.join(LOCK_NAME)));
    let left_out = read.rejected_files();
    if left_out > 0 && !arguments.include_rejected && !output.quiet {
        output.line(format_args!(
            "· {} of rejected records not downloaded: --include-rejected",
            counted(left_out, "file")
        ));
    }
    output.line(format_args!("· in {}", folder.display()));
    add(&mut export, "folder", folder.display());
    output.document(&json!({"exports": [export], "exitCode": ending.code()}));
    Ok(ending)
}

/// Makes the folder, and takes it for this process, as long as the file is open.
fn lock(folder: &Path) -> Result<File, Failure> {
    let unwritable = |error: &std::io::Error| unwritable(folder, error);
    std::fs::create_dir_all(folder).map_err(|error| unwritable(&error))?;
    let file = File::create(folder.join(LOCK_NAME)).map_err(|error| unwritable(&error))?;
    match file.try_lock() {
        Ok(()) => Ok(file),
        Err(TryLockError::WouldBlock) => Err(Failure::new(
            Ending::OutputLost,
            format!(
                "{} is in use by another download of this export: wait for it, or name another folder with --into",
                folder.display()
            ),
        )),
        Err(TryLockError::Error(error)) => Err(unwritable(&error)),
    }
}

/// Looks whether so many bytes fit.
fn make_room(folder: &Path, needed: u64) -> Result<(), Failure> {
    let free = fs4::available_space(folder).map_err(|error| unwritable(folder, &error))?;
    if needed <= free {
        return Ok(());
    }
    Err(Failure::new(
        Ending::OutputLost,
        format!(
            "the files need {}, and {} has {} left: make room, or name another folder with --into",
            DecimalBytes(needed),
            folder.display(),
            DecimalBytes(free)
        ),
    ))
}

/// What cannot be written, and why.
fn unwritable(path: &Path, error: &std::io::Error) -> Failure {
    let message = format!("{} cannot be written: {error}", path.display());
    Failure::new(Ending::OutputLost, message)
}

/// The manifest as it came: it gets its name when all else is there.
struct Kept {
    partial: PathBuf,
    path: PathBuf,
}

impl Kept {
    async fn new(folder: &Path, opened: Opened) -> Result<Self, Failure> {
        use futures::TryStreamExt;

        let kept = Self {
            partial: folder.join(format!("{MANIFEST_NAME}{PARTIAL}")),
            path: folder.join(MANIFEST_NAME),
        };
        let failed = |error| unwritable(&kept.partial, &error);
        let mut file = tokio::fs::File::create(&kept.partial)
            .await
            .map_err(failed)?;
        let mut pieces = opened.pieces;
        while let Some(piece) = pieces.try_next().await? {
            file.write_all(&piece).await.map_err(failed)?;
        }
        file.flush().await.map_err(failed)?;
        Ok(kept)
    }

    fn keep(self) -> Result<(), Failure> {
        std::fs::rename(&self.partial, &self.path).map_err(|error| unwritable(&self.path, &error))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_folder_is_one_downloads_at_a_time() {
        let folder = tempfile::tempdir().unwrap();
        let held = lock(folder.path()).unwrap();
        let failure = lock(folder.path()).unwrap_err();
        assert_eq!(failure.ending, Ending::OutputLost);
        assert!(failure.message.contains("another download"), "{failure}");
        drop(held);
        assert!(lock(folder.path()).is_ok());
    }

    #[test]
    fn what_does_not_fit_is_refused_before_anything_is_downloaded() {
        let folder = tempfile::tempdir().unwrap();
        assert!(make_room(folder.path(), 1).is_ok());
        let failure = make_room(folder.path(), u64::MAX).unwrap_err();
        assert_eq!(failure.ending, Ending::OutputLost);
        assert!(failure.message.contains("make room"), "{failure}");
    }
}
