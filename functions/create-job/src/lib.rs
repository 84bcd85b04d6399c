//! `create-job`: checks an export request and accepts it as a job.
//!
//! *Started by* API Gateway, for a `POST`. *Reads* the caller's grants and the request ids that
//! were accepted before.
//!
//! *Writes* one block that is never committed into the client's container, then, unless it is only
//! to check the request, the job, its request id and who made it in one transaction. The event of the new job starts plan-export.
//!
//! *A retry* with the same request id and body gets the first task for ten minutes, and for a day
//! when the id is an idempotency key; one without an id makes another job.

use std::sync::Arc;

use api::Call;
use api::accepted::{Asked, log_accepted};
use api::answer::{Answer, respond};
use api::audit::Auditor;
use api::body::Body;
use api::caller::{EdgeSettings, admit};
use api::checked::Checked;
use api::container_url::{CheckedContainerUrl, ContainerUrlRules};
use api::error::ApiError;
use api::export_request::{Limits, NewExport, read_export};
use api::query::Query;
use api::request_id::{given_key, remembered};
use api::route::{Route, Target};
use api::task::Task;
use aws_lambda_events::apigw::{ApiGatewayV2httpRequest, ApiGatewayV2httpResponse};
use container::preflight::preflight;
use domain::app::AppScope;
use domain::container::BlobName;
use domain::job::{Asking, Credential, Job, JobId, JobKey};
use domain::operation::{Operation, SelectionKind};
use domain::selection::ExportRequest;
use domain::warning::Warning;
use ports::clock::Clock;
use ports::container::Containers;
use ports::seal::Sealer;
use ports::store::{AcceptedRequest, Act, Created, Grants, Intake, Jobs, RequestKey, Role};
use time::{Duration, OffsetDateTime};
use wiring::config::{ConfigError, MAX_RANGE_DAYS};
use wiring::{Wiring, WiringError};

/// The most bytes of a file's or folder's name on the common file systems
/// (<https://man7.org/linux/man-pages/man3/pathconf.3.html>, `NAME_MAX`).
const MOST_FOLDER_BYTES: usize = 255;

/// What this function needs of the world.
#[derive(Clone)]
pub struct Ports {
    /// The present moment in UTC, and fresh ids.
    pub clock: Arc<dyn Clock>,
    /// The roles that callers were granted, in the exports table.
    pub grants: Arc<dyn Grants>,
    /// Stores new jobs in the exports table, each with its request id if it has one.
    pub intake: Arc<dyn Intake>,
    /// The jobs in the exports table; a write is on condition of the revision that was read.
    pub jobs: Arc<dyn Jobs>,
    /// The rules of container URLs.
    pub container_urls: ContainerUrlRules,
    /// Opens a client's container with the signature that came with its URL.
    pub containers: Arc<dyn Containers>,
    /// Seals a container's signature for one job, and opens it again.
    pub sealer: Arc<dyn Sealer>,
    /// For how long it is kept who made which job.
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
            intake: Arc::clone(&store) as _,
            jobs: store,
            container_urls: ContainerUrlRules::of(wiring.env())?,
            containers: container::wire(wiring)?,
            sealer: sealing::wire(wiring)?,
            auditor: Auditor::of(wiring.env())?,
            settings: Settings::of(wiring)?,
        })
    }
}

/// The settings of this function.
#[derive(Debug, Clone)]
pub struct Settings {
    /// The settings of every function behind the API.
    pub edge: EdgeSettings,
    /// The most days that a range may span.
    pub max_range_days: u32,
    /// How long a job is kept; at least a day, so that a remembered request has a job.
    pub retention: Duration,
    /// Whether the lake is a folder, where an app's name is that of a folder.
    pub has_folder_lake: bool,
}

impl Settings {
    /// Reads them.
    ///
    /// # Errors
    /// [`ConfigError`] when one does not fit, or when a job would be forgotten while it waits.
    fn of(wiring: &Wiring) -> Result<Self, ConfigError> {
        Ok(Self {
            edge: EdgeSettings::of(wiring.env())?,
            max_range_days: wiring.env().get(&MAX_RANGE_DAYS)?,
            retention: wiring.job_lives()?.retention,
            // In the cloud the lake is in S3, where an object's name has 1,024 bytes.
            has_folder_lake: false,
        })
    }
}

/// A request that may be made, and the time that it came at.
struct Admitted<'a> {
    call: Call<'a>,
    route: Route,
    operation: &'static Operation,
    /// Whether nothing is to come of it but an answer.
    is_check: bool,
    subject: String,
    now: OffsetDateTime,
}

/// A request whose fields and container are good.
struct Accepted {
    id: JobId,
    request: ExportRequest,
    asking: Asking,
    container: CheckedContainerUrl,
    /// What of the body is ignored.
    unknown: Option<Warning>,
}

/// Answers a `POST`: 202 with the job as a task, 200 with what a check found, or an error of the
/// contract's shape.
pub async fn handle(event: ApiGatewayV2httpRequest, ports: &Ports) -> ApiGatewayV2httpResponse {
    let call = Call::new(&event);
    respond(call, Box::pin(create(call, ports)).await)
}

async fn create(call: Call<'_>, ports: &Ports) -> Result<Answer, ApiError> {
    let admitted = admit_creation(call, ports).await?;
    if admitted.is_check {
        return check(&admitted, ports).await;
    }
    let scope = &admitted.route.scope;
    let key = given_key(call)?;
    let body = Body::receive(call)?;
    let body_hash = body.hash(admitted.operation);
    let key = key.map(|key| key.of_request(&body_hash));
    if let Some(key) = &key
        && let Some(earlier) = ports.intake.accepted(scope, key, admitted.now).await?
    {
        return repeat(&admitted, earlier, &body_hash, ports).await;
    }
    let job = new_job(&admitted, &body, ports).await?;
    let request = key.map(|key| {
        let expires = admitted.now + remembered(&key);
        AcceptedRequest {
            key,
            job: job.key.id,
            body_hash: body_hash.clone(),
            expires,
        }
    });
    let audit = ports
        .auditor
        .note(&admitted.subject, Act::Create, admitted.now);
    match ports.intake.create(job, request, audit).await? {
        Created::New(job) => {
            log_accepted(call, &ports.settings.edge, Asked::Create, &job);
            accept(&admitted, &job, ports)
        }
        Created::Repeated(earlier) => repeat(&admitted, earlier, &body_hash, ports).await,
    }
}

/// Answers what a creation with this body would come to. Nothing is stored, and no request id is
/// looked at.
async fn check(admitted: &Admitted<'_>, ports: &Ports) -> Result<Answer, ApiError> {
    let body = Body::receive(admitted.call)?;
    let accepted = checked(admitted, &body, ports).await?;
    let CheckedContainerUrl {
        access,
        permissions,
        expires,
    } = accepted.container;
    Answer::ok(&Checked::new(
        &accepted.request,
        &accepted.asking,
        &access.address,
        (permissions, expires),
        accepted.unknown.into_iter().collect(),
    ))
}

async fn admit_creation<'a>(call: Call<'a>, ports: &Ports) -> Result<Admitted<'a>, ApiError> {
    let route = Route::of(call)?;
    let (operation, is_check) = match route.target {
        Target::Create(operation) if call.method() == "POST" => (operation, false),
        Target::Check(operation) if call.method() == "POST" => (operation, true),
        Target::Create(_)
        | Target::Check(_)
        | Target::List
        | Target::Task(_)
        | Target::Parts(..) => {
            return Err(route.refuse(call.method(), call.path()));
        }
    };
    Query::parse(call.query_string()).check_api_version()?;
    let claim = &ports.settings.edge.subject_claim;
    let caller = admit(
        call,
        claim,
        ports.grants.as_ref(),
        &route.scope,
        Role::Contributor,
    )
    .await?;
    Ok(Admitted {
        call,
        route,
        operation,
        is_check,
        subject: caller.subject,
        now: ports.clock.now(),
    })
}

/// A job of what is checked, with the signature sealed for it.
async fn new_job(admitted: &Admitted<'_>, body: &Body, ports: &Ports) -> Result<Job, ApiError> {
    let accepted = checked(admitted, body, ports).await?;
    let (id, access) = (accepted.id, accepted.container.access);
    let credential = Credential {
        sealed: ports.sealer.seal(id, &access.signature).await?,
        expires: accepted.container.expires,
    };
    let key = JobKey {
        scope: admitted.route.scope.clone(),
        id,
    };
    let job = Job::queued(
        key,
        accepted.request,
        access.address,
        credential,
        admitted.now,
        ports.settings.retention,
    );
    Ok(job.asked(accepted.asking).warn(accepted.unknown))
}

/// Checks the fields, then the container by rule and by writing.
async fn checked(
    admitted: &Admitted<'_>,
    body: &Body,
    ports: &Ports,
) -> Result<Accepted, ApiError> {
    let limits = Limits {
        today: admitted.now.date(),
        max_range_days: ports.settings.max_range_days,
    };
    if ports.settings.has_folder_lake {
        check_folder(&admitted.route.scope, admitted.operation)?;
    }
    let NewExport {
        request,
        container_url,
        options,
        unknown,
    } = read_export(admitted.operation, &body.fields()?, limits)?;
    let container = ports
        .container_urls
        .check(container_url.reveal(), admitted.now)
        .map_err(ApiError::ContainerUrl)?;
    let id = JobId::new(ports.clock.fresh_id());
    let manifest = BlobName::manifest(request.export_type(), id);
    let opened = ports.containers.open(&container.access);
    preflight(opened.map_err(ApiError::Container)?.as_ref(), &manifest)
        .await
        .map_err(ApiError::Container)?;
    let asking = Asking {
        by: Some(admitted.subject.clone()),
        options: Some(options),
    };
    Ok(Accepted {
        id,
        request,
        asking,
        container,
        unknown,
    })
}

/// Refuses at once what no plan could read: an app whose folder no file system can hold. Devices
/// are in the registry.
fn check_folder(scope: &AppScope, operation: &Operation) -> Result<(), ApiError> {
    let size_bytes = "app=".len() + scope.folder().len();
    let is_of_lake = matches!(operation.selection, SelectionKind::Days(_));
    if !is_of_lake || size_bytes <= MOST_FOLDER_BYTES {
        return Ok(());
    }
    let what = "as the name of its folder in the lake of this service";
    Err(ApiError::AppPathTooLong {
        size_bytes,
        most: MOST_FOLDER_BYTES,
        what,
    })
}

/// Answers a request whose key is known: with the first task when it asks for the same.
async fn repeat(
    admitted: &Admitted<'_>,
    earlier: AcceptedRequest,
    body_hash: &str,
    ports: &Ports,
) -> Result<Answer, ApiError> {
    if let RequestKey::Idempotency(key) = &earlier.key
        && earlier.body_hash != body_hash
    {
        return Err(ApiError::RequestIdReused { key: key.clone() });
    }
    let key = JobKey {
        scope: admitted.route.scope.clone(),
        id: earlier.job,
    };
    let job = ports.jobs.job(&key, admitted.now).await?;
    let job = job
        .ok_or_else(|| ApiError::Internal(format!("the accepted job {} is gone", key.id).into()))?;
    log_accepted(
        admitted.call,
        &ports.settings.edge,
        Asked::CreateAgain,
        &job,
    );
    accept(admitted, &job, ports)
}

fn accept(admitted: &Admitted<'_>, job: &Job, ports: &Ports) -> Result<Answer, ApiError> {
    let base = admitted
        .call
        .base(ports.settings.edge.public_url.as_deref());
    let task = Task::of(job, Role::Contributor);
    Answer::accepted(&task, admitted.route.task_url(&base, job.key.id))
}
