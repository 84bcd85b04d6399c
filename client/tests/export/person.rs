//! Somebody at a command line, and the service that they use.

use std::path::Path;
use std::process::{Output, Stdio};
use std::time::Duration;

use local::demo::with_sample;
use local::sample::{APPS, Sample};
use local::stack::{Stack, StackSettings};
use serde_json::Value;
use tempfile::TempDir;
use tokio::io::AsyncWriteExt;
use tokio::process::Command;

/// A week that the sample has.
pub(crate) const WEEK: [&str; 4] = ["--from", "2026-01-05", "--to", "2026-01-11"];

/// Everything on one machine, with some sample data.
pub(crate) async fn start(folder: &Path) -> Stack {
    let settings = StackSettings {
        chunk_target_bytes: 64 * 1024,
        ..StackSettings::in_folder(folder)
    };
    with_sample(&settings, Sample::SMALL).await.unwrap()
}

pub(crate) fn line<'a>(parts: &[&[&'a str]]) -> Vec<&'a str> {
    parts.concat()
}

/// Exports a week of events, and waits for the end; the export's id.
pub(crate) async fn exported(person: &Person) -> String {
    let create = ["create", "events", "--format", "jsonl", "--watch", "--json"];
    person.run(&line(&[&create, &WEEK])).await.ends(0).id()
}

/// Somebody who uses the command: what is in the environment, and a home without any settings.
pub(crate) struct Person {
    pub(crate) home: TempDir,
    variables: Vec<(String, String)>,
}

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
    pub(crate) fn json(&self) -> Value {
        serde_json::from_str(&self.stdout).unwrap_or_else(|_| panic!("{}", self.stdout))
    }

    pub(crate) fn id(&self) -> String {
        self.json()["id"].as_str().unwrap().to_owned()
    }
}

impl Person {
    /// Who has everything of a stack in the environment.
    pub(crate) fn of(stack: &Stack) -> Self {
        let token = stack.token(Duration::from_mins(30)).unwrap();
        let mut person = Self {
            home: tempfile::tempdir().unwrap(),
            variables: Vec::new(),
        };
        for (name, value) in [
            ("API", stack.api_url().as_str()),
            ("APP", &APPS[0].exports_path()),
            ("TOKEN", token.reveal()),
            ("CONTAINER_URL", stack.container_url("w").reveal()),
            ("READ_URL", stack.container_url("rl").reveal()),
        ] {
            person.set(name, value);
        }
        person
    }

    pub(crate) fn set(&mut self, name: &str, value: &str) {
        let name = format!("ENGAGEMENT_EXPORT_{name}");
        self.variables.retain(|(known, _)| *known != name);
        self.variables.push((name, value.to_owned()));
    }

    pub(crate) fn unset(&mut self, name: &str) {
        let name = format!("ENGAGEMENT_EXPORT_{name}");
        self.variables.retain(|(known, _)| *known != name);
    }

    pub(crate) fn command(&self, line: &[&str]) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_engagement-export"));
        command.args(line).kill_on_drop(true);
        for variable in client::environment::VARIABLES {
            command.env_remove(variable.name);
        }
        command.env("XDG_CONFIG_HOME", self.home.path());
        command.envs(self.variables.iter().cloned());
        command
    }

    pub(crate) async fn run(&self, line: &[&str]) -> Ran {
        self.run_with(line, "").await
    }

    pub(crate) async fn run_with(&self, line: &[&str], input: &str) -> Ran {
        let mut command = self.command(line);
        let command = command
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped());
        let mut child = command.spawn().unwrap();
        let mut stdin = child.stdin.take().unwrap();
        // Who does not read its input may have ended.
        drop(stdin.write_all(input.as_bytes()).await);
        drop(stdin);
        let Output {
            status,
            stdout,
            stderr,
        } = child.wait_with_output().await.unwrap();
        let ran = Ran {
            code: status.code().unwrap(),
            stdout: String::from_utf8(stdout).unwrap(),
            stderr: String::from_utf8(stderr).unwrap(),
        };
        for (name, value) in &self.variables {
            let secret = value.split("sig=").nth(1).unwrap_or(value);
            let is_secret = name.ends_with("URL") || name.ends_with("TOKEN");
            let is_said = ran.stdout.contains(secret) || ran.stderr.contains(secret);
            assert!(!(is_secret && is_said), "{name}");
        }
        ran
    }
}
