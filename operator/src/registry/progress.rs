//! How far a file was loaded by a run that stopped: beside the file, so that the next run goes on.

use std::io::ErrorKind;
use std::path::{Path, PathBuf};

use client::ending::Ending;
use client::failure::Failure;
use serde::{Deserialize, Serialize};

/// What has become of a file's records so far.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Done {
    /// Records that were read.
    pub(super) records: u64,
    /// Items that were written.
    pub(super) written: u64,
    /// Records in whose place a later one of the same file was written, as far as that was seen.
    pub(super) repeated: u64,
    /// Records that cannot be loaded.
    pub(super) rejected: u64,
    /// How long the file of rejects was then, in bytes.
    #[serde(default)]
    pub(super) rejects_bytes: u64,
}

/// What is kept between runs.
#[derive(Debug, Serialize, Deserialize)]
struct Kept {
    /// Which version of which file, for which place: another one begins anew.
    of: String,
    done: Done,
}

/// Where the progress of a file is kept.
pub(super) struct Progress {
    path: PathBuf,
    of: String,
}

impl Progress {
    /// How long the file of rejects was when an earlier run stopped amid a file, whatever it loaded.
    pub(super) fn rejects_bytes(file: &Path) -> Option<u64> {
        let text = std::fs::read(path_beside(file)).ok()?;
        let kept: Kept = serde_json::from_slice(&text).ok()?;
        Some(kept.done.rejects_bytes)
    }

    /// That of a file which is loaded to a place.
    pub(super) fn of(file: &Path, version: &str, place: &str) -> Self {
        Self {
            path: path_beside(file),
            of: format!("{version} {place}"),
        }
    }

    /// How far an earlier run came with the same version of the file and the same place.
    ///
    /// # Errors
    /// When that cannot be read.
    pub(super) fn read(&self) -> Result<Option<Done>, Failure> {
        let text = match std::fs::read(&self.path) {
            Ok(text) => text,
            Err(error) if error.kind() == ErrorKind::NotFound => return Ok(None),
            Err(error) => return Err(self.unusable(&error)),
        };
        let kept: Option<Kept> = serde_json::from_slice(&text).ok();
        Ok(kept.filter(|kept| kept.of == self.of).map(|kept| kept.done))
    }

    /// Keeps how far it is, whole or not at all.
    ///
    /// # Errors
    /// When it cannot be written.
    pub(super) fn keep(&self, done: &Done) -> Result<(), Failure> {
        let kept = Kept {
            of: self.of.clone(),
            done: done.clone(),
        };
        let mut fresh = self.path.clone().into_os_string();
        fresh.push(".new");
        let text = serde_json::to_vec(&kept).unwrap_or_default();
        std::fs::write(&fresh, text)
            .and_then(|()| std::fs::rename(&fresh, &self.path))
            .map_err(|error| self.unusable(&error))
    }

    /// All is loaded to its end: the next run begins anew.
    ///
    /// # Errors
    /// When what is kept cannot be removed.
    pub(super) fn forget(&self) -> Result<(), Failure> {
        match std::fs::remove_file(&self.path) {
            Err(error) if error.kind() != ErrorKind::NotFound => Err(self.unusable(&error)),
            Ok(()) | Err(_) => Ok(()),
        }
    }

    fn unusable(&self, error: &std::io::Error) -> Failure {
        let message = format!(
            "how far the file is loaded cannot be kept in {}: {error}; load a copy of it from a folder that may be written",
            self.path.display()
        );
        Failure::new(Ending::OutputLost, message)
    }
}

/// Where it is kept of a file.
pub(super) fn path_beside(file: &Path) -> PathBuf {
    let mut name = file.as_os_str().to_owned();
    name.push(".progress");
    name.into()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn progress_is_of_one_version_of_a_file_and_one_place() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("devices.ndjson");
        let done = Done {
            records: 7,
            ..Done::default()
        };
        let progress = Progress::of(&file, "v1", "registry /a devices");
        assert_eq!(progress.read().unwrap(), None);
        progress.keep(&done).unwrap();
        assert_eq!(progress.read().unwrap(), Some(done));
        for (version, place) in [("v2", "registry /a devices"), ("v1", "registry /b devices")] {
            assert_eq!(Progress::of(&file, version, place).read().unwrap(), None);
        }
        progress.forget().unwrap();
        assert_eq!(progress.read().unwrap(), None);
        progress.forget().unwrap();
    }
}
