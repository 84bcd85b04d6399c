//! Storage's answers, read with a bound.

use std::sync::Arc;

use async_trait::async_trait;
use azure_core::error::{Error, ErrorKind};
use azure_core::http::{AsyncRawResponse, HttpClient, Request};
use bytes::{Bytes, BytesMut};
use futures::{Stream, TryStreamExt};
use thiserror::Error;

/// The most bytes of an answer's body. Storage answers a write with none, and a refusal with some hundred
/// (<https://learn.microsoft.com/en-us/rest/api/storageservices/status-and-error-codes2#error-response-format>).
const MAX_ANSWER_BYTES: usize = 64 * 1024;

/// An answer's body goes on and on: whatever answers, it is not Azure Storage.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[error("the answer has more than {MAX_ANSWER_BYTES} bytes")]
pub(super) struct AnswerTooLong;

/// An HTTP client that reads no more of an answer's body than a storage sends. Azure's client would collect it whole,
/// and a server that does not end its answer could fill the function's memory.
#[derive(Debug)]
pub(super) struct BoundedClient {
    inner: Arc<dyn HttpClient>,
}

impl BoundedClient {
    /// Bounds the answers that `inner` gets.
    pub(super) fn new(inner: Arc<dyn HttpClient>) -> Self {
        Self { inner }
    }
}

#[async_trait]
impl HttpClient for BoundedClient {
    async fn execute_request(&self, request: &Request) -> azure_core::Result<AsyncRawResponse> {
        let (status, headers, body) = self.inner.execute_request(request).await?.deconstruct();
        let body = match collect(body).await {
            Ok(body) => body,
            // What a refusal means stands in its status and headers; that its body cannot be read changes nothing.
            Err(_) if !status.is_success() => Bytes::new(),
            Err(error) => return Err(error),
        };
        Ok(AsyncRawResponse::from_bytes(status, headers, body))
    }
}

/// The kind of error is one that Azure's client does not repeat.
async fn collect(mut body: impl Stream<Item = azure_core::Result<Bytes>> + Unpin) -> azure_core::Result<Bytes> {
    let mut collected = BytesMut::new();
    while let Some(piece) = body.try_next().await? {
        if collected.len() + piece.len() > MAX_ANSWER_BYTES {
            return Err(Error::new(ErrorKind::DataConversion, AnswerTooLong));
        }
        collected.extend_from_slice(&piece);
    }
    Ok(collected.freeze())
}

#[cfg(test)]
mod tests {
    use futures::stream;

    use super::*;

    fn pieces(sizes: &[usize]) -> impl Stream<Item = azure_core::Result<Bytes>> + Unpin {
        stream::iter(sizes.iter().map(|size| Ok(Bytes::from(vec![b'x'; *size]))).collect::<Vec<_>>())
    }

    #[tokio::test]
    async fn a_body_is_read_up_to_the_bound_and_no_byte_further() {
        for sizes in [&[][..], &[MAX_ANSWER_BYTES], &[MAX_ANSWER_BYTES - 1, 1]] {
            assert_eq!(collect(pieces(sizes)).await.unwrap().len(), sizes.iter().sum::<usize>());
        }
        for sizes in [&[MAX_ANSWER_BYTES + 1][..], &[MAX_ANSWER_BYTES, 1]] {
            let error = collect(pieces(sizes)).await.unwrap_err();
            assert!(matches!(error.kind(), ErrorKind::DataConversion), "{error}");
        }
    }

    #[tokio::test]
    async fn an_endless_body_is_left_at_the_bound() {
        let endless = stream::repeat_with(|| Ok(Bytes::from_static(&[b'x'; 1024])));
        assert!(collect(endless).await.is_err());
    }
}
