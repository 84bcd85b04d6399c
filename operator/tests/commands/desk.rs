//! The desk that an operator sits at: a deployment on this machine, and the command.

use std::path::Path;
use std::process::{Output, Stdio};

use aws_config::SdkConfig;
use local::dynamodb::{
    EXPORTS_TABLE, EmbeddedDynamoDb, REGION, REGISTRY_TABLE, create_tables, scratch_dir,
};
use serde_json::Value;
use tempfile::TempDir;
use tokio::process::Command;

/// The app that the tests are about, as an operator spells it.
pub(crate) const APP: &str = "/subscriptions/S1/resourceGroups/Games/providers/Microsoft.MobileEngagement/appcollections/Studio/apps/Chess";

/// The same as it is stored.
pub(crate) const SCOPE: &str = "/subscriptions/s1/resourcegroups/games/providers/microsoft.mobileengagement/appcollections/studio/apps/chess";

/// How the command ended, and what it said.
pub(crate) struct Ran {
    pub(crate) code: i32,
    pub(crate) stdout: String,
    pub(crate) stderr: String,
}

impl Ran {
    #[track_caller]
    pub(crate) fn ends(self, code: i32) -> Self {
        assert_eq!(self.code, code, "{}{}", self.stdout, self.stderr);
        self
    }

    #[track_caller]
    pub(crate) fn says(self, text: &str) -> Self {
        assert!(
            self.stdout.contains(text) || self.stderr.contains(text),
            "{text}: {}{}",
            self.stdout,
            self.stderr
        );
        self
    }

    #[track_caller]
    pub(crate) fn json(&self) -> Value {
        serde_json::from_str(&self.stdout).unwrap_or_else(|_| panic!("{}", self.stdout))
    }
}

/// The tables of a deployment, a folder for its lake, and what the environment says of them.
pub(crate) struct Desk {
    pub(crate) folder: TempDir,
    pub(crate) sdk: SdkConfig,
    variables: Vec<(String, String)>,
    _engine: EmbeddedDynamoDb,
}

impl Desk {
    pub(crate) async fn new() -> Self {
        let folder = scratch_dir().unwrap();
        let engine = EmbeddedDynamoDb::start(&folder.path().join("db"))
            .await
            .unwrap();
        let sdk = engine.sdk_config().await;
        create_tables(&sdk).await.unwrap();
        std::fs::create_dir(folder.path().join("lake")).unwrap();
        let lake = format!("file://{}", folder.path().join("lake").display());
        let variables = [
            ("AWS_ENDPOINT_URL_DYNAMODB", engine.endpoint()),
            ("AWS_REGION", REGION),
            ("AWS_ACCESS_KEY_ID", "local"),
            ("AWS_SECRET_ACCESS_KEY", "local"),
            ("EXPORTS_TABLE", EXPORTS_TABLE),
            ("REGISTRY_TABLE", REGISTRY_TABLE),
            ("LAKE_URL", &lake),
        ];
        let variables = variables.map(|(name, value)| (name.to_owned(), value.to_owned()));
        Self {
            sdk,
            variables: variables.to_vec(),
            _engine: engine,
            folder,
        }
    }

    pub(crate) fn set(&mut self, name: &str, value: &str) {
        self.unset(name);
        self.variables.push((name.to_owned(), value.to_owned()));
    }

    pub(crate) fn unset(&mut self, name: &str) {
        self.variables.retain(|(known, _)| known != name);
    }

    pub(crate) fn command(&self, line: &[&str]) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_engagement-export-admin"));
        command.args(line).kill_on_drop(true).stdin(Stdio::null());
        // Nothing of the person's who runs the tests.
        command.env_clear();
        command.current_dir(self.folder.path());
        command.envs(self.variables.iter().cloned());
        command
    }

    pub(crate) async fn run(&self, line: &[&str]) -> Ran {
        let Output {
            status,
            stdout,
            stderr,
        } = self.command(line).output().await.unwrap();
        Ran {
            code: status.code().unwrap(),
            stdout: String::from_utf8(stdout).unwrap(),
            stderr: String::from_utf8(stderr).unwrap(),
        }
    }

    /// Writes a file into the desk's folder; its path.
    pub(crate) fn file(&self, name: &str, content: impl AsRef<[u8]>) -> String {
        let path = self.folder.path().join(name);
        std::fs::create_dir_all(path.parent().unwrap_or(Path::new("."))).unwrap();
        std::fs::write(&path, content).unwrap();
        path.display().to_string()
    }
}
