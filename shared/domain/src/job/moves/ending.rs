//! The moves that lead to a job's end: only a manifest that is prepared lets it succeed.

use time::OffsetDateTime;

use super::{Cancellation, IllegalMove, Job, Outcome, Phase, Plan, StoredJob};
use crate::container::PreparedFile;
use crate::manifest::StatedOutcome;
use crate::tally::Tally;

impl Job {
    /// Ends the job early: no chunk starts any more, and the finisher closes those that are open. A
    /// manifest that is prepared already wins over the cancellation.
    ///
    /// # Errors
    /// [`IllegalMove`] when the job is being cancelled, has its manifest prepared, or has ended.
    pub fn cancel(self, why: Cancellation) -> Result<Self, IllegalMove> {
        match self.0.phase {
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
        let job = self.to(Phase::Cancelling { why });
        if is_planned { job } else { job.warn_of_plan() }
    }

    /// A finisher takes the job up, or takes over from an earlier one, which its next write then
    /// finds out.
    ///
    /// # Errors
    /// [`IllegalMove`] when it is not time to finish.
    pub fn begin_finishing(self) -> Result<Self, IllegalMove> {
        let (cancelled, manifest) = match self.0.phase {
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
        let finish_attempts = self.0.finish_attempts + 1;
        let begun = Self(StoredJob {
            finish_attempts,
            ..self.0
        });
        Ok(begun.to(Phase::Finishing {
            cancelled,
            manifest,
        }))
    }

    /// Makes the manifest's block list durable with the outcome that the manifest states, before it
    /// becomes visible.
    ///
    /// # Errors
    /// [`IllegalMove`] when the job is not finishing.
    pub fn prepare_manifest(
        self,
        file: PreparedFile,
        stated: StatedOutcome,
    ) -> Result<Self, IllegalMove> {
        let Phase::Finishing { cancelled, .. } = self.0.phase else {
            return Err(self.illegal("prepare the manifest of"));
        };
        let manifest = Some((file, stated.into_outcome()));
        Ok(self.to(Phase::Finishing {
            cancelled,
            manifest,
        }))
    }

    /// Drops a manifest's block list that no longer exists: it is staged anew, under another
    /// attempt.
    ///
    /// # Errors
    /// [`IllegalMove`] when the job is not finishing.
    pub fn restage_manifest(self) -> Result<Self, IllegalMove> {
        let Phase::Finishing { cancelled, .. } = self.0.phase else {
            return Err(self.illegal("stage the manifest anew of"));
        };
        let manifest = None;
        self.to(Phase::Finishing {
            cancelled,
            manifest,
        })
        .begin_finishing()
    }

    /// Ends the job, whose prepared manifest is committed, with the outcome that the manifest
    /// states. A success erases the credential; after any other end a retry may need it.
    ///
    /// # Errors
    /// [`IllegalMove`] when the job has no manifest prepared.
    pub fn end(self, at: OffsetDateTime) -> Result<Self, IllegalMove> {
        let Phase::Finishing {
            manifest: Some((_, ref outcome)),
            ..
        } = self.0.phase
        else {
            return Err(self.illegal("end, without a prepared manifest,"));
        };
        let outcome = outcome.clone();
        let credential = match outcome {
            Outcome::Succeeded => None,
            Outcome::Incomplete { .. } | Outcome::Failed { .. } | Outcome::Cancelled { .. } => {
                self.0.credential
            }
        };
        let ended = Phase::Ended {
            at,
            outcome,
            has_manifest: true,
        };
        Ok(Self(StoredJob {
            phase: ended,
            credential,
            ..self.0
        }))
    }

    /// Ends the job, whose manifest cannot be written, for this reason: as failed, or as cancelled
    /// if its owner asked for that.
    ///
    /// # Errors
    /// [`IllegalMove`] when it is not time to finish the job.
    pub fn end_without_manifest(
        self,
        at: OffsetDateTime,
        reason: &str,
    ) -> Result<Self, IllegalMove> {
        match self.0.phase {
            Phase::Running | Phase::Cancelling { .. } | Phase::Finishing { .. } => {
                let outcome = Outcome::without_manifest(self.phase.cancellation(), reason);
                Ok(self.to(Phase::Ended {
                    at,
                    outcome,
                    has_manifest: false,
                }))
            }
            Phase::Queued
            | Phase::Planning
            | Phase::AwaitingCredential { .. }
            | Phase::Resuming
            | Phase::Ended { .. } => Err(self.illegal("end")),
        }
    }

    /// What its chunks had come to when it ended.
    #[must_use]
    pub fn total(mut self, totals: Tally) -> Self {
        self.0.totals = Some(totals);
        self
    }
}
