//! What is in a container, for whoever may read it: the demonstration and the tests, never the service.
#![expect(clippy::disallowed_types, reason = "the service's port writes only; this reads")]

use std::path::Path;
use std::sync::Arc;

use azure_core::error::ErrorKind;
use azure_core::http::{ClientOptions, StatusCode, Transport, Url};
use azure_storage_blob::models::{BlobClientDownloadResult, BlobItem};
use azure_storage_blob::{BlobContainerClient, BlobContainerClientOptions};
use futures::{StreamExt, TryStreamExt};
use reqwest::redirect::Policy;
use shared::secret::Secret;
use thiserror::Error;
use tokio::io::AsyncWriteExt;

/// Why a container cannot be read. Holds no URL: Azure's own error would show the signature in its `Debug`.
#[derive(Debug, Error)]
pub enum BlobsError {
    /// The URL is none.
    #[error("the container URL is not a URL")]
    NotAUrl,
    /// Storage does not do it.
    #[error("storage does not {what} ({reason})")]
    Storage {
        /// What was asked.
        what: String,
        /// What it answered.
        reason: String,
    },
    /// The file to download into cannot be written.
    #[error("a downloaded blob cannot be written")]
    File(#[from] std::io::Error),
}

/// A committed blob.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BlobEntry {
    /// Its name.
    pub name: String,
    /// Its size, in bytes.
    pub size_bytes: u64,
    /// Its content type.
    pub content_type: Option<String>,
}

/// A container, opened with a signature that may read and list.
pub struct ContainerView {
    client: BlobContainerClient,
}

impl ContainerView {
    /// Opens a container URL with its signature; no request is made.
    ///
    /// # Errors
    /// [`BlobsError::NotAUrl`].
    pub fn open(url: &Secret) -> Result<Self, BlobsError> {
        let url = Url::parse(url.reveal()).map_err(|_| BlobsError::NotAUrl)?;
        let client_options = ClientOptions { transport: Some(direct()?), ..ClientOptions::default() };
        let options = BlobContainerClientOptions { client_options, ..BlobContainerClientOptions::default() };
        let client = BlobContainerClient::new(url, None, Some(options)).map_err(|_| BlobsError::NotAUrl)?;
        Ok(Self { client })
    }

    /// Makes the container; one that exists already is left as it is. Needs an account's signature.
    ///
    /// # Errors
    /// [`BlobsError::Storage`].
    pub async fn create(&self) -> Result<(), BlobsError> {
        match self.client.create(None).await {
            Err(error) if error.http_status() != Some(StatusCode::Conflict) => {
                Err(failure("create the container", &error))
            }
            Ok(_) | Err(_) => Ok(()),
        }
    }

    /// All committed blobs, by name.
    ///
    /// # Errors
    /// [`BlobsError::Storage`].
    pub async fn list(&self) -> Result<Vec<BlobEntry>, BlobsError> {
        let failed = |error| failure("list the container", &error);
        self.client.list_blobs(None).map_err(failed)?.map_ok(entry).try_collect().await.map_err(failed)
    }

    /// A blob's bytes.
    ///
    /// # Errors
    /// [`BlobsError::Storage`].
    pub async fn read(&self, name: &str) -> Result<Vec<u8>, BlobsError> {
        let body = self.download(name).await?.body.collect().await;
        body.map(Into::into).map_err(|error| failure(&format!("read {name}"), &error))
    }

    /// Downloads a blob into a file, piece by piece.
    ///
    /// # Errors
    /// [`BlobsError::Storage`], or [`BlobsError::File`] when the file cannot be written.
    pub async fn download_to(&self, name: &str, path: &Path) -> Result<(), BlobsError> {
        let mut body = self.download(name).await?.body;
        let mut file = tokio::fs::File::create(path).await?;
        while let Some(piece) = body.next().await {
            let piece = piece.map_err(|error| failure(&format!("read {name}"), &error))?;
            file.write_all(&piece).await?;
        }
        Ok(file.flush().await?)
    }

    async fn download(&self, name: &str) -> Result<BlobClientDownloadResult, BlobsError> {
        let download = self.client.blob_client(name).download(None).await;
        download.map_err(|error| failure(&format!("read {name}"), &error))
    }
}

/// Asks no proxy of the environment: the emulator is on this machine.
fn direct() -> Result<Transport, BlobsError> {
    let client = reqwest::Client::builder().no_proxy().redirect(Policy::none()).build();
    let client = client.map_err(|_| BlobsError::Storage {
        what: "open the container".to_owned(),
        reason: "no usable TLS".to_owned(),
    })?;
    Ok(Transport::new(Arc::new(client)))
}

fn failure(what: &str, error: &azure_core::Error) -> BlobsError {
    BlobsError::Storage { what: what.to_owned(), reason: reason(error) }
}

fn reason(error: &azure_core::Error) -> String {
    match error.kind() {
        ErrorKind::HttpResponse { status, error_code, .. } => error_code.clone().unwrap_or_else(|| status.to_string()),
        ErrorKind::Connection => "no connection".to_owned(),
        ErrorKind::Io => "the connection broke".to_owned(),
        ErrorKind::DataConversion | ErrorKind::Credential | ErrorKind::Other => "the answer was unreadable".to_owned(),
    }
}

fn entry(item: BlobItem) -> BlobEntry {
    let properties = item.properties.unwrap_or_default();
    BlobEntry {
        name: item.name.unwrap_or_default(),
        size_bytes: properties.content_length.unwrap_or_default(),
        content_type: properties.content_type,
    }
}
