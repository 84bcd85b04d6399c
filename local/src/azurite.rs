//! Azurite, the emulator of Azure Storage, as a child process
//! (<https://learn.microsoft.com/en-us/azure/storage/common/storage-use-azurite>).

use std::fs::File;
use std::io;
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::thread;
use std::time::{Duration, Instant};

use thiserror::Error;

use crate::blobs::{BlobsError, ContainerView};
use crate::sas::{ACCOUNT, SasTerms};

/// How long Azurite may take to answer on a busy machine; two seconds are usual.
const START_DEADLINE: Duration = Duration::from_mins(1);

/// How long Azurite may take to write its state down before it is killed.
const STOP_DEADLINE: Duration = Duration::from_secs(5);

const POLL: Duration = Duration::from_millis(20);

/// Where Azurite is installed and what it works on.
#[derive(Debug, Clone)]
pub struct AzuriteSettings {
    /// The folder that holds `package.json` and `node_modules`: [`default_install`].
    pub install: PathBuf,
    /// The folder of its state, which survives a restart.
    pub data: PathBuf,
    /// The port, or any free one.
    pub port: Option<u16>,
}

/// Why Azurite does not run.
#[derive(Debug, Error)]
pub enum AzuriteError {
    /// It is not installed.
    #[error("Azurite is not installed in {}; run `make setup`", .0.display())]
    NotInstalled(PathBuf),
    /// It could not be started.
    #[error("Azurite cannot be started (is Node.js installed?)")]
    Spawn(#[source] io::Error),
    /// It ended at once.
    #[error("Azurite ended at its start ({status}); see {}", log.display())]
    Ended {
        /// How.
        status: ExitStatus,
        /// What it said.
        log: PathBuf,
    },
    /// It does not answer.
    #[error("Azurite does not answer within a minute; see {}", log.display())]
    Silent {
        /// What it said.
        log: PathBuf,
    },
}

/// A running Azurite. It ends when this is dropped, and also when this process ends in any other way.
#[derive(Debug)]
pub struct Azurite {
    child: Child,
    port: u16,
}

/// The folder where `make setup` installs the pinned Azurite.
pub fn default_install() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("azurite")
}

impl Azurite {
    /// Starts Azurite's blob service and waits until it answers.
    ///
    /// # Errors
    /// [`AzuriteError`] when it is not installed, ends or does not answer.
    pub async fn start(settings: &AzuriteSettings) -> Result<Self, AzuriteError> {
        let main = settings.install.join("node_modules/azurite/dist/src/blob/main.js");
        if !main.is_file() {
            return Err(AzuriteError::NotInstalled(settings.install.clone()));
        }
        let log = settings.data.join("azurite.log");
        let child = spawn(settings, &main, &log).map_err(AzuriteError::Spawn)?;
        let mut azurite = Self { child, port: 0 };
        azurite.port = azurite.wait_until_ready(log).await?;
        Ok(azurite)
    }

    /// The blob endpoint of the development account, as [`ExtraEndpoint`](shared::container::url::ExtraEndpoint)
    /// takes it: the account is in the path.
    pub fn endpoint(&self) -> String {
        format!("http://127.0.0.1:{}/{ACCOUNT}", self.port)
    }

    /// Makes a container; one that exists already is left as it is.
    ///
    /// # Errors
    /// [`BlobsError`] when Azurite refuses.
    pub async fn create_container(&self, name: &str) -> Result<(), BlobsError> {
        let url = SasTerms::for_a_day("rwdlc").account_url(&self.endpoint(), name);
        ContainerView::open(&url)?.create().await
    }

    /// Waits for Azurite's own word that it listens: a port that answers could be somebody else's.
    async fn wait_until_ready(&mut self, log: PathBuf) -> Result<u16, AzuriteError> {
        let deadline = Instant::now() + START_DEADLINE;
        loop {
            let ended = self.child.try_wait().map_err(AzuriteError::Spawn)?;
            if let Some(port) = std::fs::read_to_string(&log).ok().as_deref().and_then(announced_port) {
                return Ok(port);
            }
            if let Some(status) = ended {
                return Err(AzuriteError::Ended { status, log });
            }
            if Instant::now() > deadline {
                return Err(AzuriteError::Silent { log });
            }
            tokio::time::sleep(POLL).await;
        }
    }
}

/// The port in `Azurite Blob service successfully listens on http://127.0.0.1:{port}`.
fn announced_port(log: &str) -> Option<u16> {
    let (_, announced) = log.split_once("successfully listens on http://127.0.0.1:")?;
    announced.split_once('\n')?.0.trim().parse().ok()
}

/// Azurite in a process group of its own, so that Ctrl-C reaches only the stack, which then stops it in order. Its
/// stdin is the leash: whatever ends this process closes it.
fn spawn(settings: &AzuriteSettings, main: &Path, log: &Path) -> io::Result<Child> {
    std::fs::create_dir_all(&settings.data)?;
    let log = File::create(log)?;
    let port = settings.port.unwrap_or(0).to_string();
    Command::new("node")
        .arg("--require")
        .arg(settings.install.join("exit-with-parent.cjs"))
        .arg(main)
        .args(["--blobHost", "127.0.0.1", "--blobPort", &port, "--silent", "--disableTelemetry"])
        .arg("--location")
        .arg(&settings.data)
        .stdin(Stdio::piped())
        .stdout(log.try_clone()?)
        .stderr(log)
        .process_group(0)
        .spawn()
}

impl Drop for Azurite {
    fn drop(&mut self) {
        drop(self.child.stdin.take());
        let deadline = Instant::now() + STOP_DEADLINE;
        while Instant::now() < deadline && matches!(self.child.try_wait(), Ok(None)) {
            thread::sleep(POLL);
        }
        drop(self.child.kill());
        drop(self.child.wait());
    }
}
