//! Storage's answers, read with a bound.

use std::error::Error as StdError;
use std::iter::successors;
use std::sync::Arc;

use async_trait::async_trait;
use azure_core::error::{Error, ErrorKind};
use azure_core::http::{AsyncRawResponse, HttpClient, Request, StatusCode};
use bytes::{Bytes, BytesMut};
use futures::{Stream, TryStreamExt};
use thiserror::Error;

/// The most bytes of an answer's body. Storage answers a write with none, and a refusal with some
/// hundred (<https://learn.microsoft.com/en-us/rest/api/storageservices/status-and-error-codes2#error-response-format>).
const MAX_ANSWER_BYTES: usize = 64 * 1024;

/// The most bytes of a page of a listing: 5,000 blobs, each with a name of 1,024 characters and its
/// properties (<https://learn.microsoft.com/en-us/rest/api/storageservices/list-blobs#uri-parameters>).
const MAX_LISTING_BYTES: usize = 32 * 1024 * 1024;

/// An answer's body goes on and on: whatever answers, it is not Azure Storage.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[error("the answer has more than {most_bytes} bytes")]
pub struct AnswerTooLong {
    most_bytes: usize,
}

impl AnswerTooLong {
    /// Whether it is why a request failed.
    pub fn caused(error: &Error) -> bool {
        causes(error).any(<dyn StdError>::is::<Self>)
    }
}

/// An error and what it came from, the nearest first.
pub fn causes(error: &Error) -> impl Iterator<Item = &(dyn StdError + 'static)> {
    successors(
        Some(error as &(dyn StdError + 'static)),
        |cause: &&(dyn StdError + 'static)| (*cause).source(),
    )
}

/// An HTTP client that reads no more of an answer's body than a storage sends. Azure's client would
/// collect it whole, and a server that does not end its answer could fill the memory.
#[derive(Debug)]
pub struct BoundedClient {
    inner: Arc<dyn HttpClient>,
    streams_blobs: bool,
}

impl BoundedClient {
    /// Bounds every answer that `inner` gets: for one who writes.
    pub fn writing(inner: Arc<dyn HttpClient>) -> Self {
        Self {
            inner,
            streams_blobs: false,
        }
    }

    /// Bounds refusals and listings; a blob is passed on piece by piece: for one who reads.
    pub fn reading(inner: Arc<dyn HttpClient>) -> Self {
        Self {
            inner,
            streams_blobs: true,
        }
    }

    /// The most bytes of an answer's body; `None` for a blob, which has any size.
    fn most_bytes(&self, request: &Request, status: StatusCode) -> Option<usize> {
        match (
            self.streams_blobs && status.is_success(),
            is_listing(request),
        ) {
            (true, true) => Some(MAX_LISTING_BYTES),
            (true, false) => None,
            (false, _) => Some(MAX_ANSWER_BYTES),
        }
    }
}

/// Whether the request lists blobs, by its `comp=list`
/// (<https://learn.microsoft.com/en-us/rest/api/storageservices/list-blobs#request>).
fn is_listing(request: &Request) -> bool {
    request
        .url()
        .query_pairs()
        .any(|(name, value)| name == "comp" && value == "list")
}

#[async_trait]
impl HttpClient for BoundedClient {
    async fn execute_request(&self, request: &Request) -> azure_core::Result<AsyncRawResponse> {
        let answer = self.inner.execute_request(request).await?;
        let Some(most_bytes) = self.most_bytes(request, answer.status()) else {
            return Ok(answer);
        };
        let (status, headers, body) = answer.deconstruct();
        let body = match collect(body, most_bytes).await {
            Ok(body) => body,
            // What a refusal means stands in its status and headers; that its body cannot be read
            // changes nothing.
            Err(_) if !status.is_success() => Bytes::new(),
            Err(error) => return Err(error),
        };
        Ok(AsyncRawResponse::from_bytes(status, headers, body))
    }
}

/// The kind of error is one that Azure's client does not repeat.
async fn collect(
    mut body: impl Stream<Item = azure_core::Result<Bytes>> + Unpin,
    most_bytes: usize,
) -> azure_core::Result<Bytes> {
    let mut collected = BytesMut::new();
    while let Some(piece) = body.try_next().await? {
        if collected.len() + piece.len() > most_bytes {
            return Err(Error::new(
                ErrorKind::DataConversion,
                AnswerTooLong { most_bytes },
            ));
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
        stream::iter(
            sizes
                .iter()
                .map(|size| Ok(Bytes::from(vec![b'x'; *size])))
                .collect::<Vec<_>>(),
        )
    }

    #[tokio::test]
    async fn a_body_is_read_up_to_the_bound_and_no_byte_further() {
        for sizes in [&[][..], &[MAX_ANSWER_BYTES], &[MAX_ANSWER_BYTES - 1, 1]] {
            assert_eq!(
                collect(pieces(sizes), MAX_ANSWER_BYTES)
                    .await
                    .unwrap()
                    .len(),
                sizes.iter().sum::<usize>()
            );
        }
        for sizes in [&[MAX_ANSWER_BYTES + 1][..], &[MAX_ANSWER_BYTES, 1]] {
            let error = collect(pieces(sizes), MAX_ANSWER_BYTES).await.unwrap_err();
            assert!(matches!(error.kind(), ErrorKind::DataConversion), "{error}");
        }
    }

    #[tokio::test]
    async fn an_endless_body_is_left_at_the_bound() {
        let endless = stream::repeat_with(|| Ok(Bytes::from_static(&[b'x'; 1024])));
        assert!(collect(endless, MAX_ANSWER_BYTES).await.is_err());
    }
}
