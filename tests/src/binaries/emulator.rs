//! AWS's runtime interface emulator: one process a function, which runs the release binary as Lambda does, with its
//! deadline, one invocation at a time (<https://github.com/aws/aws-lambda-runtime-interface-emulator>).

use std::fs::File;
use std::net::TcpListener as StdTcpListener;
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use serde_json::Value;
use tokio::net::TcpStream;

const POLL: Duration = Duration::from_millis(20);
const START_DEADLINE: Duration = Duration::from_secs(10);

/// A function under the emulator. Its processes end when this is dropped.
pub(crate) struct Emulated {
    child: Child,
    url: String,
    log: PathBuf,
}

impl Emulated {
    /// Starts the release binary of a function with these variables and no other, logging into `folder`.
    pub(crate) async fn start(function: &str, variables: &[(&str, String)], folder: &Path) -> Self {
        let log = folder.join(format!("{function}.log"));
        let (api, runtime) = (free_address(), free_address());
        let output = File::create(&log).unwrap();
        let child = Command::new(emulator())
            .args(["--runtime-interface-emulator-address", &api, "--runtime-api-address", &runtime])
            .arg(release_binary(function))
            .env_clear()
            .env("AWS_LAMBDA_FUNCTION_TIMEOUT", "60")
            .envs(variables.iter().map(|(name, value)| (*name, value)))
            .stdin(Stdio::null())
            .stdout(output.try_clone().unwrap())
            .stderr(output)
            .process_group(0)
            .spawn()
            .unwrap();
        let url = format!("http://{api}/2015-03-31/functions/function/invocations");
        let emulated = Self { child, url, log };
        let ready = tokio::time::timeout(START_DEADLINE, until_it_listens(&api)).await;
        assert!(ready.is_ok(), "the emulator does not listen: {}", emulated.log());
        emulated
    }

    /// Invokes the function and returns what it answers.
    pub(crate) async fn invoke(&self, event: &Value) -> Value {
        let client = reqwest::Client::builder().no_proxy().build().unwrap();
        let answer = client.post(&self.url).body(event.to_string()).send().await.unwrap();
        let text = answer.text().await.unwrap();
        serde_json::from_str(&text).unwrap_or_else(|_| panic!("{text}; the function's log: {}", self.log()))
    }

    /// What the emulator and the function have logged so far.
    pub(crate) fn log(&self) -> String {
        std::fs::read_to_string(&self.log).unwrap_or_default()
    }
}

impl Drop for Emulated {
    fn drop(&mut self) {
        // The function is a child of the emulator: both are in the group that the emulator leads.
        let group = format!("-{}", self.child.id());
        drop(Command::new("kill").args(["-KILL", "--", &group]).status());
        drop(self.child.wait());
    }
}

/// An address of this machine that nobody listens on just now.
fn free_address() -> String {
    StdTcpListener::bind(("127.0.0.1", 0)).unwrap().local_addr().unwrap().to_string()
}

async fn until_it_listens(address: &str) {
    while TcpStream::connect(address).await.is_err() {
        tokio::time::sleep(POLL).await;
    }
}

/// The emulator in the wheel of aws-sam-cli.
fn emulator() -> PathBuf {
    let name = if cfg!(target_arch = "aarch64") { "aws-lambda-rie-arm64" } else { "aws-lambda-rie-x86_64" };
    let libraries = Path::new(env!("CARGO_MANIFEST_DIR")).join("../.tools/sam/lib");
    let pythons = std::fs::read_dir(&libraries).into_iter().flatten().flatten();
    let candidates = pythons.map(|python| python.path().join("site-packages/samcli/local/rapid").join(name));
    candidates.into_iter().find(|path| path.is_file()).expect("no emulator in .tools/sam: run `make test-binaries`")
}

/// The function's binary beside this test's own build: in target/release for target/debug/deps/tests.
fn release_binary(function: &str) -> PathBuf {
    let own = std::env::current_exe().unwrap();
    let path = own.ancestors().nth(3).unwrap().join("release").join(function);
    assert!(path.is_file(), "{} is missing: run `make test-binaries`", path.display());
    path
}
