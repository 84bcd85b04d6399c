//! A folder into which the files of an export were downloaded: as a tree, or all into one.

use std::collections::HashSet;
use std::io;
use std::path::{Path, PathBuf};

use async_trait::async_trait;
use futures::{StreamExt, TryStreamExt};
use tokio_util::io::ReaderStream;

use super::{Opened, Place, PlaceError, Strays};
use crate::verify::manifest::{MANIFEST_NAME, Manifest};

/// How deep a manifest may lie: `{container}/{exportType}/{jobId}/manifest.json` in a folder of
/// downloads.
const MAX_DEPTH: usize = 4;

/// How many files and folders are looked at in search of a manifest.
const MAX_ENTRIES: usize = 1_000_000;

/// How much is read from a disk at once.
const PIECE_BYTES: usize = 256 * 1024;

/// A folder with the files of one export.
#[derive(Debug)]
pub(crate) struct Folder {
    /// The manifest's folder, canonical: a file that lies outside of it is not read.
    root: PathBuf,
    /// `{exportType}/{jobId}/`, with which the files' names begin.
    prefix: String,
    layout: Layout,
}

/// How a blob's name became a path.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Layout {
    /// Beside the manifest, as in the container.
    Beside,
    /// By its whole name, below the manifest's folder.
    Whole,
    /// By its last part.
    Flat,
}

impl Layout {
    fn path(self, folder: &Path, prefix: &str, name: &str) -> PathBuf {
        let last = || name.rsplit('/').next().unwrap_or(name);
        match self {
            Self::Beside => folder.join(name.strip_prefix(prefix).unwrap_or_else(last)),
            Self::Whole => folder.join(name),
            Self::Flat => folder.join(last()),
        }
    }
}

/// The manifest that a person means by a path: the file itself, or the only one in or below a
/// folder.
///
/// # Errors
/// [`PlaceError::Refused`] when there is none, or more than one.
pub(crate) fn find_manifest(path: &Path) -> Result<PathBuf, PlaceError> {
    let refused = |reason: String| PlaceError::Refused { reason };
    let kind = path
        .metadata()
        .map_err(|error| refused(format!("{} cannot be read: {error}", path.display())))?;
    if kind.is_file() {
        return Ok(path.to_owned());
    }
    if path.join(MANIFEST_NAME).is_file() {
        return Ok(path.join(MANIFEST_NAME));
    }
    let found = find_manifests(path)?;
    match found.as_slice() {
        [one] => Ok(one.clone()),
        [] => Err(refused(format!(
            "there is no {MANIFEST_NAME} in or below {}",
            path.display()
        ))),
        [first, second, ..] => Err(refused(format!(
            "there are several manifests below {}; name one, such as {} or {}",
            path.display(),
            first.display(),
            second.display()
        ))),
    }
}

/// The manifests in or below a folder, by their paths.
///
/// # Errors
/// [`PlaceError::Refused`] when it cannot be read.
pub(crate) fn find_manifests(folder: &Path) -> Result<Vec<PathBuf>, PlaceError> {
    let mut found = Vec::new();
    search(folder, MAX_DEPTH, &mut MAX_ENTRIES.clone(), &mut found).map_err(|error| {
        PlaceError::Refused {
            reason: format!("{} cannot be read: {error}", folder.display()),
        }
    })?;
    found.sort_unstable();
    Ok(found)
}

/// Follows no links.
fn search(
    folder: &Path,
    depth: usize,
    entries: &mut usize,
    found: &mut Vec<PathBuf>,
) -> io::Result<()> {
    for entry in folder.read_dir()? {
        let entry = entry?;
        *entries = entries
            .checked_sub(1)
            .ok_or_else(|| io::Error::other("it is too large; name the manifest"))?;
        let kind = entry.file_type()?;
        if kind.is_dir() && depth > 1 {
            search(&entry.path(), depth - 1, entries, found)?;
        } else if kind.is_file() && entry.file_name() == MANIFEST_NAME {
            found.push(entry.path());
        }
    }
    Ok(())
}

impl Folder {
    /// The folder of a manifest and its files.
    ///
    /// # Errors
    /// [`PlaceError::Refused`] when it is not clear which files are meant.
    pub(crate) fn of(path: &Path, manifest: &Manifest) -> Result<Self, PlaceError> {
        let refused = |reason: String| PlaceError::Refused { reason };
        let parent = path
            .parent()
            .filter(|parent| !parent.as_os_str().is_empty())
            .unwrap_or(Path::new("."));
        let folder = parent.canonicalize();
        let folder = folder
            .map_err(|error| refused(format!("{} cannot be read: {error}", parent.display())))?;
        let prefix = manifest.prefix();
        let layouts = [Layout::Beside, Layout::Whole, Layout::Flat];
        let mut used = layouts.into_iter().filter(|layout| {
            // A path that two layouts share says nothing for the later one.
            let earlier = layouts.iter().take_while(|other| *other != layout);
            manifest.safe_files().any(|file| {
                let path = layout.path(&folder, &prefix, &file.name);
                path.is_file()
                    && !earlier
                        .clone()
                        .any(|other| other.path(&folder, &prefix, &file.name) == path)
            })
        });
        let layout = used.next().unwrap_or(Layout::Beside);
        if used.next().is_some() {
            return Err(refused(format!(
                "{} holds files of this export in more than one place",
                folder.display()
            )));
        }
        let mut paths = HashSet::new();
        if layout == Layout::Flat
            && !manifest
                .safe_files()
                .all(|file| paths.insert(layout.path(&folder, "", &file.name)))
        {
            return Err(refused(
                "two files of this export have the same last name: download them as a tree"
                    .to_owned(),
            ));
        }
        Ok(Self {
            root: folder,
            prefix,
            layout,
        })
    }

    /// The job's files that lie there, by their blobs' names; hidden ones are somebody else's.
    fn list(&self, below: &Path, names: &mut Vec<String>) -> io::Result<()> {
        for entry in below.read_dir()? {
            let entry = entry?;
            let path = entry.path();
            if entry.file_name().as_encoded_bytes().starts_with(b".") {
                continue;
            }
            if entry.file_type()?.is_dir() {
                self.list(&path, names)?;
            } else {
                let relative = path.strip_prefix(&self.root).unwrap_or(&path);
                names.push(format!("{}{}", self.prefix, relative.display()));
            }
        }
        Ok(())
    }
}

#[async_trait]
impl Place for Folder {
    async fn open(&self, name: &str) -> Result<Option<Opened>, PlaceError> {
        let unavailable = |reason: String| PlaceError::Unavailable { reason };
        let path = match self
            .layout
            .path(&self.root, &self.prefix, name)
            .canonicalize()
        {
            Ok(path) => path,
            Err(error)
                if matches!(
                    error.kind(),
                    io::ErrorKind::NotFound | io::ErrorKind::NotADirectory
                ) =>
            {
                return Ok(None);
            }
            Err(error) => return Err(unavailable(error.to_string())),
        };
        if !path.starts_with(&self.root) {
            return Err(unavailable(
                "it is a link that leads out of the folder".to_owned(),
            ));
        }
        if !path.is_file() {
            return Err(unavailable("it is not a file".to_owned()));
        }
        open_file(&path).await.map(Some)
    }

    async fn strays(&self, listed: &HashSet<&str>) -> Result<Strays, PlaceError> {
        let job = self.prefix.split('/').nth(1).unwrap_or_default();
        if self.layout != Layout::Beside || self.root.file_name().is_none_or(|name| name != job) {
            return Ok(Strays::NotLooked("the folder is not the export's own"));
        }
        let mut names = Vec::new();
        let read = self.list(&self.root, &mut names);
        read.map_err(|error| PlaceError::Unavailable {
            reason: error.to_string(),
        })?;
        names.retain(|name| !listed.contains(name.as_str()));
        names.sort_unstable();
        Ok(Strays::Found(names))
    }
}

/// Begins to read a file.
///
/// # Errors
/// [`PlaceError::Unavailable`].
pub(crate) async fn open_file(path: &Path) -> Result<Opened, PlaceError> {
    let unavailable = |error: io::Error| PlaceError::Unavailable {
        reason: error.to_string(),
    };
    let file = tokio::fs::File::open(path).await.map_err(unavailable)?;
    let size = file.metadata().await.map_err(unavailable)?.len();
    let pieces = ReaderStream::with_capacity(file, PIECE_BYTES)
        .map_err(unavailable)
        .boxed();
    Ok(Opened { size, pieces })
}
