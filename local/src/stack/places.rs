//! Where within its folder the stack keeps what.

use std::fs::{File, OpenOptions, TryLockError};
use std::io::ErrorKind;
use std::path::{Path, PathBuf};

use super::StackError;
use crate::token::{TokenError, TokenIssuer};

/// The places within the state's folder.
#[derive(Debug, Clone)]
pub struct Places {
    folder: PathBuf,
}

impl Places {
    /// Makes the folders that are missing.
    ///
    /// # Errors
    /// [`StackError::Io`] when one cannot be made.
    pub fn make(folder: &Path) -> Result<Self, StackError> {
        let io = |source| StackError::Io {
            what: folder.display().to_string(),
            source,
        };
        std::fs::create_dir_all(folder).map_err(io)?;
        let places = Self {
            folder: folder.canonicalize().map_err(io)?,
        };
        for made in [places.lake(), places.logs()] {
            std::fs::create_dir_all(made).map_err(io)?;
        }
        Ok(places)
    }

    /// The places within a folder, of which none need exist.
    pub fn at(folder: &Path) -> Self {
        Self {
            folder: folder.to_owned(),
        }
    }

    /// Takes the state for this process, as long as the file is open: the system gives it back
    /// however the process ends (<https://doc.rust-lang.org/std/fs/struct.File.html#method.try_lock>).
    pub(super) fn lock(&self) -> Result<File, StackError> {
        let path = self.folder.join("lock");
        let io = |source| StackError::Io {
            what: path.display().to_string(),
            source,
        };
        let file = OpenOptions::new()
            .create(true)
            .truncate(false)
            .write(true)
            .open(&path)
            .map_err(io)?;
        match file.try_lock() {
            Ok(()) => Ok(file),
            Err(TryLockError::WouldBlock) => Err(StackError::InUse {
                folder: self.folder.display().to_string(),
            }),
            Err(TryLockError::Error(source)) => Err(io(source)),
        }
    }

    /// The raw data of the past.
    pub fn lake(&self) -> PathBuf {
        self.folder.join("lake")
    }

    /// The folder of the commands' log, `service.log`.
    pub fn logs(&self) -> PathBuf {
        self.folder.join("logs")
    }

    /// The file of both tables, a database of the embedded engine.
    pub fn dynamodb(&self) -> PathBuf {
        self.folder.join("dynamodb.sqlite")
    }

    /// The key that tokens are signed with.
    pub(super) fn token_key(&self) -> PathBuf {
        self.folder.join("token-rsa.der")
    }

    /// The URL of the issuer that the tokens name, as it was at the last start.
    fn issuer(&self) -> PathBuf {
        self.folder.join("issuer.txt")
    }

    /// Who signs the tokens of this state, for a process that does not run it.
    ///
    /// # Errors
    /// [`TokenError`] when nothing has run it yet, or the key cannot be read.
    pub fn token_issuer(&self) -> Result<TokenIssuer, TokenError> {
        let path = self.issuer();
        // Without it there is no key either, and that error says what to do.
        let issuer = match std::fs::read_to_string(&path) {
            Ok(issuer) => issuer,
            Err(error) if error.kind() == ErrorKind::NotFound => String::new(),
            Err(source) => {
                let path = path.display().to_string();
                return Err(TokenError::File { path, source });
            }
        };
        TokenIssuer::read(&self.token_key(), &issuer)
    }

    pub(super) fn remember_issuer(&self, url: &str) -> Result<(), StackError> {
        let path = self.issuer();
        std::fs::write(&path, url).map_err(|source| StackError::Io {
            what: path.display().to_string(),
            source,
        })
    }

    /// What the command of the operators needs to know, to be read by a shell.
    pub(crate) fn operate(&self) -> PathBuf {
        self.folder.join("operate.sh")
    }

    pub(super) fn seal_key(&self) -> PathBuf {
        self.folder.join("seal-key.hex")
    }

    pub(super) fn azurite(&self) -> PathBuf {
        self.folder.join("azurite")
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::dynamodb::scratch_dir;

    #[test]
    fn a_state_is_free_again_when_its_holder_has_let_go() {
        let folder = scratch_dir().unwrap();
        let places = Places::make(folder.path()).unwrap();
        let held = places.lock().unwrap();
        assert!(matches!(places.lock(), Err(StackError::InUse { .. })));
        drop(held);
        places.lock().unwrap();
    }
}
