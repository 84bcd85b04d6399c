//! Azure's client of a container, opened in one way by those who write into it and those who read
//! it: through an HTTP client that bounds what it reads of an answer.
#![expect(
    clippy::disallowed_types,
    reason = "hands the vendor's client to those who may use it"
)]

mod bounded;

use azure_core::http::{ClientOptions, RetryOptions, Transport, Url};
use azure_storage_blob::{BlobContainerClient, BlobContainerClientOptions};

pub use self::bounded::{AnswerTooLong, BoundedClient, causes};

/// A client of the container at a URL with its signature; no request is made.
///
/// # Errors
/// Azure's own error, which holds the URL and so must not be shown or logged, when the URL is that
/// of no container.
pub fn container_client(
    url: Url,
    transport: Transport,
    retry: RetryOptions,
) -> azure_core::Result<BlobContainerClient> {
    let client_options = ClientOptions {
        transport: Some(transport),
        retry,
        ..ClientOptions::default()
    };
    let options = BlobContainerClientOptions {
        client_options,
        ..BlobContainerClientOptions::default()
    };
    BlobContainerClient::new(url, None, Some(options))
}
