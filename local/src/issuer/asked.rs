//! What a client asks for: a code for a person, then tokens for the code.

use std::collections::BTreeMap;

use aws_lc_rs::digest;
use base64::Engine;
use base64::prelude::BASE64_URL_SAFE_NO_PAD;
use url::{Url, form_urlencoded};

use super::PublicClient;

/// How long a code verifier may be (<https://www.rfc-editor.org/rfc/rfc7636#section-4.1>).
const VERIFIER_CHARS: std::ops::RangeInclusive<usize> = 43..=128;

/// The parameters of a request. One that is given twice counts as not given: none may be
/// (<https://www.rfc-editor.org/rfc/rfc6749#section-3.1>).
#[derive(Debug)]
pub(super) struct Parameters(BTreeMap<String, Option<String>>);

impl Parameters {
    pub(super) fn parse(text: &[u8]) -> Self {
        let mut parameters = BTreeMap::new();
        for (name, value) in form_urlencoded::parse(text) {
            parameters
                .entry(name.into_owned())
                .and_modify(|known| *known = None)
                .or_insert_with(|| Some(value.into_owned()));
        }
        Self(parameters)
    }

    fn get(&self, name: &str) -> Option<&str> {
        self.0
            .get(name)?
            .as_deref()
            .filter(|value| !value.is_empty())
    }
}

/// A code for a person, as a client may ask for one.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Asked {
    pub(super) redirect: Url,
    pub(super) state: String,
    pub(super) scope: String,
    pub(super) nonce: Option<String>,
    /// The SHA-256 of the verifier, in base64.
    pub(super) challenge: String,
    /// The query that said so, written anew.
    pub(super) query: String,
}

/// Why there will be no code.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Refused {
    /// The person is told, and sent nowhere: it is not known who asks.
    Here(&'static str),
    /// The client is told.
    Back(Box<Back>),
}

/// What a client is told at its own address.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Back {
    pub(super) redirect: Url,
    pub(super) state: Option<String>,
    pub(super) error: &'static str,
    pub(super) why: &'static str,
}

impl Asked {
    /// Reads the query of a request for a code.
    pub(super) fn read(query: &str, client: &PublicClient) -> Result<Self, Refused> {
        let parameters = Parameters::parse(query.as_bytes());
        if parameters.get("client_id") != Some(client.id) {
            return Err(Refused::Here("client_id is not the page's"));
        }
        let given = parameters.get("redirect_uri").unwrap_or_default();
        let redirect = client
            .redirects
            .iter()
            .find(|known| known.as_str() == given);
        let redirect = redirect.ok_or(Refused::Here("redirect_uri is not the page's address"))?;
        let back = |error, why| {
            Refused::Back(Box::new(Back {
                redirect: redirect.clone(),
                state: parameters.get("state").map(str::to_owned),
                error,
                why,
            }))
        };
        if parameters.get("response_type") != Some("code") {
            return Err(back(
                "unsupported_response_type",
                "response_type must be code",
            ));
        }
        if parameters.get("code_challenge_method") != Some("S256") {
            return Err(back(
                "invalid_request",
                "code_challenge_method must be S256",
            ));
        }
        let wanted = |name, why| parameters.get(name).ok_or(back("invalid_request", why));
        let challenge = wanted("code_challenge", "code_challenge is missing")?;
        let state = wanted("state", "state is missing, or given twice")?;
        let mut again = form_urlencoded::Serializer::new(String::new());
        for (name, value) in &parameters.0 {
            again.append_pair(name, value.as_deref().unwrap_or_default());
        }
        Ok(Self {
            redirect: redirect.clone(),
            state: state.to_owned(),
            scope: parameters.get("scope").unwrap_or("openid").to_owned(),
            nonce: parameters.get("nonce").map(str::to_owned),
            challenge: challenge.to_owned(),
            query: again.finish(),
        })
    }
}

/// A code that a client brings back.
#[derive(Debug)]
pub(super) struct Redeemed {
    pub(super) code: String,
    redirect: String,
    verifier: String,
}

impl Redeemed {
    /// Reads the body of a request for tokens; else the error's code, and why.
    pub(super) fn read(
        parameters: &Parameters,
        client_id: &str,
    ) -> Result<Self, (&'static str, &'static str)> {
        if parameters.get("grant_type") != Some("authorization_code") {
            return Err((
                "unsupported_grant_type",
                "grant_type must be authorization_code",
            ));
        }
        if parameters.get("client_id") != Some(client_id) {
            return Err(("invalid_client", "client_id is not the page's"));
        }
        let wanted = |name, why| {
            let value = parameters.get(name).map(str::to_owned);
            value.ok_or(("invalid_request", why))
        };
        Ok(Self {
            code: wanted("code", "code is missing")?,
            redirect: wanted("redirect_uri", "redirect_uri is missing")?,
            verifier: wanted("code_verifier", "code_verifier is missing")?,
        })
    }

    /// Why it is not the one who asked for the code.
    pub(super) fn problem(&self, asked: &Asked) -> Option<&'static str> {
        let hash = digest::digest(&digest::SHA256, self.verifier.as_bytes());
        if asked.redirect.as_str() != self.redirect {
            Some("redirect_uri is not the one that the code was asked for with")
        } else if !VERIFIER_CHARS.contains(&self.verifier.len())
            || BASE64_URL_SAFE_NO_PAD.encode(hash) != asked.challenge
        {
            Some("code_verifier is not what code_challenge was made of")
        } else {
            None
        }
    }
}
