//! The service's API, as anybody can call it: requests that outlive a lost connection, answers as
//! JSON.

mod answer;
mod failure;
mod pace;

use std::sync::Mutex;
use std::time::Duration;

use domain::job::JobId;
use domain::secret::Secret;
use reqwest::header::{CONTENT_TYPE, IF_NONE_MATCH};
use reqwest::redirect::Policy;
use reqwest::{Client, Method, StatusCode, Url};
use serde_json::{Value, json};

pub use self::answer::Answer;
pub use self::failure::ApiFailure;
pub(crate) use self::pace::Backoff;
use crate::blobs::is_loopback;
use crate::failure::Failure;
use crate::settings::{Service, Token};

/// The one version of the API.
const API_VERSION: (&str, &str) = ("api-version", "2014-12-01");

/// The header of a key that makes a create harmless to repeat, a day long.
const IDEMPOTENCY_KEY: &str = "idempotency-key";

/// How long a connection may take.
const CONNECT: Duration = Duration::from_secs(10);

/// How long an answer may take: a create tries the container before it answers.
const PATIENCE: Duration = Duration::from_mins(1);

/// The service, asked about one app.
pub struct Api {
    http: Client,
    tasks: Url,
    token: Token,
    /// The token that was had last; kept in memory alone.
    known: Mutex<Option<Secret>>,
    backoff: Backoff,
}

/// A request, as often as it is sent.
struct Outgoing {
    method: Method,
    url: Url,
    body: Option<String>,
    key: Option<String>,
    etag: Option<String>,
}

impl Api {
    /// Makes no request.
    ///
    /// # Errors
    /// When this machine cannot speak TLS.
    pub fn open(service: Service) -> Result<Self, Failure> {
        Self::with_backoff(service, Backoff::usual())
    }

    /// As [`Api::open`], with other waits.
    pub(crate) fn with_backoff(service: Service, backoff: Backoff) -> Result<Self, Failure> {
        let builder = Client::builder()
            .redirect(Policy::none())
            .connect_timeout(CONNECT)
            .timeout(PATIENCE)
            .user_agent(concat!("engagement-export/", env!("CARGO_PKG_VERSION")));
        let builder = if is_loopback(&service.tasks) {
            builder.no_proxy()
        } else {
            builder
        };
        let http = builder
            .build()
            .map_err(|_| Failure::unknown("this machine has no usable TLS"))?;
        Ok(Self {
            http,
            tasks: service.tasks,
            token: service.token,
            known: Mutex::new(None),
            backoff,
        })
    }

    /// Creates an export. Repeats under the same key make no second one.
    ///
    /// # Errors
    /// [`ApiFailure`].
    pub async fn create(
        &self,
        operation: &str,
        body: &Value,
        key: &str,
    ) -> Result<Answer, ApiFailure> {
        let url = self.url(&[operation], &[]);
        let key = Some(key.to_owned());
        self.send(Outgoing::new(Method::POST, url).with_body(body, key))
            .await
    }

    /// Tries what a create would do; nothing comes of it.
    ///
    /// # Errors
    /// [`ApiFailure`]; a service that is older than this knows no such path.
    pub async fn check(&self, operation: &str, body: &Value) -> Result<Answer, ApiFailure> {
        let url = self.url(&[operation, "check"], &[]);
        self.send(Outgoing::new(Method::POST, url).with_body(body, None))
            .await
    }

    /// One task; 304 when it is as it was under that entity tag.
    ///
    /// # Errors
    /// [`ApiFailure`].
    pub async fn task(&self, id: JobId, etag: Option<&str>) -> Result<Answer, ApiFailure> {
        let url = self.url(&[&id.to_string()], &[]);
        let etag = etag.map(str::to_owned);
        self.send(Outgoing {
            etag,
            ..Outgoing::new(Method::GET, url)
        })
        .await
    }

    /// A page of the app's tasks.
    ///
    /// # Errors
    /// [`ApiFailure`].
    pub(crate) async fn page(&self, query: &[(String, String)]) -> Result<Answer, ApiFailure> {
        let query: Vec<(&str, &str)> = query
            .iter()
            .map(|(name, value)| (name.as_str(), value.as_str()))
            .collect();
        self.send(Outgoing::new(Method::GET, self.url(&[], &query)))
            .await
    }

    /// Gives a task a new signature, or, without one, lets it go on with the one that it has.
    ///
    /// # Errors
    /// [`ApiFailure`].
    pub(crate) async fn resume(
        &self,
        id: JobId,
        container_url: Option<&Secret>,
    ) -> Result<Answer, ApiFailure> {
        let body = match container_url {
            Some(url) => json!({"containerUrl": url.reveal()}),
            None => json!({}),
        };
        let url = self.url(&[&id.to_string()], &[]);
        self.send(Outgoing::new(Method::PATCH, url).with_body(&body, None))
            .await
    }

    /// Ends a task early.
    ///
    /// # Errors
    /// [`ApiFailure`].
    pub(crate) async fn cancel(&self, id: JobId) -> Result<Answer, ApiFailure> {
        let url = self.url(&[&id.to_string()], &[]);
        self.send(Outgoing::new(Method::DELETE, url)).await
    }

    fn url(&self, below: &[&str], query: &[(&str, &str)]) -> Url {
        let mut url = self.tasks.clone();
        if let Ok(mut segments) = url.path_segments_mut() {
            segments.extend(below);
        }
        url.query_pairs_mut()
            .append_pair(API_VERSION.0, API_VERSION.1)
            .extend_pairs(query);
        url
    }

    /// Sends a request until there is an answer that a repeat would not change. A token that is
    /// refused is asked for anew, once.
    async fn send(&self, outgoing: Outgoing) -> Result<Answer, ApiFailure> {
        let (mut tries, mut is_renewed) = (1, false);
        loop {
            let failure = match self.send_once(&outgoing).await {
                Ok(answer) => return Ok(answer),
                Err(failure) => failure,
            };
            if failure.is_about_the_token() && self.token.may_change() && !is_renewed {
                is_renewed = true;
                self.forget_token();
                continue;
            }
            match self.backoff.wait(tries, &failure) {
                Some(wait) => tokio::time::sleep(wait).await,
                None => return Err(failure.after(tries)),
            }
            tries += 1;
        }
    }

    async fn send_once(&self, outgoing: &Outgoing) -> Result<Answer, ApiFailure> {
        let token = self.token().await?;
        let mut request = self
            .http
            .request(outgoing.method.clone(), outgoing.url.clone())
            .bearer_auth(token.reveal());
        if let Some(body) = &outgoing.body {
            request = request
                .header(CONTENT_TYPE, "application/json")
                .body(body.clone());
        }
        if let Some(key) = &outgoing.key {
            request = request.header(IDEMPOTENCY_KEY, key);
        }
        if let Some(etag) = &outgoing.etag {
            request = request.header(IF_NONE_MATCH, etag);
        }
        let answer = request.send().await.map_err(ApiFailure::no_answer)?;
        let answer = Answer::receive(answer).await?;
        if answer.status.is_success() || answer.status == StatusCode::NOT_MODIFIED {
            return Ok(answer);
        }
        Err(ApiFailure::refused(&answer))
    }

    async fn token(&self) -> Result<Secret, ApiFailure> {
        if let Some(token) = self.lock().clone() {
            return Ok(token);
        }
        let token = self.token.read().await.map_err(ApiFailure::NoToken)?;
        *self.lock() = Some(token.clone());
        Ok(token)
    }

    fn forget_token(&self) {
        *self.lock() = None;
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, Option<Secret>> {
        // Nothing panics while it holds the lock, and a token is whole at any time.
        self.known
            .lock()
            .unwrap_or_else(std::sync::PoisonError::into_inner)
    }
}

impl Outgoing {
    fn new(method: Method, url: Url) -> Self {
        Self {
            method,
            url,
            body: None,
            key: None,
            etag: None,
        }
    }

    fn with_body(self, body: &Value, key: Option<String>) -> Self {
        Self {
            body: Some(body.to_string()),
            key,
            ..self
        }
    }
}

#[cfg(test)]
pub(crate) mod tests;
