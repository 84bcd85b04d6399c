//! The emulator as a child process, and the storage beside it.

use std::fs::File;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use local::azurite::{Azurite, AzuriteSettings, default_install};
use local::sas::SasTerms;
use local::token::TokenIssuer;
use serde_json::{Value, json};

use crate::aws::Aws;
use crate::child::{free_address, started};

/// How long it may take to answer on a busy machine; three seconds are usual.
const START_DEADLINE: Duration = Duration::from_mins(1);

const POLL: Duration = Duration::from_millis(50);

/// AWS, Azure Storage and an issuer of tokens, on this machine.
pub(crate) struct Emulator {
    child: Child,
    pub(crate) aws: Aws,
    pub(crate) azurite: Azurite,
    pub(crate) issuer: TokenIssuer,
    port: u16,
}

impl Emulator {
    /// Starts it in a folder, which holds the recording afterwards.
    pub(crate) async fn start(folder: &Path) -> Self {
        let data = folder.join("azurite");
        std::fs::create_dir_all(&data).unwrap();
        let settings = AzuriteSettings {
            install: default_install(),
            data,
            port: None,
        };
        let azurite = Azurite::start(&settings).await.unwrap();
        let storage = azurite.endpoint();
        let storage = storage.split([':', '/']).nth(4).unwrap();
        let (child, aws, port) =
            started("the emulator", async || try_start(folder, storage).await).await;
        let url = format!("https://localhost:{port}/issuer");
        let issuer = TokenIssuer::open(&folder.join("token.der"), &url).unwrap();
        let emulator = Self {
            child,
            aws,
            azurite,
            issuer,
            port,
        };
        emulator.publish(folder);
        emulator
    }

    /// Where AWS's services answer over TLS.
    pub(crate) fn endpoint(&self) -> String {
        format!("https://localhost:{}", self.port)
    }

    /// Lays out the documents of the issuer
    /// (<https://openid.net/specs/openid-connect-discovery-1_0.html>).
    fn publish(&self, folder: &Path) {
        let documents = folder.join("issuer/.well-known");
        std::fs::create_dir_all(&documents).unwrap();
        let issuer = self.issuer.issuer();
        let keys = format!("{issuer}/keys");
        let discovery = json!({"issuer": issuer, "jwks_uri": keys});
        std::fs::write(
            documents.join("openid-configuration"),
            discovery.to_string(),
        )
        .unwrap();
        let keys = serde_json::to_string(self.issuer.keys()).unwrap();
        std::fs::write(folder.join("issuer/keys"), keys).unwrap();
    }

    /// The URL of a container, with a signature that may write; storage can be told to hold it.
    pub(crate) fn container_url(&self, container: &str, permissions: &str) -> String {
        let plain = format!("{}/devstoreaccount1", self.aws.endpoint);
        let url = SasTerms::for_a_day(permissions).container_url(&plain, container);
        url.reveal().to_owned()
    }
}

impl Drop for Emulator {
    fn drop(&mut self) {
        drop(self.child.kill());
        drop(self.child.wait());
    }
}

/// The interpreter of the environment that the emulator lives in.
pub(crate) fn python() -> PathBuf {
    let python = workspace().join(".tools/stack/bin/python");
    assert!(
        python.exists(),
        "the emulator is not installed in .tools/stack; run `make test-stack`"
    );
    python
}

pub(crate) fn workspace() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("..")
}

/// A Python program of these tests.
pub(crate) fn program(name: &str) -> Command {
    let mut command = Command::new(python());
    command.arg(
        Path::new(env!("CARGO_MANIFEST_DIR"))
            .join("stack")
            .join(name),
    );
    command
}

/// Fails with the log when it ends at once.
async fn try_start(folder: &Path, storage: &str) -> Result<(Child, Aws, u16), String> {
    let port = |address: String| address.rsplit_once(':').unwrap().1.to_owned();
    let (tls, plain) = (port(free_address()), port(free_address()));
    let log_file = folder.join("emulator.log");
    let log = File::create(&log_file).unwrap();
    let mut child = program("emulator.py")
        .arg(folder)
        .args([&tls, &plain, storage])
        .stdin(Stdio::piped())
        .stdout(log.try_clone().unwrap())
        .stderr(log)
        .spawn()
        .unwrap();
    let aws = Aws::new(format!("http://127.0.0.1:{plain}"));
    let begun = Instant::now();
    while aws.ask("gaps", &Value::Null).await.is_none() {
        if child.try_wait().unwrap().is_some() {
            return Err(std::fs::read_to_string(log_file).unwrap_or_default());
        }
        assert!(
            begun.elapsed() < START_DEADLINE,
            "the emulator does not answer"
        );
        tokio::time::sleep(POLL).await;
    }
    Ok((child, aws, tls.parse().unwrap()))
}
