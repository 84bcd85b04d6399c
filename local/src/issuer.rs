//! An issuer of tokens on one machine: enough of `OpenID` Connect for a page in a browser that signs a
//! person in by authorization code with PKCE (<https://www.rfc-editor.org/rfc/rfc7636>). It is a port of
//! its own, as issuers are hosts of their own, so that the page needs its leave to ask it.
//!
//! It asks for no password: whoever reaches it may be the one person that it knows.

mod asked;
mod codes;
mod html;

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::body::{Body, to_bytes};
use axum::extract::{Request, State};
use axum::http::header::{
    ACCESS_CONTROL_ALLOW_ORIGIN, CACHE_CONTROL, CONTENT_SECURITY_POLICY, CONTENT_TYPE, HeaderName,
    HeaderValue, LOCATION, ORIGIN, VARY,
};
use axum::http::{HeaderMap, StatusCode, Uri};
use axum::response::Response;
use axum::routing::{get, post};
use ports::clock::Clock;
use serde_json::{Value, json};
use tokio::net::TcpListener;
use tokio_util::task::AbortOnDropHandle;
use tracing::error;
use url::Url;

use self::asked::{Asked, Parameters, Redeemed, Refused};
use self::codes::Codes;
use crate::token::TokenIssuer;

/// How long an access token of a person who signed in is valid.
const TOKEN_TTL: Duration = Duration::from_hours(1);

/// The largest body of a request for a token, in bytes.
const MAX_BODY_BYTES: usize = 16 * 1024;

const DISCOVERY: &str = "/.well-known/openid-configuration";
const KEYS: &str = "/keys";
const AUTHORIZE: &str = "/authorize";
const TOKEN: &str = "/token";

/// The one application that the issuer knows: a public client, which has no secret.
#[derive(Debug, Clone)]
pub struct PublicClient {
    /// Its name here.
    pub id: &'static str,
    /// Where a person may be sent back to with a code, each letter by letter.
    pub redirects: Vec<Url>,
    /// Who a person is that signs in: the subject of the tokens.
    pub subject: &'static str,
}

impl PublicClient {
    /// The origins of its pages.
    fn has_origin(&self, origin: &HeaderValue) -> bool {
        let mut origins = self
            .redirects
            .iter()
            .map(|url| url.origin().ascii_serialization());
        origins.any(|own| origin == own.as_str())
    }
}

/// A running issuer; dropping it stops it.
#[derive(Debug)]
pub struct Issuer {
    address: SocketAddr,
    _serving: AbortOnDropHandle<()>,
}

struct Shared {
    tokens: Arc<TokenIssuer>,
    client: PublicClient,
    clock: Arc<dyn Clock>,
    codes: Codes,
}

impl Issuer {
    /// Serves on the listener.
    ///
    /// # Errors
    /// When the listener has no address.
    pub fn start(
        listener: TcpListener,
        tokens: Arc<TokenIssuer>,
        client: PublicClient,
        clock: Arc<dyn Clock>,
    ) -> std::io::Result<Self> {
        let address = listener.local_addr()?;
        let router = Router::new()
            .route(DISCOVERY, get(discover))
            .route(KEYS, get(keys))
            .route(AUTHORIZE, get(ask).post(sign_in))
            .route(TOKEN, post(redeem))
            .with_state(Arc::new(Shared {
                tokens,
                client,
                clock,
                codes: Codes::default(),
            }));
        let serving = tokio::spawn(async move {
            if let Err(error) = axum::serve(listener, router).await {
                error!(%error, "the issuer ended");
            }
        });
        Ok(Self {
            address,
            _serving: AbortOnDropHandle::new(serving),
        })
    }

    /// The issuer's URL, which its tokens name, without a slash at the end.
    pub fn url(&self) -> String {
        format!("http://{}", self.address)
    }
}

/// What it can do (<https://openid.net/specs/openid-connect-discovery-1_0.html#ProviderMetadata>).
async fn discover(State(shared): State<Arc<Shared>>) -> Response {
    let issuer = shared.tokens.issuer();
    public(&json!({
        "issuer": issuer,
        "authorization_endpoint": format!("{issuer}{AUTHORIZE}"),
        "token_endpoint": format!("{issuer}{TOKEN}"),
        "jwks_uri": format!("{issuer}{KEYS}"),
        "response_types_supported": ["code"],
        "grant_types_supported": ["authorization_code"],
        "subject_types_supported": ["public"],
        "id_token_signing_alg_values_supported": ["RS256"],
        "scopes_supported": ["openid"],
        "code_challenge_methods_supported": ["S256"],
        "token_endpoint_auth_methods_supported": ["none"],
        "authorization_response_iss_parameter_supported": true,
    }))
}

async fn keys(State(shared): State<Arc<Shared>>) -> Response {
    public(&json!(shared.tokens.keys()))
}

/// Shows the person what is asked for, and a button.
async fn ask(State(shared): State<Arc<Shared>>, uri: Uri) -> Response {
    match Asked::read(uri.query().unwrap_or_default(), &shared.client) {
        Ok(asked) => html::page(
            StatusCode::OK,
            &html::question(&shared.client, &asked),
            Some(&asked.redirect),
        ),
        Err(refused) => refuse(&shared, &refused),
    }
}

/// Sends the person back with a code.
async fn sign_in(State(shared): State<Arc<Shared>>, uri: Uri) -> Response {
    let asked = match Asked::read(uri.query().unwrap_or_default(), &shared.client) {
        Ok(asked) => asked,
        Err(refused) => return refuse(&shared, &refused),
    };
    let (redirect, state) = (asked.redirect.clone(), asked.state.clone());
    match shared.codes.issue(asked, shared.clock.now()) {
        Some(code) => send_back(&shared, redirect, &[("code", &code), ("state", &state)]),
        None => send_back(
            &shared,
            redirect,
            &[("error", "server_error"), ("state", &state)],
        ),
    }
}

/// A person is only ever sent back to a place that the client has registered.
fn refuse(shared: &Shared, refused: &Refused) -> Response {
    match refused {
        Refused::Here(why) => html::page(StatusCode::BAD_REQUEST, &html::refusal(why), None),
        Refused::Back(back) => {
            let mut said = vec![("error", back.error), ("error_description", back.why)];
            said.extend(back.state.as_deref().map(|state| ("state", state)));
            send_back(shared, back.redirect.clone(), &said)
        }
    }
}

/// Says who answers too (<https://www.rfc-editor.org/rfc/rfc9207>).
fn send_back(shared: &Shared, mut to: Url, said: &[(&str, &str)]) -> Response {
    to.query_pairs_mut()
        .extend_pairs(said)
        .append_pair("iss", shared.tokens.issuer());
    let mut response = Response::default();
    *response.status_mut() = StatusCode::SEE_OTHER;
    if let Ok(to) = HeaderValue::from_str(to.as_str()) {
        response.headers_mut().insert(LOCATION, to);
    }
    response.headers_mut().insert(CACHE_CONTROL, NO_STORE);
    response
}

/// Gives tokens for a code, once, to who knows what its challenge was made of.
async fn redeem(State(shared): State<Arc<Shared>>, request: Request) -> Response {
    let (head, body) = request.into_parts();
    let (status, said) = match to_bytes(body, MAX_BODY_BYTES).await {
        Ok(body) => tokens(&shared, &body),
        Err(_) => (
            StatusCode::PAYLOAD_TOO_LARGE,
            problem("invalid_request", "the body is too large"),
        ),
    };
    let mut response = answer(status, &said);
    let headers = response.headers_mut();
    headers.insert(CACHE_CONTROL, NO_STORE);
    headers.insert(VARY, HeaderValue::from_static("origin"));
    let_read(&shared.client, &head.headers, headers);
    response
}

/// Only pages of the client may read what is answered here.
fn let_read(client: &PublicClient, of_request: &HeaderMap, headers: &mut HeaderMap) {
    if let Some(origin) = of_request
        .get(ORIGIN)
        .filter(|origin| client.has_origin(origin))
    {
        headers.insert(ACCESS_CONTROL_ALLOW_ORIGIN, origin.clone());
    }
}

fn tokens(shared: &Shared, body: &[u8]) -> (StatusCode, Value) {
    let bad = |error, why| (StatusCode::BAD_REQUEST, problem(error, why));
    let redeemed = match Redeemed::read(&Parameters::parse(body), shared.client.id) {
        Ok(redeemed) => redeemed,
        Err((error, why)) => return bad(error, why),
    };
    let now = shared.clock.now();
    let Some(asked) = shared.codes.redeem(&redeemed.code, now) else {
        return bad("invalid_grant", "the code is unknown, used or too old");
    };
    if let Some(why) = redeemed.problem(&asked) {
        return bad("invalid_grant", why);
    }
    let subject = shared.client.subject;
    let nonce = asked.nonce.as_deref();
    let access = shared.tokens.mint(subject, now, TOKEN_TTL);
    let id = shared
        .tokens
        .mint_id(subject, shared.client.id, nonce, now, TOKEN_TTL);
    match access.and_then(|access| Ok((access, id?))) {
        Ok((access, id)) => (
            StatusCode::OK,
            json!({
                "access_token": access.reveal(),
                "token_type": "Bearer",
                "expires_in": TOKEN_TTL.as_secs(),
                "id_token": id.reveal(),
                "scope": asked.scope,
            }),
        ),
        Err(_) => (
            StatusCode::INTERNAL_SERVER_ERROR,
            problem("server_error", "no token can be signed"),
        ),
    }
}

const NO_STORE: HeaderValue = HeaderValue::from_static("no-store");

/// An error as a token endpoint says it (<https://www.rfc-editor.org/rfc/rfc6749#section-5.2>).
fn problem(error: &str, why: &str) -> Value {
    json!({"error": error, "error_description": why})
}

/// JSON that any page may read.
fn public(said: &Value) -> Response {
    let mut response = answer(StatusCode::OK, said);
    let any = HeaderValue::from_static("*");
    response
        .headers_mut()
        .insert(ACCESS_CONTROL_ALLOW_ORIGIN, any);
    response
}

fn answer(status: StatusCode, said: &Value) -> Response {
    respond(status, CONTENT_TYPE, "application/json", said.to_string())
}

fn respond(status: StatusCode, name: HeaderName, value: &'static str, body: String) -> Response {
    let mut response = Response::new(Body::from(body));
    *response.status_mut() = status;
    response
        .headers_mut()
        .insert(name, HeaderValue::from_static(value));
    response
}

#[cfg(test)]
mod tests;
