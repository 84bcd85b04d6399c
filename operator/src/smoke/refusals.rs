//! What a deployment must refuse.

use client::api::ApiFailure;
use client::failure::Failure;
use domain::job::JobId;
use domain::secret::Secret;
use serde_json::json;

use super::Trial;
use crate::checks::Check;

/// A token that no issuer has made.
const NO_TOKEN: &str = "eyJhbGciOiJSUzI1NiJ9.e30.bm90LWEtc2lnbmF0dXJl";

/// A signature that no key has made: 32 bytes of zero.
const NO_SIGNATURE: &str = "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA%3D";

/// Whoever has no token of the issuer is nobody.
///
/// # Errors
/// When this machine cannot speak TLS.
pub(super) async fn wrong_token(trial: &Trial) -> Result<Check, Failure> {
    let name = "a wrong token";
    let asked = trial.with_token(NO_TOKEN)?.task(JobId::NIL, None).await;
    Ok(match asked {
        Err(ApiFailure::Refused { status: 401, .. }) => Check::green(name, "refused (401)"),
        Err(failure @ ApiFailure::Refused { status: 404, .. }) => Check::red(
            name,
            format!("it was let in: see the API's authorizer ({failure})"),
        ),
        Ok(_) => Check::red(name, "it was let in: see the API's authorizer"),
        Err(failure) => Check::red(name, format!("401 was expected: {failure}")),
    })
}

/// A signature that cannot write is refused before there is an export, by a write that is tried.
pub(super) async fn wrong_signature(trial: &Trial) -> Check {
    let name = "a wrong signature";
    let Some(url) = without_signature(&trial.container_url) else {
        return Check::red(
            name,
            "it could not be tried: the container's URL has no `sig`",
        );
    };
    let day = trial.day.to_string();
    let body = json!({
        "containerUrl": url.reveal(), "exportFormat": "JsonBlob", "startDate": day, "endDate": day,
        "description": "a smoke test, which is to be refused",
    });
    match trial.api.check("events", &body).await {
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
