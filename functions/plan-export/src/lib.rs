//! `plan-export`: cuts a job's selection into chunks, and reopens the chunks of a job that is
//! resumed.
//!
//! *Started by* the bus, when a job is queued or resuming. *Reads* the job and lists its source; of
//! a resuming job also the chunks.
//!
//! *Writes* chunks, a page at a time, each page in one transaction with the job's cursor and the
//! shards' tallies. It reopens chunks in transactions that the job must not have been moved before.
//!
//! *A retry* goes on at the cursor. Two planners at once do no harm: each page is on condition of
//! the job's revision, and the one that loses reads the job again. A planner whose time is nearly
//! up queues the job again.

mod reopening;

use std::sync::Arc;

use aws_lambda_events::eventbridge::EventBridgeEvent;
use domain::cause::in_one_line;
use domain::chunk::{Chunk, ChunkKey};
use domain::job::{IllegalMove, Job, JobKey, MAX_MISSING_DAYS, Phase, Plan};
use domain::rules::{Misread, Rules};
use edge::event::{JobEvent, UnreadableMessage};
use formats::encode::ENCODERS_VERSION;
use ports::clock::Clock;
use ports::source::{PlanPage, SourceError, Sources, Unanswered};
use ports::store::{ChunkLists, PLAN_PAGE_CHUNKS, Plans, StoreError};
use thiserror::Error;
use time::{Duration, OffsetDateTime};
use tracing::{Instrument, error_span, info, warn};
use wiring::config::{
    ConfigError, FUNCTION_TIMEOUT_SECONDS, LAKE_LATE_DAYS, MAX_SHARDS, MISREAD_FROM_RECORDS,
    MISREAD_PERCENT, ON_BAD_RECORD,
};
use wiring::{Wiring, WiringError};

use reopening::reopen_chunks;

/// How often the event of a job is delivered before it is a dead letter: once, and again as often as
/// `MaximumRetryAttempts` in `template.yaml` says.
pub const DELIVERIES: u32 = 3;

/// What this function needs of the world.
#[derive(Clone)]
pub struct Ports {
    /// The jobs in the exports table, and the transactions in which a plan is written.
    pub plans: Arc<dyn Plans>,
    /// The chunks in the exports table, listed by shard in the order of their numbers.
    pub lists: Arc<dyn ChunkLists>,
    /// The lake and the registry, which hold the raw data.
    pub sources: Sources,
    /// The present moment in UTC, and fresh ids.
    pub clock: Arc<dyn Clock>,
    /// Read and checked once, when the function starts.
    pub settings: Settings,
}

/// How this function goes about its work.
#[derive(Debug, Clone, Copy)]
pub struct Settings {
    /// How long the function may take.
    pub time_limit: Duration,
    /// The most shards that a job's chunks are spread over.
    pub max_shards: u16,
    /// What the jobs that are planned now keep to.
    pub rules: Rules,
}

impl Settings {
    /// Reads them.
    ///
    /// # Errors
    /// [`ConfigError`] when one does not fit.
    pub fn of(wiring: &Wiring) -> Result<Self, ConfigError> {
        Ok(Self {
            time_limit: wiring.env().get(&FUNCTION_TIMEOUT_SECONDS)?,
            max_shards: wiring.env().get(&MAX_SHARDS)?,
            rules: Rules {
                on_bad_record: wiring.env().get(&ON_BAD_RECORD)?,
                late_days: wiring.env().get(&LAKE_LATE_DAYS)?,
                misread: Misread {
                    from_records: wiring.env().get(&MISREAD_FROM_RECORDS)?,
                    most_percent: wiring.env().get(&MISREAD_PERCENT)?,
                },
                encoders: ENCODERS_VERSION,
            },
        })
    }
}

impl Ports {
    /// Builds the ports from the settings.
    ///
    /// # Errors
    /// [`WiringError`] when a setting does not fit.
    pub fn wire(wiring: &Wiring) -> Result<Self, WiringError> {
        let store = exports_table::wire(wiring)?;
        Ok(Self {
            plans: Arc::clone(&store) as _,
            lists: store,
            sources: sources::wire_to_plan(wiring)?,
            clock: wiring.clock(),
            settings: Settings::of(wiring)?,
        })
    }
}

/// Why planning stopped; the event will be delivered again.
#[derive(Debug, Error)]
pub enum PlanError {
    /// The event is not what this version of the service sends.
    #[error(transparent)]
    Event(#[from] UnreadableMessage),
    /// The exports table failed.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// The source does not answer.
    #[error(transparent)]
    Source(#[from] SourceError),
    /// The job's state forbids what the planner wants; a defect.
    #[error(transparent)]
    Illegal(#[from] IllegalMove),
}

/// Plans the event's job to its end, or until the function's time is nearly up.
///
/// # Errors
/// [`PlanError`]: deliver the event again; the plan goes on where it is.
pub async fn handle(event: EventBridgeEvent<JobEvent>, ports: &Ports) -> Result<(), PlanError> {
    let key = event.detail.key()?;
    let planner = Planner {
        ports,
        key,
        deadline: ports.clock.now() + ports.settings.time_limit * 4 / 5,
    };
    // Whatever is logged meanwhile, by whatever crate, says of which job it is.
    let span = error_span!("plan", job.id = %planner.key.id);
    loop {
        match Box::pin(planner.plan()).instrument(span.clone()).await {
            Err(PlanError::Store(StoreError::Conflict { .. })) => {
                info!(job.id = %planner.key.id, "another planner was quicker; reading the job again");
            }
            done => return done,
        }
    }
}

struct Planner<'a> {
    ports: &'a Ports,
    key: JobKey,
    deadline: OffsetDateTime,
}

impl Planner<'_> {
    async fn plan(&self) -> Result<(), PlanError> {
        let Some(mut job) = self
            .ports
            .plans
            .job(&self.key, self.ports.clock.now())
            .await?
        else {
            return Ok(());
        };
        if matches!(job.phase, Phase::Resuming) {
            job = reopen_chunks(job, self.ports).await?;
        }
        let Ok(mut job) = job.begin_planning() else {
            return Ok(());
        };
        while let Plan::Open { cursor } = &job.plan {
            if self.ports.clock.now() > self.deadline {
                return self.hand_over(job).await;
            }
            let listed_at = self.ports.clock.now();
            let selection = &job.request.selection;
            let sources = &self.ports.sources;
            let unanswered = if job.failed_deliveries + 1 < DELIVERIES {
                Unanswered::IsRetried
            } else {
                Unanswered::IsMissing
            };
            let page = sources
                .plan(
                    &job.key.scope,
                    selection,
                    cursor.as_ref(),
                    PLAN_PAGE_CHUNKS,
                    unanswered,
                )
                .await;
            job = match page {
                Ok(page) => self.put_page(job, page, listed_at).await?,
                Err(error) if error.is_transient() => return self.fail_delivery(job, error).await,
                Err(error) => self.fail(job, in_one_line(&error)).await?,
            };
            if job.missing_days.len() >= MAX_MISSING_DAYS && matches!(job.plan, Plan::Open { .. }) {
                job = self.fail(job, too_many_missing()).await?;
            }
        }
        if matches!(job.phase, Phase::Planning) {
            self.ports.plans.put_job(job.resume_running()?).await?;
        }
        Ok(())
    }

    async fn put_page(
        &self,
        mut job: Job,
        page: PlanPage,
        listed_at: OffsetDateTime,
    ) -> Result<Job, PlanError> {
        for day in &page.missing {
            warn!(job.id = %job.key.id, day = %day.day, reason = day.reason, "a day cannot be planned to its end");
        }
        job = job
            .keep_to(self.ports.settings.rules)
            .list_page(listed_at, page.found)
            .miss_days(page.missing);
        let first_page = matches!(job.plan, Plan::Open { cursor: None });
        if first_page && page.next.is_some() {
            job = job.spread(self.ports.settings.max_shards)?;
        }
        let chunks: Vec<Chunk> = (job.chunks..)
            .zip(page.chunks)
            .map(|(number, source)| {
                Chunk::planned(
                    ChunkKey {
                        job: job.key.clone(),
                        shard: job.shard_of(number),
                        number,
                    },
                    source,
                    job.expires,
                )
            })
            .collect();
        let count = u32::try_from(chunks.len()).unwrap_or(u32::MAX);
        let job = match page.next {
            Some(cursor) => job.plan_page(count, cursor)?,
            None => job.complete_plan(count, listed_at)?,
        };
        let job = self.ports.plans.put_page(job, chunks, Vec::new()).await?;
        info!(job.id = %job.key.id, chunks.planned = job.chunks, job.phase = job.phase.name(), "a page is planned");
        Ok(job)
    }

    /// The source does not answer, and this delivery ends with that.
    async fn fail_delivery(&self, job: Job, error: SourceError) -> Result<(), PlanError> {
        self.ports.plans.put_job(job.fail_delivery()?).await?;
        Err(error.into())
    }

    async fn fail(&self, job: Job, reason: String) -> Result<Job, PlanError> {
        warn!(job.id = %job.key.id, reason, "the selection cannot be planned");
        let job = job.fail_plan(reason)?;
        Ok(self.ports.plans.put_job(job).await?)
    }

    async fn hand_over(&self, job: Job) -> Result<(), PlanError> {
        info!(job.id = %job.key.id, chunks.planned = job.chunks, "the planner's time is up; the job is queued again");
        self.ports.plans.put_job(job.hand_over_planning()?).await?;
        Ok(())
    }
}

fn too_many_missing() -> String {
    format!("{MAX_MISSING_DAYS} days could not be planned")
}
