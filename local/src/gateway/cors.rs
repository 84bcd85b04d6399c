//! Which pages in a browser may talk to the API: the gateway answers their preflights and marks its
//! answers, as API Gateway does where CORS is configured
//! (<https://docs.aws.amazon.com/apigateway/latest/developerguide/http-api-cors.html>).

use std::str::FromStr;

use axum::http::header::{
    ACCESS_CONTROL_ALLOW_CREDENTIALS, ACCESS_CONTROL_ALLOW_HEADERS, ACCESS_CONTROL_ALLOW_METHODS,
    ACCESS_CONTROL_ALLOW_ORIGIN, ACCESS_CONTROL_EXPOSE_HEADERS, ACCESS_CONTROL_MAX_AGE,
    ACCESS_CONTROL_REQUEST_METHOD, HeaderName, HeaderValue, ORIGIN, VARY,
};
use axum::http::{Method, StatusCode, request};
use axum::response::Response;

/// The methods that a page may use; the template has the same.
pub const ALLOW_METHODS: [&str; 5] = ["GET", "HEAD", "POST", "PATCH", "DELETE"];

/// The headers that a page may send; the template has the same.
pub const ALLOW_HEADERS: [&str; 5] = [
    "authorization",
    "content-type",
    "idempotency-key",
    "if-none-match",
    "x-ms-client-request-id",
];

/// The headers of an answer that a page may read; the template has the same.
pub const EXPOSE_HEADERS: [&str; 4] = ["location", "retry-after", "etag", "x-ms-request-id"];

/// Seconds that a browser may remember the answer to a preflight; the template has the same.
pub const MAX_AGE_SECONDS: u32 = 600;

/// Every header of CORS that an answer can have: the gateway's, never a function's.
const OF_ANSWERS: [HeaderName; 6] = [
    ACCESS_CONTROL_ALLOW_CREDENTIALS,
    ACCESS_CONTROL_ALLOW_HEADERS,
    ACCESS_CONTROL_ALLOW_METHODS,
    ACCESS_CONTROL_ALLOW_ORIGIN,
    ACCESS_CONTROL_EXPOSE_HEADERS,
    ACCESS_CONTROL_MAX_AGE,
];

/// The origin of pages, as a browser names it: `https://page.example.com`, with its port when it
/// is not the scheme's own.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Origin(HeaderValue);

impl FromStr for Origin {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let named = url::Url::parse(text)
            .ok()
            .map(|url| url.origin().ascii_serialization());
        match HeaderValue::from_str(text) {
            Ok(value) if named.as_deref() == Some(text) => Ok(Self(value)),
            Ok(_) | Err(_) => Err(format!(
                "`{text}` is no origin: write scheme, host and, unless it is the scheme's own, port, such as \
                 https://page.example.com"
            )),
        }
    }
}

/// The origins whose pages are let in; none by default.
#[derive(Debug, Clone, Default)]
pub struct Cors {
    /// The origins, each as a browser names it.
    pub origins: Vec<Origin>,
}

impl Cors {
    /// The answer to a preflight, which the gateway gives itself and asks no token for: browsers
    /// send none with it. An origin that is not let in gets no header, and its browser refuses.
    pub(crate) fn preflight(&self, head: &request::Parts) -> Option<Response> {
        let is_preflight = head.method == Method::OPTIONS
            && head.headers.contains_key(ORIGIN)
            && head.headers.contains_key(ACCESS_CONTROL_REQUEST_METHOD);
        if self.origins.is_empty() || !is_preflight {
            return None;
        }
        let mut response = Response::default();
        *response.status_mut() = StatusCode::NO_CONTENT;
        if self.lets_in(head.headers.get(ORIGIN)) {
            let headers = response.headers_mut();
            headers.insert(ACCESS_CONTROL_ALLOW_METHODS, list(&ALLOW_METHODS));
            headers.insert(ACCESS_CONTROL_ALLOW_HEADERS, list(&ALLOW_HEADERS));
            headers.insert(ACCESS_CONTROL_MAX_AGE, HeaderValue::from(MAX_AGE_SECONDS));
        }
        Some(response)
    }

    /// Marks an answer, also a refusal, for the page that asked.
    pub(crate) fn mark(&self, origin: Option<&HeaderValue>, response: &mut Response) {
        if self.origins.is_empty() {
            return;
        }
        let headers = response.headers_mut();
        headers.insert(VARY, HeaderValue::from_static("origin"));
        if let Some(origin) = origin.filter(|origin| self.lets_in(Some(origin))) {
            headers.insert(ACCESS_CONTROL_ALLOW_ORIGIN, origin.clone());
            headers.insert(ACCESS_CONTROL_EXPOSE_HEADERS, list(&EXPOSE_HEADERS));
        }
    }

    /// Takes away what a function said of CORS.
    pub(crate) fn unmark(response: &mut Response) {
        for name in OF_ANSWERS {
            response.headers_mut().remove(name);
        }
    }

    fn lets_in(&self, origin: Option<&HeaderValue>) -> bool {
        self.origins
            .iter()
            .any(|Origin(known)| Some(known) == origin)
    }
}

/// The names with commas; they are constants that every header takes.
fn list(names: &[&str]) -> HeaderValue {
    HeaderValue::from_str(&names.join(",")).unwrap_or(HeaderValue::from_static(""))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_origin_is_what_a_browser_names() {
        for good in [
            "https://page.example.com",
            "http://127.0.0.1:8081",
            "http://localhost:3000",
        ] {
            assert!(good.parse::<Origin>().is_ok(), "{good}");
        }
        for bad in [
            "",
            "*",
            "null",
            "page.example.com",
            "https://page.example.com/",
            "https://page.example.com/app",
            "https://page.example.com:443",
            "https://Page.example.com",
            "file:///tmp",
        ] {
            let refused = bad.parse::<Origin>().unwrap_err();
            assert!(refused.contains("is no origin: write"), "{bad}");
        }
    }
}
