//! The moves of a job's life. Each consumes the job and returns the next one; one that the phase
//! does not allow is an [`IllegalMove`]. The store persists a move on condition that the job is
//! still the one that was read.

mod ending;

use time::{Duration, OffsetDateTime};

use super::{
    Asking, Cancellation, Credential, IllegalMove, Job, JobKey, MAX_SHARDS, MissingDay, Outcome,
    Phase, Plan, PlanCursor, StoredJob, Wait,
};
use crate::container::ContainerAddress;
use crate::listing::Listing;
use crate::rules::Rules;
use crate::selection::ExportRequest;
use crate::warning::Warning;

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
        Self(StoredJob {
            key,
            request,
            asking: Asking::default(),
            destination,
            credential: Some(credential),
            credentials_given: 1,
            created,
            expires: created + retention,
            phase: Phase::Queued,
            history: Vec::new(),
            totals: None,
            plan: Plan::Open { cursor: None },
            missing_days: Vec::new(),
            to_plan: Vec::new(),
            failed_deliveries: 0,
            listing: Listing::default(),
            chunks: 0,
            shards: 1,
            warnings: Vec::new(),
            rules: None,
            finish_attempts: 0,
            has_row: false,
            revision: 0,
        })
    }

    /// Who asked for it, and for which options.
    #[must_use]
    pub fn asked(mut self, asking: Asking) -> Self {
        self.0.asking = asking;
        self
    }

    /// What its owner should know of the request itself.
    #[must_use]
    pub fn warn(mut self, warnings: impl IntoIterator<Item = Warning>) -> Self {
        self.0.warnings.extend(warnings);
        self
    }

    /// A planner takes the job up, or takes over from one that died, or goes on once the chunks are
    /// reopened.
    ///
    /// # Errors
    /// [`IllegalMove`] when the job is past planning, waits for a credential or is being cancelled.
    pub fn begin_planning(self) -> Result<Self, IllegalMove> {
        match self.0.phase {
            Phase::Queued | Phase::Planning | Phase::Resuming => Ok(self.to(Phase::Planning)),
            Phase::Running
            | Phase::AwaitingCredential { .. }
            | Phase::Cancelling { .. }
            | Phase::Finishing { .. }
            | Phase::Ended { .. } => Err(self.illegal("plan")),
        }
    }

    /// The runs of the job's chunks keep to these rules, unless its plan has begun under others.
    #[must_use]
    pub fn keep_to(mut self, rules: Rules) -> Self {
        self.0.rules.get_or_insert(rules);
        self
    }

    /// The next page of the source was listed, from `at` on, and came upon this; it is planned by
    /// [`plan_page`](Self::plan_page) or [`complete_plan`](Self::complete_plan).
    #[must_use]
    pub fn list_page(mut self, at: OffsetDateTime, found: Listing) -> Self {
        let has_pages = matches!(&self.plan, Plan::Open { cursor: Some(_) });
        // Version 1 did not keep when the first page was listed. It was not before the job was
        // created.
        let first = if has_pages { self.created } else { at };
        self.0.listing.since.get_or_insert(first);
        self.0.listing.append(found);
        self
    }

    /// Not all of these days could be listed; the plan goes on without the rest of them.
    #[must_use]
    pub fn miss_days(mut self, missing: Vec<MissingDay>) -> Self {
        self.0.missing_days.extend(missing);
        self
    }

    /// The plan has more than one page: its chunks are spread over so many shards, 1 to
    /// [`MAX_SHARDS`].
    ///
    /// # Errors
    /// [`IllegalMove`] when the job is not being planned, or has a page already.
    pub fn spread(self, shards: u16) -> Result<Self, IllegalMove> {
        const SPREAD: &str = "spread the chunks of";
        if self.open_plan(SPREAD)?.is_some() {
            return Err(self.illegal(SPREAD));
        }
        let shards = shards.clamp(1, MAX_SHARDS);
        Ok(Self(StoredJob { shards, ..self.0 }))
    }

    /// A page of `chunks` was planned, and more is to come from `cursor` on.
    ///
    /// # Errors
    /// [`IllegalMove`] when the job is not being planned, or its plan is complete.
    pub fn plan_page(self, chunks: u32, cursor: PlanCursor) -> Result<Self, IllegalMove> {
        self.open_plan("plan a page of")?;
        Ok(Self(StoredJob {
            chunks: self.0.chunks + chunks,
            plan: Plan::Open {
                cursor: Some(cursor),
            },
            ..self.0
        }))
    }

    /// The planner's time is nearly up: queued again, so that another one goes on at the cursor.
    ///
    /// # Errors
    /// [`IllegalMove`] when the job is not being planned.
    pub fn hand_over_planning(self) -> Result<Self, IllegalMove> {
        self.while_planning()?;
        let queued = self.to(Phase::Queued);
        Ok(Self(StoredJob {
            failed_deliveries: 0,
            ..queued.0
        }))
    }

    /// The source does not answer, and this delivery of the job's event ends with that. A job that
    /// is queued again has an event of its own.
    ///
    /// # Errors
    /// [`IllegalMove`] when the job is not being planned, or its plan is complete.
    pub fn fail_delivery(self) -> Result<Self, IllegalMove> {
        self.open_plan("fail a listing of")?;
        let failed_deliveries = self.failed_deliveries.saturating_add(1);
        Ok(Self(StoredJob {
            failed_deliveries,
            ..self.0
        }))
    }

    /// The last page, of `chunks`, maybe none, was listed from `listed_at` on: the plan is complete,
    /// or goes on with what a resumed job had missed.
    ///
    /// # Errors
    /// [`IllegalMove`] when the job is not being planned, or its plan is complete already.
    pub fn complete_plan(
        self,
        chunks: u32,
        listed_at: OffsetDateTime,
    ) -> Result<Self, IllegalMove> {
        self.open_plan("complete the plan of")?;
        if !self.to_plan.is_empty() {
            let mut next = self;
            let cursor = next.0.to_plan.remove(0);
            return next.plan_page(chunks, cursor);
        }
        let plan = Plan::Complete {
            read_up_to: self.listing.since.unwrap_or(listed_at),
        };
        let chunks = self.chunks + chunks;
        let planned = Self(StoredJob {
            plan,
            chunks,
            ..self.0
        });
        Ok(planned.to(Phase::Running).warn_of_plan())
    }

    /// The plan cannot go on; what is planned already is still exported.
    ///
    /// # Errors
    /// [`IllegalMove`] when the job is not being planned, or its plan is complete: planned anew, it
    /// would be exported twice.
    pub fn fail_plan(self, reason: String) -> Result<Self, IllegalMove> {
        let cursor = self.open_plan("fail the plan of")?.cloned();
        let plan = Plan::Failed { reason, cursor };
        let failed = Self(StoredJob { plan, ..self.0 });
        Ok(failed.to(Phase::Running).warn_of_plan())
    }

    /// All chunks of a resumed job are reopened and its plan is complete: on with the chunk runs.
    ///
    /// # Errors
    /// [`IllegalMove`] when the job is not being planned, or its plan is not complete.
    pub fn resume_running(self) -> Result<Self, IllegalMove> {
        self.while_planning()?;
        if !matches!(self.plan, Plan::Complete { .. }) {
            return Err(self.illegal("let run, before its plan is complete,"));
        }
        Ok(self.to(Phase::Running))
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
        match self.0.phase {
            Phase::Queued
            | Phase::Planning
            | Phase::Running
            | Phase::Finishing {
                cancelled: None, ..
            } => {
                let why = Wait::Refused { reason };
                Ok(self.to(Phase::AwaitingCredential { since, why }))
            }
            Phase::AwaitingCredential { .. }
            | Phase::Resuming
            | Phase::Cancelling { .. }
            | Phase::Finishing { .. }
            | Phase::Ended { .. } => Err(self.illegal("wait for a credential for")),
        }
    }

    /// Takes a new credential, at any time before the job succeeds; what runs with the old one
    /// finds out by itself.
    ///
    /// # Errors
    /// [`IllegalMove`] when the job has succeeded: nothing can need a credential again.
    pub fn replace_credential(self, credential: Credential) -> Result<Self, IllegalMove> {
        if self.has_succeeded() {
            return Err(self.illegal("replace the credential of"));
        }
        Ok(Self(StoredJob {
            credential: Some(credential),
            credentials_given: self.0.credentials_given + 1,
            ..self.0
        }))
    }

    /// Goes on after a wait, or after an end that was not success: chunks without a file are
    /// reopened, recorded ones stay as they are.
    ///
    /// # Errors
    /// [`IllegalMove`] when the job is at work or has succeeded.
    pub fn resume(self) -> Result<Self, IllegalMove> {
        match self.0.phase {
            Phase::AwaitingCredential { .. }
            | Phase::Ended {
                outcome:
                    Outcome::Incomplete { .. } | Outcome::Failed { .. } | Outcome::Cancelled { .. },
                ..
            } => Ok(self.with_its_plan_reopened().to(Phase::Resuming)),
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

    /// So many chunks are added to a job that is resumed: for what others could not export.
    ///
    /// # Errors
    /// [`IllegalMove`] when the job is not being resumed.
    pub fn add_chunks(self, chunks: u32) -> Result<Self, IllegalMove> {
        if !matches!(self.phase, Phase::Resuming) {
            return Err(self.illegal("add chunks to"));
        }
        let chunks = self.0.chunks + chunks;
        Ok(Self(StoredJob { chunks, ..self.0 }))
    }

    /// The plan goes on where it failed, and with the days that it missed.
    fn with_its_plan_reopened(mut self) -> Self {
        self.0.failed_deliveries = 0;
        self.0.totals = None;
        let missed = std::mem::take(&mut self.0.missing_days);
        self.0
            .to_plan
            .extend(missed.into_iter().map(|day| day.cursor));
        self.0.plan = match self.0.plan {
            Plan::Failed { cursor, .. } => Plan::Open { cursor },
            Plan::Complete { .. } if !self.0.to_plan.is_empty() => Plan::Open {
                cursor: Some(self.0.to_plan.remove(0)),
            },
            plan @ (Plan::Open { .. } | Plan::Complete { .. }) => plan,
        };
        self
    }

    /// The chunks could not be reopened: the job waits for its owner again.
    ///
    /// # Errors
    /// [`IllegalMove`] when the job is not being resumed.
    pub fn give_up_resuming(self, since: OffsetDateTime) -> Result<Self, IllegalMove> {
        if matches!(self.phase, Phase::Resuming) {
            let why = Wait::NotResumed;
            Ok(self.to(Phase::AwaitingCredential { since, why }))
        } else {
            Err(self.illegal("give up resuming"))
        }
    }

    /// Whether every row is in its files, for good.
    fn has_succeeded(&self) -> bool {
        matches!(
            self.phase,
            Phase::Ended {
                outcome: Outcome::Succeeded,
                ..
            }
        )
    }

    fn to(self, phase: Phase) -> Self {
        Self(StoredJob { phase, ..self.0 })
    }

    /// Where the plan goes on, while the job is being planned and its plan is open.
    fn open_plan(&self, what: &'static str) -> Result<Option<&PlanCursor>, IllegalMove> {
        match (&self.phase, &self.plan) {
            (Phase::Planning, Plan::Open { cursor }) => Ok(cursor.as_ref()),
            (_, Plan::Open { .. } | Plan::Complete { .. } | Plan::Failed { .. }) => {
                Err(self.illegal(what))
            }
        }
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
