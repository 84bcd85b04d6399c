//! Tokens of the local stack: a key pair, its public half as a key set, and real signed tokens.

use std::fs::OpenOptions;
use std::io::{ErrorKind, Write};
use std::os::unix::fs::OpenOptionsExt;
use std::path::Path;
use std::time::Duration;

use aws_lc_rs::encoding::{AsDer, Pkcs8V1Der};
use aws_lc_rs::rsa::{KeyPair, KeySize};
use domain::secret::Secret;
use jsonwebtoken::jwk::{Jwk, JwkSet};
use jsonwebtoken::{Algorithm, EncodingKey, Header, encode};
use serde::Serialize;
use thiserror::Error;
use time::OffsetDateTime;

/// The key's name in the key set.
const KEY_ID: &str = "local";

/// The bytes of PKCS #8 in front of a key of 2,048 bits (<https://www.rfc-editor.org/rfc/rfc5208#section-5>). What follows
/// is the key as PKCS #1, which is how it is kept and signed with.
const PKCS8_HEADER_BYTES: usize = 26;

/// For whom they are: the audience that clients of the original service asked for.
pub const AUDIENCE: &str = "https://management.core.windows.net/";

/// Why no token can be made.
#[derive(Debug, Error)]
pub enum TokenError {
    /// The key file cannot be read or written.
    #[error("the token key {path} cannot be used")]
    File {
        /// The path of the key's file.
        path: String,
        /// What the system says.
        #[source]
        source: std::io::Error,
    },
    /// There is no key yet.
    #[error(
        "there is no token key at {path}: start `serve`, which makes it, or name its folder with --state"
    )]
    Missing {
        /// The path at which no file is.
        path: String,
    },
    /// No key could be drawn.
    #[error("no key could be drawn")]
    Draw,
    /// The key is none, or signing failed.
    #[error("the token key cannot sign")]
    Sign(#[from] jsonwebtoken::errors::Error),
}

/// What a token says; the times are seconds since 1970.
#[derive(Debug, Serialize)]
struct Claims<'a> {
    iss: &'a str,
    sub: &'a str,
    aud: &'a str,
    iat: i64,
    nbf: i64,
    exp: i64,
    #[serde(skip_serializing_if = "Option::is_none")]
    nonce: Option<&'a str>,
}

/// Signs tokens with an RSA key that is kept in a file: API Gateway's authorizer takes no other
/// kind (<https://docs.aws.amazon.com/apigateway/latest/developerguide/http-api-jwt-authorizer.html>).
pub struct TokenIssuer {
    issuer: String,
    key: EncodingKey,
    keys: JwkSet,
}

impl TokenIssuer {
    /// Reads the key from the file, or draws one and writes it so that only its owner may read it.
    /// The tokens name `issuer`, a URL.
    ///
    /// # Errors
    /// [`TokenError`] when the file cannot be used or holds no key.
    pub fn open(path: &Path, issuer: &str) -> Result<Self, TokenError> {
        match Self::read(path, issuer) {
            Err(TokenError::Missing { .. }) => Self::of(&draw_key(path)?, issuer),
            read => read,
        }
    }

    /// Reads the key from the file, and writes nothing.
    ///
    /// # Errors
    /// [`TokenError`] when the file does not exist, cannot be read or holds no key.
    pub fn read(path: &Path, issuer: &str) -> Result<Self, TokenError> {
        let name = path.display().to_string();
        match std::fs::read(path) {
            Ok(key) => Self::of(&key, issuer),
            Err(error) if error.kind() == ErrorKind::NotFound => {
                Err(TokenError::Missing { path: name })
            }
            Err(source) => Err(TokenError::File { path: name, source }),
        }
    }

    fn of(pkcs1: &[u8], issuer: &str) -> Result<Self, TokenError> {
        let key = EncodingKey::from_rsa_der(pkcs1);
        let mut public = Jwk::from_encoding_key(&key, Algorithm::RS256)?;
        public.common.key_id = Some(KEY_ID.to_owned());
        Ok(Self {
            issuer: issuer.to_owned(),
            key,
            keys: JwkSet { keys: vec![public] },
        })
    }

    /// The public keys, for an authorizer.
    pub fn keys(&self) -> &JwkSet {
        &self.keys
    }

    /// Whom the tokens name as their issuer.
    pub fn issuer(&self) -> &str {
        &self.issuer
    }

    /// A token for the API, of `subject`, valid from `now` on for `ttl`.
    ///
    /// # Errors
    /// [`TokenError::Sign`] when the key cannot sign.
    pub fn mint(
        &self,
        subject: &str,
        now: OffsetDateTime,
        ttl: Duration,
    ) -> Result<Secret, TokenError> {
        self.sign((subject, AUDIENCE, None), now, ttl)
    }

    /// A token that says to `client` who signed in, with what the client gave to know it by
    /// (<https://openid.net/specs/openid-connect-core-1_0.html#IDToken>).
    ///
    /// # Errors
    /// [`TokenError::Sign`] when the key cannot sign.
    pub(crate) fn mint_id(
        &self,
        subject: &str,
        client: &str,
        nonce: Option<&str>,
        now: OffsetDateTime,
        ttl: Duration,
    ) -> Result<Secret, TokenError> {
        self.sign((subject, client, nonce), now, ttl)
    }

    fn sign(
        &self,
        (sub, aud, nonce): (&str, &str, Option<&str>),
        now: OffsetDateTime,
        ttl: Duration,
    ) -> Result<Secret, TokenError> {
        let now_s = now.unix_timestamp();
        let exp = (now + ttl).unix_timestamp();
        let claims = Claims {
            iss: &self.issuer,
            sub,
            aud,
            iat: now_s,
            nbf: now_s,
            exp,
            nonce,
        };
        self.sign_claims(&claims)
    }

    /// A token with these claims, whatever they say.
    ///
    /// # Errors
    /// [`TokenError::Sign`] when the key cannot sign.
    pub fn sign_claims(&self, claims: &impl Serialize) -> Result<Secret, TokenError> {
        let header = Header {
            kid: Some(KEY_ID.to_owned()),
            ..Header::new(Algorithm::RS256)
        };
        Ok(Secret::new(encode(&header, claims, &self.key)?))
    }
}

fn draw_key(path: &Path) -> Result<Vec<u8>, TokenError> {
    let key = KeyPair::generate(KeySize::Rsa2048).map_err(|_| TokenError::Draw)?;
    let key = AsDer::<Pkcs8V1Der<'_>>::as_der(&key).map_err(|_| TokenError::Draw)?;
    let key = key
        .as_ref()
        .get(PKCS8_HEADER_BYTES..)
        .ok_or(TokenError::Draw)?;
    write_secret(path, key).map_err(|source| TokenError::File {
        path: path.display().to_string(),
        source,
    })?;
    Ok(key.to_vec())
}

/// Writes a new file that only its owner may read.
///
/// # Errors
/// When the file exists or cannot be written.
pub(crate) fn write_secret(path: &Path, content: &[u8]) -> std::io::Result<()> {
    OpenOptions::new()
        .write(true)
        .create_new(true)
        .mode(0o600)
        .open(path)?
        .write_all(content)
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::PermissionsExt;

    use super::*;
    use crate::dynamodb::scratch_dir;

    const ISSUER: &str = "https://issuer.example.com/";

    #[test]
    fn the_key_is_drawn_once_and_only_its_owner_may_read_it() {
        let folder = scratch_dir().unwrap();
        let path = folder.path().join("token-rsa.der");
        let first = TokenIssuer::open(&path, ISSUER).unwrap();
        let second = TokenIssuer::open(&path, ISSUER).unwrap();
        assert_eq!(first.keys(), second.keys());
        assert_eq!(
            std::fs::metadata(&path).unwrap().permissions().mode() & 0o777,
            0o600
        );
    }

    #[test]
    fn a_key_that_is_only_read_is_never_drawn() {
        let folder = scratch_dir().unwrap();
        let path = folder.path().join("token-rsa.der");
        assert!(matches!(
            TokenIssuer::read(&path, ISSUER),
            Err(TokenError::Missing { .. })
        ));
        assert!(!path.exists());
    }

    #[test]
    fn a_file_that_holds_no_key_is_refused() {
        let folder = scratch_dir().unwrap();
        let path = folder.path().join("token-rsa.der");
        std::fs::write(&path, "not a key").unwrap();
        assert!(TokenIssuer::open(&path, ISSUER).is_err());
    }
}
