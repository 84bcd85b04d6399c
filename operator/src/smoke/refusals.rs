//! What every export needs, and what a deployment must refuse.

use client::api::ApiFailure;
use client::console::Output;
use client::failure::Failure;
use client::verify::ContainerPlace;
use domain::job::JobId;
use domain::secret::Secret;
use serde_json::{Value, json};

use super::Trial;
use crate::checks::{Check, Light};

/// A token that no issuer has made.
const NO_TOKEN: &str = "eyJhbGciOiJSUzI1NiJ9.e30.bm90LWEtc2lnbmF0dXJl";

/// A signature that no key has made: 32 bytes of zero.
const NO_SIGNATURE: &str = "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA%3D";

/// The name of the check of what is needed to ask for an export at all.
const OWN_URL: &str = "the URL to write with";

impl Trial {
    /// A request that is checked, and makes no export.
    fn body(&self, url: &Secret) -> Value {
        let day = self.day.to_string();
        json!({
            "containerUrl": url.reveal(), "exportFormat": "JsonBlob", "startDate": day, "endDate": day,
            "description": "a smoke test, which is only checked",
        })
    }
}

/// Tries what every export needs, and what must be refused; whether exports can be tried then.
///
/// # Errors
/// When this machine cannot speak TLS.
pub(super) async fn what_all_need(
    trial: &Trial,
    checks: &mut Vec<Check>,
    output: Output,
) -> Result<bool, Failure> {
    let mut add = |check: Check| {
        check.tell(output);
        let is_red = check.light == Light::Red;
        checks.push(check);
        !is_red
    };
    let (check, is_answered) = wrong_token(trial).await?;
    add(check);
    if !is_answered {
        return Ok(false);
    }
    let accepted = match trial
        .api
        .check("events", &trial.body(&trial.container_url))
        .await
    {
        Ok(_) => add(Check::green(
            OWN_URL,
            "with this token, an export into it would be accepted",
        )),
        Err(failure) => add(refused(&failure)),
    };
    // Where the right one is refused, it shows nothing that a wrong one is.
    if !accepted {
        return Ok(false);
    }
    add(wrong_signature(trial).await);
    match &trial.read_url {
        Some(url) => Ok(add(reading(url, &trial.container_url).await)),
        None => Ok(true),
    }
}

/// What it is that the API does not take of a request which ought to be right, and what the operator can do.
fn refused(failure: &ApiFailure) -> Check {
    match failure {
        ApiFailure::NoToken(_) => Check::red("the token", failure.to_string()),
        ApiFailure::Refused { status: 401, .. } => {
            let message = format!(
                "{failure}: is it of the stack's TokenIssuer, for its TokenAudience, and not expired?"
            );
            Check::red("the token", message)
        }
        ApiFailure::Refused { status: 403, .. } => {
            let message = format!(
                "{failure}: give the token's subject (`sub`) the role Contributor, by `grant add`"
            );
            Check::red("the grant", message)
        }
        ApiFailure::NoAnswer { .. } | ApiFailure::Strange { .. } | ApiFailure::Refused { .. } => {
            Check::red(OWN_URL, failure.to_string())
        }
    }
}

/// Whoever has no token of the issuer is nobody; and whether the API answers at all.
///
/// # Errors
/// When this machine cannot speak TLS.
async fn wrong_token(trial: &Trial) -> Result<(Check, bool), Failure> {
    let name = "a wrong token";
    let asked = trial.with_token(NO_TOKEN)?.task(JobId::NIL, None).await;
    Ok(match asked {
        Err(ApiFailure::Refused { status: 401, .. }) => (Check::green(name, "refused (401)"), true),
        Err(failure @ ApiFailure::Refused { status: 404, .. }) => {
            let message = format!("it was let in: see the API's authorizer ({failure})");
            (Check::red(name, message), true)
        }
        Ok(_) => {
            let message = "it was let in: see the API's authorizer";
            (Check::red(name, message), true)
        }
        Err(failure @ (ApiFailure::NoAnswer { .. } | ApiFailure::Strange { .. })) => {
            (Check::unknown(name, failure.to_string()), false)
        }
        Err(failure @ (ApiFailure::Refused { .. } | ApiFailure::NoToken(_))) => {
            let message = format!("401 was expected: {failure}");
            (Check::red(name, message), true)
        }
    })
}

/// A signature that cannot write is refused before there is an export, by a write that is tried.
async fn wrong_signature(trial: &Trial) -> Check {
    let name = "a wrong signature";
    let Some(url) = without_signature(&trial.container_url) else {
        return Check::red(
            name,
            "it could not be tried: the container's URL has no `sig`",
        );
    };
    match trial.api.check("events", &trial.body(&url)).await {
        Err(ApiFailure::Refused {
            status: 400, code, ..
        }) if code.starts_with("Container") => Check::green(name, format!("refused (400 {code})")),
        Err(failure) => Check::red(
            name,
            format!("400 was expected, with a code of the container's URL: {failure}"),
        ),
        Ok(_) => Check::red(
            name,
            "it was accepted: create-job must try a write before it answers",
        ),
    }
}

/// Whether the files can be read back: it would be the last thing that is found out, else.
async fn reading(url: &Secret, written_to: &Secret) -> Check {
    let name = "the URL to read with";
    let address = |url: &Secret| {
        let address = url.reveal().split('?').next().unwrap_or_default();
        address.trim_end_matches('/').to_owned()
    };
    if address(url) != address(written_to) {
        let message = "it is of another container or folder than the URL to write with: give two URLs of the same one";
        return Check::red(name, message);
    }
    match ContainerPlace::try_reading(url).await {
        Ok(()) => Check::green(name, "its signature may read"),
        Err(error) => Check::red(name, error.to_string()),
    }
}

/// The same URL with another signature.
fn without_signature(url: &Secret) -> Option<Secret> {
    let (address, query) = url.reveal().split_once('?')?;
    let is_signature = |pair: &&str| pair.starts_with("sig=");
    query.split('&').find(is_signature)?;
    let pairs = query.split('&').map(|pair| match pair {
        pair if is_signature(&pair) => format!("sig={NO_SIGNATURE}"),
        pair => pair.to_owned(),
    });
    let query = pairs.collect::<Vec<_>>().join("&");
    Some(Secret::new(format!("{address}?{query}")))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_signature_of_a_url_is_another_one() {
        let url = Secret::new("https://a.example/c?sp=w&sig=abc%3D&se=2026");
        let expected = format!("https://a.example/c?sp=w&sig={NO_SIGNATURE}&se=2026");
        assert_eq!(without_signature(&url).unwrap().reveal(), expected);
        assert!(without_signature(&Secret::new("https://a.example/c?sp=w")).is_none());
    }
}
