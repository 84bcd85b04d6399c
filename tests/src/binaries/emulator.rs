//! AWS's runtime interface emulator: one process a function, which runs the release binary as
//! Lambda does, with its deadline, one invocation at a time (<https://github.com/aws/aws-lambda-runtime-interface-emulator>).

use std::fs::File;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use ports::clock::Clock;
use serde_json::Value;
use tokio::net::TcpStream;
use wiring::SystemClock;

use crate::child::{free_address, started};

const POLL: Duration = Duration::from_millis(20);
const START_DEADLINE: Duration = Duration::from_secs(10);

/// A function under the emulator. Its processes are killed when this is dropped.
pub(super) struct Emulated {
    child: Child,
    url: String,
    log: PathBuf,
    http: reqwest::Client,
}

impl Emulated {
    /// Starts the release binary of a function with these variables and no other, logging into
    /// `folder`.
    pub(super) async fn start(function: &str, variables: &[(&str, String)], folder: &Path) -> Self {
        started(&format!("the emulator of {function}"), async || {
            Self::try_start(function, variables, folder).await
        })
        .await
    }

    /// Fails with the log when it ends at once.
    async fn try_start(
        function: &str,
        variables: &[(&str, String)],
        folder: &Path,
    ) -> Result<Self, String> {
        let (api, runtime) = (free_address(), free_address());
        let log = folder.join(format!("{function}-{}.log", SystemClock.fresh_id()));
        let child = spawn(function, &api, &runtime, variables, &log);
        let http = reqwest::Client::builder().no_proxy().build().unwrap();
        let url = format!("http://{api}/2015-03-31/functions/function/invocations");
        let mut emulated = Self {
            child,
            url,
            log,
            http,
        };
        let deadline = tokio::time::Instant::now() + START_DEADLINE;
        while TcpStream::connect(&api).await.is_err() && emulated.is_running() {
            assert!(
                tokio::time::Instant::now() < deadline,
                "the emulator does not listen: {}",
                emulated.log()
            );
            tokio::time::sleep(POLL).await;
        }
        if emulated.is_running() {
            Ok(emulated)
        } else {
            Err(emulated.log())
        }
    }

    fn is_running(&mut self) -> bool {
        matches!(self.child.try_wait(), Ok(None))
    }

    /// Invokes the function and returns what it answers.
    pub(super) async fn invoke(&self, event: &Value) -> Value {
        let text = self.send(event).await.unwrap();
        serde_json::from_str(&text)
            .unwrap_or_else(|_| panic!("{text}; the function's log: {}", self.log()))
    }

    /// Invokes the function; `None` when it does not answer, or with no JSON, as when its time is
    /// up.
    pub(super) async fn try_invoke(&self, event: &Value) -> Option<Value> {
        serde_json::from_str(&self.send(event).await.ok()?).ok()
    }

    async fn send(&self, event: &Value) -> reqwest::Result<String> {
        self.http
            .post(&self.url)
            .body(event.to_string())
            .send()
            .await?
            .text()
            .await
    }

    /// What the emulator and the function have logged so far.
    pub(super) fn log(&self) -> String {
        std::fs::read_to_string(&self.log).unwrap_or_default()
    }
}

impl Drop for Emulated {
    fn drop(&mut self) {
        // The emulator gives the function a process group of its own: left alone, it would go on
        // with what it is at.
        let emulator = self.child.id();
        let processes = children(emulator)
            .chain([emulator])
            .map(|process| process.to_string());
        drop(Command::new("kill").arg("-KILL").args(processes).status());
        drop(self.child.wait());
    }
}

/// The processes that a process has started
/// (<https://man7.org/linux/man-pages/man5/proc_pid_task_tid_children.5.html>).
fn children(process: u32) -> impl Iterator<Item = u32> {
    let threads = std::fs::read_dir(format!("/proc/{process}/task"))
        .into_iter()
        .flatten()
        .flatten();
    let lists = threads
        .map(|thread| std::fs::read_to_string(thread.path().join("children")).unwrap_or_default());
    let children: Vec<u32> = lists
        .flat_map(|list| {
            list.split_whitespace()
                .flat_map(str::parse)
                .collect::<Vec<_>>()
        })
        .collect();
    children.into_iter()
}

fn spawn(
    function: &str,
    api: &str,
    runtime: &str,
    variables: &[(&str, String)],
    log: &Path,
) -> Child {
    let output = File::create(log).unwrap();
    Command::new(emulator())
        .args([
            "--runtime-interface-emulator-address",
            api,
            "--runtime-api-address",
            runtime,
        ])
        .arg(release_binary(function))
        .env_clear()
        .env("AWS_LAMBDA_FUNCTION_TIMEOUT", "60")
        .envs(variables.iter().map(|(name, value)| (*name, value)))
        .stdin(Stdio::null())
        .stdout(output.try_clone().unwrap())
        .stderr(output)
        .spawn()
        .unwrap()
}

/// The emulator in the wheel of aws-sam-cli.
fn emulator() -> PathBuf {
    let name = if cfg!(target_arch = "aarch64") {
        "aws-lambda-rie-arm64"
    } else {
        "aws-lambda-rie-x86_64"
    };
    let libraries = Path::new(env!("CARGO_MANIFEST_DIR")).join("../.tools/sam/lib");
    let pythons = std::fs::read_dir(&libraries)
        .into_iter()
        .flatten()
        .flatten();
    let candidates = pythons.map(|python| {
        python
            .path()
            .join("site-packages/samcli/local/rapid")
            .join(name)
    });
    candidates
        .into_iter()
        .find(|path| path.is_file())
        .expect("no emulator in .tools/sam: run `make test-binaries`")
}

/// The function's binary beside this test's own build: in target/ci for
/// target/debug/deps/tests.
fn release_binary(function: &str) -> PathBuf {
    let own = std::env::current_exe().unwrap();
    let path = own.ancestors().nth(3).unwrap().join("ci").join(function);
    assert!(
        path.is_file(),
        "{} is missing: run `make test-binaries`",
        path.display()
    );
    path
}
