//! What is loaded: files, and what comes by the standard input.

use std::io::Seek;
use std::path::{Path, PathBuf};

use client::failure::Failure;
use client::verify::shown;
use tempfile::NamedTempFile;

/// How the standard input is named on a command line.
const STANDARD_INPUT: &str = "-";

/// A file, or what came by the standard input and lies in one.
pub(super) struct Input {
    /// As it was named.
    pub(super) name: String,
    pub(super) path: PathBuf,
    /// The same without links, from the root on.
    pub(super) absolute: PathBuf,
    spooled: Option<NamedTempFile>,
}

impl Input {
    /// All that a command line names; the standard input is read to its end.
    ///
    /// # Errors
    /// When one is named twice, is no file, or the standard input cannot be read.
    pub(super) fn all(files: &[PathBuf]) -> Result<Vec<Self>, Failure> {
        let is_standard = |file: &&PathBuf| is_standard_input(file);
        if files.iter().filter(is_standard).count() > 1 {
            let message = "`-`, the standard input, is named twice: it can be read once";
            return Err(Failure::usage(message));
        }
        for (at, file) in files.iter().enumerate() {
            let mut earlier = files.iter().take(at);
            if earlier.any(|it| is_same(it, file)) {
                let file = shown(&file.display().to_string());
                let message = format!("{file} is named twice: once is enough");
                return Err(Failure::usage(message));
            }
        }
        files.iter().map(|file| Self::of(file)).collect()
    }

    fn of(file: &Path) -> Result<Self, Failure> {
        if is_standard_input(file) {
            return spooled().map_err(|error| {
                Failure::unknown(format!("the standard input cannot be read: {error}"))
            });
        }
        let name = file.display().to_string();
        let absolute = file.canonicalize();
        let absolute = absolute.map_err(|error| unreadable(&name, &error.to_string()))?;
        if !absolute.is_file() {
            return Err(unreadable(&name, "it is no file"));
        }
        Ok(Self {
            name,
            path: file.to_owned(),
            absolute,
            spooled: None,
        })
    }

    /// Whether it is there for another run, too.
    pub(super) fn is_file(&self) -> bool {
        self.spooled.is_none()
    }
}

pub(super) fn is_standard_input(file: &Path) -> bool {
    file.as_os_str() == STANDARD_INPUT
}

/// Whether two paths are of one file; what does not exist is none.
pub(super) fn is_same(one: &Path, other: &Path) -> bool {
    same_file::is_same_file(one, other).unwrap_or(false)
}

/// Why a file, which is called by its name, is not loaded.
pub(super) fn unreadable(name: &str, reason: &str) -> Failure {
    Failure::unknown(format!("{} cannot be read: {reason}", shown(name)))
}

/// Into a file, because the lake's code, which tells the compression, reads objects.
fn spooled() -> std::io::Result<Input> {
    let mut file = NamedTempFile::new()?;
    std::io::copy(&mut std::io::stdin().lock(), &mut file)?;
    file.rewind()?;
    Ok(Input {
        name: STANDARD_INPUT.to_owned(),
        path: file.path().to_owned(),
        absolute: file.path().canonicalize()?,
        spooled: Some(file),
    })
}
