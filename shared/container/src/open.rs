//! Opens a job's container with the job's own credential.

use std::sync::Arc;

use domain::container::ContainerAccess;
use domain::job::Job;
use ports::container::{Container, ContainerError, Containers};
use ports::seal::{SealError, Sealer};
use thiserror::Error;

/// Why a job's container cannot be opened.
#[derive(Debug, Error)]
pub enum OpenError {
    /// The job has none any more.
    #[error("the job has no credential")]
    NoCredential,
    /// The credential cannot be unsealed.
    #[error(transparent)]
    Seal(#[from] SealError),
    /// The container's address is none.
    #[error(transparent)]
    Container(#[from] ContainerError),
}

impl OpenError {
    /// Whether a repeat may help.
    pub fn is_transient(&self) -> bool {
        match self {
            Self::NoCredential => false,
            Self::Seal(error) => error.is_transient(),
            Self::Container(error) => error.is_transient(),
        }
    }
}

/// A client for the job's container; storage is not asked.
///
/// # Errors
/// [`OpenError`]; the key service may not answer.
pub async fn open_for(
    job: &Job,
    sealer: &dyn Sealer,
    containers: &dyn Containers,
) -> Result<Arc<dyn Container>, OpenError> {
    let credential = job.credential.as_ref().ok_or(OpenError::NoCredential)?;
    let access = ContainerAccess {
        address: job.destination.clone(),
        signature: sealer.open(job.key.id, &credential.sealed).await?,
    };
    Ok(containers.open(&access)?)
}
