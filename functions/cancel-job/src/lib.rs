//! DELETE: ends a job early.
//!
//! *Trigger:* API Gateway, `DELETE`. *Reads:* grants, the job. *Writes:* the job, on condition that
//! nobody moved it; the table's stream tells the finisher, which closes what is open. *A retry*
//! finds the job being cancelled, or cancelled, and is answered alike.

use std::sync::Arc;

use aws_lambda_events::apigw::{ApiGatewayV2httpRequest, ApiGatewayV2httpResponse};
use shared::clock::Clock;
use shared::http::Call;
use shared::http::answer::{Answer, respond};
pub use shared::http::caller::EdgeSettings as Settings;
use shared::http::control::{Change, TaskCall};
use shared::http::error::ApiError;
use shared::job::{Cancellation, Job, Outcome, Phase};
use shared::store::{Grants, Jobs};
use shared::telemetry::{Asked, log_accepted};
use shared::wiring::{Wiring, WiringError};

/// What this function needs of the world.
#[derive(Clone)]
pub struct Ports {
    /// The time.
    pub clock: Arc<dyn Clock>,
    /// Who may cancel jobs.
    pub grants: Arc<dyn Grants>,
    /// The jobs.
    pub jobs: Arc<dyn Jobs>,
    /// The settings.
    pub settings: Settings,
}

impl Ports {
    /// Builds the ports from the settings.
    ///
    /// # Errors
    /// [`WiringError`] when a setting does not fit.
    pub fn wire(wiring: &Wiring) -> Result<Self, WiringError> {
        let store = wiring.store()?;
        let settings = Settings::of(wiring.env())?;
        Ok(Self {
            clock: wiring.clock(),
            grants: Arc::clone(&store) as _,
            jobs: store,
            settings,
        })
    }
}

/// Answers a DELETE: 202 with the task, or an error of the contract's shape.
pub async fn handle(event: ApiGatewayV2httpRequest, ports: &Ports) -> ApiGatewayV2httpResponse {
    let call = Call::new(&event);
    respond(call, Box::pin(cancel(call, ports)).await)
}

async fn cancel(call: Call<'_>, ports: &Ports) -> Result<Answer, ApiError> {
    let task = TaskCall::admit(call, "DELETE", &ports.settings, ports.grants.as_ref()).await?;
    let job = task
        .change(ports.jobs.as_ref(), ports.clock.as_ref(), cancelled)
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
