//! A job: what a client asked for, and where its export stands.
//!
//! ```text
//! queued ──▶ planning ──▶ running ──▶ finishing ──▶ succeeded | incomplete | failed
//!   ▲            │ (out of time: goes on where it was)
//!   └────────────┘
//! ```
//!
//! Chunk runs start while the plan is still being written. A job finishes when its plan is closed and no chunk is open.

use std::fmt;

use thiserror::Error;
use time::{Duration, OffsetDateTime};
use uuid::Uuid;

use crate::app::AppScope;
use crate::container::{ContainerAddress, PreparedFile};
use crate::selection::ExportRequest;

/// A job's id: a `UUIDv7`, so that ids sort by creation.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct JobId(Uuid);

impl JobId {
    /// Wraps a fresh `UUIDv7`.
    pub fn new(id: Uuid) -> Self {
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
    /// The app.
    pub scope: AppScope,
    /// The job.
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

/// How far the cutting of the selection into chunks has come.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Plan {
    /// More is to be planned.
    Open {
        /// Where to go on; absent before the first page.
        cursor: Option<PlanCursor>,
    },
    /// Everything that there was at this moment is planned.
    Complete {
        /// When the source was last listed: data that came later is not in the export.
        read_up_to: OffsetDateTime,
    },
    /// The selection could not be cut into chunks.
    Failed {
        /// Why, for the job's owner.
        reason: String,
    },
}

/// How a job ended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Outcome {
    /// Every chunk is recorded: complete and exact.
    Succeeded,
    /// Some chunks could not be exported.
    Incomplete {
        /// Which and why, in words.
        details: String,
    },
    /// The job as a whole could not be done.
    Failed {
        /// Why, in words.
        details: String,
    },
}

/// A job's phase, with what is true in it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Phase {
    /// Accepted; waits for a planner.
    Queued,
    /// Being cut into chunks; the first chunks run already.
    Planning,
    /// Planned; chunks run.
    Running,
    /// No chunk is open; the manifest is being written.
    Finishing {
        /// The manifest's durable block list and the outcome that it tells, once prepared.
        manifest: Option<(PreparedFile, Outcome)>,
    },
    /// Ended.
    Ended {
        /// When.
        at: OffsetDateTime,
        /// How.
        outcome: Outcome,
    },
}

impl Phase {
    /// The phase's name, as stored, as the pipe's filter reads it and as clients see it.
    pub fn name(&self) -> &'static str {
        match self {
            Self::Queued => "queued",
            Self::Planning => "planning",
            Self::Running => "running",
            Self::Finishing { .. } => "finishing",
            Self::Ended { outcome: Outcome::Succeeded, .. } => "succeeded",
            Self::Ended { outcome: Outcome::Incomplete { .. }, .. } => "incomplete",
            Self::Ended { outcome: Outcome::Failed { .. }, .. } => "failed",
        }
    }

    /// The state of the contract that this phase is seen as.
    pub fn wire_state(&self) -> &'static str {
        match self {
            Self::Queued | Self::Planning => "Queued",
            Self::Running | Self::Finishing { .. } => "Started",
            Self::Ended { outcome: Outcome::Succeeded, .. } => "Succeeded",
            Self::Ended { outcome: Outcome::Incomplete { .. } | Outcome::Failed { .. }, .. } => "Failed",
        }
    }
}

/// A shared access signature as sealed for one job; only a [`Sealer`](crate::seal::Sealer) opens it.
#[derive(Clone, PartialEq, Eq)]
pub struct SealedCredential(pub Vec<u8>);

impl fmt::Debug for SealedCredential {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("[sealed]")
    }
}

/// A job as last read from or written to the store.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Job {
    /// Which job.
    pub key: JobKey,
    /// What to export.
    pub request: ExportRequest,
    /// Where to: the container without its signature.
    pub destination: ContainerAddress,
    /// The container's signature, sealed; erased when the job has ended.
    pub credential: Option<SealedCredential>,
    /// When the client's request was accepted.
    pub created: OffsetDateTime,
    /// When the job and all its items may be forgotten.
    pub expires: OffsetDateTime,
    /// Where it stands.
    pub phase: Phase,
    /// How far its plan is.
    pub plan: Plan,
    /// Chunks planned so far.
    pub chunks: u32,
    /// Shards that its chunks are spread over; settled by the first page of the plan.
    pub shards: u16,
    /// How many times finishing was begun; the manifest's block ids carry it.
    pub finish_attempts: u32,
    /// Counts the writes of the stored item; the condition of the next one.
    pub revision: u64,
}

impl Job {
    /// A new job that waits for its planner.
    pub fn queued(
        key: JobKey,
        request: ExportRequest,
        destination: ContainerAddress,
        credential: SealedCredential,
        created: OffsetDateTime,
        retention: Duration,
    ) -> Self {
        Self {
            key,
            request,
            destination,
            credential: Some(credential),
            created,
            expires: created + retention,
            phase: Phase::Queued,
            plan: Plan::Open { cursor: None },
            chunks: 0,
            shards: 1,
            finish_attempts: 0,
            revision: 0,
        }
    }

    /// A planner takes the job up, or takes over from one that died.
    ///
    /// # Errors
    /// [`IllegalMove`] when the job is past planning.
    pub fn begin_planning(self) -> Result<Self, IllegalMove> {
        match self.phase {
            Phase::Queued | Phase::Planning => Ok(Self { phase: Phase::Planning, ..self }),
            Phase::Running | Phase::Finishing { .. } | Phase::Ended { .. } => Err(self.illegal("plan")),
        }
    }

    /// A page of `chunks` was planned, and more is to come from `cursor` on.
    ///
    /// # Errors
    /// [`IllegalMove`] when the job is not being planned.
    pub fn plan_page(self, chunks: u32, cursor: PlanCursor) -> Result<Self, IllegalMove> {
        match self.phase {
            Phase::Planning => {
                Ok(Self { chunks: self.chunks + chunks, plan: Plan::Open { cursor: Some(cursor) }, ..self })
            }
            Phase::Queued | Phase::Running | Phase::Finishing { .. } | Phase::Ended { .. } => Err(self.illegal("plan")),
        }
    }

    /// The planner's time is nearly up: queued again, so that another one goes on at the cursor.
    ///
    /// # Errors
    /// [`IllegalMove`] when the job is not being planned.
    pub fn hand_over_planning(self) -> Result<Self, IllegalMove> {
        match self.phase {
            Phase::Planning => Ok(Self { phase: Phase::Queued, ..self }),
            Phase::Queued | Phase::Running | Phase::Finishing { .. } | Phase::Ended { .. } => {
                Err(self.illegal("hand over"))
            }
        }
    }

    /// The plan's last page (of `chunks`, maybe none) or its failure: nothing more is to be planned.
    ///
    /// # Errors
    /// [`IllegalMove`] when the job is not being planned.
    pub fn close_plan(self, chunks: u32, plan: Plan) -> Result<Self, IllegalMove> {
        match self.phase {
            Phase::Queued | Phase::Planning => {
                Ok(Self { chunks: self.chunks + chunks, plan, phase: Phase::Running, ..self })
            }
            Phase::Running | Phase::Finishing { .. } | Phase::Ended { .. } => Err(self.illegal("plan")),
        }
    }

    /// A finisher takes the job up, or takes over from an earlier one, which its next write then finds out.
    ///
    /// # Errors
    /// [`IllegalMove`] when the job's plan is open or the job has ended.
    pub fn begin_finishing(self) -> Result<Self, IllegalMove> {
        let manifest = match self.phase {
            Phase::Running => None,
            Phase::Finishing { ref manifest } => manifest.clone(),
            Phase::Queued | Phase::Planning | Phase::Ended { .. } => return Err(self.illegal("finish")),
        };
        let finish_attempts = self.finish_attempts + 1;
        Ok(Self { phase: Phase::Finishing { manifest }, finish_attempts, ..self })
    }

    /// Makes the manifest's block list and the outcome durable, before the manifest becomes visible; or, with
    /// `None`, drops a list that no longer exists.
    ///
    /// # Errors
    /// [`IllegalMove`] when the job is not finishing.
    pub fn prepare_manifest(self, manifest: Option<(PreparedFile, Outcome)>) -> Result<Self, IllegalMove> {
        match self.phase {
            Phase::Finishing { .. } => Ok(Self { phase: Phase::Finishing { manifest }, ..self }),
            Phase::Queued | Phase::Planning | Phase::Running | Phase::Ended { .. } => {
                Err(self.illegal("prepare the manifest of"))
            }
        }
    }

    /// Ends the job; its credential is erased.
    ///
    /// # Errors
    /// [`IllegalMove`] when the job has ended already.
    pub fn end(self, at: OffsetDateTime, outcome: Outcome) -> Result<Self, IllegalMove> {
        match self.phase {
            Phase::Queued | Phase::Planning | Phase::Running | Phase::Finishing { .. } => {
                Ok(Self { phase: Phase::Ended { at, outcome }, credential: None, ..self })
            }
            Phase::Ended { .. } => Err(self.illegal("end")),
        }
    }

    fn illegal(&self, what: &'static str) -> IllegalMove {
        IllegalMove::new(what, self.phase.name())
    }
}

#[cfg(test)]
mod tests;
