//! A job's data, and the door through which stored data becomes a job again.

use std::ops::Deref;

use thiserror::Error;
use time::OffsetDateTime;

use super::{Asking, Credential, JobKey, MissingDay, Outcome, Phase, Plan, PlanCursor, Stage};
use crate::container::ContainerAddress;
use crate::listing::Listing;
use crate::rules::Rules;
use crate::selection::ExportRequest;
use crate::tally::Tally;
use crate::warning::Warning;

/// The most shards that a job's chunks are spread over.
pub const MAX_SHARDS: u16 = 32;

/// What is stored of a job: plain data, which anybody may make. Only [`Job::restore`] makes a job of
/// it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StoredJob {
    /// The app and the job's id; no move changes them.
    pub key: JobKey,
    /// What to export, as it was accepted; no move changes it.
    pub request: ExportRequest,
    /// Who asked for it, and for which options; no move changes it.
    pub asking: Asking,
    /// Where to: the container without its signature.
    pub destination: ContainerAddress,
    /// The container's signature; erased when nothing can need it again.
    pub credential: Option<Credential>,
    /// Counts the credentials that the job was given, from 1.
    pub credentials_given: u32,
    /// When the client's request was accepted.
    pub created: OffsetDateTime,
    /// When the job and all its items may be forgotten.
    pub expires: OffsetDateTime,
    /// What is being done, or how it ended.
    pub phase: Phase,
    /// The phases that it came into, this one last, as each was first written: the last
    /// fifty.
    pub history: Vec<Stage>,
    /// What its chunks had come to when it ended; absent before, and when nobody counted.
    pub totals: Option<Tally>,
    /// How far its plan is.
    pub plan: Plan,
    /// Days of which not all could be planned.
    pub missing_days: Vec<MissingDay>,
    /// Where the plan goes on once it is at the end of where it is: what a resumed job had missed.
    pub to_plan: Vec<PlanCursor>,
    /// How many deliveries of its event ended because its source did not answer.
    pub failed_deliveries: u32,
    /// What the pages of the plan came upon.
    pub listing: Listing,
    /// What its runs keep to, beside the request; absent before its first page is planned, and when
    /// an older version planned it, whose runs kept to what was set when they ran.
    pub rules: Option<Rules>,
    /// Chunks planned so far.
    pub chunks: u32,
    /// Shards that its chunks are spread over; settled by the first page of the plan.
    pub shards: u16,
    /// What its owner should know although nothing is refused.
    pub warnings: Vec<Warning>,
    /// How many times finishing was begun; the manifest's block ids carry it.
    pub finish_attempts: u32,
    /// Whether the row by which lists find the job is stored beside it; not where only an older
    /// version wrote the job.
    pub has_row: bool,
    /// Counts the writes of the stored item; the condition of the next one.
    pub revision: u64,
}

/// A job as last read from or written to the store. Everybody may read its data; only its moves
/// change it, so that nothing but a finishing job whose manifest states success can come to
/// succeed:
///
/// ```compile_fail,E0594
/// fn succeed(mut job: domain::job::Job, at: time::OffsetDateTime) {
///     let outcome = domain::job::Outcome::Succeeded;
///     job.phase = domain::job::Phase::Ended { at, outcome, has_manifest: true };
/// }
/// ```
///
/// ```compile_fail,E0423
/// fn succeed(data: domain::job::StoredJob) -> domain::job::Job {
///     domain::job::Job(data)
/// }
/// ```
///
/// ```compile_fail,E0308
/// fn succeed(job: domain::job::Job, file: domain::container::PreparedFile) {
///     job.prepare_manifest(file, domain::job::Outcome::Succeeded);
/// }
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Job(pub(super) StoredJob);

impl Deref for Job {
    type Target = StoredJob;

    fn deref(&self) -> &StoredJob {
        &self.0
    }
}

/// Stored data that no job can have come to.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
#[error("no job can be so: {0}")]
pub struct ImpossibleJob(&'static str);

impl Job {
    /// Rebuilds a job of what was stored of it. For the store alone: what else has a job has it
    /// from there, or by a move.
    ///
    /// # Errors
    /// [`ImpossibleJob`] when no moves lead there.
    pub fn restore(stored: StoredJob) -> Result<Self, ImpossibleJob> {
        let outcome = stored.phase.outcome();
        let succeeds = outcome == Some(&Outcome::Succeeded);
        let has_ended = matches!(stored.phase, Phase::Ended { .. });
        let has_no_manifest = matches!(
            stored.phase,
            Phase::Ended {
                has_manifest: false,
                ..
            }
        );
        let needs_manifest = outcome.is_some_and(Outcome::needs_manifest);
        let broken = [
            (
                !(1..=MAX_SHARDS).contains(&stored.shards),
                "its chunks are spread over no shard, or over too many",
            ),
            (
                has_no_manifest && needs_manifest,
                "it has ended by a manifest that was not written",
            ),
            (
                succeeds && !matches!(stored.plan, Plan::Complete { .. }),
                "it has succeeded, but its plan is not complete",
            ),
            (
                succeeds && !stored.missing_days.is_empty(),
                "it has succeeded, but some of its days are missing",
            ),
            (
                succeeds && has_ended && stored.credential.is_some(),
                "it has succeeded and still holds a credential",
            ),
        ];
        match broken.into_iter().find(|(is_broken, _)| *is_broken) {
            Some((_, rule)) => Err(ImpossibleJob(rule)),
            None => Ok(Self(stored)),
        }
    }

    /// Gives the job up for its data, of which [`Job::restore`] makes one again.
    pub fn into_stored(self) -> StoredJob {
        self.0
    }

    /// The shard that counts a chunk.
    pub fn shard_of(&self, chunk: u32) -> u16 {
        u16::try_from(chunk % u32::from(self.shards)).unwrap_or_default()
    }

    /// The job once it is written at this moment: its stored item has been written once more, and its
    /// history has the phase that it came into.
    #[must_use]
    pub fn written(mut self, at: OffsetDateTime) -> Self {
        let since = if self.revision == 0 { self.created } else { at };
        self.0.phase.append_to(&mut self.0.history, since);
        self.0.has_row = true;
        self.0.revision += 1;
        self
    }

    /// Whether the row by which lists find the job is to be written with it: there is none yet, or the
    /// job comes into another state.
    pub fn needs_row(&self) -> bool {
        let stored = self.history.last().map(|stage| stage.phase.state());
        !self.has_row || stored != Some(self.phase.kind().state())
    }
}
