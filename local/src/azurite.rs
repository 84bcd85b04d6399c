//! Azurite, the emulator of Azure Storage, as a child process
//! (<https://learn.microsoft.com/en-us/azure/storage/common/storage-use-azurite>).

use std::fs::File;
use std::io::{self, BufRead, BufReader, Read, Write};
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::sync::{Mutex, PoisonError, mpsc};
use std::thread;
use std::time::Duration;

use thiserror::Error;
use tokio::sync::oneshot;
use tokio::time::timeout;

use crate::sas::{ACCOUNT, SasTerms};
use client::blobs::{BlobsError, ContainerView};

/// How long Azurite may take to answer on a busy machine; two seconds are usual.
const START_DEADLINE: Duration = Duration::from_mins(1);

/// How long Azurite may take to write its state down before it is killed.
const STOP_DEADLINE: Duration = Duration::from_secs(5);

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
    #[error("Azurite ended at its start ({status}): is its port taken? See {}", log.display())]
    Ended {
        /// The exit status of its `node` process.
        status: ExitStatus,
        /// The path of what it printed, begun anew at every start.
        log: PathBuf,
    },
    /// It does not answer.
    #[error("Azurite does not answer within a minute; see {}", log.display())]
    Silent {
        /// The path of what it printed, begun anew at every start.
        log: PathBuf,
    },
}

/// A running Azurite. It ends when this is dropped, and also when this process ends in any other
/// way.
#[derive(Debug)]
pub struct Azurite {
    child: Child,
    port: u16,
    /// Hangs up when Azurite has closed its output: it has ended. Locked by nobody: that only
    /// makes it `Sync`.
    ended: Mutex<mpsc::Receiver<()>>,
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
        let main = settings
            .install
            .join("node_modules/azurite/dist/src/blob/main.js");
        if !main.is_file() {
            return Err(AzuriteError::NotInstalled(settings.install.clone()));
        }
        let log = settings.data.join("azurite.log");
        let mut child = spawn(settings, &main, &log).map_err(AzuriteError::Spawn)?;
        let (announce, announced) = oneshot::channel();
        let ended = follow(child.stdout.take(), &log, announce).map_err(AzuriteError::Spawn)?;
        let mut azurite = Self {
            child,
            port: 0,
            ended: Mutex::new(ended),
        };
        // Its own word, not an answer of the port: that could be somebody else's.
        match timeout(START_DEADLINE, announced).await {
            Ok(Ok(port)) => azurite.port = port,
            Ok(Err(_)) => {
                let status = azurite.child.wait().map_err(AzuriteError::Spawn)?;
                return Err(AzuriteError::Ended { status, log });
            }
            Err(_) => return Err(AzuriteError::Silent { log }),
        }
        Ok(azurite)
    }

    /// The blob endpoint of the development account, as
    /// [`ExtraEndpoint`](api::container_url::ExtraEndpoint) takes it: the account is in the
    /// path.
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
}

/// Copies what Azurite says into its log from a thread, passes on the port that it announces, and
/// hangs up when it has ended.
fn follow(
    output: Option<impl Read + Send + 'static>,
    log: &Path,
    announce: oneshot::Sender<u16>,
) -> io::Result<mpsc::Receiver<()>> {
    let mut log = File::options().append(true).open(log)?;
    // Held by the thread for as long as it reads.
    let (running, ended) = mpsc::channel();
    thread::spawn(move || {
        let (_running, mut announce) = (running, Some(announce));
        for line in output
            .into_iter()
            .flat_map(|output| BufReader::new(output).split(b'\n'))
            .map_while(Result::ok)
        {
            // A log that cannot be written is no reason to stop reading: Azurite would stand still.
            drop(log.write_all(&[line.as_slice(), b"\n"].concat()));
            if let Some(port) = announced_port(&String::from_utf8_lossy(&line))
                && let Some(announce) = announce.take()
            {
                let _ = announce.send(port);
            }
        }
    });
    Ok(ended)
}

/// The port in `Azurite Blob service successfully listens on http://127.0.0.1:{port}`.
fn announced_port(line: &str) -> Option<u16> {
    let (_, announced) = line.split_once("successfully listens on http://127.0.0.1:")?;
    announced.trim().parse().ok()
}

/// Azurite in a process group of its own, so that Ctrl-C reaches only the stack, which then stops
/// it in order. Its stdin is the leash: whatever ends this process closes it. Clients may be newer
/// than Azurite, which then refuses the version of the API that they ask for unless a flag makes it
/// skip that check (<https://github.com/Azure/Azurite#skip-api-version-check>).
fn spawn(settings: &AzuriteSettings, main: &Path, log: &Path) -> io::Result<Child> {
    std::fs::create_dir_all(&settings.data)?;
    File::create(log)?;
    // Appended to by two: here, and by the thread that reads the standard output.
    let log = File::options().append(true).open(log)?;
    let port = settings.port.unwrap_or(0).to_string();
    Command::new("node")
        .arg("--require")
        .arg(settings.install.join("exit-with-parent.cjs"))
        .arg(main)
        .args([
            "--blobHost",
            "127.0.0.1",
            "--blobPort",
            &port,
            "--silent",
            "--disableTelemetry",
        ])
        .arg("--skipApiVersionCheck")
        .arg("--location")
        .arg(&settings.data)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(log)
        .process_group(0)
        .spawn()
}

impl Drop for Azurite {
    fn drop(&mut self) {
        drop(self.child.stdin.take());
        // Nothing is ever sent: this returns when Azurite has ended, or when it has not for too
        // long.
        let _ = self
            .ended
            .get_mut()
            .unwrap_or_else(PoisonError::into_inner)
            .recv_timeout(STOP_DEADLINE);
        drop(self.child.kill());
        drop(self.child.wait());
    }
}
