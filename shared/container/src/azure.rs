//! The container of a client's storage account, through Azure's official client.
#![expect(
    clippy::disallowed_types,
    reason = "the one adapter over Azure's container client"
)]

mod failure;

use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use azure_client::{BoundedClient, container_client};
use azure_core::http::{ExponentialRetryOptions, HttpClient, RetryOptions, Transport, Url};
use azure_storage_blob::models::{
    BlockBlobClientCommitBlockListOptions, BlockBlobClientStageBlockOptions, BlockLookupList,
};
use azure_storage_blob::{BlobContainerClient, BlockBlobClient};
use bytes::Bytes;
use domain::cause::in_one_line;
use domain::container::{BlobName, BlockId, ContainerAccess};
use ports::container::{Container, ContainerError, Containers};
use reqwest::redirect::Policy;
use tokio::time::timeout;
use tracing::info;
use wiring::config::STORAGE_TIMEOUT_SECONDS;

/// How patiently storage is asked.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AzureSettings {
    /// How long a connection may take.
    pub connect_timeout: Duration,
    /// How long one request may take, its body included: a block at the slowest rate worth waiting
    /// for.
    pub request_timeout: Duration,
    /// How often a request is repeated after 408, 429, 500, 502, 503, 504, a broken connection or
    /// a time-out.
    pub retries: u32,
    /// The wait before the first repeat; it doubles with each, and a longer `Retry-After` is
    /// honoured as long as the whole write stays within `retry_for` and the time of two
    /// requests.
    pub retry_delay: Duration,
    /// After how long no further repeat is started.
    pub retry_for: Duration,
}

impl Default for AzureSettings {
    fn default() -> Self {
        Self {
            connect_timeout: Duration::from_secs(5),
            request_timeout: STORAGE_TIMEOUT_SECONDS.default.unsigned_abs(),
            retries: 3,
            retry_delay: Duration::from_millis(200),
            retry_for: Duration::from_mins(1),
        }
    }
}

impl AzureSettings {
    /// How long one write may take, with its repeats: a storage that asks to be left alone for an
    /// hour is not waited for.
    fn patience(&self) -> Duration {
        // The time for repeats is counted from the end of the first request, and the last one may
        // begin at its end.
        self.request_timeout
            .saturating_mul(2)
            .saturating_add(self.retry_for)
    }

    fn retry_options(&self) -> RetryOptions {
        RetryOptions::exponential(ExponentialRetryOptions {
            initial_delay: duration(self.retry_delay),
            max_retries: self.retries,
            max_total_elapsed: duration(self.retry_for),
            ..ExponentialRetryOptions::default()
        })
    }
}

fn duration(duration: Duration) -> time::Duration {
    time::Duration::try_from(duration).unwrap_or(time::Duration::MAX)
}

/// Opens containers of Azure Storage. All share one HTTP client and its connections.
#[derive(Debug, Clone)]
pub struct AzureContainers {
    transport: Transport,
    retry: RetryOptions,
    patience: Duration,
}

impl AzureContainers {
    /// Builds the one HTTP client. It follows no redirect, because a request must not leave the
    /// checked host, and asks no proxy of the environment, because the signature is in the URL.
    ///
    /// # Errors
    /// [`ContainerError::Refused`] when the machine has no usable TLS.
    pub fn new(settings: &AzureSettings) -> Result<Self, ContainerError> {
        let client = reqwest::Client::builder()
            .connect_timeout(settings.connect_timeout)
            .timeout(settings.request_timeout)
            .redirect(Policy::none())
            .no_proxy()
            .build()
            .map_err(|_| ContainerError::Refused {
                code: "HttpClientNotBuilt".to_owned(),
            })?;
        Ok(Self::with_http_client(Arc::new(client), settings))
    }

    /// Sends requests through a given HTTP client, which keeps its own time-outs and must follow no
    /// redirect. Of an answer's body no more than 64 KiB is read.
    pub fn with_http_client(client: Arc<dyn HttpClient>, settings: &AzureSettings) -> Self {
        let transport = Transport::new(Arc::new(BoundedClient::writing(client)));
        Self {
            transport,
            retry: settings.retry_options(),
            patience: settings.patience(),
        }
    }
}

impl Containers for AzureContainers {
    fn open(&self, access: &ContainerAccess) -> Result<Arc<dyn Container>, ContainerError> {
        let unusable = || ContainerError::Refused {
            code: "InvalidUri".to_owned(),
        };
        let mut url = Url::parse(access.address.as_str()).map_err(|_| unusable())?;
        let host = url.host_str().unwrap_or_default().to_owned();
        url.set_query(Some(access.signature.reveal()));
        let client = container_client(url, self.transport.clone(), self.retry.clone())
            .map_err(|_| unusable())?;
        Ok(Arc::new(AzureContainer {
            client,
            host,
            patience: self.patience,
        }))
    }
}

struct AzureContainer {
    client: BlobContainerClient,
    host: String,
    patience: Duration,
}

impl AzureContainer {
    /// The client percent-encodes the name's slashes; storage reads the same name.
    fn blob(&self, name: &BlobName) -> BlockBlobClient {
        self.client.blob_client(name.as_str()).block_blob_client()
    }

    /// Waits for the end of a write, as long as settings allow.
    async fn settle<T>(
        &self,
        write: impl IntoFuture<Output = azure_core::Result<T>> + Send,
    ) -> Result<(), ContainerError> {
        let settled = match timeout(self.patience, write).await {
            Ok(written) => written.map(drop).map_err(|error| failure::of(&error)),
            Err(_) => Err(ContainerError::unavailable("no answer in time")),
        };
        settled.inspect_err(|error| {
            info!(
                storage.host = self.host,
                storage.errors = 1_u64,
                error = in_one_line(error),
                "storage did not take a write"
            );
        })
    }
}

#[async_trait]
impl Container for AzureContainer {
    async fn stage_block(
        &self,
        blob: &BlobName,
        block: BlockId,
        data: Bytes,
    ) -> Result<(), ContainerError> {
        let length = data.len() as u64;
        let options = BlockBlobClientStageBlockOptions {
            transactional_content_crc64: Some(transactional_crc64(&data)),
            ..BlockBlobClientStageBlockOptions::default()
        };
        let (blob, id) = (self.blob(blob), block.to_bytes());
        self.settle(blob.stage_block(&id, length, data.into(), Some(options)))
            .await
    }

    async fn commit_blocks(
        &self,
        blob: &BlobName,
        blocks: &[BlockId],
        content_type: &str,
    ) -> Result<(), ContainerError> {
        let latest = blocks.iter().map(|block| block.to_bytes()).collect();
        let list = BlockLookupList {
            latest: Some(latest),
            ..BlockLookupList::default()
        };
        let options = BlockBlobClientCommitBlockListOptions {
            blob_content_type: Some(content_type.to_owned()),
            ..BlockBlobClientCommitBlockListOptions::default()
        };
        let list = list.try_into().map_err(|error| failure::of(&error))?;
        self.settle(self.blob(blob).commit_block_list(list, Some(options)))
            .await
    }
}

/// Storage compares this with what arrives and refuses a damaged block. Azure's CRC64 is
/// CRC-64/NVME, little-endian (<https://learn.microsoft.com/en-us/rest/api/storageservices/put-block#request-headers-all-authorization-schemes>).
fn transactional_crc64(data: &[u8]) -> Vec<u8> {
    crc_fast::checksum(crc_fast::CrcAlgorithm::Crc64Nvme, data)
        .to_le_bytes()
        .to_vec()
}
