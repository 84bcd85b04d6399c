//! A job: what a client asked for, and where its export stands.
//!
//! ```text
//! queued ──▶ planning ──▶ running ──▶ finishing ──▶ succeeded | incomplete | failed | cancelled
//!   ▲            │           ▲ │          ▲                        │ (all but succeeded)
//!   └────────────┘           │ │          │                        ▼
//!    out of time             │ │      cancelling ◀── asked, or   resuming ──▶ planning
//!                            │ ▼                     overdue       ▲
//!                      planning, awaiting-credential ──────────────┘
//! ```
//!
//! Chunk runs start while the plan is still being written. A job finishes when its plan is closed
//! and no chunk is open, or when it is being cancelled and every open chunk has been closed. The
//! moves are in `job/moves.rs`.

mod history;
mod moves;
mod outcome;
mod phase;
mod stored;
mod warnings;
mod work;

use std::fmt;

use thiserror::Error;
use time::{Date, OffsetDateTime};
use uuid::Uuid;

pub use self::history::Stage;
pub use self::outcome::{Cancellation, Outcome};
pub use self::phase::{Phase, PhaseName, State, Wait};
pub use self::stored::{ImpossibleJob, Job, MAX_SHARDS, StoredJob};
use crate::app::AppScope;
use crate::reason;

/// A job's id: a `UUIDv7`, so that ids sort by creation.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct JobId(Uuid);

impl JobId {
    /// Before every job's id.
    pub const NIL: Self = Self(Uuid::nil());

    /// Behind every job's id.
    pub const MAX: Self = Self(Uuid::max());

    /// Wraps a fresh `UUIDv7`.
    pub const fn new(id: Uuid) -> Self {
        Self(id)
    }

    /// Reads an id, in any of the spellings of a UUID; `None` when it is none.
    pub fn parse(text: &str) -> Option<Self> {
        Uuid::try_parse(text).ok().map(Self)
    }
}

impl fmt::Display for JobId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.as_hyphenated().fmt(f)
    }
}

/// Which job of which app.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct JobKey {
    /// The app whose data the job exports.
    pub scope: AppScope,
    /// The job's id, which stands in the names of its blobs, too.
    pub id: JobId,
}

/// A move that the present state does not allow.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[error("cannot {what} what is {state}")]
pub struct IllegalMove {
    what: &'static str,
    state: &'static str,
}

impl IllegalMove {
    /// `what` was asked of something in `state`.
    pub fn new(what: &'static str, state: &'static str) -> Self {
        Self { what, state }
    }
}

/// Where the source's listing goes on. Only the source reads it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PlanCursor(pub String);

/// A day of which not all could be planned, because a folder could not be listed, or not to its end.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MissingDay {
    /// The UTC day that is missing; the folder may be a later day's.
    pub day: Date,
    /// Why, in bounded length.
    pub reason: String,
    /// Where a plan of the rest of the folder, and of nothing else, begins.
    pub cursor: PlanCursor,
}

impl MissingDay {
    /// A day that is missing from there on.
    pub fn new(day: Date, reason: &str, cursor: PlanCursor) -> Self {
        let reason = reason::bounded(reason, MAX_REASON_CHARS);
        Self {
            day,
            reason,
            cursor,
        }
    }
}

/// The most characters of the reason why a day is missing: the job's item holds one for each.
const MAX_REASON_CHARS: usize = 400;

/// The most days that a plan may miss before it fails.
pub const MAX_MISSING_DAYS: usize = 100;

/// How far the cutting of the selection into chunks has come.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Plan {
    /// More is to be planned.
    Open {
        /// Where to go on; absent before the first page.
        cursor: Option<PlanCursor>,
    },
    /// Everything that there was at this moment is planned, whatever came later and is planned too.
    Complete {
        /// When the source was first listed: data that came later may not be in the export.
        read_up_to: OffsetDateTime,
    },
    /// The selection could not be cut into chunks.
    Failed {
        /// Why, for the job's owner.
        reason: String,
        /// Where a retry goes on.
        cursor: Option<PlanCursor>,
    },
}

/// A shared access signature as sealed for one job; only who sealed it opens it.
#[derive(Clone, PartialEq, Eq)]
pub struct SealedCredential(pub Vec<u8>);

impl fmt::Debug for SealedCredential {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("[sealed]")
    }
}

/// Who asked for a job, and which options the request named.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Asking {
    /// The subject of the token; unknown of jobs that are older than this.
    pub by: Option<String>,
    /// The export options that the client sent, whether or not they differ from what is usual, such
    /// as `compression`; unknown of jobs that are older than this.
    pub options: Option<Vec<String>>,
}

/// The signature of a job's container.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Credential {
    /// The signature, as only the sealer can open it.
    pub sealed: SealedCredential,
    /// When it expires, as far as it says.
    pub expires: Option<OffsetDateTime>,
}

#[cfg(test)]
mod tests;
