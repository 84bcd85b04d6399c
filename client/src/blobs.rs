//! What is in a container, for those who may read it: verification and the tests, never the
//! service.
#![expect(
    clippy::disallowed_types,
    reason = "the service's port writes only; this reads"
)]

mod folder;

use std::num::NonZero;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use azure_client::{AnswerTooLong, BoundedClient, container_client};
use azure_core::error::ErrorKind;
use azure_core::http::headers::{HeaderName, Headers};
use azure_core::http::{
    ExponentialRetryOptions, HttpClient, RetryOptions, StatusCode, Transport, Url,
};
use azure_storage_blob::BlobContainerClient;
use azure_storage_blob::models::{
    BlobClientDownloadOptions, BlobClientDownloadResult, BlobContainerClientListBlobsOptions,
    BlobItem, BlockBlobClientUploadOptions,
};
use bytes::Bytes;
use domain::secret::Secret;
use futures::stream::BoxStream;
use futures::{StreamExt, TryStreamExt};
use reqwest::redirect::Policy;
use thiserror::Error;
use tokio::io::AsyncWriteExt;
use tokio::time::timeout;

/// How long a connection may take.
const CONNECT: Duration = Duration::from_secs(10);

/// How long an answer may pause.
const SILENCE: Duration = Duration::from_mins(1);

/// How long storage may take until the next piece of what was asked, with repeats and the time that
/// it asks to be left alone: a person in front of a terminal gets an error rather than an hour's
/// wait.
const PATIENCE: Duration = Duration::from_mins(5);

/// How often a request is repeated.
const RETRIES: u32 = 4;

/// How many ranges of a blob, of 4 MiB each, are read at once.
const RANGES_AT_ONCE: usize = 2;

/// Why a container cannot be read. Holds no URL: Azure's own error would show the signature in its
/// `Debug`.
#[derive(Debug, Error)]
pub enum BlobsError {
    /// The URL is none.
    #[error("the container URL is not a URL")]
    NotAUrl,
    /// The signature does not allow it: expired, revoked, lacking a permission.
    #[error("storage does not {what}: it refuses the signature ({reason})")]
    Denied {
        /// The request, as a verb with its object: `read {name}`, `list the container`.
        what: String,
        /// Azure's error code, or the HTTP status when the answer names none.
        reason: String,
    },
    /// The blob is another one than that which was begun.
    #[error("the blob {name} has changed")]
    Changed {
        /// The name within the container, as it was asked for.
        name: String,
    },
    /// There is no such blob.
    #[error("there is no blob {name}")]
    Missing {
        /// The name within the container, as it was asked for.
        name: String,
    },
    /// Storage does not do it.
    #[error("storage does not {what} ({reason})")]
    Storage {
        /// The request, as a verb with its object: `read {name}`, `list the container`.
        what: String,
        /// Azure's error code or the HTTP status; words of ours when no answer came.
        reason: String,
    },
    /// The file to download into cannot be written.
    #[error("a downloaded blob cannot be written")]
    File(#[from] std::io::Error),
}

/// A committed blob, as a listing has it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BlobEntry {
    /// Its name within the container; that of an export's file begins with `{exportType}/{jobId}/`.
    pub name: String,
    /// Its size, in bytes.
    pub size_bytes: u64,
    /// Its content type; absent when the listing has none.
    pub content_type: Option<String>,
}

/// A blob that is being read.
pub struct BlobStream {
    /// The whole blob's size, in bytes.
    pub size_bytes: u64,
    /// Which version of the blob it is, as storage says it.
    pub etag: Option<String>,
    /// Its bytes in order; an error when one piece takes longer than five minutes.
    pub body: BoxStream<'static, Result<Bytes, BlobsError>>,
}

/// A container, or a folder within one, opened with a signature that may read and, for
/// [`ContainerView::list`], list. All names are those below the folder.
pub struct ContainerView {
    /// Reads and writes: what it appends to its URL is a name below the folder.
    client: BlobContainerClient,
    /// Lists: its URL is that of the container.
    container: BlobContainerClient,
    /// The folder with a slash at its end; empty when there is none.
    folder: String,
}

impl ContainerView {
    /// Opens a container URL with its signature; no request is made.
    ///
    /// # Errors
    /// [`BlobsError::NotAUrl`].
    pub fn open(url: &Secret) -> Result<Self, BlobsError> {
        let url = Url::parse(url.reveal()).map_err(|_| BlobsError::NotAUrl)?;
        let http = Arc::new(http_client(&url)?);
        Self::with_http_client(&url, http)
    }

    /// Sends requests through a given HTTP client, which keeps its own time-outs and must follow no
    /// redirect.
    ///
    /// # Errors
    /// [`BlobsError::NotAUrl`].
    pub fn with_http_client(url: &Url, http: Arc<dyn HttpClient>) -> Result<Self, BlobsError> {
        let transport = Transport::new(Arc::new(BoundedClient::reading(http)));
        let open = |url| {
            let client = container_client(url, transport.clone(), retries());
            client.map_err(|_| BlobsError::NotAUrl)
        };
        let (url, container, folder) = folder::split(url).ok_or(BlobsError::NotAUrl)?;
        Ok(Self {
            client: open(url)?,
            container: open(container)?,
            folder,
        })
    }

    /// Makes the container; one that exists already is left as it is. Needs an account's signature.
    ///
    /// # Errors
    /// [`BlobsError::Storage`].
    pub async fn create(&self) -> Result<(), BlobsError> {
        match self.container.create(None).await {
            Err(error) if error.http_status() != Some(StatusCode::Conflict) => {
                Err(failure("create the container", &error))
            }
            Ok(_) | Err(_) => Ok(()),
        }
    }

    /// Writes a small blob, in one request. Needs a signature that may write.
    ///
    /// # Errors
    /// [`BlobsError::Storage`].
    pub async fn put(
        &self,
        name: &str,
        data: &'static [u8],
        content_type: &str,
    ) -> Result<(), BlobsError> {
        let options = BlockBlobClientUploadOptions {
            blob_content_type: Some(content_type.to_owned()),
            ..BlockBlobClientUploadOptions::default()
        };
        let blob = self.client.blob_client(name).block_blob_client();
        let content = Bytes::from_static(data).into();
        blob.upload(content, Some(options))
            .await
            .map_err(|error| failure(&format!("write {name}"), &error))?;
        Ok(())
    }

    /// All committed blobs, by name.
    ///
    /// # Errors
    /// [`BlobsError::Storage`].
    pub async fn list(&self) -> Result<Vec<BlobEntry>, BlobsError> {
        self.list_below("")?.try_collect().await
    }

    /// The committed blobs whose names begin with a prefix, by name.
    ///
    /// # Errors
    /// [`BlobsError::Storage`]; the stream's items too.
    pub(crate) fn list_below(
        &self,
        prefix: &str,
    ) -> Result<impl futures::Stream<Item = Result<BlobEntry, BlobsError>> + Send + use<>, BlobsError>
    {
        let failed = |error| failure("list the container", &error);
        let prefix = format!("{}{prefix}", self.folder);
        let prefix = Some(prefix).filter(|prefix| !prefix.is_empty());
        let options = BlobContainerClientListBlobsOptions {
            prefix,
            ..BlobContainerClientListBlobsOptions::default()
        };
        let folder = self.folder.clone();
        let blobs = self
            .container
            .list_blobs(Some(options))
            .map_err(failed)?
            .map_ok(move |item| entry(item, &folder))
            .map_err(failed);
        Ok(patiently("list the container".to_owned(), blobs))
    }

    /// A blob's bytes.
    ///
    /// # Errors
    /// [`BlobsError::Storage`].
    pub async fn read(&self, name: &str) -> Result<Vec<u8>, BlobsError> {
        let pieces: Vec<Bytes> = self.stream(name).await?.body.try_collect().await?;
        Ok(pieces.concat())
    }

    /// Downloads a blob into a file, piece by piece.
    ///
    /// # Errors
    /// [`BlobsError::Storage`], or [`BlobsError::File`] when the file cannot be written.
    pub async fn download_to(&self, name: &str, path: &Path) -> Result<(), BlobsError> {
        let mut body = self.stream(name).await?.body;
        let mut file = tokio::fs::File::create(path).await?;
        while let Some(piece) = body.next().await {
            file.write_all(&piece?).await?;
        }
        Ok(file.flush().await?)
    }

    /// Begins to read a blob; bounded memory, whatever its size. It is one version of the blob, to
    /// the end.
    ///
    /// # Errors
    /// [`BlobsError`]; [`BlobsError::Missing`] when there is none.
    pub async fn stream(&self, name: &str) -> Result<BlobStream, BlobsError> {
        self.begin(name, BlobClientDownloadOptions::default()).await
    }

    /// As [`ContainerView::stream`], without the first bytes, and of that version of the blob alone.
    ///
    /// # Errors
    /// As there; [`BlobsError::Changed`] when the blob is another one.
    pub(crate) async fn stream_rest(
        &self,
        name: &str,
        from: u64,
        etag: &str,
    ) -> Result<BlobStream, BlobsError> {
        let options = BlobClientDownloadOptions {
            range: Some((from..).into()),
            if_match: Some(etag.into()),
            ..BlobClientDownloadOptions::default()
        };
        self.begin(name, options).await
    }

    async fn begin(
        &self,
        name: &str,
        options: BlobClientDownloadOptions<'_>,
    ) -> Result<BlobStream, BlobsError> {
        let failed = {
            let name = name.to_owned();
            move |error| failure_of_blob(&name, &error)
        };
        let options = BlobClientDownloadOptions {
            parallel: NonZero::new(RANGES_AT_ONCE),
            ..options
        };
        let what = format!("read {name}");
        let blob = self.client.blob_client(name);
        let download = timeout(PATIENCE, blob.download(Some(options)))
            .await
            .map_err(|_| no_answer(&what))?;
        let download = download.map_err(&failed)?;
        let size_bytes = size_of(&download);
        Ok(BlobStream {
            size_bytes,
            etag: download.properties.etag.as_ref().map(ToString::to_string),
            body: patiently(what, download.body.map_err(failed)).boxed(),
        })
    }
}

/// The same items, as long as each comes in time.
fn patiently<T: Send + 'static>(
    what: String,
    items: impl futures::Stream<Item = Result<T, BlobsError>> + Send + 'static,
) -> impl futures::Stream<Item = Result<T, BlobsError>> + Send + 'static {
    futures::stream::try_unfold((what, Box::pin(items)), |(what, mut items)| async move {
        let next = timeout(PATIENCE, items.try_next())
            .await
            .map_err(|_| no_answer(&what))??;
        Ok(next.map(|item| (item, (what, items))))
    })
}

fn no_answer(what: &str) -> BlobsError {
    BlobsError::Storage {
        what: what.to_owned(),
        reason: "no answer in time".to_owned(),
    }
}

const CONTENT_RANGE: HeaderName = HeaderName::from_static("content-range");

/// The whole blob's size: of a blob that is read in ranges the first answer says which range of how
/// many bytes it is.
fn size_of(download: &BlobClientDownloadResult) -> u64 {
    let total = |headers: &Headers| {
        headers
            .get_optional_str(&CONTENT_RANGE)?
            .rsplit_once('/')?
            .1
            .parse()
            .ok()
    };
    total(&download.headers)
        .or(download.properties.content_length)
        .unwrap_or_default()
}

/// Follows no redirect: a request must not leave the host. An emulator on this machine is asked
/// directly, any other storage as the environment's proxy settings say.
fn http_client(url: &Url) -> Result<reqwest::Client, BlobsError> {
    let builder = reqwest::Client::builder()
        .redirect(Policy::none())
        .connect_timeout(CONNECT)
        .read_timeout(SILENCE);
    let builder = if is_loopback(url) {
        builder.no_proxy()
    } else {
        builder
    };
    builder.build().map_err(|_| BlobsError::Storage {
        what: "open the container".to_owned(),
        reason: "no usable TLS".to_owned(),
    })
}

/// Whether the host is this machine.
pub(crate) fn is_loopback(url: &Url) -> bool {
    url.host_str()
        .is_some_and(|host| matches!(host, "127.0.0.1" | "[::1]" | "localhost"))
}

fn retries() -> RetryOptions {
    RetryOptions::exponential(ExponentialRetryOptions {
        max_retries: RETRIES,
        ..ExponentialRetryOptions::default()
    })
}

fn failure_of_blob(name: &str, error: &azure_core::Error) -> BlobsError {
    let name_of_blob = || name.to_owned();
    if reason(error) == "BlobNotFound" {
        return BlobsError::Missing {
            name: name_of_blob(),
        };
    }
    if error.http_status() == Some(StatusCode::PreconditionFailed) {
        return BlobsError::Changed {
            name: name_of_blob(),
        };
    }
    failure(&format!("read {name}"), error)
}

fn failure(what: &str, error: &azure_core::Error) -> BlobsError {
    let (what, reason) = (what.to_owned(), reason(error));
    match error.http_status() {
        Some(StatusCode::Unauthorized | StatusCode::Forbidden) => {
            BlobsError::Denied { what, reason }
        }
        Some(_) | None => BlobsError::Storage { what, reason },
    }
}

fn reason(error: &azure_core::Error) -> String {
    match error.kind() {
        ErrorKind::HttpResponse {
            status, error_code, ..
        } => error_code.clone().unwrap_or_else(|| status.to_string()),
        ErrorKind::Connection => "no connection".to_owned(),
        ErrorKind::Io => "the connection broke".to_owned(),
        ErrorKind::DataConversion if AnswerTooLong::caused(error) => {
            "the answer does not end".to_owned()
        }
        ErrorKind::DataConversion | ErrorKind::Credential | ErrorKind::Other => {
            "the answer was unreadable".to_owned()
        }
    }
}

fn entry(item: BlobItem, folder: &str) -> BlobEntry {
    let properties = item.properties.unwrap_or_default();
    let name = item.name.unwrap_or_default();
    BlobEntry {
        name: name.strip_prefix(folder).unwrap_or(&name).to_owned(),
        size_bytes: properties.content_length.unwrap_or_default(),
        content_type: properties.content_type,
    }
}
