//! The port to the raw data: a source cuts a selection into chunks and reads one chunk.

use std::sync::Arc;

use async_trait::async_trait;
use bytes::Bytes;
use domain::app::AppScope;
use domain::chunk::ChunkSource;
use domain::job::PlanCursor;
use domain::listing::Listing;
use domain::selection::{ExportRequest, Selection};
use futures::stream::BoxStream;
use thiserror::Error;

/// A part of a plan.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PlanPage {
    /// The next chunks, at most as many as asked for.
    pub chunks: Vec<ChunkSource>,
    /// Where to go on; absent when the selection is exhausted.
    pub next: Option<PlanCursor>,
    /// What the page came upon and did not read; over all pages, each once.
    pub found: Listing,
}

/// A piece of a chunk's input, in source order.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Piece {
    /// Whole lines of newline-delimited JSON, each a flat record with the contract's field names.
    Lines {
        /// The place of the object (or partition) in the chunk's list, from 0.
        origin: usize,
        /// The number of the first line within that object, from 1.
        first_line: u64,
        /// The lines, each ended by `\n` but perhaps the last of an object.
        text: Bytes,
    },
    /// A line that is longer than a line may be; its text was dropped.
    TooLong {
        /// The place of the object in the chunk's list, from 0.
        origin: usize,
        /// The line's number within that object, from 1.
        line: u64,
    },
}

/// Why a source could not be planned or read.
#[derive(Debug, Error)]
pub enum SourceError {
    /// The object is not the version that was planned, or is gone.
    #[error("{object} changed after the export was planned")]
    Changed {
        /// The object's path.
        object: String,
    },
    /// The object or item cannot be read as what it claims to be.
    #[error("{object} cannot be read: {reason}")]
    Corrupt {
        /// The object's path or the item's key.
        object: String,
        /// What is wrong with it, never its content.
        reason: String,
    },
    /// The service may not read there.
    #[error("the service may not read {object}")]
    Denied {
        /// The object's path or the table.
        object: String,
    },
    /// No answer, or a throttle; a repeat may help.
    #[error("the source of {object} does not answer: {reason}")]
    Unavailable {
        /// The object's path or the table.
        object: String,
        /// What happened.
        reason: String,
    },
}

impl SourceError {
    /// Whether a repeat may help.
    pub fn is_retryable(&self) -> bool {
        matches!(self, Self::Unavailable { .. })
    }
}

/// Raw data of apps.
#[async_trait]
pub trait Source: Send + Sync {
    /// Cuts the next part of the selection into at most `limit` chunks. The same cursor over the
    /// same data gives the same page.
    async fn plan(
        &self,
        scope: &AppScope,
        request: &ExportRequest,
        cursor: Option<&PlanCursor>,
        limit: usize,
    ) -> Result<PlanPage, SourceError>;

    /// Reads a chunk, a bounded piece at a time.
    fn read(
        &self,
        chunk: &ChunkSource,
        request: &ExportRequest,
    ) -> BoxStream<'static, Result<Piece, SourceError>>;
}

/// The two sources of a deployment.
#[derive(Clone)]
pub struct Sources {
    /// What happened, by day.
    pub lake: Arc<dyn Source>,
    /// What is known of the devices now.
    pub registry: Arc<dyn Source>,
}

impl Sources {
    /// The source that holds a selection.
    pub fn of(&self, selection: &Selection) -> &dyn Source {
        match selection {
            Selection::Days(_) => self.lake.as_ref(),
            Selection::Devices
            | Selection::Campaigns { .. }
            | Selection::ActiveCampaigns { .. } => self.registry.as_ref(),
        }
    }
}
