//! The port to the client's container.

pub mod refusal;

use std::io;
use std::sync::Arc;

use async_trait::async_trait;
use bytes::Bytes;
use domain::container::{BlobName, BlockId, ContainerAccess};
use thiserror::Error;

/// Why storage did not do what it was asked. No variant ever holds a URL's query: of an error of the
/// vendor's client, which shows the whole URL, only [`SystemError`] is kept.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum ContainerError {
    /// The signature does not allow the write: expired, revoked, lacking a permission, wrong
    /// network (401, 403).
    #[error("storage refused the signature ({})", refusal::explained(code))]
    Denied {
        /// Storage's error code, a name of ours ([`refusal::CAUSES`]), or `HTTP` and the status.
        code: String,
    },
    /// The container does not exist, or no longer (404).
    #[error("storage found no such container ({})", refusal::explained(code))]
    Missing {
        /// Storage's error code, `AccountNotFound` for an unknown host, or `HTTP 404`.
        code: String,
    },
    /// Blocks of the list to commit do not exist: discarded by another commit, or older than a
    /// week.
    #[error("blocks of the list are gone")]
    BlocksGone,
    /// Storage refuses the write for good: immutable, leased, too many blocks (other 4xx).
    #[error("storage refused the write ({})", refusal::explained(code))]
    Refused {
        /// Storage's error code, `HTTP` and the status, or a name of ours such as `RequestNotSent`.
        code: String,
    },
    /// A block arrived damaged; sending it again may help.
    #[error("a block arrived damaged ({code})")]
    Damaged {
        /// Storage's error code: `Crc64Mismatch` or `Md5Mismatch`.
        code: String,
    },
    /// No answer, a time-out, 408, 429 or 5xx, after the adapter's own retries.
    #[error("storage does not answer ({reason})")]
    Unavailable {
        /// What happened, without the URL.
        reason: String,
        /// What the operating system said of the connection, if it was that.
        #[source]
        cause: Option<SystemError>,
    },
}

/// What the operating system answered to a call: a number, so that nothing else can come with it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
#[error("{}", io::Error::from_raw_os_error(*.0))]
pub struct SystemError(i32);

impl SystemError {
    /// The operating system's part of an error; `None` when it has none.
    pub fn of(error: &io::Error) -> Option<Self> {
        error.raw_os_error().map(Self)
    }
}

impl ContainerError {
    /// Storage does not answer, for a reason that is found here.
    pub fn unavailable(reason: impl Into<String>) -> Self {
        Self::Unavailable {
            reason: reason.into(),
            cause: None,
        }
    }

    /// Whether a repeat may help.
    pub fn is_transient(&self) -> bool {
        match self {
            Self::Damaged { .. } | Self::Unavailable { .. } => true,
            Self::Denied { .. }
            | Self::Missing { .. }
            | Self::Refused { .. }
            | Self::BlocksGone => false,
        }
    }
}

/// One container of a client, opened with its signature. Neither call needs read, list or delete
/// permission.
#[async_trait]
pub trait Container: Send + Sync {
    /// Stages a block: invisible until committed, gone by itself after a week
    /// (<https://learn.microsoft.com/en-us/rest/api/storageservices/put-block#remarks>). Repeating it is harmless.
    ///
    /// # Errors
    /// Every variant but [`ContainerError::BlocksGone`].
    async fn stage_block(
        &self,
        blob: &BlobName,
        block: BlockId,
        data: Bytes,
    ) -> Result<(), ContainerError>;

    /// Makes the blob consist of exactly these blocks and discards its others. Repeating it with
    /// the same list is harmless (<https://learn.microsoft.com/en-us/rest/api/storageservices/put-block-list#remarks>).
    ///
    /// # Errors
    /// Every variant but [`ContainerError::Damaged`]; after [`ContainerError::Unavailable`] the blob may
    /// be as the list says all the same.
    async fn commit_blocks(
        &self,
        blob: &BlobName,
        blocks: &[BlockId],
        content_type: &str,
    ) -> Result<(), ContainerError>;
}

/// Opens clients' containers, each with the signature that belongs to it.
pub trait Containers: Send + Sync {
    /// A client for the container; no request is made.
    ///
    /// # Errors
    /// [`ContainerError::Refused`] when the address is not a URL.
    fn open(&self, access: &ContainerAccess) -> Result<Arc<dyn Container>, ContainerError>;
}
