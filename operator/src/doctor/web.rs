//! What is asked over HTTP: the API, the clock, the issuer of the callers' tokens.

use std::time::Duration;

use client::console::counted;
use client::environment::{API, Variable, of_process};
use client::failure::Failure;
use domain::cause::in_one_line;
use ports::clock::Clock;
use reqwest::header::DATE;
use reqwest::redirect::Policy;
use reqwest::{Client, Response};
use serde::Deserialize;
use serde_json::Value;
use time::OffsetDateTime;
use time::format_description::well_known::Rfc2822;
use wiring::SystemClock;

use crate::checks::{Check, Light};
use crate::deployment::Deployment;

/// How long an answer may take.
const PATIENCE: Duration = Duration::from_secs(20);

/// How far this machine's clock may be from the service's. AWS refuses a signature that is five minutes off
/// (<https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_sigv-troubleshooting.html>).
const MOST_OFF_SECONDS: u64 = 60;

/// The name of the check of the issuer.
const ISSUER_OF_TOKENS: &str = "issuer of tokens";

/// The variable that names the issuer.
pub(crate) const ISSUER: Variable = Variable {
    name: "ENGAGEMENT_EXPORT_ISSUER",
    meaning: "the issuer of the callers' tokens, as `--issuer` of `doctor`",
};

/// What the issuer says of itself
/// (<https://openid.net/specs/openid-connect-discovery-1_0.html#ProviderMetadata>).
#[derive(Deserialize)]
struct Discovery {
    issuer: String,
    jwks_uri: String,
}

/// Asks over HTTP.
pub(super) struct Web(Client);

impl Web {
    /// # Errors
    /// When this machine cannot speak TLS.
    pub(super) fn new() -> Result<Self, Failure> {
        client().map(Self)
    }

    /// Whether the API answers, and what time it has.
    ///
    /// # Errors
    /// When a variable of the environment is no text.
    pub(super) async fn api(
        &self,
        given: Option<&str>,
        deployment: &Deployment,
    ) -> Result<Vec<Check>, Failure> {
        let of_stack = || deployment.stack()?.api_url().map(str::to_owned);
        let url = match given {
            Some(url) => Some(url.to_owned()),
            None => of_stack().map_or_else(|| of_process(&API), |url| Ok(Some(url)))?,
        };
        let Some(url) = url else {
            let message = "its URL is not known: give --api, or --stack";
            return Ok(vec![Check::unknown("API", message)]);
        };
        let asked = format!("{}/openapi.json", url.trim_end_matches('/'));
        Ok(match self.get(&asked).await {
            Ok(answer) => {
                let clock = clock(&answer);
                vec![
                    Check::green("API", "it answers, with its description"),
                    clock,
                ]
            }
            Err(problem) => vec![problem.check("API", "")],
        })
    }

    /// Whether the issuer says how its tokens are proven, and whether API Gateway can do it: by RSA
    /// alone (<https://docs.aws.amazon.com/apigateway/latest/developerguide/http-api-jwt-authorizer.html>).
    ///
    /// # Errors
    /// When a variable of the environment is no text.
    pub(super) async fn issuer(
        &self,
        given: Option<&str>,
        deployment: &Deployment,
    ) -> Result<Check, Failure> {
        let of_stack = || {
            deployment
                .stack()?
                .parameter("TokenIssuer")
                .map(str::to_owned)
        };
        let issuer = match given {
            Some(issuer) => Some(issuer.to_owned()),
            None => of_stack().map_or_else(|| of_process(&ISSUER), |issuer| Ok(Some(issuer)))?,
        };
        let Some(issuer) = issuer else {
            let message = "it is not known: give --issuer, or --stack";
            return Ok(Check::unknown(ISSUER_OF_TOKENS, message));
        };
        Ok(self.issuer_at(&issuer).await)
    }

    async fn issuer_at(&self, issuer: &str) -> Check {
        let name = ISSUER_OF_TOKENS;
        match self.keys_of(issuer).await {
            Ok(keys) => {
                let rsa = keys.iter().filter(|key| is_of_rsa(key)).count();
                if rsa > 0 {
                    let keys = counted(rsa as u64, "key");
                    return Check::green(name, format!("{issuer} has {keys} of RSA"));
                }
                let message = format!(
                    "{issuer} has no key of RSA among {}: API Gateway takes no other signature, and answers 401; let the \
                     issuer sign with RS256",
                    keys.len()
                );
                Check::red(name, message)
            }
            Err(problem) => problem.check(name, &format!("{issuer}: ")),
        }
    }

    async fn keys_of(&self, issuer: &str) -> Result<Vec<Value>, Problem> {
        let place = format!(
            "{}/.well-known/openid-configuration",
            issuer.trim_end_matches('/')
        );
        let discovery: Discovery = self.read(&place).await?;
        if discovery.issuer != issuer {
            return Err(Problem::Wrong(format!(
                "its discovery document says that it is {}: set TokenIssuer to just that, because tokens say it",
                discovery.issuer
            )));
        }
        let keys: Value = self.read(&discovery.jwks_uri).await?;
        let keys = keys.get("keys").and_then(Value::as_array).cloned();
        keys.ok_or_else(|| Problem::Wrong(format!("{} lists no keys", discovery.jwks_uri)))
    }

    async fn read<T: for<'de> Deserialize<'de>>(&self, url: &str) -> Result<T, Problem> {
        let answer = self.get(url).await?;
        let bytes = answer.bytes().await;
        let bytes = bytes.map_err(|error| Problem::of(url, error))?;
        serde_json::from_slice(&bytes)
            .map_err(|_| Problem::Wrong(format!("{url} is not the JSON that is expected")))
    }

    async fn get(&self, url: &str) -> Result<Response, Problem> {
        let answer = self.0.get(url).send().await;
        let answer = answer.map_err(|error| Problem::of(url, error))?;
        match answer.status() {
            status if status.is_success() => Ok(answer),
            status => Err(Problem::Wrong(format!("{url} answers {status}"))),
        }
    }
}

/// Why something is not known to be right.
enum Problem {
    /// It does not answer, so that it is not known.
    Silent(String),
    /// It answers, and not as it should.
    Wrong(String),
}

impl Problem {
    fn of(url: &str, error: reqwest::Error) -> Self {
        let cause = in_one_line(&error.without_url());
        Self::Silent(format!("{url} does not answer: {cause}"))
    }

    fn check(self, name: &str, of: &str) -> Check {
        match self {
            Self::Silent(problem) => Check::unknown(name, format!("{of}{problem}")),
            Self::Wrong(problem) => Check::red(name, format!("{of}{problem}")),
        }
    }
}

/// What asks over HTTP, and goes where it is sent, nowhere else.
///
/// # Errors
/// When this machine cannot speak TLS.
pub(super) fn client() -> Result<Client, Failure> {
    let client = Client::builder()
        .redirect(Policy::none())
        .timeout(PATIENCE)
        .build();
    client.map_err(|_| Failure::unknown("this machine has no usable TLS"))
}

fn is_of_rsa(key: &Value) -> bool {
    let text = |name: &str| key.get(name).and_then(Value::as_str);
    text("kty") == Some("RSA") && text("use") != Some("enc")
}

/// How far this machine's clock is from the one that answered.
fn clock(answer: &Response) -> Check {
    let date = answer
        .headers()
        .get(DATE)
        .and_then(|date| date.to_str().ok());
    let there = date.and_then(|date| OffsetDateTime::parse(date, &Rfc2822).ok());
    let Some(there) = there else {
        return Check::unknown("clock", "the API does not say what time it is");
    };
    let off = (SystemClock.now() - there).whole_seconds().unsigned_abs();
    if off <= MOST_OFF_SECONDS {
        return Check::green("clock", format!("{off} s from the API's"));
    }
    let message =
        format!("{off} s from the API's: set it right, or what this machine signs is refused");
    Check::new(Light::Red, "clock", message)
}
