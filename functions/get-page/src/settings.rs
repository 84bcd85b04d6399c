//! What the operator says of the page: where people sign in, and what it may talk to.

use serde::Serialize;
use url::Url;
use wiring::config::{
    ConfigError, EXTRA_BLOB_ENDPOINTS, Environment, MAX_RANGE_DAYS, PAGE_APP, PAGE_CLIENT_ID,
    PAGE_ISSUER, PAGE_SCOPE, PAGE_TOKEN_ORIGIN,
};

/// The settings of this function, as they are answered.
#[derive(Debug, Clone)]
pub struct Settings {
    /// `config.json`, which the page reads first.
    pub config: Vec<u8>,
    /// The content security policy (<https://www.w3.org/TR/CSP3/>).
    pub policy: String,
}

/// What the page has to know, in `config.json`.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
struct Config<'a> {
    /// Where people sign in: its discovery document is below it.
    issuer: &'a str,
    /// What the issuer knows the page by. Without it, people paste a token.
    #[serde(skip_serializing_if = "Option::is_none")]
    client_id: Option<&'a str>,
    /// What the page asks the issuer for.
    scope: &'a str,
    /// The app that the page begins with.
    #[serde(skip_serializing_if = "Option::is_none")]
    app: Option<&'a str>,
    /// Blob endpoints allowed beside Azure's.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    blob_endpoints: Vec<&'a str>,
    /// The most days that one export may span: the form says so before anything is sent.
    max_range_days: u32,
}

impl Settings {
    /// Reads them.
    ///
    /// # Errors
    /// [`ConfigError`] when one does not fit.
    pub fn of(env: &Environment) -> Result<Self, ConfigError> {
        let issuer = env.get(&PAGE_ISSUER)?;
        let token_origin = env.get(&PAGE_TOKEN_ORIGIN)?;
        let (client_id, app) = (env.get(&PAGE_CLIENT_ID)?, env.get(&PAGE_APP)?);
        let endpoints = env.get(&EXTRA_BLOB_ENDPOINTS)?.unwrap_or_default();
        let mut origins =
            vec![origin(&issuer).map_err(|NoOrigin| PAGE_ISSUER.refused(&issuer, NoOrigin))?];
        if let Some(given) = &token_origin {
            let of_tokens = origin(given).ok().filter(|origin| origin == given);
            origins.push(of_tokens.ok_or_else(|| PAGE_TOKEN_ORIGIN.refused(given, NoOrigin))?);
        }
        origins.dedup();
        let config = Config {
            issuer: &issuer,
            client_id: client_id.as_deref(),
            scope: &env.get(&PAGE_SCOPE)?,
            app: app.as_deref(),
            blob_endpoints: endpoints.split(',').filter(|it| !it.is_empty()).collect(),
            max_range_days: env.get(&MAX_RANGE_DAYS)?,
        };
        Ok(Self {
            config: serde_json::to_vec(&config)
                .map_err(|error| PAGE_ISSUER.refused(&issuer, error))?,
            policy: policy(&origins),
        })
    }
}

/// The page runs its own scripts, asks the API, which is where it comes from, and the issuer. It is
/// in no frame, and sends no form.
fn policy(origins: &[String]) -> String {
    format!(
        "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; connect-src 'self' {}; \
         form-action 'none'; frame-ancestors 'none'; base-uri 'none'",
        origins.join(" ")
    )
}

/// A text that names no place that a page could talk to.
#[derive(Debug, thiserror::Error)]
#[error(
    "write scheme, host and, unless it is the scheme's own, port, such as https://login.example.com"
)]
struct NoOrigin;

/// The origin of a URL, as a browser names it.
fn origin(text: &str) -> Result<String, NoOrigin> {
    let url = Url::parse(text).map_err(|_| NoOrigin)?;
    if matches!(url.scheme(), "http" | "https") {
        Ok(url.origin().ascii_serialization())
    } else {
        Err(NoOrigin)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn settings(pairs: &[(&str, &str)]) -> Result<Settings, ConfigError> {
        let pairs = pairs
            .iter()
            .map(|(name, value)| ((*name).to_owned(), (*value).to_owned()));
        Settings::of(&Environment::from_pairs(pairs))
    }

    fn connects_to(pairs: &[(&str, &str)]) -> String {
        let policy = settings(pairs).unwrap().policy;
        let (_, rest) = policy.split_once("connect-src ").unwrap();
        rest.split(';').next().unwrap().to_owned()
    }

    #[test]
    fn the_page_may_talk_to_itself_and_to_the_issuer_and_to_nobody_else() {
        let issuer = ("PAGE_ISSUER", "https://login.example.com/tenant/v2.0");
        assert_eq!(
            settings(&[issuer]).unwrap().policy,
            "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; \
             connect-src 'self' https://login.example.com; \
             form-action 'none'; frame-ancestors 'none'; base-uri 'none'"
        );
        let elsewhere = ("PAGE_TOKEN_ORIGIN", "https://tokens.example.com");
        assert_eq!(
            connects_to(&[issuer, elsewhere]),
            "'self' https://login.example.com https://tokens.example.com"
        );
        let same = ("PAGE_TOKEN_ORIGIN", "https://login.example.com");
        assert_eq!(
            connects_to(&[issuer, same]),
            "'self' https://login.example.com"
        );
    }

    #[test]
    fn what_is_no_origin_does_not_get_into_the_policy() {
        let issuer = ("PAGE_ISSUER", "https://login.example.com/");
        for bad in [
            "tokens.example.com",
            "https://tokens.example.com/oauth2",
            "https://tokens.example.com; script-src *",
            "*",
            "data:",
        ] {
            let refused = settings(&[issuer, ("PAGE_TOKEN_ORIGIN", bad)]).unwrap_err();
            assert!(
                refused.to_string().contains("does not fit: set it to"),
                "{bad}"
            );
        }
        for bad in ["login.example.com", "mailto:a@example.com"] {
            assert!(settings(&[("PAGE_ISSUER", bad)]).is_err(), "{bad}");
        }
        assert!(settings(&[]).is_err());
    }

    #[test]
    fn the_config_says_what_is_set_and_nothing_of_what_is_not() {
        let issuer = ("PAGE_ISSUER", "https://login.example.com/");
        let config = |pairs: &[(&str, &str)]| -> serde_json::Value {
            serde_json::from_slice(&settings(pairs).unwrap().config).unwrap()
        };
        assert_eq!(
            config(&[issuer]),
            serde_json::json!({
                "issuer": "https://login.example.com/", "scope": "openid", "maxRangeDays": 366,
            })
        );
        let all = config(&[
            issuer,
            ("PAGE_CLIENT_ID", "page"),
            ("PAGE_SCOPE", "openid api"),
            ("PAGE_APP", "/subscriptions/1"),
            (
                "EXTRA_BLOB_ENDPOINTS",
                "http://127.0.0.1:10000/devstoreaccount1",
            ),
            ("MAX_RANGE_DAYS", "31"),
        ]);
        assert_eq!(
            all,
            serde_json::json!({
                "issuer": "https://login.example.com/", "clientId": "page", "scope": "openid api",
                "app": "/subscriptions/1", "blobEndpoints": ["http://127.0.0.1:10000/devstoreaccount1"],
                "maxRangeDays": 31,
            })
        );
    }
}
