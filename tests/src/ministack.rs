//! `ministack`, a second DynamoDB, and an S3 and a KMS, as a child process.

use std::fs::File;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::{Arc, Weak};
use std::time::{Duration, Instant};

use aws_config::SdkConfig;
use local::dynamodb::{aws_config, create_tables};
use tempfile::TempDir;
use tokio::sync::Mutex;

use crate::child::{free_address, started};

/// How long it may take to answer on a busy machine; two seconds are usual.
const START_DEADLINE: Duration = Duration::from_mins(1);

const POLL: Duration = Duration::from_millis(50);

/// Runs it until its stdin closes, so that it ends with this process however that ends.
const PROGRAM: &str = "\
import os, sys, threading
threading.Thread(target=lambda: (sys.stdin.read(), os._exit(0)), daemon=True).start()
from ministack.app import main
main()
";

/// The running child; it ends when the last test lets it go.
pub(crate) struct Ministack {
    child: Child,
    endpoint: String,
    _folder: TempDir,
}

/// The one that is running, if any: the tests of this process share it.
static RUNNING: Mutex<Weak<Ministack>> = Mutex::const_new(Weak::new());

impl Ministack {
    /// The running server, with its tables made.
    pub(crate) async fn shared() -> Arc<Self> {
        let mut running = RUNNING.lock().await;
        if let Some(server) = running.upgrade() {
            return server;
        }
        let server = Arc::new(started("ministack", Self::try_start).await);
        *running = Arc::downgrade(&server);
        server
    }

    pub(crate) async fn sdk_config(&self) -> SdkConfig {
        aws_config(&self.endpoint).await
    }

    /// Where all its services answer.
    pub(crate) fn endpoint(&self) -> &str {
        &self.endpoint
    }

    /// Fails with the log when it ends at once.
    async fn try_start() -> Result<Self, String> {
        let folder = tempfile::tempdir().unwrap();
        let address = free_address();
        let (host, port) = address.split_once(':').unwrap();
        let log_file = folder.path().join("log");
        let log = File::create(&log_file).unwrap();
        let child = Command::new(python())
            .args(["-c", PROGRAM])
            .envs([("BIND_HOST", host), ("GATEWAY_PORT", port)])
            .current_dir(folder.path())
            .stdin(Stdio::piped())
            .stdout(log.try_clone().unwrap())
            .stderr(log)
            .spawn()
            .unwrap();
        let mut server = Self {
            child,
            endpoint: format!("http://{address}"),
            _folder: folder,
        };
        if server.is_ready().await {
            Ok(server)
        } else {
            Err(std::fs::read_to_string(log_file).unwrap_or_default())
        }
    }

    /// Polls until it makes the tables; whether it does, or has ended.
    async fn is_ready(&mut self) -> bool {
        let deadline = Instant::now() + START_DEADLINE;
        let address = self.endpoint.trim_start_matches("http://").to_owned();
        while tokio::net::TcpStream::connect(&address).await.is_err() {
            if self.child.try_wait().unwrap().is_some() {
                return false;
            }
            assert!(Instant::now() < deadline, "ministack does not answer");
            tokio::time::sleep(POLL).await;
        }
        let made = create_tables(&self.sdk_config().await).await;
        // Who answers on the port of a child that has ended is somebody else.
        if self.child.try_wait().unwrap().is_some() {
            return false;
        }
        made.unwrap();
        true
    }
}

impl Drop for Ministack {
    fn drop(&mut self) {
        drop(self.child.kill());
        drop(self.child.wait());
    }
}

/// The interpreter of the environment that `make setup` installs.
pub(crate) fn python() -> PathBuf {
    let python = Path::new(env!("CARGO_MANIFEST_DIR")).join("../.tools/ministack/bin/python");
    assert!(
        python.exists(),
        "ministack is not installed in .tools/ministack; run `make setup`"
    );
    python
}
