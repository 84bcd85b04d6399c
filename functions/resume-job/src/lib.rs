//! `resume-job`: gives a job a new credential, or lets it try again what is missing.
//!
//! *Started by* API Gateway, for a `PATCH` of a task. *Reads* the caller's grants and the job.
//!
//! *Writes* one block that is never committed into the client's container, then the job and who
//! changed it, on condition that nobody moved it; when somebody did, it decides anew. The event of a job that is
//! resuming starts plan-export.
//!
//! *A retry* with a container URL replaces the credential once more; one without finds the job
//! being resumed and gets the same answer: 202.

mod credential;

use std::sync::Arc;

use api::Call;
use api::accepted::{Asked, log_accepted};
use api::answer::{Answer, respond};
use api::audit::Auditor;
use api::body::Body;
pub use api::caller::EdgeSettings as Settings;
use api::container_url::ContainerUrlRules;
use api::control::{Change, TaskCall};
use api::error::ApiError;
use api::export_request::read_container_url;
use aws_lambda_events::apigw::{ApiGatewayV2httpRequest, ApiGatewayV2httpResponse};
use domain::job::{Credential, Job, Outcome, Phase};
use domain::secret::Secret;
use domain::warning::Warning;
use ports::clock::Clock;
use ports::container::Containers;
use ports::seal::Sealer;
use ports::store::{Act, Changes, Grants};
use wiring::{Wiring, WiringError};

use credential::{check_stored, check_url};

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
    /// The rules of container URLs.
    pub container_urls: ContainerUrlRules,
    /// Opens a client's container with the signature that came with its URL.
    pub containers: Arc<dyn Containers>,
    /// Seals a container's signature for one job, and opens it again.
    pub sealer: Arc<dyn Sealer>,
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
        Ok(Self {
            clock: wiring.clock(),
            grants: Arc::clone(&store) as _,
            jobs: store,
            container_urls: ContainerUrlRules::of(wiring.env())?,
            containers: container::wire(wiring)?,
            sealer: sealing::wire(wiring)?,
            auditor: Auditor::of(wiring.env())?,
            settings: Settings::of(wiring.env())?,
        })
    }
}

/// Answers a `PATCH`: 202 with the task, or an error of the contract's shape.
pub async fn handle(event: ApiGatewayV2httpRequest, ports: &Ports) -> ApiGatewayV2httpResponse {
    let call = Call::new(&event);
    respond(call, Box::pin(resume(call, ports)).await)
}

/// What is to be done with a job.
enum Next {
    /// It is being resumed as it is.
    Nothing,
    /// It goes on by itself with the new credential.
    Replace,
    /// It goes on, with the new credential when there is one.
    Resume,
}

async fn resume(call: Call<'_>, ports: &Ports) -> Result<Answer, ApiError> {
    let (jobs, clock) = (ports.jobs.as_ref(), ports.clock.as_ref());
    let task = TaskCall::admit(call, "PATCH", &ports.settings, ports.grants.as_ref()).await?;
    let (given, unknown) = read_resumption(call)?;
    let job = task.job(jobs, clock).await?;
    let credential = match (next(&job.phase, given.is_some())?, given) {
        (Next::Nothing, _) => {
            log_accepted(call, &ports.settings, Asked::Resume, &job);
            return task.accepted_with(&job, unknown);
        }
        (Next::Replace | Next::Resume, Some(url)) => Some(check_url(&job, &url, ports).await?),
        (Next::Replace | Next::Resume, None) => {
            check_stored(&job, ports).await?;
            None
        }
    };
    let (asked, act) = if credential.is_some() {
        (Asked::Renew, Act::Renew)
    } else {
        (Asked::Resume, Act::Resume)
    };
    let change = |job| changed(job, credential.as_ref());
    let job = task
        .change(jobs, clock, (ports.auditor, act), change)
        .await?;
    log_accepted(call, &ports.settings, asked, &job);
    task.accepted_with(&job, unknown)
}

/// The new container URL, if one is given, and what of the body is ignored.
fn read_resumption(call: Call<'_>) -> Result<(Option<Secret>, Option<Warning>), ApiError> {
    let fields = Body::optional_fields(call)?;
    let given = read_container_url(&fields)?;
    Ok((given, fields.unknown(&[])))
}

fn changed(job: Job, credential: Option<&Credential>) -> Result<Change, ApiError> {
    let next = next(&job.phase, credential.is_some())?;
    let job = match credential {
        Some(credential) => job
            .replace_credential(credential.clone())
            .map_err(|error| ApiError::Internal(error.into()))?,
        None => job,
    };
    match next {
        Next::Nothing => Ok(Change::None(Box::new(job))),
        Next::Replace => Ok(Change::To(Box::new(job))),
        Next::Resume => job
            .resume()
            .map(|job| Change::To(Box::new(job)))
            .map_err(|error| ApiError::Internal(error.into())),
    }
}

fn next(phase: &Phase, is_given: bool) -> Result<Next, ApiError> {
    let name = phase.name();
    match (phase, is_given) {
        (
            Phase::Ended {
                outcome: Outcome::Succeeded,
                ..
            },
            _,
        ) => Err(ApiError::TaskSucceeded),
        (Phase::AwaitingCredential { .. } | Phase::Ended { .. }, _) => Ok(Next::Resume),
        (Phase::Resuming, false) => Ok(Next::Nothing),
        (Phase::Queued | Phase::Planning | Phase::Running | Phase::Resuming, true) => {
            Ok(Next::Replace)
        }
        (Phase::Cancelling { .. } | Phase::Finishing { .. }, true) => {
            Err(ApiError::TaskEnding { phase: name })
        }
        (
            Phase::Queued
            | Phase::Planning
            | Phase::Running
            | Phase::Cancelling { .. }
            | Phase::Finishing { .. },
            false,
        ) => Err(ApiError::TaskAtWork { phase: name }),
    }
}
