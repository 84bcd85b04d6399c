//! `get-status`: answers one export job, its chunks or files, the list of an app's jobs, or how the API
//! is described.
//!
//! *Started by* API Gateway, for a `GET`, and for every request that no other route takes, `HEAD`
//! among them. *Reads* the caller's grants, the jobs, and the tallies of one job, or of a
//! short list, or the chunks of one.
//!
//! *Writes* nothing.
//!
//! *A retry* reads again.

mod parts;

use std::sync::Arc;

use api::Call;
use api::answer::{Answer, respond};
pub use api::caller::EdgeSettings as Settings;
use api::caller::admit;
use api::description;
use api::error::ApiError;
use api::query::{Query, next_page};
use api::route::{Route, Target};
use api::task::{Task, TaskList};
use aws_lambda_events::apigw::{ApiGatewayV2httpRequest, ApiGatewayV2httpResponse};
use domain::app::AppScope;
use domain::job::{Job, JobId, JobKey};
use futures::future::try_join_all;
use ports::clock::Clock;
use ports::store::{ChunkLists, Grants, JobLists, Role, Tallies};
use wiring::{Wiring, WiringError};

/// What this function needs of the world.
#[derive(Clone)]
pub struct Ports {
    /// The present moment in UTC, and fresh ids.
    pub clock: Arc<dyn Clock>,
    /// The roles that callers were granted, in the exports table.
    pub grants: Arc<dyn Grants>,
    /// The jobs in the exports table and their tallies.
    pub jobs: Arc<dyn Tallies>,
    /// The jobs in the exports table, listed by app.
    pub lists: Arc<dyn JobLists>,
    /// The chunks in the exports table, listed by shard in the order of their numbers.
    pub chunks: Arc<dyn ChunkLists>,
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
            jobs: Arc::clone(&store) as _,
            lists: Arc::clone(&store) as _,
            chunks: store,
            settings: Settings::of(wiring.env())?,
        })
    }
}

/// Answers a `GET` or `HEAD`: 200 with a task or a list, or an error of the contract's shape; and
/// everything else with 404 or 405.
pub async fn handle(event: ApiGatewayV2httpRequest, ports: &Ports) -> ApiGatewayV2httpResponse {
    let call = Call::new(&event);
    respond(call, Box::pin(read(call, ports)).await)
}

async fn read(call: Call<'_>, ports: &Ports) -> Result<Answer, ApiError> {
    if call.method() == "GET" && call.path() == description::PATH {
        return Ok(Answer::json(description::OPENAPI));
    }
    let route = Route::of(call)?;
    let is_created = matches!(route.target, Target::Create(_) | Target::Check(_));
    if !matches!(call.method(), "GET" | "HEAD") || is_created {
        return Err(route.refuse(call.method(), call.path()));
    }
    let query = Query::parse(call.query_string());
    query.check_api_version()?;
    let caller = admit(
        call,
        &ports.settings.subject_claim,
        ports.grants.as_ref(),
        &route.scope,
        Role::Reader,
    )
    .await?;
    match &route.target {
        Target::Task(id) => one_task(&route.scope, id, caller.role, ports).await,
        Target::Parts(id, which) => {
            let job = job(&route.scope, id, ports).await?;
            parts::list(call, &route, &query, &job, *which, ports).await
        }
        Target::List | Target::Create(_) | Target::Check(_) => {
            list(call, &route, &query, caller.role, ports).await
        }
    }
}

async fn one_task(
    scope: &AppScope,
    id: &str,
    viewer: Role,
    ports: &Ports,
) -> Result<Answer, ApiError> {
    let job = job(scope, id, ports).await?;
    let now = ports.clock.now();
    let task = Task::of(&job, viewer).in_full(&job);
    let counted = ports.jobs.counted(&job).await?;
    Answer::task(&task.with_progress(&job, &counted, now), &job, now)
}

/// A task of another app is as unknown as one that never was.
async fn job(scope: &AppScope, id: &str, ports: &Ports) -> Result<Job, ApiError> {
    let unknown = || ApiError::TaskNotFound { id: id.to_owned() };
    let key = JobKey {
        scope: scope.clone(),
        id: JobId::parse(id).ok_or_else(unknown)?,
    };
    let job = ports.jobs.job(&key, ports.clock.now()).await?;
    job.ok_or_else(unknown)
}

async fn list(
    call: Call<'_>,
    route: &Route,
    query: &Query<'_>,
    viewer: Role,
    ports: &Ports,
) -> Result<Answer, ApiError> {
    let page = query.page()?;
    let with_progress = query.wants_progress(page)?;
    let now = ports.clock.now();
    let listed = ports.lists.jobs(&route.scope, page, now).await?;
    let base = call.base(ports.settings.public_url.as_deref());
    let next_link = listed.more.then(|| {
        let next = next_page(page, with_progress);
        format!("{base}{}?{next}", route.list_path())
    });
    let task = async |job| {
        let task = Task::of(job, viewer);
        if !with_progress || task.has_progress() {
            return Ok::<_, ApiError>(task);
        }
        let counted = ports.jobs.counted(job).await?;
        Ok(task.with_progress(job, &counted, now))
    };
    let value = try_join_all(listed.jobs.iter().map(task)).await?;
    Answer::list(&TaskList { value, next_link }, &listed.jobs)
}
