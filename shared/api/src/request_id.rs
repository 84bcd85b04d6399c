//! The client's own key of a request, which makes its repeats harmless.

use ports::store::RequestKey;
use time::Duration;

use super::Call;
use super::error::ApiError;
use super::shown::holds_signature;

/// The header that stock clients send with every request, the same in each of its repeats. Some
/// clients send one for their whole life, so it counts for a short while, and only together with
/// what is asked. It is echoed.
pub(crate) const CLIENT_REQUEST_ID: &str = "x-ms-client-request-id";

/// The header of a key that stands for one request. It takes precedence over [`CLIENT_REQUEST_ID`].
const IDEMPOTENCY_KEY: &str = "idempotency-key";

/// The most characters of a key.
const MOST_CHARACTERS: usize = 256;

/// How long a client's id of its request is remembered. Stock clients repeat a request within two
/// minutes.
const CLIENT_ID_REMEMBERED: Duration = Duration::minutes(10);

/// How long an idempotency key is remembered.
const KEY_REMEMBERED: Duration = Duration::DAY;

/// The key of a creation, as given.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum GivenKey {
    /// The value of `Idempotency-Key`, which stands for one request.
    Idempotency(String),
    /// The client's id of its request.
    Client(String),
}

impl GivenKey {
    /// The key under which a request for what hashes to `body_hash` is remembered.
    pub fn of_request(self, body_hash: &str) -> RequestKey {
        match self {
            Self::Idempotency(key) => RequestKey::Idempotency(key),
            Self::Client(id) => RequestKey::Client {
                id,
                body_hash: body_hash.to_owned(),
            },
        }
    }
}

/// How long a request is remembered under a key.
pub fn remembered(key: &RequestKey) -> Duration {
    match key {
        RequestKey::Idempotency(_) => KEY_REMEMBERED,
        RequestKey::Client { .. } => CLIENT_ID_REMEMBERED,
    }
}

/// The key that a creation came with; `None` when the client gave none.
///
/// # Errors
/// [`ApiError::InvalidRequestId`] when it is too long, not printable ASCII, or holds a signature.
pub fn given_key(call: Call<'_>) -> Result<Option<GivenKey>, ApiError> {
    if let Some(key) = usable(call, IDEMPOTENCY_KEY)? {
        return Ok(Some(GivenKey::Idempotency(key)));
    }
    Ok(usable(call, CLIENT_REQUEST_ID)?.map(GivenKey::Client))
}

fn usable(call: Call<'_>, header: &'static str) -> Result<Option<String>, ApiError> {
    match call.header(header) {
        Some(key) if !is_usable(&key) => Err(ApiError::InvalidRequestId {
            header,
            most: MOST_CHARACTERS,
        }),
        key => Ok(key.map(std::borrow::Cow::into_owned)),
    }
}

/// Whether a request id may be stored and echoed.
pub(super) fn is_usable(key: &str) -> bool {
    let is_printable = key
        .bytes()
        .all(|byte| byte == b' ' || byte.is_ascii_graphic());
    key.len() <= MOST_CHARACTERS && is_printable && !holds_signature(key)
}
