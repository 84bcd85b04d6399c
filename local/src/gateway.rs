//! The HTTP API on one machine: routes, authorizer and payloads as API Gateway has them.

mod authorizer;
pub mod cors;
mod payload;
mod throttle;

pub use authorizer::Authorizer;
pub use throttle::{BURST, RATE_PER_SECOND};

use std::net::SocketAddr;
use std::sync::Arc;

use async_trait::async_trait;
use aws_lambda_events::event::apigw::{ApiGatewayV2httpRequest, ApiGatewayV2httpResponse};
use axum::Router;
use axum::extract::{Request, State};
use axum::http::header::{
    AUTHORIZATION, CONTENT_TYPE, HeaderName, HeaderValue, ORIGIN, WWW_AUTHENTICATE,
};
use axum::http::{StatusCode, request};
use axum::response::Response;
use ports::clock::Clock;
use tokio::net::TcpListener;
use tokio_util::task::AbortOnDropHandle;
use tracing::error;

use authorizer::Claims;
use cors::Cors;
use payload::{Received, to_response};
use throttle::Throttle;

/// The largest body that API Gateway passes on, in bytes
/// (<https://docs.aws.amazon.com/apigateway/latest/developerguide/http-api-quotas.html>).
const MAX_BODY_BYTES: usize = 10 * 1024 * 1024;

/// A function behind the API.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ApiFunction {
    /// Accepts an export request as a job.
    CreateJob,
    /// Answers for exports, and for every request that nothing else takes.
    GetStatus,
    /// Gives a job a new credential, or lets it try again.
    ResumeJob,
    /// Ends a job early.
    CancelJob,
    /// Answers with the page's files.
    GetPage,
}

impl ApiFunction {
    /// The function's name, as in the template.
    pub fn name(self) -> &'static str {
        match self {
            Self::CreateJob => "create-job",
            Self::GetStatus => "get-status",
            Self::ResumeJob => "resume-job",
            Self::CancelJob => "cancel-job",
            Self::GetPage => "get-page",
        }
    }
}

/// A route: its key in the API, and the function that it leads to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Route {
    /// The key, as API Gateway writes it
    /// (<https://docs.aws.amazon.com/apigateway/latest/developerguide/http-api-develop-routes.html>).
    pub key: &'static str,
    /// The function that answers its requests.
    pub function: ApiFunction,
    /// Whether it takes requests without a token.
    pub is_public: bool,
}

/// Every route, the more special before the more general, the default one last. Those of the API are greedy, because API
/// Gateway distinguishes `resourcegroups` from `resourceGroups` and clients do not; the template has the same.
pub const ROUTES: [Route; 11] = [
    public("GET /openapi.json", ApiFunction::GetStatus),
    public("GET /ui", ApiFunction::GetPage),
    public("GET /ui/{proxy+}", ApiFunction::GetPage),
    public("HEAD /ui", ApiFunction::GetPage),
    public("HEAD /ui/{proxy+}", ApiFunction::GetPage),
    behind_token("POST /{proxy+}", ApiFunction::CreateJob),
    behind_token("GET /{proxy+}", ApiFunction::GetStatus),
    behind_token("PATCH /{proxy+}", ApiFunction::ResumeJob),
    behind_token("DELETE /{proxy+}", ApiFunction::CancelJob),
    // Without it, `$default` would ask a preflight for a token.
    public("OPTIONS /{proxy+}", ApiFunction::GetStatus),
    behind_token("$default", ApiFunction::GetStatus),
];

const fn public(key: &'static str, function: ApiFunction) -> Route {
    Route {
        key,
        function,
        is_public: true,
    }
}

const fn behind_token(key: &'static str, function: ApiFunction) -> Route {
    Route {
        key,
        function,
        is_public: false,
    }
}

/// The functions behind the API.
#[async_trait]
pub trait Api: Send + Sync + 'static {
    /// Runs a function with the event that API Gateway hands it.
    async fn call(
        &self,
        function: ApiFunction,
        event: ApiGatewayV2httpRequest,
    ) -> ApiGatewayV2httpResponse;
}

/// A running gateway; dropping it stops it.
#[derive(Debug)]
pub struct Gateway {
    address: SocketAddr,
    _serving: AbortOnDropHandle<()>,
}

struct Shared {
    authorizer: Authorizer,
    cors: Cors,
    api: Arc<dyn Api>,
    clock: Arc<dyn Clock>,
    throttle: Throttle,
}

impl Gateway {
    /// Serves on the listener.
    ///
    /// # Errors
    /// When the listener has no address.
    pub fn start(
        listener: TcpListener,
        authorizer: Authorizer,
        cors: Cors,
        api: Arc<dyn Api>,
        clock: Arc<dyn Clock>,
    ) -> std::io::Result<Self> {
        let address = listener.local_addr()?;
        let throttle = Throttle::full(clock.now());
        let router = Router::new().fallback(handle).with_state(Arc::new(Shared {
            authorizer,
            cors,
            api,
            clock,
            throttle,
        }));
        let serving = tokio::spawn(async move {
            if let Err(error) = axum::serve(listener, router).await {
                error!(%error, "the gateway ended");
            }
        });
        Ok(Self {
            address,
            _serving: AbortOnDropHandle::new(serving),
        })
    }

    /// The base of every URL, without a slash at the end.
    pub fn url(&self) -> String {
        format!("http://{}", self.address)
    }
}

async fn handle(State(shared): State<Arc<Shared>>, request: Request) -> Response {
    let request_id = shared.clock.fresh_id().to_string();
    let origin = request.headers().get(ORIGIN).cloned();
    let mut response = match dispatch(&shared, request, &request_id).await {
        Ok(response) => response,
        Err(refusal) => refusal.into_response(),
    };
    shared.cors.mark(origin.as_ref(), &mut response);
    if let Ok(id) = HeaderValue::from_str(&request_id) {
        response.headers_mut().insert(REQUEST_ID, id);
    }
    response
}

/// The header in which API Gateway names a request.
const REQUEST_ID: HeaderName = HeaderName::from_static("apigw-requestid");

/// An answer that comes from the gateway itself, with API Gateway's words; `docs/ERRORS.md` lists
/// them.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Refusal {
    /// The caller proves nobody. API Gateway says why in a header only
    /// (<https://docs.aws.amazon.com/apigateway/latest/developerguide/http-api-troubleshooting-jwt.html>).
    Unauthorized {
        /// What is wrong with the token; nothing when there is none.
        reason: Option<&'static str>,
    },
    /// The body is too large.
    TooLarge,
    /// There are too many requests.
    TooMany,
    /// The function panicked, or its event or its HTTP response cannot be made.
    Failed,
}

impl Refusal {
    /// One of each; a test compares them with the table in `docs/ERRORS.md`.
    pub const ALL: [Self; 4] = [
        Self::Unauthorized { reason: None },
        Self::TooLarge,
        Self::TooMany,
        Self::Failed,
    ];

    /// The HTTP status: 401, 413, 429 or 500.
    pub fn status(&self) -> StatusCode {
        match self {
            Self::Unauthorized { .. } => StatusCode::UNAUTHORIZED,
            Self::TooLarge => StatusCode::PAYLOAD_TOO_LARGE,
            Self::TooMany => StatusCode::TOO_MANY_REQUESTS,
            Self::Failed => StatusCode::INTERNAL_SERVER_ERROR,
        }
    }

    /// The JSON body: `{"message":…}` with API Gateway's words.
    pub fn body(&self) -> &'static str {
        match self {
            Self::Unauthorized { .. } => r#"{"message":"Unauthorized"}"#,
            Self::TooLarge => r#"{"message":"Request Entity Too Large"}"#,
            Self::TooMany => r#"{"message":"Too Many Requests"}"#,
            Self::Failed => r#"{"message":"Internal Server Error"}"#,
        }
    }

    fn into_response(self) -> Response {
        let mut response = Response::new(axum::body::Body::from(self.body()));
        *response.status_mut() = self.status();
        response
            .headers_mut()
            .insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
        if let Self::Unauthorized { reason } = self {
            let challenge = reason.map_or_else(
                || "Bearer".to_owned(),
                |reason| {
                    format!(r#"Bearer scope="" error="invalid_token" error_description="{reason}""#)
                },
            );
            let challenge =
                HeaderValue::from_str(&challenge).unwrap_or(HeaderValue::from_static("Bearer"));
            response.headers_mut().insert(WWW_AUTHENTICATE, challenge);
        }
        response
    }
}

fn route_of(method: &str, path: &str) -> Route {
    let [.., default] = ROUTES;
    let takes = |route: &&Route| {
        let key = route.key.split_once(' ');
        key.is_some_and(|(taken, of)| taken == method && leads_to(of, path))
    };
    ROUTES.iter().find(takes).copied().unwrap_or(default)
}

/// Whether a route's path takes this one. It takes no notice of a slash at the end
/// (<https://github.com/aws-powertools/powertools-lambda-python/issues/1552>), and a greedy one takes all that is below it.
fn leads_to(of: &str, path: &str) -> bool {
    let below = of.strip_suffix("{proxy+}");
    of == path.strip_suffix('/').unwrap_or(path)
        || below.is_some_and(|below| path.starts_with(below))
}

async fn dispatch(
    shared: &Shared,
    request: Request,
    request_id: &str,
) -> Result<Response, Refusal> {
    let now = shared.clock.now();
    if !shared.throttle.lets_in(now) {
        return Err(Refusal::TooMany);
    }
    let (head, body) = request.into_parts();
    if let Some(answer) = shared.cors.preflight(&head) {
        return Ok(answer);
    }
    let route = route_of(head.method.as_str(), head.uri.path());
    let claims = if route.is_public {
        None
    } else {
        Some(claims(shared, &head)?)
    };
    // A body that was cut off ends here too; nobody is left to read the answer.
    let body = axum::body::to_bytes(body, MAX_BODY_BYTES)
        .await
        .map_err(|_| Refusal::TooLarge)?;
    let received = Received {
        head: &head,
        body: &body,
        route_key: route.key,
        claims: claims.as_ref(),
        request_id,
        now,
    };
    let event = received.to_event().map_err(|_| Refusal::Failed)?;
    let api = Arc::clone(&shared.api);
    // In a task of its own, so that a panic is an answer, as in the cloud.
    let answer = tokio::spawn(async move { api.call(route.function, event).await }).await;
    let mut response = answer.ok().and_then(to_response).ok_or(Refusal::Failed)?;
    Cors::unmark(&mut response);
    Ok(response)
}

/// What the caller's token says.
fn claims(shared: &Shared, head: &request::Parts) -> Result<Claims, Refusal> {
    let token = head.headers.get(AUTHORIZATION);
    let token = token.and_then(|value| value.to_str().ok());
    shared
        .authorizer
        .claims(token)
        .map_err(|refused| Refusal::Unauthorized {
            reason: refused.reason(),
        })
}
