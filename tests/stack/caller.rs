//! A client of the API, through the emulated gateway.

use std::time::{Duration, Instant};

use local::sample::SampleApp;
use local::token::TokenIssuer;
use ports::clock::Clock;
use reqwest::Method;
use reqwest::redirect::Policy;
use serde_json::{Value, json};
use wiring::SystemClock;

use crate::deployment::AUDIENCE;

/// How long a job may take to come to a phase on a busy machine; seconds are usual.
const PATIENCE: Duration = Duration::from_mins(2);

const POLL: Duration = Duration::from_millis(200);

/// Who may do everything.
pub(crate) const SUBJECT: &str = "reporting";

/// What a token says.
pub(crate) struct Claims<'a> {
    pub(crate) subject: &'a str,
    pub(crate) audience: &'a str,
    pub(crate) seconds: i64,
    /// Who is named as its issuer, when it is not who signs.
    pub(crate) issuer: Option<&'a str>,
}

impl Claims<'_> {
    /// A token that lets its bearer in.
    pub(crate) const GOOD: Self = Claims {
        subject: SUBJECT,
        audience: AUDIENCE,
        seconds: 3600,
        issuer: None,
    };

    pub(crate) fn sign(&self, issuer: &TokenIssuer) -> String {
        let now = SystemClock.now().unix_timestamp();
        let claims = json!({
            "iss": self.issuer.unwrap_or(issuer.issuer()), "sub": self.subject, "aud": self.audience, "iat": now - 60,
            "exp": now + self.seconds,
        });
        issuer.sign_claims(&claims).unwrap().reveal().to_owned()
    }
}

/// The API as one app's client calls it.
#[derive(Debug, Clone)]
pub(crate) struct Caller {
    http: reqwest::Client,
    endpoint: String,
    host: String,
    token: String,
    tasks: String,
}

impl Caller {
    /// Calls the API of this URL at the emulator's endpoint.
    pub(crate) fn new(endpoint: &str, api_url: &str, token: String, app: &SampleApp) -> Self {
        let id = api_url.trim_start_matches("https://").split('.').next();
        let id = id.unwrap();
        Self {
            http: reqwest::Client::builder()
                .no_proxy()
                .redirect(Policy::none())
                .build()
                .unwrap(),
            endpoint: endpoint.to_owned(),
            // The emulator listens to a host of its own where AWS's has the region.
            host: format!("{id}.execute-api.localhost"),
            token,
            tasks: app.exports_path(),
        }
    }

    /// The same with another token.
    pub(crate) fn with_token(&self, token: &str) -> Self {
        Self {
            token: token.to_owned(),
            ..self.clone()
        }
    }

    /// Status and body of the answer to a request of the app's tasks.
    pub(crate) async fn ask(
        &self,
        method: Method,
        path: &str,
        body: Option<&Value>,
    ) -> (u16, Value) {
        let path = format!("{}{path}", self.tasks);
        self.ask_path(method, &path, body, &[]).await
    }

    /// The same of any path, with headers.
    pub(crate) async fn ask_path(
        &self,
        method: Method,
        path: &str,
        body: Option<&Value>,
        headers: &[(&str, &str)],
    ) -> (u16, Value) {
        let separator = if path.contains('?') { '&' } else { '?' };
        let url = format!("{}{path}{separator}api-version=2014-12-01", self.endpoint);
        let mut request = self.http.request(method, url).header("host", &self.host);
        if !self.token.is_empty() {
            request = request.bearer_auth(&self.token);
        }
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        if let Some(body) = body {
            request = request
                .header("content-type", "application/json")
                .body(body.to_string());
        }
        let answer = request.send().await.unwrap();
        let status = answer.status().as_u16();
        let bytes = answer.bytes().await.unwrap();
        (
            status,
            serde_json::from_slice(&bytes).unwrap_or(Value::Null),
        )
    }

    /// Creates an export of a type; the id of its task.
    pub(crate) async fn create(&self, what: &str, body: &Value) -> String {
        let (status, task) = self
            .ask(Method::POST, &format!("/{what}"), Some(body))
            .await;
        assert_eq!(status, 202, "{task}");
        task["id"].as_str().unwrap().to_owned()
    }

    pub(crate) async fn task(&self, id: &str) -> Value {
        let (status, task) = self.ask(Method::GET, &format!("/{id}"), None).await;
        assert_eq!(status, 200, "{task}");
        task
    }

    /// The task once it is in a phase; fails when it ends in another one.
    pub(crate) async fn reaches(&self, id: &str, phase: &str) -> Value {
        const ENDS: [&str; 4] = ["succeeded", "incomplete", "failed", "cancelled"];
        let begun = Instant::now();
        loop {
            let task = self.task(id).await;
            let at = task["phase"].as_str().unwrap();
            if at == phase {
                return task;
            }
            assert!(
                !ENDS.contains(&at),
                "it has ended, and is not {phase}: {task}"
            );
            assert!(
                begun.elapsed() < PATIENCE,
                "it does not come to {phase}: {task}"
            );
            tokio::time::sleep(POLL).await;
        }
    }

    /// Asks for a change of a task, which is accepted.
    pub(crate) async fn change(&self, method: Method, id: &str, body: Option<&Value>) {
        let (status, task) = self.ask(method, &format!("/{id}"), body).await;
        assert_eq!(status, 202, "{task}");
    }
}
