//! At a terminal: the bar, the prompt, Ctrl-C, and every way in which an export ends.

use std::fs::{File, OpenOptions};
use std::io::{Read, Write};
use std::os::fd::OwnedFd;
use std::process::{Child, Command, Stdio};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use client::ending::Ending;
use rustix::process::{Pid, Signal, kill_process};
use rustix::pty::{OpenptFlags, grantpt, openpt, ptsname, unlockpt};
use rustix::termios::{LocalModes, Winsize, tcgetattr, tcsetwinsize};
use serde_json::{Value, json};
use tokio::sync::mpsc;

use super::http::{Reply, Request, Service};

const APP: &str = "/subscriptions/s/resourceGroups/g/providers/Microsoft.MobileEngagement/appcollections/c/apps/a";
const JOB: &str = "01890a5d-ac96-774b-bcce-b302099a8057";
const URL: &str = "https://account.blob.core.windows.net/exports?sv=1&sig=c2VjcmV0";

/// How long anything may take, on a machine that does a lot else.
const PATIENCE: Duration = Duration::from_mins(2);

/// A task in a phase.
fn task(phase: &str) -> Value {
    let state = match phase {
        "queued" | "planning" => "Queued",
        "succeeded" => "Succeeded",
        "incomplete" | "failed" | "cancelled" => "Failed",
        _ => "Started",
    };
    json!({
        "id": JOB, "state": state, "phase": phase, "exportType": "Event",
        "dateCreated": "2026-01-12T10:00:00.000Z",
        "progress": {
            "percent": if phase == "succeeded" { 100 } else { 40 }, "rows": 1_234, "bytes": 56_000,
            "chunksDone": 2, "chunksTotal": 5, "rowsPerSecond": 617.2,
            "estimatedCompletion": "2026-01-12T10:20:30.000Z", "asOf": "2026-01-12T10:19:00.000Z",
        },
    })
}

/// A service whose one task goes through these phases, a look each, and stays in the last.
async fn service(phases: &'static [&'static str]) -> Service {
    let looks = AtomicUsize::new(0);
    Service::new(move |request: &Request| {
        if !request.line.starts_with("GET") {
            return Reply::Whole(202, Vec::new(), task("resuming").to_string().into_bytes());
        }
        let look = looks.fetch_add(1, Ordering::Relaxed);
        Reply::json(&task(phases[look.min(phases.len() - 1)]))
    })
    .await
}

fn command(service: &Service, line: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_engagement-export"));
    command.args(line);
    for variable in client::environment::VARIABLES {
        command.env_remove(variable.name);
    }
    command
        .env("XDG_CONFIG_HOME", "/does/not/exist")
        .env(
            "ENGAGEMENT_EXPORT_API",
            format!("http://127.0.0.1:{}", service.port),
        )
        .env("ENGAGEMENT_EXPORT_APP", APP)
        .env("ENGAGEMENT_EXPORT_TOKEN", "abc")
        .env("NO_COLOR", "1")
        .env("TERM", "xterm-256color");
    command
}

/// A command at a terminal.
struct AtTerminal {
    child: Child,
    keys: File,
    terminal: OwnedFd,
    heard: mpsc::UnboundedReceiver<Vec<u8>>,
    said: String,
}

impl AtTerminal {
    fn start(mut command: Command) -> Self {
        let master = openpt(OpenptFlags::RDWR | OpenptFlags::NOCTTY).unwrap();
        grantpt(&master).unwrap();
        unlockpt(&master).unwrap();
        let name = ptsname(&master, Vec::new()).unwrap();
        let slave = OpenOptions::new()
            .read(true)
            .write(true)
            .open(name.to_str().unwrap())
            .unwrap();
        let size = Winsize {
            ws_row: 24,
            ws_col: 120,
            ws_xpixel: 0,
            ws_ypixel: 0,
        };
        tcsetwinsize(&slave, size).unwrap();
        let end = || Stdio::from(slave.try_clone().unwrap());
        let child = command
            .stdin(end())
            .stdout(end())
            .stderr(end())
            .spawn()
            .unwrap();
        let (sender, heard) = mpsc::unbounded_channel();
        let mut reader = File::from(master.try_clone().unwrap());
        std::thread::spawn(move || {
            let mut piece = [0; 4096];
            // The other end is gone when the read fails.
            while let Ok(read) = reader.read(&mut piece)
                && sender.send(piece[..read].to_vec()).is_ok()
            {}
        });
        Self {
            child,
            keys: File::from(master),
            terminal: slave.into(),
            heard,
            said: String::new(),
        }
    }

    /// Waits until the terminal shows a text.
    async fn until(&mut self, text: &str) {
        while !self.said.contains(text) {
            let piece = tokio::time::timeout(PATIENCE, self.heard.recv()).await;
            let piece = piece.unwrap_or_else(|_| panic!("no {text}: {}", self.said));
            self.said += &String::from_utf8_lossy(&piece.unwrap());
        }
    }

    fn echoes(&self) -> bool {
        let modes = tcgetattr(&self.terminal).unwrap();
        modes.local_modes.contains(LocalModes::ECHO)
    }

    /// The exit code, and all that the terminal showed.
    async fn end(mut self) -> (i32, String) {
        let mut child = self.child;
        let code = tokio::task::spawn_blocking(move || child.wait().unwrap().code());
        let code = code.await.unwrap().unwrap();
        drop(self.terminal);
        while let Ok(piece) = self.heard.try_recv() {
            self.said += &String::from_utf8_lossy(&piece);
        }
        (code, self.said)
    }
}

#[tokio::test]
async fn the_bar_shows_rows_rate_and_end_without_colours_and_then_what_became_of_it() {
    let service = service(&["running", "running", "succeeded"]).await;
    let mut watching = AtTerminal::start(command(&service, &["watch", JOB]));
    watching.until("40 %").await;
    watching
        .until("1,234 rows, 617/s, ends about 10:20:30 UTC, running")
        .await;
    watching
        .until(&format!("✓ Event {JOB}: succeeded, 1,234 rows, 56.00 kB"))
        .await;
    let (code, said) = watching.end().await;
    assert_eq!(code, 0, "{said}");
    for colour in ["\u{1b}[3", "\u{1b}[9", "\u{1b}[1m"] {
        assert!(!said.contains(colour), "{said:?}");
    }
}

#[tokio::test]
async fn who_wants_quiet_sees_no_bar() {
    let service = service(&["running", "succeeded"]).await;
    let mut watching = AtTerminal::start(command(&service, &["watch", JOB, "--quiet"]));
    watching.until("succeeded").await;
    let (_, said) = watching.end().await;
    assert!(!said.contains('%') && said.lines().count() == 1, "{said:?}");
}

#[tokio::test]
async fn a_signature_that_expires_under_watch_ends_it_with_its_own_code_and_is_renewed_at_the_prompt()
 {
    let service = service(&["running", "awaiting-credential", "succeeded"]).await;
    let mut watching = AtTerminal::start(command(&service, &["watch", JOB]));
    watching
        .until(&format!("engagement-export renew {JOB} --watch"))
        .await;
    assert_eq!(
        watching.end().await.0,
        i32::from(Ending::SignatureNeeded.code())
    );

    let mut renewing = AtTerminal::start(command(&service, &["renew", JOB, "--watch"]));
    renewing
        .until("its signature may write (not shown): ")
        .await;
    renewing
        .keys
        .write_all(format!("{URL}\n").as_bytes())
        .unwrap();
    renewing.until("succeeded").await;
    let (code, said) = renewing.end().await;
    assert_eq!(code, 0, "{said}");
    assert!(
        !said.contains("sig=") && !said.contains("blob.core"),
        "{said}"
    );
    let asked = service.asked();
    let patch = asked
        .iter()
        .find(|it| it.line.starts_with("PATCH"))
        .unwrap();
    assert_eq!(patch.body, json!({"containerUrl": URL}).to_string());
}

#[tokio::test]
async fn an_export_that_waits_for_a_signature_is_watched_on_when_that_is_asked_for() {
    let service = service(&["awaiting-credential", "running", "succeeded"]).await;
    let line = ["watch", JOB, "--wait-for-signature", "--json"];
    let mut command = command(&service, &line);
    let watched = tokio::task::spawn_blocking(move || command.output().unwrap());
    let watched = watched.await.unwrap();
    assert_eq!(watched.status.code(), Some(0));
    let said: Value = serde_json::from_slice(&watched.stdout).unwrap();
    assert_eq!(said["state"], "Succeeded");
}

#[tokio::test]
async fn ctrl_c_at_the_prompt_gives_the_terminal_back() {
    let service = service(&["running"]).await;
    let line = ["create", "devices", "--format", "csv"];
    let mut asking = AtTerminal::start(command(&service, &line));
    assert!(asking.echoes());
    asking.until("(not shown): ").await;
    assert!(!asking.echoes(), "who answers at once sees the answer");
    // The key itself would go to the terminal's foreground process, which is none of its own here.
    let pid = Pid::from_child(&asking.child);
    kill_process(pid, Signal::INT).unwrap();
    while !asking.echoes() {
        tokio::task::yield_now().await;
    }
    let (code, _) = asking.end().await;
    assert_eq!(code, i32::from(Ending::Interrupted.code()));
    assert!(service.asked().is_empty());
}

#[tokio::test]
async fn every_end_of_an_export_has_its_exit_code() {
    for (phases, line, ending) in [
        (&["succeeded"][..], &["watch", JOB][..], Ending::Done),
        (&["incomplete"], &["watch", JOB], Ending::Incomplete),
        (&["failed"], &["watch", JOB], Ending::Failed),
        (&["cancelled"], &["watch", JOB], Ending::Failed),
        (
            &["awaiting-credential"],
            &["watch", JOB],
            Ending::SignatureNeeded,
        ),
        (
            &["running"],
            &["watch", JOB, "--timeout", "1s"],
            Ending::TimedOut,
        ),
        (&["failed"], &["retry", JOB], Ending::Done),
        (&["failed"], &["retry", JOB, "--watch"], Ending::Failed),
    ] {
        let service = service(phases).await;
        let mut command = command(&service, line);
        let ended = tokio::task::spawn_blocking(move || command.output().unwrap());
        let ended = ended.await.unwrap();
        let stderr = String::from_utf8(ended.stderr).unwrap();
        assert_eq!(
            ended.status.code(),
            Some(ending.code().into()),
            "{phases:?} {line:?}: {stderr}"
        );
        assert!(stderr.lines().count() <= 1, "{stderr}");
    }
}
