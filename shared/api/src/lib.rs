//! The edge: what the API's callers send and are answered, as the contract has it.
//!
//! A request passes here in this order: [`route`] (which operation), [`query`] (API version,
//! paging), [`caller`] (who, and may they), [`request_id`] (seen before?), [`body`] and
//! [`export_request`] (what is asked). [`control`] is the same for what is asked of one task.
//! [`task`] and [`answer`] are the way back; [`error`] is every way in which the answer is no. [`description`] tells
//! clients all of it.

pub mod accepted;
pub mod answer;
pub mod audit;
pub mod body;
pub mod caller;
pub mod checked;
pub mod code;
pub mod container_url;
pub mod control;
pub mod description;
pub mod error;
pub mod export_request;
pub mod parts;
pub mod query;
pub mod request_id;
pub mod route;
mod shown;
pub mod task;

use std::borrow::Cow;

use aws_lambda_events::apigw::ApiGatewayV2httpRequest;

/// A request as API Gateway delivers it, payload version 2.0
/// (<https://docs.aws.amazon.com/apigateway/latest/developerguide/http-api-develop-integrations-lambda.html>).
#[derive(Clone, Copy)]
pub struct Call<'a> {
    event: &'a ApiGatewayV2httpRequest,
}

impl<'a> Call<'a> {
    /// Borrows an event; nothing of it is checked here.
    pub fn new(event: &'a ApiGatewayV2httpRequest) -> Self {
        Self { event }
    }

    /// The method, in capitals.
    pub fn method(self) -> &'a str {
        self.event.request_context.http.method.as_str()
    }

    /// The path, without the query.
    pub fn path(self) -> &'a str {
        self.event.raw_path.as_deref().unwrap_or_default()
    }

    /// The query string, still encoded: the parsed one joins repeated options with commas.
    pub fn query_string(self) -> &'a str {
        self.event.raw_query_string.as_deref().unwrap_or_default()
    }

    /// A header that is given and not empty; bytes that are not UTF-8 are replaced.
    pub fn header(self, name: &str) -> Option<Cow<'a, str>> {
        let value = self.event.headers.get(name)?;
        Some(String::from_utf8_lossy(value.as_bytes())).filter(|value| !value.is_empty())
    }

    /// API Gateway's id of this request, which its access log has too.
    pub fn request_id(self) -> &'a str {
        self.event
            .request_context
            .request_id
            .as_deref()
            .unwrap_or_default()
    }

    /// A claim of the token that API Gateway's JWT authorizer has verified; `None` when there is no
    /// authorizer.
    pub fn claim(self, name: &str) -> Option<&'a str> {
        let jwt = self
            .event
            .request_context
            .authorizer
            .as_ref()?
            .jwt
            .as_ref()?;
        jwt.claims
            .get(name)
            .map(String::as_str)
            .filter(|claim| !claim.is_empty())
    }

    /// The body as delivered, and whether it is base64.
    pub(crate) fn raw_body(self) -> (&'a str, bool) {
        (
            self.event.body.as_deref().unwrap_or_default(),
            self.event.is_base64_encoded,
        )
    }

    /// The base of absolute links: the configured one, or the domain that the request came to. No
    /// trailing slash. Empty when the gateway names no domain: links are paths then.
    pub fn base(self, public_url: Option<&str>) -> String {
        let domain = self.event.request_context.domain_name.as_deref();
        let own = || domain.map_or_else(String::new, |domain| format!("https://{domain}"));
        public_url.map_or_else(own, |url| url.trim_end_matches('/').to_owned())
    }
}
