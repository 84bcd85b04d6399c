//! What goes back to the caller, and what of it is logged.

use std::error::Error;
use std::ops::RangeInclusive;

use aws_lambda_events::apigw::ApiGatewayV2httpResponse;
use aws_lambda_events::encodings::Body;
use aws_lambda_events::http::HeaderMap;
use aws_lc_rs::digest;
use domain::cause::in_one_line;
use domain::job::Job;
use serde::Serialize;
use serde_json::json;
use time::{Duration, OffsetDateTime};

use super::Call;
use super::error::ApiError;
use super::request_id::{CLIENT_REQUEST_ID, is_usable};
use super::task::{Task, TaskList};

/// How many hexadecimal digits of a hash an entity tag has: as many as no two states of one task share
/// by chance.
const TAG_DIGITS: usize = 32;

const CONTENT_TYPE: &str = "application/json; charset=utf-8";

/// After how many seconds a client should ask for a running task again: a tenth of the task's age,
/// within these bounds. So it is asked for often at first, and about as often in all whether it takes
/// minutes or hours.
const POLL_AFTER_SECONDS: RangeInclusive<i64> = 5..=60;

/// An answer that is not an error.
#[derive(Debug)]
pub struct Answer {
    status: u16,
    location: Option<String>,
    etag: Option<String>,
    /// How old a running task is; absent where there is nothing to wait for.
    age: Option<Duration>,
    body: String,
}

impl Answer {
    /// 200 with what was asked for, which will not change by itself.
    ///
    /// # Errors
    /// [`ApiError::Internal`] when it is no JSON.
    pub fn ok(body: &impl Serialize) -> Result<Self, ApiError> {
        Ok(Self::json(to_json(body)?))
    }

    /// 200 with what is JSON already.
    pub fn json(body: impl Into<String>) -> Self {
        Self {
            status: 200,
            location: None,
            etag: None,
            age: None,
            body: body.into(),
        }
    }

    /// 200 with a job as a task; while it has not ended, with when to ask again.
    ///
    /// # Errors
    /// [`ApiError::Internal`] when it is no JSON.
    pub fn task(task: &Task, job: &Job, now: OffsetDateTime) -> Result<Self, ApiError> {
        Ok(Self {
            age: task.is_running().then(|| now - job.last_begun()),
            ..Self::ok(task)?.tagged(&[job.revision])
        })
    }

    /// 200 with jobs as a list of tasks.
    ///
    /// # Errors
    /// [`ApiError::Internal`] when it is no JSON.
    pub fn list(list: &TaskList, jobs: &[Job]) -> Result<Self, ApiError> {
        let revisions: Vec<u64> = jobs.iter().map(|job| job.revision).collect();
        Ok(Self::ok(list)?.tagged(&revisions))
    }

    /// With an entity tag over the revisions of the jobs and what is said of them: their ids, the sums
    /// of their tallies, and what this caller may see. It is weak, because it says nothing of the bytes
    /// (<https://www.rfc-editor.org/rfc/rfc9110#section-8.8.1>).
    fn tagged(self, revisions: &[u64]) -> Self {
        let mut hash = digest::Context::new(&digest::SHA256);
        for revision in revisions {
            hash.update(&revision.to_be_bytes());
        }
        hash.update(self.body.as_bytes());
        let mut hash = hex::encode(hash.finish());
        hash.truncate(TAG_DIGITS);
        Self {
            etag: Some(format!("W/\"{hash}\"")),
            ..self
        }
    }

    /// Whether the caller has the present answer already.
    fn is_known_to(&self, call: Call<'_>) -> bool {
        let known = call.header("if-none-match");
        matches!(call.method(), "GET" | "HEAD")
            && self
                .etag
                .as_deref()
                .zip(known.as_deref())
                .is_some_and(|(etag, known)| known.split(',').any(|one| is_same(one.trim(), etag)))
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
            etag: None,
            age: Some(Duration::ZERO),
            body: to_json(body)?,
        })
    }
}

/// Whether a tag that a caller sent is this one, compared weakly
/// (<https://www.rfc-editor.org/rfc/rfc9110#section-13.1.2>).
fn is_same(given: &str, etag: &str) -> bool {
    let opaque = |tag: &str| tag.strip_prefix("W/").unwrap_or(tag).to_owned();
    given == "*" || opaque(given) == opaque(etag)
}

/// Seconds until the next question about a task of this age.
fn poll_after(age: Duration) -> i64 {
    let (least, most) = POLL_AFTER_SECONDS.into_inner();
    (age.whole_seconds() / 10).clamp(least, most)
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
            if let Some(age) = answer.age {
                set(&mut headers, "retry-after", &poll_after(age).to_string());
            }
            let is_known = answer.is_known_to(call);
            answer
                .etag
                .iter()
                .for_each(|etag| set(&mut headers, "etag", etag));
            if is_known {
                (304, None)
            } else {
                (answer.status, Some(answer.body))
            }
        }
        Err(error) => {
            log(call, &error);
            error
                .header()
                .into_iter()
                .for_each(|(name, value)| set(&mut headers, name, value));
            (
                error.status(),
                Some(
                    json!({"error": {"code": error.code(), "message": message(call, &error)}})
                        .to_string(),
                ),
            )
        }
    };
    let is_head = call.method() == "HEAD";
    if is_head && let Some(body) = &body {
        // Else whoever sends the answer on says that there is none (https://www.rfc-editor.org/rfc/rfc9110#section-8.6).
        set(&mut headers, "content-length", &body.len().to_string());
    }
    let mut response = ApiGatewayV2httpResponse::default();
    response.status_code = status.into();
    response.headers = headers;
    // An answer to HEAD has the headers of GET's and no body (https://www.rfc-editor.org/rfc/rfc9110#section-9.3.2). No
    // page says what API Gateway does with one that a function gives.
    response.body = body.filter(|_| !is_head).map(Body::Text);
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_task_is_asked_for_the_less_often_the_older_it_is_within_bounds() {
        let seconds = [0, 5, 59, 60, 61, 599, 600, 601, 1_000_000];
        let waits = seconds.map(|age| poll_after(Duration::seconds(age)));
        assert_eq!(waits, [5, 5, 5, 6, 6, 59, 60, 60, 60]);
    }

    #[test]
    fn tags_are_compared_weakly() {
        for (given, same) in [
            ("*", true),
            ("W/\"a\"", true),
            ("\"a\"", true),
            ("\"b\"", false),
            ("a", false),
            ("", false),
        ] {
            assert_eq!(is_same(given, "W/\"a\""), same, "{given}");
        }
    }
}
