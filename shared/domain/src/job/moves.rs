//! The moves of a job's life. Each consumes the job and returns the next one; one that the phase
//! does not allow is an [`IllegalMove`]. The store persists a move on condition that the job is
//! still the one that was read.

use time::{Duration, OffsetDateTime};

use super::{Cancellation, Credential, IllegalMove, Job, JobKey, Outcome, Phase, Plan, PlanCursor};
use crate::container::{ContainerAddress, PreparedFile};
use crate::listing::Listing;
use crate::selection::ExportRequest;

impl Job {
    /// A new job that waits for its planner.
    pub fn queued(
        key: JobKey,
        request: ExportRequest,
        destination: ContainerAddress,
        credential: Credential,
        created: OffsetDateTime,
        retention: Duration,
    ) -> Self {
        Self {
            key,
            request,
            destination,
            credential: Some(credential),
            credentials_given: 1,
            created,
            expires: created + retention,
            phase: Phase::Queued,
            plan: Plan::Open { cursor: None },
            listing: Listing::default(),
            chunks: 0,
            shards: 1,
            warnings: Vec::new(),
            finish_attempts: 0,
            revision: 0,
        }
    }

    /// A planner takes the job up, or takes over from one that died, or goes on once the chunks are
    /// reopened.
    ///
    /// # Errors
    /// [`IllegalMove`] when the job is past planning, waits for a credential or is being cancelled.
    pub fn begin_planning(self) -> Result<Self, IllegalMove> {
        match self.phase {
            Phase::Queued | Phase::Planning | Phase::Resuming => Ok(Self {
                phase: Phase::Planning,
                ..self
            }),
            Phase::Running
            | Phase::AwaitingCredential { .. }
            | Phase::Cancelling { .. }
            | Phase::Finishing { .. }
            | Phase::Ended { .. } => Err(self.illegal("plan")),
        }
    }

    /// The next page of the source was listed, from `at` on, and came upon this; it is planned by
    /// [`plan_page`](Self::plan_page) or [`complete_plan`](Self::complete_plan).
    #[must_use]
    pub fn list_page(mut self, at: OffsetDateTime, found: Listing) -> Self {
        let has_pages = matches!(&self.plan, Plan::Open { cursor: Some(_) });
        // Version 1 did not keep when the first page was listed. It was not before the job was
        // created.
        let first = if has_pages { self.created } else { at };
        self.listing.since.get_or_insert(first);
        self.listing.append(found);
        self
    }

    /// A page of `chunks` was planned, and more is to come from `cursor` on.
    ///
    /// # Errors
    /// [`IllegalMove`] when the job is not being planned.
    pub fn plan_page(self, chunks: u32, cursor: PlanCursor) -> Result<Self, IllegalMove> {
        self.while_planning()?;
        Ok(Self {
            chunks: self.chunks + chunks,
            plan: Plan::Open {
                cursor: Some(cursor),
            },
            ..self
        })
    }

    /// The planner's time is nearly up: queued again, so that another one goes on at the cursor.
    ///
    /// # Errors
    /// [`IllegalMove`] when the job is not being planned.
    pub fn hand_over_planning(self) -> Result<Self, IllegalMove> {
        self.while_planning()?;
        Ok(Self {
            phase: Phase::Queued,
            ..self
        })
    }

    /// The plan's last page, of `chunks`, maybe none, was listed from `listed_at` on: nothing more
    /// is to be planned.
    ///
    /// # Errors
    /// [`IllegalMove`] when the job is not being planned.
    pub fn complete_plan(
        self,
        chunks: u32,
        listed_at: OffsetDateTime,
    ) -> Result<Self, IllegalMove> {
        self.while_planning()?;
        let plan = Plan::Complete {
            read_up_to: self.listing.since.unwrap_or(listed_at),
        };
        let job = Self {
            chunks: self.chunks + chunks,
            plan,
            phase: Phase::Running,
            ..self
        }
        .warn_of_plan();
        Ok(Self {
            listing: Listing::default(),
            ..job
        })
    }

    /// The plan cannot go on; what is planned already is still exported.
    ///
    /// # Errors
    /// [`IllegalMove`] when the job is not being planned.
    pub fn fail_plan(self, reason: String) -> Result<Self, IllegalMove> {
        self.while_planning()?;
        let cursor = match &self.plan {
            Plan::Open { cursor } | Plan::Failed { cursor, .. } => cursor.clone(),
            Plan::Complete { .. } => None,
        };
        Ok(Self {
            plan: Plan::Failed { reason, cursor },
            phase: Phase::Running,
            ..self
        }
        .warn_of_plan())
    }

    /// All chunks of a resumed job are reopened and its plan is complete: on with the chunk runs.
    ///
    /// # Errors
    /// [`IllegalMove`] when the job is not being planned.
    pub fn resume_running(self) -> Result<Self, IllegalMove> {
        self.while_planning()?;
        Ok(Self {
            phase: Phase::Running,
            ..self
        })
    }

    /// Storage refuses the credential: nothing is lost, the job waits for another one.
    ///
    /// # Errors
    /// [`IllegalMove`] when the job waits already, is being resumed or cancelled, or has ended.
    pub fn await_credential(
        self,
        since: OffsetDateTime,
        reason: String,
    ) -> Result<Self, IllegalMove> {
        match self.phase {
            Phase::Queued
            | Phase::Planning
            | Phase::Running
            | Phase::Finishing {
                cancelled: None, ..
            } => Ok(Self {
                phase: Phase::AwaitingCredential { since, reason },
                ..self
            }),
            Phase::AwaitingCredential { .. }
            | Phase::Resuming
            | Phase::Cancelling { .. }
            | Phase::Finishing { .. }
            | Phase::Ended { .. } => Err(self.illegal("wait for a credential for")),
        }
    }

    /// Takes a new credential, at any time before the job succeeds; what runs with the old one
    /// finds out by itself.
    #[must_use]
    pub fn replace_credential(self, credential: Credential) -> Self {
        Self {
            credential: Some(credential),
            credentials_given: self.credentials_given + 1,
            ..self
        }
    }

    /// Goes on after a wait, or after an end that was not success: chunks without a file are
    /// reopened, recorded ones stay as they are.
    ///
    /// # Errors
    /// [`IllegalMove`] when the job is at work or has succeeded.
    pub fn resume(self) -> Result<Self, IllegalMove> {
        match self.phase {
            Phase::AwaitingCredential { .. }
            | Phase::Ended {
                outcome:
                    Outcome::Incomplete { .. } | Outcome::Failed { .. } | Outcome::Cancelled { .. },
                ..
            } => {
                let plan = match self.plan {
                    Plan::Failed { cursor, .. } => Plan::Open { cursor },
                    plan @ (Plan::Open { .. } | Plan::Complete { .. }) => plan,
                };
                Ok(Self {
                    phase: Phase::Resuming,
                    plan,
                    ..self
                })
            }
            Phase::Queued
            | Phase::Planning
            | Phase::Running
            | Phase::Resuming
            | Phase::Cancelling { .. }
            | Phase::Finishing { .. }
            | Phase::Ended {
                outcome: Outcome::Succeeded,
                ..
            } => Err(self.illegal("resume")),
        }
    }

    /// The chunks could not be reopened: the job waits for its owner again.
    ///
    /// # Errors
    /// [`IllegalMove`] when the job is not being resumed.
    pub fn give_up_resuming(
        self,
        since: OffsetDateTime,
        reason: String,
    ) -> Result<Self, IllegalMove> {
        if matches!(self.phase, Phase::Resuming) {
            Ok(Self {
                phase: Phase::AwaitingCredential { since, reason },
                ..self
            })
        } else {
            Err(self.illegal("give up resuming"))
        }
    }

    /// Ends the job early: no chunk starts any more, and the finisher closes those that are open. A
    /// manifest that is prepared already wins over the cancellation.
    ///
    /// # Errors
    /// [`IllegalMove`] when the job is being cancelled, has its manifest prepared, or has ended.
    pub fn cancel(self, why: Cancellation) -> Result<Self, IllegalMove> {
        match self.phase {
            Phase::Queued
            | Phase::Planning
            | Phase::Running
            | Phase::AwaitingCredential { .. }
            | Phase::Resuming
            | Phase::Finishing {
                cancelled: None,
                manifest: None,
            } => Ok(self.cancelling(why)),
            Phase::Cancelling { .. } | Phase::Finishing { .. } | Phase::Ended { .. } => {
                Err(self.illegal("cancel"))
            }
        }
    }

    /// What a plan that does not come to its end left out so far is said now.
    fn cancelling(self, why: Cancellation) -> Self {
        let is_planned = matches!(self.plan, Plan::Complete { .. });
        let job = Self {
            phase: Phase::Cancelling { why },
            ..self
        };
        if is_planned { job } else { job.warn_of_plan() }
    }

    /// A finisher takes the job up, or takes over from an earlier one, which its next write then
    /// finds out.
    ///
    /// # Errors
    /// [`IllegalMove`] when it is not time to finish.
    pub fn begin_finishing(self) -> Result<Self, IllegalMove> {
        let (cancelled, manifest) = match self.phase {
            Phase::Running => (None, None),
            Phase::Cancelling { why } => (Some(why), None),
            Phase::Finishing {
                cancelled,
                ref manifest,
            } => (cancelled, manifest.clone()),
            Phase::Queued
            | Phase::Planning
            | Phase::AwaitingCredential { .. }
            | Phase::Resuming
            | Phase::Ended { .. } => return Err(self.illegal("finish")),
        };
        let finish_attempts = self.finish_attempts + 1;
        Ok(Self {
            phase: Phase::Finishing {
                cancelled,
                manifest,
            },
            finish_attempts,
            ..self
        })
    }

    /// Makes the manifest's block list and the outcome durable, before the manifest becomes
    /// visible; or, with `None`, drops a list that no longer exists.
    ///
    /// # Errors
    /// [`IllegalMove`] when the job is not finishing.
    pub fn prepare_manifest(
        self,
        manifest: Option<(PreparedFile, Outcome)>,
    ) -> Result<Self, IllegalMove> {
        let Phase::Finishing { cancelled, .. } = self.phase else {
            return Err(self.illegal("prepare the manifest of"));
        };
        Ok(Self {
            phase: Phase::Finishing {
                cancelled,
                manifest,
            },
            ..self
        })
    }

    /// Ends the job, whose manifest is written. A success erases the credential; after any other
    /// end a retry may need it.
    ///
    /// # Errors
    /// [`IllegalMove`] when the job has ended already.
    pub fn end(self, at: OffsetDateTime, outcome: Outcome) -> Result<Self, IllegalMove> {
        self.end_with(at, outcome, true)
    }

    /// Ends the job, whose manifest cannot be written, for this reason; as cancelled if its owner
    /// asked for that.
    ///
    /// # Errors
    /// [`IllegalMove`] when the job has ended already.
    pub fn end_without_manifest(
        self,
        at: OffsetDateTime,
        reason: &str,
    ) -> Result<Self, IllegalMove> {
        let outcome = Outcome::without_manifest(self.phase.cancellation(), reason);
        self.end_with(at, outcome, false)
    }

    fn end_with(
        self,
        at: OffsetDateTime,
        outcome: Outcome,
        has_manifest: bool,
    ) -> Result<Self, IllegalMove> {
        if matches!(self.phase, Phase::Ended { .. }) {
            return Err(self.illegal("end"));
        }
        let credential = self.credential.filter(|_| outcome != Outcome::Succeeded);
        Ok(Self {
            phase: Phase::Ended {
                at,
                outcome,
                has_manifest,
            },
            credential,
            ..self
        })
    }

    fn while_planning(&self) -> Result<(), IllegalMove> {
        if matches!(self.phase, Phase::Planning) {
            Ok(())
        } else {
            Err(self.illegal("plan"))
        }
    }

    fn illegal(&self, what: &'static str) -> IllegalMove {
        IllegalMove::new(what, self.phase.name())
    }
}
