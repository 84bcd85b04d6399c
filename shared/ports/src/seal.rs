//! The port that seals a credential for one job, so that what is stored is useless elsewhere.

use async_trait::async_trait;
use domain::cause::Cause;
use domain::job::{JobId, SealedCredential};
use domain::secret::Secret;
use thiserror::Error;

/// Why sealing or opening did not work.
#[derive(Debug, Error)]
pub enum SealError {
    /// The sealed bytes are damaged, or were sealed for another job or with another key.
    #[error("the stored credential cannot be opened")]
    Unreadable,
    /// The key service does not answer; a repeat may help.
    #[error("the key service does not answer")]
    Unavailable {
        /// The service's code, or why there is no answer; nothing of what was to be sealed or opened.
        #[source]
        cause: Cause,
    },
}

impl SealError {
    /// Whether a repeat may help.
    pub fn is_transient(&self) -> bool {
        match self {
            Self::Unavailable { .. } => true,
            Self::Unreadable => false,
        }
    }
}

/// Seals and opens credentials, bound to a job's id.
#[async_trait]
pub trait Sealer: Send + Sync {
    /// Encrypts the credential with the job's id as context.
    ///
    /// # Errors
    /// [`SealError::Unavailable`], also when the key may not be used at present: that is the operator's
    /// to change.
    async fn seal(&self, job: JobId, credential: &Secret) -> Result<SealedCredential, SealError>;

    /// Decrypts what [`Sealer::seal`] made for the same job.
    ///
    /// # Errors
    /// [`SealError::Unreadable`] when it was made for another job or with another key, or is damaged;
    /// [`SealError::Unavailable`] as for sealing.
    async fn open(&self, job: JobId, sealed: &SealedCredential) -> Result<Secret, SealError>;
}
