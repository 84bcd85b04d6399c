//! Where the files of an export lie: in a folder, or in the container.

mod container;
mod folder;

use std::collections::HashSet;

use async_trait::async_trait;
use bytes::Bytes;
use futures::stream::BoxStream;
use thiserror::Error;

pub(super) use self::container::all_of;
pub(crate) use self::container::of_blobs;
pub use self::container::{ContainerPlace, JobName};
pub(crate) use self::folder::open_file;
pub(super) use self::folder::{Folder, find_manifest, find_manifests};

/// Why a place does not answer.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum PlaceError {
    /// Nothing can be verified here: the signature is refused, there is no manifest, or more than
    /// one.
    #[error("{reason}")]
    Refused {
        /// What is wrong and what to do, in words: the whole message.
        reason: String,
    },
    /// What is read cannot be kept: a disk is full, a folder may not be written.
    #[error("{reason}")]
    Unwritable {
        /// What cannot be written and why, in words: the whole message.
        reason: String,
    },
    /// This cannot be read, now; something else may.
    #[error("{reason}")]
    Unavailable {
        /// What keeps it from being read, in words: the whole message.
        reason: String,
    },
}

/// The bytes of a file.
pub(crate) type Pieces = BoxStream<'static, Result<Bytes, PlaceError>>;

/// A file that is being read.
pub struct Opened {
    /// Its size, in bytes.
    pub size: u64,
    /// Its bytes in order, a piece at a time.
    pub pieces: Pieces,
}

/// Files that no manifest names, if it could be found out.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Strays {
    /// Their blobs' names; none when every file is listed.
    Found(Vec<String>),
    /// It was not looked, and why.
    NotLooked(&'static str),
}

/// Where the files of an export lie.
#[async_trait]
pub trait Place: Send + Sync {
    /// Begins to read a file; `None` when there is none of that name. The name was looked at
    /// before: it leads nowhere else.
    async fn open(&self, name: &str) -> Result<Option<Opened>, PlaceError>;

    /// Hears whether a file that was read is as the manifest says. The answer says whether reading
    /// it once more may find other bytes.
    async fn settle(&self, _name: &str, _is_right: bool) -> Result<bool, PlaceError> {
        Ok(false)
    }

    /// The job's files whose names are not among these.
    async fn strays(&self, listed: &HashSet<&str>) -> Result<Strays, PlaceError>;
}
