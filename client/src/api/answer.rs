//! What the service answers.

use std::time::Duration;

use reqwest::StatusCode;
use reqwest::header::{ETAG, HeaderMap, HeaderName, RETRY_AFTER};
use serde_json::Value;

use super::ApiFailure;

/// The most bytes of an answer: a page of forty tasks has some hundred thousand.
const MOST_BYTES: usize = 64 << 20;

/// An answer of the service.
#[derive(Debug)]
pub struct Answer {
    /// Its status.
    pub status: StatusCode,
    /// When to ask again, as far as it says.
    pub retry_after: Option<Duration>,
    /// Its entity tag, if it has one.
    pub etag: Option<String>,
    /// What came with it; null when that is no JSON.
    pub body: Value,
}

impl Answer {
    /// Takes an answer in to its end.
    pub(super) async fn receive(mut answer: reqwest::Response) -> Result<Self, ApiFailure> {
        let status = answer.status();
        let text = |headers: &HeaderMap, name: HeaderName| {
            let value = headers.get(name)?.to_str().ok()?;
            Some(value.to_owned())
        };
        let seconds = text(answer.headers(), RETRY_AFTER).and_then(|it| it.trim().parse().ok());
        let etag = text(answer.headers(), ETAG);
        let mut bytes = Vec::new();
        while let Some(piece) = answer.chunk().await.map_err(ApiFailure::no_answer)? {
            if bytes.len() + piece.len() > MOST_BYTES {
                return Err(ApiFailure::strange(status, "its answer does not end"));
            }
            bytes.extend_from_slice(&piece);
        }
        let body = serde_json::from_slice(&bytes);
        if status.is_success() && body.is_err() {
            return Err(ApiFailure::strange(status, "its answer is no JSON"));
        }
        Ok(Self {
            status,
            retry_after: seconds.map(Duration::from_secs),
            etag,
            body: body.unwrap_or_default(),
        })
    }
}
