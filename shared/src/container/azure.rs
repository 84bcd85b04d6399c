//! The container of a client's storage account, through Azure's official client.
#![expect(clippy::disallowed_types, reason = "the one adapter over Azure's container client")]

mod failure;

use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use azure_core::http::{ClientOptions, ExponentialRetryOptions, HttpClient, RetryOptions, Transport, Url};
use azure_storage_blob::models::{
    BlockBlobClientCommitBlockListOptions, BlockBlobClientStageBlockOptions, BlockLookupList,
};
use azure_storage_blob::{BlobContainerClient, BlobContainerClientOptions, BlockBlobClient};
use bytes::Bytes;
use reqwest::redirect::Policy;

use super::{BlobName, BlockId, Container, ContainerAccess, ContainerError, Containers};

/// How patiently storage is asked.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AzureSettings {
    /// How long a connection may take.
    pub connect_timeout: Duration,
    /// How long one request may take, its body included: a block at the slowest rate worth waiting for.
    pub request_timeout: Duration,
    /// How often a request is repeated after 408, 429, 500, 502, 503, 504, a broken connection or a time-out.
    pub retries: u32,
    /// The wait before the first repeat; it doubles with each, and a longer `Retry-After` is honoured.
    pub retry_delay: Duration,
    /// After how long no further repeat is started.
    pub retry_for: Duration,
}

impl Default for AzureSettings {
    fn default() -> Self {
        Self {
            connect_timeout: Duration::from_secs(5),
            request_timeout: Duration::from_secs(30),
            retries: 3,
            retry_delay: Duration::from_millis(200),
            retry_for: Duration::from_mins(1),
        }
    }
}

impl AzureSettings {
    /// For a caller who waits: one repeat, within [`super::preflight`]'s own deadline.
    pub fn for_preflight() -> Self {
        Self {
            connect_timeout: Duration::from_secs(3),
            request_timeout: Duration::from_secs(5),
            retries: 1,
            ..Self::default()
        }
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
}

impl AzureContainers {
    /// Builds the one HTTP client. It follows no redirect, because a request must not leave the checked host, and asks
    /// no proxy of the environment, because the signature is in the URL.
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
            .map_err(|_| ContainerError::Refused { code: "HttpClientNotBuilt".to_owned() })?;
        Ok(Self::with_http_client(Arc::new(client), settings))
    }

    /// Sends requests through a given HTTP client, which keeps its own time-outs and must follow no redirect.
    pub fn with_http_client(client: Arc<dyn HttpClient>, settings: &AzureSettings) -> Self {
        Self { transport: Transport::new(client), retry: settings.retry_options() }
    }
}

impl Containers for AzureContainers {
    fn open(&self, access: &ContainerAccess) -> Result<Arc<dyn Container>, ContainerError> {
        let unusable = || ContainerError::Refused { code: "InvalidUri".to_owned() };
        let mut url = Url::parse(access.address.as_str()).map_err(|_| unusable())?;
        url.set_query(Some(access.signature.reveal()));
        let client_options = ClientOptions {
            transport: Some(self.transport.clone()),
            retry: self.retry.clone(),
            ..ClientOptions::default()
        };
        let options = BlobContainerClientOptions { client_options, ..BlobContainerClientOptions::default() };
        let client = BlobContainerClient::new(url, None, Some(options)).map_err(|_| unusable())?;
        Ok(Arc::new(AzureContainer { client }))
    }
}

struct AzureContainer {
    client: BlobContainerClient,
}

impl AzureContainer {
    /// The client percent-encodes the name's slashes; storage reads the same name.
    fn blob(&self, name: &BlobName) -> BlockBlobClient {
        self.client.blob_client(name.as_str()).block_blob_client()
    }
}

#[async_trait]
impl Container for AzureContainer {
    async fn stage_block(&self, blob: &BlobName, block: BlockId, data: Bytes) -> Result<(), ContainerError> {
        let length = data.len() as u64;
        let options = BlockBlobClientStageBlockOptions {
            transactional_content_crc64: Some(transactional_crc64(&data)),
            ..BlockBlobClientStageBlockOptions::default()
        };
        let staged = self.blob(blob).stage_block(&block.to_bytes(), length, data.into(), Some(options)).await;
        staged.map(drop).map_err(|error| failure::of(&error))
    }

    async fn commit_blocks(
        &self,
        blob: &BlobName,
        blocks: &[BlockId],
        content_type: &str,
    ) -> Result<(), ContainerError> {
        let latest = blocks.iter().map(|block| block.to_bytes()).collect();
        let list = BlockLookupList { latest: Some(latest), ..BlockLookupList::default() };
        let options = BlockBlobClientCommitBlockListOptions {
            blob_content_type: Some(content_type.to_owned()),
            ..BlockBlobClientCommitBlockListOptions::default()
        };
        let list = list.try_into().map_err(|error| failure::of(&error))?;
        let committed = self.blob(blob).commit_block_list(list, Some(options)).await;
        committed.map(drop).map_err(|error| failure::of(&error))
    }
}

/// Storage compares this with what arrives and refuses a damaged block. Azure's CRC64 is CRC-64/NVME, little-endian
/// (<https://learn.microsoft.com/en-us/rest/api/storageservices/put-block#request-headers-all-authorization-schemes>).
fn transactional_crc64(data: &[u8]) -> Vec<u8> {
    crc_fast::checksum(crc_fast::CrcAlgorithm::Crc64Nvme, data).to_le_bytes().to_vec()
}
