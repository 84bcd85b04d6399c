//! The JWT authorizer: which callers the gateway lets through to the functions.

use std::collections::BTreeMap;

use jsonwebtoken::jwk::JwkSet;
use jsonwebtoken::{Algorithm, DecodingKey, Validation, decode, decode_header};
use serde_json::Value;
use thiserror::Error;

/// What a caller's token says, each claim as a text, as API Gateway hands them to functions.
pub(crate) type Claims = BTreeMap<String, String>;

/// A caller that is not let through, and why.
#[derive(Debug, Error)]
#[error("{}", reason.unwrap_or("there is no token"))]
pub(crate) struct Unauthorized {
    reason: Option<&'static str>,
}

impl Unauthorized {
    /// What is wrong with the token; nothing when there is none.
    pub(crate) fn reason(&self) -> Option<&'static str> {
        self.reason
    }
}

/// Checks tokens as API Gateway's JWT authorizer does: signature by a known key, issuer, audience,
/// expiry, start (<https://docs.aws.amazon.com/apigateway/latest/developerguide/http-api-jwt-authorizer.html>).
#[derive(Debug, Clone)]
pub struct Authorizer {
    /// The keys that tokens may be signed with.
    pub keys: JwkSet,
    /// Who must have issued them.
    pub issuer: String,
    /// For whom they must be.
    pub audience: String,
}

impl Authorizer {
    /// The claims of the token in an `Authorization` header.
    pub(crate) fn claims(&self, header: Option<&str>) -> Result<Claims, Unauthorized> {
        let refused = |reason| Unauthorized {
            reason: Some(reason),
        };
        let header = header.ok_or(Unauthorized { reason: None })?;
        let (scheme, token) = header
            .split_once(' ')
            .ok_or(refused("the Authorization header holds no token"))?;
        if !scheme.eq_ignore_ascii_case("bearer") {
            return Err(refused(
                "the Authorization header must be of the scheme Bearer",
            ));
        }
        let (key, validation) = self.key_of(token.trim())?;
        let token = decode::<BTreeMap<String, Value>>(token.trim(), &key, &validation)
            .map_err(|_| refused("the token is not valid: signature, issuer, audience or time"))?;
        Ok(token
            .claims
            .into_iter()
            .map(|(name, value)| (name, claim_text(value)))
            .collect())
    }

    fn key_of(&self, token: &str) -> Result<(DecodingKey, Validation), Unauthorized> {
        let refused = |reason| Unauthorized {
            reason: Some(reason),
        };
        let header = decode_header(token).map_err(|_| refused("the token is not a JWT"))?;
        // https://docs.aws.amazon.com/apigateway/latest/developerguide/http-api-jwt-authorizer.html
        if !matches!(
            header.alg,
            Algorithm::RS256 | Algorithm::RS384 | Algorithm::RS512
        ) {
            return Err(refused("the token must be signed with RSA, such as RS256"));
        }
        let key = header.kid.and_then(|kid| self.keys.find(&kid).cloned());
        let key = key.ok_or(refused("the token is signed with an unknown key"))?;
        let key = DecodingKey::from_jwk(&key)
            .map_err(|_| refused("the token is signed with an unusable key"))?;
        let mut validation = Validation::new(header.alg);
        validation.set_issuer(&[&self.issuer]);
        validation.set_audience(&[&self.audience]);
        validation.set_required_spec_claims(&["exp", "iss", "aud"]);
        validation.validate_nbf = true;
        validation.leeway = 0;
        Ok((key, validation))
    }
}

fn claim_text(value: Value) -> String {
    match value {
        Value::String(text) => text,
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::Array(_) | Value::Object(_) => {
            value.to_string()
        }
    }
}

#[cfg(test)]
mod tests {
    use aws_lc_rs::signature::{ECDSA_P256_SHA256_FIXED_SIGNING, EcdsaKeyPair};
    use jsonwebtoken::jwk::Jwk;
    use jsonwebtoken::{EncodingKey, Header, encode};
    use ports::clock::Clock;
    use serde_json::json;
    use wiring::SystemClock;

    use super::*;
    use crate::dynamodb::scratch_dir;
    use crate::token::{AUDIENCE, TokenIssuer};

    const ISSUER: &str = "https://issuer.example.com/";
    const MINUTE: std::time::Duration = std::time::Duration::from_mins(1);

    fn issuer() -> TokenIssuer {
        TokenIssuer::open(&scratch_dir().unwrap().path().join("key"), ISSUER).unwrap()
    }

    fn authorizer(keys: &JwkSet) -> Authorizer {
        Authorizer {
            keys: keys.clone(),
            issuer: ISSUER.to_owned(),
            audience: AUDIENCE.to_owned(),
        }
    }

    fn token(issuer: &TokenIssuer, age: std::time::Duration) -> String {
        let token = issuer.mint("ada", SystemClock.now() - age, MINUTE).unwrap();
        format!("Bearer {}", token.reveal())
    }

    #[test]
    fn a_minted_token_is_let_through_and_says_who_it_is() {
        let issuer = issuer();
        let claims = authorizer(issuer.keys())
            .claims(Some(&token(&issuer, MINUTE / 2)))
            .unwrap();
        assert_eq!(
            (claims["sub"].as_str(), claims["iss"].as_str()),
            ("ada", ISSUER)
        );
        assert!(claims["exp"].parse::<i64>().is_ok());
    }

    #[test]
    fn only_rsa_is_let_through_as_in_the_cloud() {
        let issuer = issuer();
        let minted = token(&issuer, MINUTE / 2);
        let header = decode_header(minted.trim_start_matches("Bearer ")).unwrap();
        assert_eq!(header.alg, Algorithm::RS256);

        let random = aws_lc_rs::rand::SystemRandom::new();
        let pkcs8 =
            EcdsaKeyPair::generate_pkcs8(&ECDSA_P256_SHA256_FIXED_SIGNING, &random).unwrap();
        let key = EncodingKey::from_ec_der(pkcs8.as_ref());
        let mut public = Jwk::from_encoding_key(&key, Algorithm::ES256).unwrap();
        public.common.key_id = Some("ec".to_owned());
        let header = Header {
            kid: Some("ec".to_owned()),
            ..Header::new(Algorithm::ES256)
        };
        let exp = (SystemClock.now() + MINUTE).unix_timestamp();
        let token = encode(
            &header,
            &json!({"iss": ISSUER, "aud": [AUDIENCE], "sub": "ada", "exp": exp}),
            &key,
        )
        .unwrap();
        let refused = authorizer(&JwkSet { keys: vec![public] })
            .claims(Some(&format!("bearer {token}")))
            .unwrap_err();
        assert_eq!(
            refused.reason,
            Some("the token must be signed with RSA, such as RS256")
        );
    }

    #[test]
    fn every_other_token_is_refused() {
        let issuer = issuer();
        let good = authorizer(issuer.keys());
        let valid = token(&issuer, MINUTE / 2);
        let stranger = token(&self::issuer(), MINUTE / 2);
        for (what, header) in [
            ("none", None),
            ("another scheme", Some("Basic YTpi".to_owned())),
            ("no JWT", Some("Bearer abc".to_owned())),
            ("expired", Some(token(&issuer, 2 * MINUTE))),
            ("signed by a stranger", Some(stranger)),
            ("tampered with", Some(valid.replacen('.', ".e30", 1))),
            (
                "unsigned",
                Some("Bearer eyJhbGciOiJub25lIn0.e30.".to_owned()),
            ),
        ] {
            assert!(good.claims(header.as_deref()).is_err(), "{what}");
        }
        let elsewhere = Authorizer {
            issuer: "https://elsewhere/".to_owned(),
            ..good.clone()
        };
        let for_others = Authorizer {
            audience: "https://others/".to_owned(),
            ..good
        };
        assert!(elsewhere.claims(Some(&valid)).is_err());
        assert!(for_others.claims(Some(&valid)).is_err());
    }

    #[test]
    fn a_token_of_the_future_is_refused() {
        let issuer = issuer();
        let token = issuer
            .mint("ada", SystemClock.now() + MINUTE, MINUTE)
            .unwrap();
        assert!(
            authorizer(issuer.keys())
                .claims(Some(&format!("Bearer {}", token.reveal())))
                .is_err()
        );
    }
}
