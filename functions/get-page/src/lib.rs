//! `get-page`: the page, where people look at exports and ask for them
//! ([ADR 15](../../../docs/adr/0015-the-page.md)).
//!
//! *Started by* API Gateway, for a `GET` or `HEAD` at `/ui` or below it, from anybody: the page holds
//! nothing that a stranger may not see, and gets what it shows from the API, with a token. *Reads*
//! the files of `web/`, which are in its binary.
//!
//! *Writes* nothing.
//!
//! *A retry* reads again.

mod files;
mod settings;

use std::borrow::Cow;

use aws_lambda_events::apigw::{ApiGatewayV2httpRequest, ApiGatewayV2httpResponse};
use aws_lambda_events::encodings::Body;
use aws_lambda_events::http::HeaderMap;
use wiring::{Wiring, WiringError};

pub use self::files::{File, Files};
pub use self::settings::Settings;

/// What every path of the page begins with. The page itself is at this path and a slash.
pub const ROOT: &str = "/ui";

/// The name of the file that is the page itself.
const INDEX: &str = "index.html";

/// The name of the file that the settings are in.
const CONFIG: &str = "config.json";

/// A browser asks each time whether its copy is the present one: files of two versions of the page do
/// not fit together.
const ASK_EACH_TIME: &str = "no-cache";

/// What this function needs of the world: nothing but its settings.
#[derive(Debug, Clone)]
pub struct Ports {
    /// Read and checked once, when the function starts.
    pub settings: Settings,
}

impl Ports {
    /// Reads the settings.
    ///
    /// # Errors
    /// [`WiringError`] when a setting does not fit.
    pub fn wire(wiring: &Wiring) -> Result<Self, WiringError> {
        Ok(Self {
            settings: Settings::of(wiring.env())?,
        })
    }
}

/// Answers with a file of the page; with 304 when the caller has it, with 404 when there is none.
pub fn handle(event: &ApiGatewayV2httpRequest, ports: &Ports) -> ApiGatewayV2httpResponse {
    let path = event.raw_path.as_deref().unwrap_or_default();
    let mut answer = match path.strip_prefix(ROOT) {
        // Relative: what stands before it behind a domain of its own, the browser knows.
        Some("") => redirect("ui/"),
        Some(rest) => match rest.strip_prefix('/') {
            // One page has one address: the issuer sends people back to that one alone.
            Some(INDEX) => redirect("./"),
            Some(name) => match found(name, &ports.settings) {
                Some(file) => answer(event, file),
                None => missing(),
            },
            None => missing(),
        },
        None => missing(),
    };
    let headers = &mut answer.headers;
    set(headers, "content-security-policy", &ports.settings.policy);
    set(headers, "x-content-type-options", "nosniff");
    set(headers, "referrer-policy", "no-referrer");
    // Whoever opened the page in a window must not send it to another app's form, unseen.
    set(headers, "cross-origin-opener-policy", "same-origin");
    if event.request_context.http.method == "HEAD" {
        without_body(&mut answer);
    }
    answer
}

fn found(name: &str, settings: &Settings) -> Option<File> {
    match name {
        "" => Files::file(INDEX),
        // Another page than `/ui/` to a browser: what it asks for beside itself would lie elsewhere.
        name if name.starts_with('/') => None,
        CONFIG => Some(File::of(CONFIG, Cow::Owned(settings.config.clone()))),
        name => Files::file(name),
    }
}

fn answer(event: &ApiGatewayV2httpRequest, file: File) -> ApiGatewayV2httpResponse {
    let mut answer = ApiGatewayV2httpResponse::default();
    set(&mut answer.headers, "etag", &file.tag);
    set(&mut answer.headers, "cache-control", ASK_EACH_TIME);
    let known = event.headers.get("if-none-match");
    if known.is_some_and(|known| file.is_among(&String::from_utf8_lossy(known.as_bytes()))) {
        answer.status_code = 304;
        return answer;
    }
    answer.status_code = 200;
    set(&mut answer.headers, "content-type", file.content_type);
    match String::from_utf8(file.content.into_owned()) {
        Ok(text) => answer.body = Some(Body::Text(text)),
        Err(no_text) => {
            answer.body = Some(Body::Binary(no_text.into_bytes()));
            answer.is_base64_encoded = true;
        }
    }
    answer
}

/// The headers of an answer alone. They say how long the body is that is left out: else whoever sends
/// it on says that there is none (<https://www.rfc-editor.org/rfc/rfc9110#section-8.6>).
fn without_body(answer: &mut ApiGatewayV2httpResponse) {
    let length = match answer.body.take() {
        Some(Body::Text(text)) => text.len(),
        Some(Body::Binary(bytes)) => bytes.len(),
        Some(_) | None => return,
    };
    answer.is_base64_encoded = false;
    set(&mut answer.headers, "content-length", &length.to_string());
}

fn redirect(to: &str) -> ApiGatewayV2httpResponse {
    let mut answer = ApiGatewayV2httpResponse::default();
    answer.status_code = 308;
    set(&mut answer.headers, "location", to);
    answer
}

fn missing() -> ApiGatewayV2httpResponse {
    let mut answer = ApiGatewayV2httpResponse::default();
    answer.status_code = 404;
    set(
        &mut answer.headers,
        "content-type",
        "text/plain; charset=utf-8",
    );
    answer.body = Some(Body::Text(
        "There is no such file of the page.\n".to_owned(),
    ));
    answer
}

/// A value that no header can hold is left out; the settings are checked for that.
fn set(headers: &mut HeaderMap, name: &'static str, value: &str) {
    if let Ok(value) = value.parse() {
        headers.insert(name, value);
    }
}
