//! Servers that are no storage: they send elsewhere, answer late, without end or not at all.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use container::azure::AzureContainers;
use domain::cause::in_one_line;
use domain::container::{ContainerAccess, ContainerAddress};
use domain::secret::Secret;
use ports::container::{Container, ContainerError, Containers};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};

use super::{RETRIES, settings, stage_row};

/// A server that treats every connection alike, and counts them.
pub(super) struct Server {
    pub(super) port: u16,
    connections: Arc<AtomicUsize>,
}

impl Server {
    pub(super) async fn start<F>(treat: impl Fn(TcpStream) -> F + Send + 'static) -> Self
    where
        F: Future<Output = ()> + Send + 'static,
    {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let port = listener.local_addr().unwrap().port();
        let connections = Arc::new(AtomicUsize::new(0));
        let count = connections.clone();
        tokio::spawn(async move {
            while let Ok((connection, _)) = listener.accept().await {
                count.fetch_add(1, Ordering::SeqCst);
                tokio::spawn(treat(connection));
            }
        });
        Self { port, connections }
    }

    fn connections(&self) -> usize {
        self.connections.load(Ordering::SeqCst)
    }
}

pub(super) fn open(port: u16) -> Arc<dyn Container> {
    let address =
        ContainerAddress::new(format!("http://127.0.0.1:{port}/devstoreaccount1/exports"));
    let access = ContainerAccess {
        address,
        signature: Secret::new("sp=w&sig=SECRET"),
    };
    AzureContainers::new(&settings())
        .unwrap()
        .open(&access)
        .unwrap()
}

pub(super) async fn answer(mut connection: TcpStream, text: String) {
    let mut request = vec![0; 8192];
    drop(connection.read(&mut request).await);
    drop(connection.write_all(text.as_bytes()).await);
}

#[tokio::test]
async fn a_redirect_is_never_followed() {
    let trap =
        Server::start(|connection| answer(connection, "HTTP/1.1 201 Created\r\n\r\n".to_owned()))
            .await;
    for status in [
        "301 Moved",
        "302 Found",
        "307 Temporary Redirect",
        "308 Permanent Redirect",
    ] {
        let place = format!("http://127.0.0.1:{}/devstoreaccount1/exports", trap.port);
        let text = format!("HTTP/1.1 {status}\r\nlocation: {place}\r\ncontent-length: 0\r\n\r\n");
        let server = Server::start(move |connection| answer(connection, text.clone())).await;
        let staged = stage_row(&*open(server.port)).await;
        assert!(
            matches!(staged, Err(ContainerError::Refused { .. })),
            "{staged:?}"
        );
        assert_eq!(server.connections(), 1);
    }
    assert_eq!(trap.connections(), 0);
}

#[tokio::test]
async fn a_storage_that_answers_too_late_is_unavailable() {
    let silent = Server::start(|connection| async move {
        std::future::pending::<()>().await;
        drop(connection);
    })
    .await;
    let staged = stage_row(&*open(silent.port)).await;
    assert_eq!(
        staged,
        Err(ContainerError::unavailable("no answer in time"))
    );
    assert_eq!(silent.connections(), 1 + RETRIES as usize);
}

/// Begins an answer and goes on with its body until the other side has heard enough, a GiB at most.
pub(super) async fn answer_without_end(
    mut connection: TcpStream,
    status: &str,
    sent: Arc<AtomicUsize>,
) {
    static PIECE: [u8; 64 * 1024] = [b'x'; 64 * 1024];
    let mut request = vec![0; 8192];
    drop(connection.read(&mut request).await);
    drop(
        connection
            .write_all(format!("HTTP/1.1 {status}\r\n\r\n").as_bytes())
            .await,
    );
    for _ in 0..16_384 {
        if connection.write_all(&PIECE).await.is_err() {
            return;
        }
        sent.fetch_add(PIECE.len(), Ordering::SeqCst);
    }
}

#[tokio::test]
async fn a_storage_that_answers_without_end_is_left_early() {
    let too_long = ContainerError::Refused {
        code: "AnswerTooLong".to_owned(),
    };
    let denied = ContainerError::Denied {
        code: "HTTP 403".to_owned(),
    };
    for (status, expected) in [("403 Forbidden", denied), ("201 Created", too_long)] {
        let sent = Arc::new(AtomicUsize::new(0));
        let count = Arc::clone(&sent);
        let endless =
            Server::start(move |connection| answer_without_end(connection, status, count.clone()))
                .await;
        assert_eq!(stage_row(&*open(endless.port)).await, Err(expected));
        assert_eq!(endless.connections(), 1);
        // Some megabytes wait in the sockets' buffers.
        let sent = sent.load(Ordering::SeqCst);
        assert!(sent < 64 << 20, "{sent} bytes were taken");
    }
}

#[tokio::test]
async fn a_storage_that_hangs_up_is_unavailable() {
    let rude = Server::start(|connection| answer(connection, "HTTP/1.1 20".to_owned())).await;
    let staged = stage_row(&*open(rude.port)).await;
    assert_eq!(
        staged,
        Err(ContainerError::unavailable("the connection broke"))
    );
}

#[tokio::test]
async fn a_storage_that_is_not_there_is_unavailable() {
    let deaf = crate::faults::deaf_socket();
    let staged = stage_row(&*open(deaf.local_addr().unwrap().port())).await;
    let error = staged.unwrap_err();
    assert!(
        matches!(&error, ContainerError::Unavailable { reason, cause: Some(_) } if reason == "no connection"),
        "{error:?}"
    );
    assert!(in_one_line(&error).starts_with("storage does not answer (no connection): "));
}
