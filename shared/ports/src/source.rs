//! The port to the raw data: a source cuts a selection into chunks and reads one chunk.

use std::sync::Arc;

use async_trait::async_trait;
use bytes::Bytes;
use domain::app::AppScope;
use domain::cause::{Cause, in_one_line};
use domain::chunk::{ChunkSource, ObjectRef};
use domain::job::{MissingDay, PlanCursor};
use domain::listing::Listing;
use domain::selection::{Compression, History, Selection, Snapshot};
use futures::stream::{self, BoxStream, StreamExt};
use thiserror::Error;

/// A part of a plan.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PlanPage {
    /// The next chunks, at most as many as asked for.
    pub chunks: Vec<ChunkSource>,
    /// Where to go on; absent when the selection is exhausted.
    pub next: Option<PlanCursor>,
    /// Days of which not all can be planned.
    pub missing: Vec<MissingDay>,
    /// What the page came upon and did not read; over all pages, each once.
    pub found: Listing,
}

/// A piece of a chunk's input, in source order: the text of one part (an object or a partition)
/// after that of the other.
#[derive(Debug)]
pub enum Piece {
    /// More of a part's text: JSON objects, one after the other. It is cut at a line end, unless a
    /// line is longer than a piece.
    Text {
        /// The place of the part in the chunk's list, from 0.
        origin: usize,
        /// The text, not empty.
        text: Bytes,
    },
    /// More of a part's bytes as they are stored: of one whose text is all that they expand to, without a
    /// byte order mark, and which is one file to every reader. All of them come before its end, behind
    /// the text that they expand to; where something is otherwise, those from there on do not come.
    Stored {
        /// The place of the part in the chunk's list, from 0.
        origin: usize,
        /// How they are compressed: not by [`Compression::None`].
        compression: Compression,
        /// The bytes.
        bytes: Bytes,
    },
    /// The part's text is at its end.
    End {
        /// The place of the part in the chunk's list, from 0.
        origin: usize,
    },
    /// The part cannot be read, or no further, and a repeat will not help. The others can.
    Unreadable {
        /// The place of the part in the chunk's list, from 0.
        origin: usize,
        /// Why; never a transient error ([`SourceError::is_transient`]).
        error: SourceError,
    },
}

/// Why a source could not be planned or read.
#[derive(Debug, Error)]
pub enum SourceError {
    /// The object is not the version that was planned, or is gone.
    #[error(
        "{object} was replaced or deleted after the export was planned: trying again cannot bring that version back; put \
         it back as it was, or create the export anew"
    )]
    Changed {
        /// The object's path within the lake.
        object: String,
    },
    /// The object is in an archive.
    #[error(
        "{object} is archived (S3 Glacier or Deep Archive): restore it, then let the export try again"
    )]
    Archived {
        /// The object's path within the lake.
        object: String,
    },
    /// The store does not list objects by path: nothing can be planned from a place in its list on.
    #[error("the store lists {object} after {before}: give the lake a store that lists by path")]
    Unordered {
        /// The object's path within the lake.
        object: String,
        /// The path of the one before it.
        before: String,
    },
    /// The object or item cannot be read as what it claims to be.
    #[error("{object} cannot be read")]
    Corrupt {
        /// The object's path or the item's key.
        object: String,
        /// What is wrong with it, never its content. The job's owner reads it.
        #[source]
        cause: Cause,
    },
    /// The service may not read there.
    #[error("{object} may not be read by the service")]
    Denied {
        /// The object's path or the table.
        object: String,
    },
    /// No answer, or a throttle; a repeat may help.
    #[error("the source of {object} does not answer")]
    Unavailable {
        /// The object's path or the table.
        object: String,
        /// What its client says of it.
        #[source]
        cause: Cause,
    },
}

impl SourceError {
    /// Whether a repeat may help.
    pub fn is_transient(&self) -> bool {
        match self {
            Self::Unavailable { .. } => true,
            Self::Changed { .. }
            | Self::Archived { .. }
            | Self::Unordered { .. }
            | Self::Corrupt { .. }
            | Self::Denied { .. } => false,
        }
    }

    /// What is wrong, with its causes, to be read behind the object's path.
    pub fn problem(&self) -> String {
        let message = in_one_line(self);
        match self {
            Self::Changed { object }
            | Self::Archived { object }
            | Self::Corrupt { object, .. }
            | Self::Denied { object } => {
                let problem = message.strip_prefix(object.as_str()).unwrap_or(&message);
                problem.trim_start().to_owned()
            }
            Self::Unordered { .. } | Self::Unavailable { .. } => message,
        }
    }
}

/// What becomes of a part of the plan whose source does not answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Unanswered {
    /// It is asked for again later: [`SourceError::Unavailable`].
    IsRetried,
    /// There is no later: a day that cannot be listed is missing by name, and the plan goes on behind
    /// it. A source without days answers [`SourceError::Unavailable`] all the same.
    IsMissing,
}

/// Raw data of apps.
#[async_trait]
pub trait Source: Send + Sync {
    /// What it can be asked for.
    type Selected: Send + Sync;
    /// What a chunk of it reads, one after the other.
    type Part: Send + Sync;

    /// Cuts the next part of what is selected into at most `limit` chunks. The same cursor over the
    /// same data gives the same page. What cannot be planned of a part of the selection is
    /// [`PlanPage::missing`], where the source has such parts.
    ///
    /// # Errors
    /// [`SourceError::Unavailable`] when a repeat may help. Any other: nothing can be planned from the
    /// cursor on.
    async fn plan(
        &self,
        scope: &AppScope,
        selected: &Self::Selected,
        cursor: Option<&PlanCursor>,
        limit: usize,
        unanswered: Unanswered,
    ) -> Result<PlanPage, SourceError>;

    /// Reads the parts of a chunk, a bounded piece at a time.
    ///
    /// # Errors
    /// An item of the stream, its last one: [`SourceError::Unavailable`] when a repeat may help; any
    /// other when the chunk as a whole cannot be read. A part that cannot be read where the others can is
    /// [`Piece::Unreadable`].
    fn read(
        &self,
        parts: &[Self::Part],
        selected: &Self::Selected,
    ) -> BoxStream<'static, Result<Piece, SourceError>>;
}

/// What happened, by day: objects, each in the version that the plan saw.
pub type LakeSource = dyn Source<Selected = History, Part = ObjectRef>;

/// What is known of the devices now: partitions, by their keys.
pub type RegistrySource = dyn Source<Selected = Snapshot, Part = String>;

/// The two sources of a deployment.
#[derive(Clone)]
pub struct Sources {
    /// What happened, by day.
    pub lake: Arc<LakeSource>,
    /// What is known of the devices now.
    pub registry: Arc<RegistrySource>,
}

impl Sources {
    /// Cuts the next part of a selection into at most `limit` chunks, as its source does.
    ///
    /// # Errors
    /// As [`Source::plan`].
    pub async fn plan(
        &self,
        scope: &AppScope,
        selection: &Selection,
        cursor: Option<&PlanCursor>,
        limit: usize,
        unanswered: Unanswered,
    ) -> Result<PlanPage, SourceError> {
        match selection {
            Selection::History(history) => {
                self.lake
                    .plan(scope, history, cursor, limit, unanswered)
                    .await
            }
            Selection::Snapshot(snapshot) => {
                self.registry
                    .plan(scope, snapshot, cursor, limit, unanswered)
                    .await
            }
        }
    }

    /// Reads a chunk of a selection, a bounded piece at a time.
    ///
    /// # Errors
    /// As [`Source::read`]; [`SourceError::Corrupt`] when the chunk is of the other source than the
    /// selection.
    pub fn read(
        &self,
        chunk: &ChunkSource,
        selection: &Selection,
    ) -> BoxStream<'static, Result<Piece, SourceError>> {
        match (chunk, selection) {
            (ChunkSource::Objects { objects, .. }, Selection::History(history)) => {
                self.lake.read(objects, history)
            }
            (ChunkSource::Partitions(partitions), Selection::Snapshot(snapshot)) => {
                self.registry.read(partitions, snapshot)
            }
            (ChunkSource::Objects { .. }, Selection::Snapshot(_))
            | (ChunkSource::Partitions(_), Selection::History(_)) => {
                let error = SourceError::Corrupt {
                    object: "the chunk".to_owned(),
                    cause: "it is of another source than the job".into(),
                };
                stream::iter([Err(error)]).boxed()
            }
        }
    }
}
