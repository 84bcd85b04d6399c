//! The HTTP API's payload, format 2.0: a request as a function receives it, and its answer on the
//! wire (<https://docs.aws.amazon.com/apigateway/latest/developerguide/http-api-develop-integrations-lambda.html>).

use std::collections::BTreeMap;

use aws_lambda_events::encodings::Body;
use aws_lambda_events::event::apigw::{ApiGatewayV2httpRequest, ApiGatewayV2httpResponse};
use axum::http::header::CONTENT_TYPE;
use axum::http::{HeaderMap, HeaderName, StatusCode, request};
use axum::response::Response;
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use bytes::Bytes;
use percent_encoding::percent_decode_str;
use serde_json::{Value, json};
use time::OffsetDateTime;

use super::authorizer::Claims;

/// A request, and what the gateway found out about it.
pub(crate) struct Received<'a> {
    /// Method, path, query and headers.
    pub(crate) head: &'a request::Parts,
    /// The whole body; it has passed the gateway's limit on its size.
    pub(crate) body: &'a Bytes,
    /// The route that it took.
    pub(crate) route_key: &'a str,
    /// What the caller's token says; nothing where the route asks for none.
    pub(crate) claims: Option<&'a Claims>,
    /// The id that the answer names in `apigw-requestid`, fresh for each request.
    pub(crate) request_id: &'a str,
    /// When it came, by the gateway's clock.
    pub(crate) now: OffsetDateTime,
}

impl Received<'_> {
    /// The event that the function receives.
    ///
    /// The path comes as [`delivered_path`] has it; header names come in lower case, repeated ones
    /// joined by commas.
    pub(crate) fn to_event(&self) -> Result<ApiGatewayV2httpRequest, serde_json::Error> {
        let path = delivered_path(self.head.uri.path());
        let headers = joined_headers(&self.head.headers);
        let (body, is_base64) = self.body_text();
        let host = headers.get("host").map_or("localhost", String::as_str);
        let domain = host.rsplit_once(':').map_or(host, |(name, _)| name);
        let jwt = |claims| json!({ "jwt": { "claims": claims, "scopes": null } });
        serde_json::from_value(json!({
            "version": "2.0",
            "routeKey": self.route_key,
            "rawPath": path,
            "rawQueryString": self.head.uri.query().unwrap_or_default(),
            "headers": headers,
            "requestContext": {
                "accountId": "123456789012",
                "apiId": "local",
                "authorizer": self.claims.map(jwt),
                "domainName": domain,
                "domainPrefix": domain.split('.').next(),
                "http": {
                    "method": self.head.method.as_str(),
                    "path": path,
                    "protocol": "HTTP/1.1",
                    "sourceIp": "127.0.0.1",
                    "userAgent": headers.get("user-agent"),
                },
                "requestId": self.request_id,
                "routeKey": self.route_key,
                "stage": "$default",
                "timeEpoch": i64::try_from(self.now.unix_timestamp_nanos() / 1_000_000).unwrap_or_default(),
            },
            "body": body,
            "isBase64Encoded": is_base64,
        }))
    }

    /// The body as a text when its type says that it is one, else in base64; nothing when it is
    /// empty.
    fn body_text(&self) -> (Value, bool) {
        if self.body.is_empty() {
            return (Value::Null, false);
        }
        match std::str::from_utf8(self.body) {
            Ok(text) if is_text(&self.head.headers) => (Value::from(text), false),
            Ok(_) | Err(_) => (Value::from(STANDARD.encode(self.body)), true),
        }
    }
}

/// The path as HTTP APIs deliver it: every escape is decoded but that of `%` itself, which stays
/// `%25` (<https://github.com/ministackorg/ministack/blob/main/ministack/services/apigateway.py>, `decode_http_api_path`).
/// Otherwise a function could not distinguish `a%252Fb`, a name with a `%`, from `a%2Fb`.
fn delivered_path(path: &str) -> String {
    let parts = path
        .split("%25")
        .map(|part| percent_decode_str(part).decode_utf8_lossy());
    parts.collect::<Vec<_>>().join("%25")
}

fn is_text(headers: &HeaderMap) -> bool {
    let kind = headers
        .get(CONTENT_TYPE)
        .and_then(|value| value.to_str().ok())
        .unwrap_or_default();
    let kind = kind
        .split(';')
        .next()
        .unwrap_or_default()
        .trim()
        .to_ascii_lowercase();
    kind.starts_with("text/")
        || [
            "application/json",
            "application/javascript",
            "application/xml",
        ]
        .contains(&&*kind)
}

fn joined_headers(headers: &HeaderMap) -> BTreeMap<String, String> {
    let mut joined = BTreeMap::<String, String>::new();
    for (name, value) in headers {
        let value = String::from_utf8_lossy(value.as_bytes());
        let known = joined.entry(name.as_str().to_owned()).or_default();
        if !known.is_empty() {
            known.push(',');
        }
        known.push_str(&value);
    }
    joined
}

/// The function's answer as it goes over the wire.
pub(crate) fn to_response(answer: ApiGatewayV2httpResponse) -> Option<Response> {
    let mut response = Response::new(axum::body::Body::from(body_bytes(
        answer.body,
        answer.is_base64_encoded,
    )?));
    *response.status_mut() = StatusCode::from_u16(u16::try_from(answer.status_code).ok()?).ok()?;
    let mut last: Option<HeaderName> = None;
    for (name, value) in answer.headers.into_iter().chain(answer.multi_value_headers) {
        last = name.or(last);
        response.headers_mut().append(last.clone()?, value);
    }
    Some(response)
}

fn body_bytes(body: Option<Body>, is_base64: bool) -> Option<Vec<u8>> {
    match body {
        None | Some(Body::Empty) => Some(Vec::new()),
        Some(Body::Text(text)) if is_base64 => STANDARD.decode(text).ok(),
        Some(Body::Text(text)) => Some(text.into_bytes()),
        Some(Body::Binary(bytes)) => Some(bytes),
        Some(_) => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn event(request: request::Builder, body: &'static [u8]) -> ApiGatewayV2httpRequest {
        let (head, ()) = request.body(()).unwrap().into_parts();
        let claims = Claims::from([("sub".to_owned(), "ada".to_owned())]);
        let body = Bytes::from_static(body);
        let now = OffsetDateTime::UNIX_EPOCH;
        Received {
            head: &head,
            body: &body,
            route_key: "$default",
            claims: Some(&claims),
            request_id: "r1",
            now,
        }
        .to_event()
        .unwrap()
    }

    #[test]
    fn a_request_becomes_the_event_that_api_gateway_makes_of_it() {
        let request = request::Builder::new()
            .method("POST")
            .uri("/Subscriptions/my%20one?%24skip=1&api-version=2014-12-01")
            .header("Host", "localhost:8080")
            .header("X-Many", "a")
            .header("X-Many", "b")
            .header("Content-Type", "application/json; charset=utf-8");
        let event = event(request, b"{}");
        assert_eq!(event.raw_path.as_deref(), Some("/Subscriptions/my one"));
        assert_eq!(
            event.raw_query_string.as_deref(),
            Some("%24skip=1&api-version=2014-12-01")
        );
        assert_eq!(event.headers["x-many"], "a,b");
        assert_eq!(
            (event.body.as_deref(), event.is_base64_encoded),
            (Some("{}"), false)
        );
        let context = event.request_context;
        assert_eq!(context.http.method.as_str(), "POST");
        assert_eq!(context.domain_name.as_deref(), Some("localhost"));
        assert_eq!(context.request_id.as_deref(), Some("r1"));
        assert_eq!(
            context.authorizer.unwrap().jwt.unwrap().claims["sub"],
            "ada"
        );
    }

    #[test]
    fn every_escape_of_a_path_is_decoded_but_that_of_the_percent_sign() {
        for (sent, delivered) in [
            ("/a%20b%2Fc", "/a b/c"),
            ("/a%252Fb", "/a%252Fb"),
            ("/100%25", "/100%25"),
            ("/%C3%BC%25%c3%bc", "/ü%25ü"),
            ("/%FF", "/\u{fffd}"),
        ] {
            assert_eq!(
                event(request::Builder::new().uri(sent), b"")
                    .raw_path
                    .as_deref(),
                Some(delivered),
                "{sent}"
            );
        }
    }

    #[test]
    fn a_form_comes_in_base64_and_no_body_as_none() {
        let form =
            request::Builder::new().header("Content-Type", "application/x-www-form-urlencoded");
        let event_of_form = event(form, b"a=b");
        assert_eq!(
            (
                event_of_form.body.as_deref(),
                event_of_form.is_base64_encoded
            ),
            (Some("YT1i"), true)
        );
        assert_eq!(event(request::Builder::new(), b"").body, None);
    }

    #[test]
    fn an_answer_keeps_status_headers_and_body() {
        let mut answer = ApiGatewayV2httpResponse::default();
        answer.status_code = 202;
        answer
            .headers
            .insert("location", "http://localhost/1".parse().unwrap());
        answer.body = Some(Body::Text("{}".to_owned()));
        let response = to_response(answer).unwrap();
        assert_eq!(response.status(), StatusCode::ACCEPTED);
        assert_eq!(response.headers()["location"], "http://localhost/1");
    }
}
