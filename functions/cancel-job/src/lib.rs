//! `cancel-job`: ends a job early.
//!
//! *Started by* API Gateway, for a `DELETE` of a task. *Reads* the caller's grants and the job.
//!
//! *Writes* the job, as being cancelled, and who asked for it, on condition that nobody moved it; when somebody did, it
//! decides anew. The event of that move starts finish-export, which closes the open chunks.
//!
//! *A retry* finds the job being cancelled, or cancelled, and gets the same answer: 202.

use std::sync::Arc;

use api::Call;
use api::accepted::{Asked, log_accepted};
use api::answer::{Answer, respond};
use api::audit::Auditor;
pub use api::caller::EdgeSettings as Settings;
use api::control::{Change, TaskCall};
use api::error::ApiError;
use aws_lambda_events::apigw::{ApiGatewayV2httpRequest, ApiGatewayV2httpResponse};
use domain::job::{Cancellation, Job, Outcome, Phase};
use ports::clock::Clock;
use ports::store::{Act, Changes, Grants};
use wiring::{Wiring, WiringError};

/// What this function needs of the world.
#[derive(Clone)]
pub struct Ports {
    /// The present moment in UTC, and fresh ids.
    pub clock: Arc<dyn Clock>,
    /// The roles that callers were granted, in the exports table.
    pub grants: Arc<dyn Grants>,
    /// The jobs in the exports table; a write is on condition of the revision that was read, and
    /// keeps who made it.
    pub jobs: Arc<dyn Changes>,
    /// For how long it is kept who did what.
    pub auditor: Auditor,
    /// Read and checked once, when the function starts.
    pub settings: Settings,
}

impl Ports {
    /// Builds the ports from the settings.
    ///
    /// # Errors
    /// [`WiringError`] when a setting does not fit.
    pub fn wire(wiring: &Wiring) -> Result<Self, WiringError> {
        let store = exports_table::wire(wiring)?;
        let settings = Settings::of(wiring.env())?;
        Ok(Self {
            clock: wiring.clock(),
            grants: Arc::clone(&store) as _,
            jobs: store,
            auditor: Auditor::of(wiring.env())?,
            settings,
        })
    }
}

/// Answers a `DELETE`: 202 with the task, or an error of the contract's shape.
pub async fn handle(event: ApiGatewayV2httpRequest, ports: &Ports) -> ApiGatewayV2httpResponse {
    let call = Call::new(&event);
    respond(call, Box::pin(cancel(call, ports)).await)
}

async fn cancel(call: Call<'_>, ports: &Ports) -> Result<Answer, ApiError> {
    let task = TaskCall::admit(call, "DELETE", &ports.settings, ports.grants.as_ref()).await?;
    let job = task
        .change(
            ports.jobs.as_ref(),
            ports.clock.as_ref(),
            (ports.auditor, Act::Cancel),
            cancelled,
        )
        .await?;
    log_accepted(call, &ports.settings, Asked::Cancel, &job);
    task.accepted(&job)
}

fn cancelled(job: Job) -> Result<Change, ApiError> {
    match &job.phase {
        Phase::Cancelling { .. }
        | Phase::Finishing {
            cancelled: Some(_), ..
        }
        | Phase::Ended {
            outcome: Outcome::Cancelled { .. },
            ..
        } => Ok(Change::None(Box::new(job))),
        Phase::Ended { .. } => Err(ApiError::TaskFinished {
            phase: job.phase.name(),
        }),
        Phase::Queued
        | Phase::Planning
        | Phase::Running
        | Phase::AwaitingCredential { .. }
        | Phase::Resuming
        | Phase::Finishing {
            cancelled: None, ..
        } => {
            let phase = job.phase.name();
            let cancelling = job
                .cancel(Cancellation::Asked)
                .map_err(|_| ApiError::TaskEnding { phase })?;
            Ok(Change::To(Box::new(cancelling)))
        }
    }
}
