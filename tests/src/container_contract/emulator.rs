//! The emulator as a child process.

use std::path::Path;
use std::process::{Command, Stdio};

use client::blobs::{BlobEntry, ContainerView};
use local::azurite::{Azurite, AzuriteError, AzuriteSettings, default_install};
use local::sas::SasTerms;
use tokio::net::TcpStream;

use super::blob;

fn settings(data: &Path) -> AzuriteSettings {
    AzuriteSettings {
        install: default_install(),
        data: data.to_owned(),
        port: None,
    }
}

async fn write_a_row(azurite: &Azurite) {
    let url = SasTerms::for_a_day("w").container_url(&azurite.endpoint(), "exports");
    let view = ContainerView::open(&url).unwrap();
    view.put(blob().as_str(), b"row", "text/csv").await.unwrap();
}

#[tokio::test]
async fn what_is_in_the_emulator_survives_a_restart() {
    let data = tempfile::tempdir().unwrap();
    let azurite = Azurite::start(&settings(data.path())).await.unwrap();
    azurite.create_container("exports").await.unwrap();
    write_a_row(&azurite).await;
    drop(azurite);

    let azurite = Azurite::start(&settings(data.path())).await.unwrap();
    azurite.create_container("exports").await.unwrap();
    let url = SasTerms::for_a_day("rl").container_url(&azurite.endpoint(), "exports");
    let view = ContainerView::open(&url).unwrap();
    let row = BlobEntry {
        name: blob().to_string(),
        size_bytes: 3,
        content_type: Some("text/csv".to_owned()),
    };
    assert_eq!(view.list().await.unwrap(), [row]);

    let copy = data.path().join("copy");
    view.download_to(blob().as_str(), &copy).await.unwrap();
    assert_eq!(std::fs::read(copy).unwrap(), b"row");
}

#[tokio::test]
async fn a_dropped_emulator_no_longer_listens() {
    let data = tempfile::tempdir().unwrap();
    let azurite = Azurite::start(&settings(data.path())).await.unwrap();
    let address = azurite
        .endpoint()
        .trim_start_matches("http://")
        .split('/')
        .next()
        .unwrap()
        .to_owned();
    assert!(TcpStream::connect(&address).await.is_ok());
    drop(azurite);
    assert!(TcpStream::connect(&address).await.is_err());
}

#[tokio::test]
async fn an_emulator_that_is_not_installed_says_how_to_install_it() {
    let data = tempfile::tempdir().unwrap();
    let settings = AzuriteSettings {
        install: data.path().to_owned(),
        ..settings(data.path())
    };
    let error = Azurite::start(&settings).await.unwrap_err();
    assert!(error.to_string().contains("make setup"), "{error}");
}

#[tokio::test]
async fn an_emulator_that_cannot_listen_says_so() {
    let data = tempfile::tempdir().unwrap();
    let taken = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let port = Some(taken.local_addr().unwrap().port());
    let error = Azurite::start(&AzuriteSettings {
        port,
        ..settings(data.path())
    })
    .await
    .unwrap_err();
    assert!(matches!(error, AzuriteError::Ended { .. }), "{error}");
}

#[tokio::test]
async fn a_client_that_is_newer_than_the_emulator_is_served() {
    let data = tempfile::tempdir().unwrap();
    let azurite = Azurite::start(&settings(data.path())).await.unwrap();
    azurite.create_container("exports").await.unwrap();
    let url = SasTerms::for_a_day("rl").container_url(&azurite.endpoint(), "exports");
    let http = reqwest::Client::builder().no_proxy().build().unwrap();
    let list = http.get(format!("{}&restype=container&comp=list", url.reveal()));
    let answer = list
        .header("x-ms-version", "2099-01-01")
        .send()
        .await
        .unwrap();
    assert_eq!(answer.status(), 200);
}

#[test]
fn an_emulator_whose_output_nobody_reads_any_more_goes_on() {
    let (reader, writer) = std::io::pipe().unwrap();
    drop(reader);
    // Node fails at the second line that cannot be written.
    let program = "console.log(1); setImmediate(() => { console.log(2); setImmediate(() => process.exit(7)) })";
    let mut node = Command::new("node");
    node.arg("--require")
        .arg(default_install().join("exit-with-parent.cjs"))
        .args(["--eval", program]);
    let mut node = node
        .stdin(Stdio::piped())
        .stdout(writer)
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    let leash = node.stdin.take();
    assert_eq!(node.wait().unwrap().code(), Some(7));
    drop(leash);
}
