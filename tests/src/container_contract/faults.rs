//! What the Azure adapter makes of faults of storage and of the network.

mod servers;

use std::collections::VecDeque;
use std::io;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use async_trait::async_trait;
use azure_core::error::{Error, ErrorKind};
use azure_core::http::headers::Headers;
use azure_core::http::{AsyncRawResponse, HttpClient, Request, StatusCode, new_http_client};
use bytes::Bytes;
use client::blobs::{BlobsError, ContainerView};
use container::azure::{AzureContainers, AzureSettings};
use ports::container::{Container, ContainerError, Containers};
use tokio::time::Instant;

use super::world::{Grant, World};
use super::{blob, id, stage};
use servers::{Server, answer, answer_without_end, open};

const RETRIES: u32 = 2;

fn settings() -> AzureSettings {
    AzureSettings {
        request_timeout: Duration::from_millis(300),
        retries: RETRIES,
        retry_delay: Duration::from_millis(1),
        ..AzureSettings::default()
    }
}

/// What happens to a request on its way.
#[derive(Debug, Clone)]
enum Fault {
    /// Storage answers this.
    Answer(u16, &'static str),
    /// Storage is busy and asks to be left alone for so many seconds.
    Later(u32),
    /// The connection breaks before the answer.
    Cut,
    /// A bit of the body flips.
    Damage,
}

/// An HTTP client to which faults happen in turn, and then none.
#[derive(Debug)]
struct Faulty {
    inner: Arc<dyn HttpClient>,
    faults: Mutex<VecDeque<Fault>>,
    requests: AtomicUsize,
}

impl Faulty {
    fn new(faults: impl IntoIterator<Item = Fault>) -> Arc<Self> {
        let faults = Mutex::new(faults.into_iter().collect());
        Arc::new(Self {
            inner: new_http_client(None),
            faults,
            requests: AtomicUsize::new(0),
        })
    }

    fn open(self: &Arc<Self>, world: &World) -> Arc<dyn Container> {
        let containers = AzureContainers::with_http_client(self.clone(), &settings());
        containers.open(&world.access(Grant::Write)).unwrap()
    }

    fn requests(&self) -> usize {
        self.requests.load(Ordering::SeqCst)
    }
}

#[async_trait]
impl HttpClient for Faulty {
    async fn execute_request(&self, request: &Request) -> azure_core::Result<AsyncRawResponse> {
        self.requests.fetch_add(1, Ordering::SeqCst);
        let fault = self.faults.lock().unwrap().pop_front();
        match fault {
            None => self.inner.execute_request(request).await,
            Some(Fault::Answer(status, code)) => {
                let mut headers = Headers::new();
                headers.insert("x-ms-error-code", code);
                Ok(AsyncRawResponse::from_bytes(
                    StatusCode::from(status),
                    headers,
                    Bytes::new(),
                ))
            }
            Some(Fault::Later(seconds)) => {
                let mut headers = Headers::new();
                headers.insert("x-ms-error-code", "ServerBusy");
                headers.insert("retry-after", seconds.to_string());
                Ok(AsyncRawResponse::from_bytes(
                    StatusCode::ServiceUnavailable,
                    headers,
                    Bytes::new(),
                ))
            }
            Some(Fault::Cut) => {
                let cause =
                    io::Error::new(io::ErrorKind::ConnectionReset, request.url().to_string());
                Err(Error::with_error(
                    ErrorKind::Io,
                    cause,
                    request.url().to_string(),
                ))
            }
            Some(Fault::Damage) => {
                let mut damaged = request.clone();
                damaged.set_body(Bytes::from_static(b"rox"));
                self.inner.execute_request(&damaged).await
            }
        }
    }
}

async fn stage_row(container: &dyn Container) -> Result<(), ContainerError> {
    container
        .stage_block(&blob(), id(1, 0), Bytes::from_static(b"row"))
        .await
}

#[tokio::test]
async fn a_busy_storage_is_asked_again() {
    let world = World::azurite().await;
    let busy = Faulty::new([Fault::Answer(503, "ServerBusy"), Fault::Cut]);
    let container = busy.open(&world);
    stage_row(&*container).await.unwrap();
    container
        .commit_blocks(&blob(), &[id(1, 0)], "text/csv")
        .await
        .unwrap();
    assert_eq!(world.read(&blob()).await, "row");
    assert_eq!(busy.requests(), 4);
}

#[tokio::test]
async fn a_storage_that_stays_busy_is_unavailable() {
    for (status, code) in [
        (408, "Timeout"),
        (429, "TooMany"),
        (500, "InternalError"),
        (503, "ServerBusy"),
    ] {
        let busy = Faulty::new(vec![Fault::Answer(status, code); 9]);
        let staged = stage_row(&*busy.open(&World::memory())).await;
        assert_eq!(staged, Err(ContainerError::unavailable(code)));
        assert_eq!(busy.requests(), 1 + RETRIES as usize);
    }
}

#[tokio::test]
async fn a_connection_that_breaks_every_time_is_unavailable() {
    let broken = Faulty::new(vec![Fault::Cut; 9]);
    let container = broken.open(&World::memory());
    let staged = stage_row(&*container).await;
    assert_eq!(
        staged,
        Err(ContainerError::unavailable("the connection broke"))
    );
    assert_eq!(broken.requests(), 1 + RETRIES as usize);
}

#[tokio::test(start_paused = true)]
async fn a_storage_that_asks_to_be_left_alone_for_long_is_not_waited_for() {
    let busy = Faulty::new([Fault::Later(30), Fault::Answer(409, "ContainerDisabled")]);
    let begun = Instant::now();
    let staged = stage_row(&*busy.open(&World::memory())).await;
    assert_eq!(
        staged,
        Err(ContainerError::Refused {
            code: "ContainerDisabled".to_owned()
        })
    );
    assert!(
        begun.elapsed() >= Duration::from_secs(30),
        "half a minute is waited for"
    );
    assert_eq!(busy.requests(), 2);

    let busy = Faulty::new([Fault::Later(3_600)]);
    let begun = Instant::now();
    let staged = stage_row(&*busy.open(&World::memory())).await;
    assert_eq!(
        staged,
        Err(ContainerError::unavailable("no answer in time"))
    );
    assert!(
        begun.elapsed() < Duration::from_mins(2),
        "{:?}",
        begun.elapsed()
    );
    assert_eq!(busy.requests(), 1);
}

/// A reader of a container at an address of this machine.
fn reader(http: Arc<dyn HttpClient>, port: u16) -> ContainerView {
    let url = format!("http://127.0.0.1:{port}/devstoreaccount1/exports?sp=rl&sig=SECRET");
    ContainerView::with_http_client(&url.parse().unwrap(), http).unwrap()
}

#[tokio::test(start_paused = true)]
async fn a_reader_does_not_wait_for_an_hour_either() {
    for read in [true, false] {
        let view = reader(Faulty::new([Fault::Later(3_600)]), 1);
        let begun = Instant::now();
        let error = if read {
            view.read("a").await.unwrap_err()
        } else {
            view.list().await.unwrap_err()
        };
        assert!(
            matches!(&error, BlobsError::Storage { reason, .. } if reason == "no answer in time"),
            "{error}"
        );
        assert!(
            begun.elapsed() < Duration::from_mins(10),
            "{:?}",
            begun.elapsed()
        );
    }
}

#[tokio::test]
async fn a_reader_leaves_an_answer_without_end() {
    for status in ["200 OK", "403 Forbidden"] {
        let sent = Arc::new(AtomicUsize::new(0));
        let count = Arc::clone(&sent);
        let endless =
            Server::start(move |connection| answer_without_end(connection, status, count.clone()))
                .await;
        let error = reader(new_http_client(None), endless.port)
            .list()
            .await
            .unwrap_err();
        match status {
            "200 OK" => assert!(
                error.to_string().contains("the answer does not end"),
                "{error}"
            ),
            _ => assert!(matches!(error, BlobsError::Denied { .. }), "{error}"),
        }
        let sent = sent.load(Ordering::SeqCst);
        assert!(sent < 128 << 20, "{sent} bytes were taken");
    }
}

#[tokio::test]
async fn a_refusal_is_not_asked_again() {
    let immutable = Faulty::new([Fault::Answer(409, "BlobImmutableDueToPolicy")]);
    let committed = immutable
        .open(&World::memory())
        .commit_blocks(&blob(), &[], "text/csv")
        .await;
    assert_eq!(
        committed,
        Err(ContainerError::Refused {
            code: "BlobImmutableDueToPolicy".to_owned()
        })
    );
    assert_eq!(immutable.requests(), 1);
}

#[tokio::test]
async fn a_block_damaged_on_its_way_is_refused_and_never_kept() {
    let world = World::azurite().await;
    let container = Faulty::new([Fault::Damage]).open(&world);
    let staged = stage_row(&*container).await;
    assert!(
        matches!(staged, Err(ContainerError::Damaged { .. })),
        "{staged:?}"
    );
    let committed = container
        .commit_blocks(&blob(), &[id(1, 0)], "text/csv")
        .await;
    assert_eq!(committed, Err(ContainerError::BlocksGone));

    stage(&*container, id(1, 0), "row").await;
    container
        .commit_blocks(&blob(), &[id(1, 0)], "text/csv")
        .await
        .unwrap();
    assert_eq!(world.read(&blob()).await, "row");
}

#[tokio::test]
async fn no_failure_shows_the_signature() {
    let rude = Server::start(|connection| answer(connection, String::new())).await;
    let silent = Server::start(|connection| {
        answer(
            connection,
            "HTTP/1.1 403 Forbidden\r\nx-ms-error-code: a?sig=SECRET\r\ncontent-length: 0\r\n\r\n"
                .to_owned(),
        )
    })
    .await;
    for port in [rude.port, silent.port, 1] {
        let error = stage_row(&*open(port)).await.unwrap_err();
        let shown = format!("{error} {error:?}");
        assert!(
            !shown.contains("SECRET") && !shown.contains("127.0.0.1"),
            "{shown}"
        );
    }
    let world = World::azurite().await;
    for grant in [Grant::Read, Grant::Expired] {
        let error = stage_row(&*world.open(grant)).await.unwrap_err();
        assert!(!format!("{error} {error:?} {:?}", world.access(grant)).contains("sig="));
    }
    let containers = AzureContainers::new(&settings()).unwrap();
    assert!(!format!("{containers:?}").contains("sig="));
}

/// Collects what is logged.
#[derive(Debug, Clone, Default)]
struct Log(Arc<Mutex<Vec<u8>>>);

impl io::Write for Log {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.lock().unwrap().extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

#[tokio::test]
async fn no_log_line_shows_the_signature() {
    let log = Log::default();
    let writer = log.clone();
    // While there is only one dispatcher, tests on other threads, which have none, would switch
    // call sites off for all.
    let _second = tracing::Dispatch::new(tracing_subscriber::registry());
    let subscriber = tracing_subscriber::fmt()
        .with_max_level(tracing::Level::TRACE)
        .with_ansi(false);
    let _logged =
        tracing::subscriber::set_default(subscriber.with_writer(move || writer.clone()).finish());

    let world = World::azurite().await;
    let access = world.access(Grant::Write);
    let signature = access.signature.reveal().split("sig=").last().unwrap();
    stage_row(&*world.open(Grant::Write)).await.unwrap();
    let rude = Server::start(|connection| answer(connection, String::new())).await;
    stage_row(&*open(rude.port)).await.unwrap_err();

    let lines = String::from_utf8(log.0.lock().unwrap().clone()).unwrap();
    assert!(
        lines.contains("performing request"),
        "the client logs its requests at this level"
    );
    assert!(!lines.contains("SECRET") && !lines.contains(signature));
}
