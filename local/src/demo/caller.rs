//! A client of the API, as anybody could write one.

use domain::secret::Secret;
use reqwest::StatusCode;
use reqwest::header::LOCATION;
use serde::Deserialize;
use serde_json::Value;
use thiserror::Error;

/// Why a request did not lead to a task.
#[derive(Debug, Error)]
pub enum ClientError {
    /// No connection, no answer, or one that broke off.
    #[error("the API does not answer")]
    Transport(#[source] reqwest::Error),
    /// An answer that is not the expected one.
    #[error("the API answered {status}: {message}")]
    Answer {
        /// Its status; a success, too, when what came with it is not as expected.
        status: StatusCode,
        /// Its body, or what is wrong with its JSON.
        message: String,
    },
}

impl From<reqwest::Error> for ClientError {
    /// A URL never enters an error.
    fn from(error: reqwest::Error) -> Self {
        Self::Transport(error.without_url())
    }
}

/// What a task says of itself.
#[derive(Debug, Clone, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Task {
    pub(crate) id: String,
    /// `Queued`, `Started`, `Succeeded` or `Failed`.
    pub(crate) state: String,
    /// The phase, more exactly.
    pub(crate) phase: String,
    /// Why it waits for a credential, or ended without success; else absent.
    pub(crate) error_details: Option<String>,
    /// How far it is; absent right after its creation.
    pub(crate) progress: Option<Progress>,
}

/// How far an export is.
#[derive(Debug, Clone, Copy, Deserialize)]
pub(crate) struct Progress {
    /// Whole percent of the chunks; 100 only after success.
    pub(crate) percent: u64,
    /// Rows in the files of the chunks that are recorded.
    pub(crate) rows: u64,
}

/// The API, called with a token.
pub(crate) struct Client {
    http: reqwest::Client,
    token: Secret,
}

impl Client {
    /// A client with a token.
    ///
    /// # Errors
    /// [`ClientError::Transport`] when there is no TLS.
    pub(crate) fn new(token: Secret) -> Result<Self, ClientError> {
        Ok(Self {
            http: reqwest::Client::builder().no_proxy().build()?,
            token,
        })
    }

    /// Creates an export; answers where to ask for it.
    ///
    /// # Errors
    /// [`ClientError`] when it is not accepted.
    pub(crate) async fn create(&self, url: &str, body: &Value) -> Result<String, ClientError> {
        let request = self
            .http
            .post(url)
            .header("content-type", "application/json")
            .body(body.to_string());
        let answer = request.bearer_auth(self.token.reveal()).send().await?;
        let location = answer
            .headers()
            .get(LOCATION)
            .and_then(|value| value.to_str().ok())
            .map(str::to_owned);
        match location {
            Some(location) if answer.status() == StatusCode::ACCEPTED => Ok(location),
            Some(_) | None => Err(refusal(answer).await?),
        }
    }

    /// Asks for a task.
    ///
    /// # Errors
    /// [`ClientError`] when there is no such task.
    pub(crate) async fn task(&self, location: &str) -> Result<Task, ClientError> {
        let separator = if location.contains('?') { '&' } else { '?' };
        let versioned = if location.contains("api-version") {
            location.to_owned()
        } else {
            format!("{location}{separator}api-version=2014-12-01")
        };
        let answer = self
            .http
            .get(versioned)
            .bearer_auth(self.token.reveal())
            .send()
            .await?;
        if answer.status() != StatusCode::OK {
            return Err(refusal(answer).await?);
        }
        let (status, body) = (answer.status(), answer.bytes().await?);
        serde_json::from_slice(&body).map_err(|error| ClientError::Answer {
            status,
            message: error.to_string(),
        })
    }
}

async fn refusal(answer: reqwest::Response) -> Result<ClientError, ClientError> {
    let status = answer.status();
    Ok(ClientError::Answer {
        status,
        message: String::from_utf8_lossy(&answer.bytes().await?).into_owned(),
    })
}
