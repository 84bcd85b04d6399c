//! What a person sees of the issuer.

use axum::body::Body;
use axum::http::{HeaderValue, StatusCode};
use axum::response::Response;
use url::Url;

use super::asked::Asked;
use super::{
    AUTHORIZE, CACHE_CONTROL, CONTENT_SECURITY_POLICY, CONTENT_TYPE, NO_STORE, PublicClient,
};

/// The question whether to sign in. The query stands in it as it was written anew: of letters, digits
/// and `*-._+%&=`.
pub(super) fn question(client: &PublicClient, asked: &Asked) -> String {
    let query = asked.query.replace('&', "&amp;");
    let subject = client.subject;
    format!(
        "<p>This is the issuer of <code>make serve</code>, on this machine alone. It asks for no password: \
         whoever can open this page may sign in.</p>\n\
         <form method=\"post\" action=\"{AUTHORIZE}?{query}\">\
         <button autofocus>Sign in as {subject}</button></form>"
    )
}

/// Why there is no question.
pub(super) fn refusal(why: &str) -> String {
    format!("<p>Nobody can sign in like this: {why}. Begin again at the page.</p>")
}

/// A whole page. A browser follows the answer to its form only to a place that the policy names
/// (<https://www.w3.org/TR/CSP3/#directive-form-action>).
pub(super) fn page(status: StatusCode, content: &str, leads_to: Option<&Url>) -> Response {
    let origin = leads_to.map(|url| format!(" {}", url.origin().ascii_serialization()));
    let policy = format!(
        "default-src 'none'; style-src 'unsafe-inline'; form-action 'self'{}; frame-ancestors 'none'; base-uri 'none'",
        origin.unwrap_or_default()
    );
    let mut response = Response::new(Body::from(format!(
        "<!doctype html>\n<html lang=\"en\"><head><meta charset=\"utf-8\">\
         <meta name=\"viewport\" content=\"width=device-width, initial-scale=1\"><title>Sign in</title>\
         <style>:root{{color-scheme:light dark;font-family:system-ui,sans-serif}}\
         main{{max-width:32rem;margin:4rem auto;padding:0 1rem}}button{{font:inherit;padding:.5rem 1rem}}</style>\
         </head><body><main><h1>Sign in</h1>\n{content}\n</main></body></html>\n"
    )));
    *response.status_mut() = status;
    let headers = response.headers_mut();
    headers.insert(
        CONTENT_TYPE,
        HeaderValue::from_static("text/html; charset=utf-8"),
    );
    headers.insert(CACHE_CONTROL, NO_STORE);
    if let Ok(policy) = HeaderValue::from_str(&policy) {
        headers.insert(CONTENT_SECURITY_POLICY, policy);
    }
    response
}
