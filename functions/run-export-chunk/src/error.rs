//! Why a chunk run stopped, sorted by what is to be done.

use container::OpenError;
use domain::job::IllegalMove;
use formats::encode::EncodeError;
use ports::container::ContainerError;
use ports::source::SourceError;
use ports::store::StoreError;
use thiserror::Error;

/// Why a chunk run stopped.
#[derive(Debug, Error)]
pub(crate) enum ChunkError {
    /// A later delivery may succeed; nothing is lost.
    #[error("{reason}")]
    Retry {
        /// What happened.
        reason: String,
    },
    /// Another run took the chunk over.
    #[error("another run took the chunk over")]
    Superseded,
    /// Storage refuses the credential: the job waits for another one.
    #[error("{reason}")]
    Credential {
        /// What storage said.
        reason: String,
    },
    /// No repeat will help: the chunk ends.
    #[error("{reason}")]
    Fail {
        /// What is wrong, for the job's owner.
        reason: String,
    },
}

impl ChunkError {
    pub(crate) fn retry(reason: impl Into<String>) -> Self {
        Self::Retry {
            reason: reason.into(),
        }
    }

    pub(crate) fn fail(reason: impl Into<String>) -> Self {
        Self::Fail {
            reason: reason.into(),
        }
    }
}

impl From<StoreError> for ChunkError {
    fn from(error: StoreError) -> Self {
        match error {
            StoreError::Conflict { .. } => Self::Superseded,
            StoreError::Unavailable { .. }
            | StoreError::Newer { .. }
            | StoreError::Corrupt { .. } => Self::retry(error.to_string()),
        }
    }
}

impl From<ContainerError> for ChunkError {
    fn from(error: ContainerError) -> Self {
        match error {
            ContainerError::Denied { .. } => Self::Credential {
                reason: error.to_string(),
            },
            ContainerError::Damaged { .. }
            | ContainerError::Unavailable { .. }
            | ContainerError::BlocksGone => Self::retry(error.to_string()),
            ContainerError::Missing { .. } | ContainerError::Refused { .. } => {
                Self::fail(error.to_string())
            }
        }
    }
}

impl From<SourceError> for ChunkError {
    fn from(error: SourceError) -> Self {
        if error.is_transient() {
            Self::retry(error.to_string())
        } else {
            Self::fail(error.to_string())
        }
    }
}

impl From<EncodeError> for ChunkError {
    fn from(error: EncodeError) -> Self {
        Self::fail(error.to_string())
    }
}

impl From<OpenError> for ChunkError {
    fn from(error: OpenError) -> Self {
        match error {
            OpenError::Container(error) => error.into(),
            OpenError::Seal(_) | OpenError::NoCredential if error.is_transient() => {
                Self::retry(error.to_string())
            }
            OpenError::Seal(_) | OpenError::NoCredential => Self::fail(error.to_string()),
        }
    }
}

impl From<IllegalMove> for ChunkError {
    fn from(error: IllegalMove) -> Self {
        Self::retry(error.to_string())
    }
}
