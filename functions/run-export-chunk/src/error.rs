//! Why a chunk run stopped, sorted by what is to be done.

use container::OpenError;
use domain::cause::{Cause, in_one_line};
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
    #[error(transparent)]
    Retry(Cause),
    /// Another run took the chunk over.
    #[error("another run took the chunk over")]
    Superseded,
    /// Storage refuses the credential: the job waits for another one.
    #[error("{reason}")]
    Credential {
        /// The refusal in one line, with the cause and the remedy of the codes that are known.
        reason: String,
    },
    /// No repeat will help: the chunk ends.
    #[error("{reason}")]
    Fail {
        /// What is wrong, with its causes, for the job's owner.
        reason: String,
    },
}

impl ChunkError {
    pub(crate) fn retry(cause: impl Into<Cause>) -> Self {
        Self::Retry(cause.into())
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
            | StoreError::Corrupt { .. } => Self::retry(error),
        }
    }
}

impl From<ContainerError> for ChunkError {
    fn from(error: ContainerError) -> Self {
        match error {
            ContainerError::Denied { .. } => Self::Credential {
                reason: in_one_line(&error),
            },
            ContainerError::Damaged { .. }
            | ContainerError::Unavailable { .. }
            | ContainerError::BlocksGone => Self::retry(error),
            ContainerError::Missing { .. } | ContainerError::Refused { .. } => {
                Self::fail(in_one_line(&error))
            }
        }
    }
}

impl From<SourceError> for ChunkError {
    fn from(error: SourceError) -> Self {
        if error.is_transient() {
            Self::retry(error)
        } else {
            Self::fail(in_one_line(&error))
        }
    }
}

impl From<EncodeError> for ChunkError {
    fn from(error: EncodeError) -> Self {
        Self::fail(in_one_line(&error))
    }
}

impl From<OpenError> for ChunkError {
    fn from(error: OpenError) -> Self {
        match error {
            OpenError::Container(error) => error.into(),
            OpenError::Seal(_) | OpenError::NoCredential if error.is_transient() => {
                Self::retry(error)
            }
            OpenError::Seal(_) | OpenError::NoCredential => Self::fail(in_one_line(&error)),
        }
    }
}

impl From<IllegalMove> for ChunkError {
    fn from(error: IllegalMove) -> Self {
        Self::retry(error)
    }
}
