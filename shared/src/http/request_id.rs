//! The client's own id of a request, which makes its repeats harmless.

use super::Call;
use super::error::ApiError;

/// The header that stock clients send with every request, the same in each of its repeats. It is echoed.
pub const CLIENT_REQUEST_ID: &str = "x-ms-client-request-id";

/// The header that takes precedence over [`CLIENT_REQUEST_ID`].
const IDEMPOTENCY_KEY: &str = "idempotency-key";

/// The most characters of a key.
const MOST_CHARACTERS: usize = 256;

/// The key under which a creation is remembered; `None` when the client gave none.
///
/// # Errors
/// [`ApiError::InvalidRequestId`] when it is too long, or not printable ASCII.
pub fn idempotency_key(call: Call<'_>) -> Result<Option<String>, ApiError> {
    let given = |header| call.header(header).map(|key| (header, key));
    let Some((header, key)) = given(IDEMPOTENCY_KEY).or_else(|| given(CLIENT_REQUEST_ID)) else { return Ok(None) };
    if is_usable(&key) {
        return Ok(Some(key.into_owned()));
    }
    Err(ApiError::InvalidRequestId { header, most: MOST_CHARACTERS })
}

/// Whether a request id may be stored and echoed.
pub(super) fn is_usable(key: &str) -> bool {
    key.len() <= MOST_CHARACTERS && key.bytes().all(|byte| byte == b' ' || byte.is_ascii_graphic())
}
