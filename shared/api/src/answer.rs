//! What goes back to the caller, and what of it is logged.

use std::error::Error;

use aws_lambda_events::apigw::ApiGatewayV2httpResponse;
use aws_lambda_events::encodings::Body;
use aws_lambda_events::http::HeaderMap;
use domain::cause::in_one_line;
use serde::Serialize;
use serde_json::json;

use super::Call;
use super::error::ApiError;
use super::request_id::{CLIENT_REQUEST_ID, is_usable};
use super::task::Task;

const CONTENT_TYPE: &str = "application/json; charset=utf-8";

/// Seconds after which a client should ask for a running task again.
const POLL_AFTER_SECONDS: &str = "10";

/// An answer that is not an error.
#[derive(Debug)]
pub struct Answer {
    status: u16,
    location: Option<String>,
    is_running: bool,
    body: String,
}

impl Answer {
    /// 200 with what was asked for, which will not change by itself.
    ///
    /// # Errors
    /// [`ApiError::Internal`] when it is no JSON.
    pub fn ok(body: &impl Serialize) -> Result<Self, ApiError> {
        Ok(Self {
            status: 200,
            location: None,
            is_running: false,
            body: to_json(body)?,
        })
    }

    /// 200 with a task; while it has not ended, with when to ask again.
    ///
    /// # Errors
    /// [`ApiError::Internal`] when it is no JSON.
    pub fn task(task: &Task) -> Result<Self, ApiError> {
        Ok(Self {
            is_running: task.is_running(),
            ..Self::ok(task)?
        })
    }

    /// 202 with what was accepted and the absolute URL of its status. Stock clients throw at any
    /// other 2xx.
    ///
    /// Pollers of Azure Resource Manager take a GET that answers 200 for the end, unless the URL
    /// stands in `Azure-AsyncOperation` and the task has a `status`
    /// (<https://learn.microsoft.com/en-us/azure/azure-resource-manager/management/async-operations>).
    ///
    /// # Errors
    /// [`ApiError::Internal`] when it is no JSON.
    pub fn accepted(body: &impl Serialize, location: String) -> Result<Self, ApiError> {
        Ok(Self {
            status: 202,
            location: Some(location),
            is_running: true,
            body: to_json(body)?,
        })
    }
}

fn to_json(body: &impl Serialize) -> Result<String, ApiError> {
    serde_json::to_string(body).map_err(|error| ApiError::Internal(error.into()))
}

/// Turns what a handler came to into the response, and logs a refusal or a failure.
pub fn respond(call: Call<'_>, result: Result<Answer, ApiError>) -> ApiGatewayV2httpResponse {
    let mut headers = HeaderMap::new();
    set(&mut headers, "content-type", CONTENT_TYPE);
    set(&mut headers, "x-ms-request-id", call.request_id());
    if let Some(id) = call.header(CLIENT_REQUEST_ID).filter(|id| is_usable(id)) {
        set(&mut headers, CLIENT_REQUEST_ID, &id);
    }
    let (status, body) = match result {
        Ok(answer) => {
            for name in ["location", "azure-asyncoperation"] {
                answer
                    .location
                    .iter()
                    .for_each(|location| set(&mut headers, name, location));
            }
            if answer.is_running {
                set(&mut headers, "retry-after", POLL_AFTER_SECONDS);
            }
            (answer.status, answer.body)
        }
        Err(error) => {
            log(call, &error);
            error
                .header()
                .into_iter()
                .for_each(|(name, value)| set(&mut headers, name, value));
            (
                error.status(),
                json!({"error": {"code": error.code(), "message": message(call, &error)}})
                    .to_string(),
            )
        }
    };
    let mut response = ApiGatewayV2httpResponse::default();
    response.status_code = status.into();
    response.headers = headers;
    // An answer to HEAD has the headers of GET's and no body (https://www.rfc-editor.org/rfc/rfc9110#section-9.3.2). No
    // page says what API Gateway does with one that a function gives.
    response.body = (call.method() != "HEAD").then_some(Body::Text(body));
    response
}

/// A value that no header can hold is left out: only a misconfigured base URL could be one.
fn set(headers: &mut HeaderMap, name: &'static str, value: &str) {
    if let Ok(value) = value.parse() {
        headers.insert(name, value);
    }
}

fn message(call: Call<'_>, error: &ApiError) -> String {
    if error.status() < 500 {
        return error.to_string();
    }
    format!("{error} The request id is {}.", call.request_id())
}

/// A defect is for a person to see; a part that does not answer may recover by itself; a refusal is the
/// caller's.
fn log(call: Call<'_>, error: &ApiError) {
    let (id, code, status) = (call.request_id(), error.code(), error.status());
    let cause = error.source().map(in_one_line).unwrap_or_default();
    match status {
        500 => tracing::error!(
            request.id = id,
            error.code = code,
            error.cause = cause,
            "a request failed"
        ),
        503 => tracing::warn!(
            request.id = id,
            error.code = code,
            error.cause = cause,
            "a request found no answer"
        ),
        _ => tracing::info!(
            request.id = id,
            error.code = code,
            response.status = status,
            "a request was refused"
        ),
    }
}
