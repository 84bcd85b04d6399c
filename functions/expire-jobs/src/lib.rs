//! `expire-jobs`: ends the jobs that waited too long for a credential.
//!
//! *Started by* a schedule, once an hour; what its event holds does not matter. *Reads* the list of
//! waiting jobs, and each job on it.
//!
//! *Writes* an overdue job, as being cancelled, on condition that nobody moved it, and takes a job
//! that waits no longer off the list. The event of that move starts finish-export, which writes the
//! partial manifest.
//!
//! *A retry* is the next run: it walks the list again and finds less to do.

use std::sync::Arc;

use domain::cause::in_one_line;
use domain::job::{Cancellation, IllegalMove, JobKey, Phase};
use ports::clock::Clock;
use ports::store::{StoreError, WaitingJobs};
use serde_json::Value;
use thiserror::Error;
use time::Duration;
use tracing::{info, warn};
use wiring::config::ConfigError;
use wiring::{Wiring, WiringError};

/// What this function needs of the world.
#[derive(Clone)]
pub struct Ports {
    /// The jobs in the exports table, and the list of those that wait for a credential.
    pub jobs: Arc<dyn WaitingJobs>,
    /// The present moment in UTC, and fresh ids.
    pub clock: Arc<dyn Clock>,
    /// Read and checked once, when the function starts.
    pub settings: Settings,
}

/// How this function goes about its work.
#[derive(Debug, Clone, Copy)]
pub struct Settings {
    /// How long a job may wait for a new credential.
    pub wait: Duration,
}

impl Settings {
    /// Reads them.
    ///
    /// # Errors
    /// [`ConfigError`] when one does not fit, or when a job would be forgotten while it waits.
    fn of(wiring: &Wiring) -> Result<Self, ConfigError> {
        Ok(Self {
            wait: wiring.job_lives()?.credential_wait,
        })
    }
}

impl Ports {
    /// Builds the ports from the settings.
    ///
    /// # Errors
    /// [`WiringError`] when a setting does not fit.
    pub fn wire(wiring: &Wiring) -> Result<Self, WiringError> {
        Ok(Self {
            jobs: exports_table::wire(wiring)?,
            clock: wiring.clock(),
            settings: Settings::of(wiring)?,
        })
    }
}

/// Why not every job was looked at; the next run does it.
#[derive(Debug, Error)]
pub enum ExpireError {
    /// The exports table failed.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// The job's state forbids its end; a defect.
    #[error(transparent)]
    Illegal(#[from] IllegalMove),
    /// Some jobs failed, each for a reason in the log.
    #[error("{failed} waiting jobs could not be dealt with")]
    Jobs {
        /// How many; the log has a warning of each.
        failed: usize,
    },
}

/// Walks the list of waiting jobs and ends the overdue ones. What fails at one job does not keep
/// the others.
///
/// # Errors
/// [`ExpireError`]: run it again.
pub async fn handle(_: Value, ports: &Ports) -> Result<(), ExpireError> {
    let (mut after, mut failed) = (None, 0);
    loop {
        let page = ports.jobs.waiting(after.as_ref()).await?;
        for key in &page {
            match expire(key, ports).await {
                Ok(()) => {}
                Err(ExpireError::Store(StoreError::Conflict { .. })) => {
                    info!(job.id = %key.id, "somebody else moved the waiting job; the next run looks at it again");
                }
                Err(error) => {
                    warn!(job.id = %key.id, error = in_one_line(&error), "a waiting job could not be dealt with");
                    failed += 1;
                }
            }
        }
        match page.into_iter().next_back() {
            Some(last) => after = Some(last),
            None if failed > 0 => return Err(ExpireError::Jobs { failed }),
            None => return Ok(()),
        }
    }
}

// A job can begin to wait again between our read and the removal, and its new entry is the one that
// stands already. So the store removes it on condition that the job does not wait, in one transaction:
// a removal that comes too late is a conflict and the entry stays. Removing it before the read instead,
// and putting a waiting job back, would lose it when this function dies in between. An overdue job
// is moved before it is removed: dying in between leaves an entry of a job that waits no longer,
// which the next run removes.
async fn expire(key: &JobKey, ports: &Ports) -> Result<(), ExpireError> {
    let now = ports.clock.now();
    match ports.jobs.job(key, now).await? {
        Some(job) if let Phase::AwaitingCredential { since, .. } = job.phase => {
            if now - since < ports.settings.wait {
                return Ok(());
            }
            let job = ports
                .jobs
                .put_job(job.cancel(Cancellation::CredentialOverdue)?)
                .await?;
            info!(
                job.id = %key.id, job.phase = job.phase.name(), app.scope = %key.scope,
                "the job waited too long for a new credential and ends"
            );
        }
        Some(_) | None => {}
    }
    Ok(ports.jobs.unlist(key).await?)
}
