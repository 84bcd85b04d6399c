//! docs/OPERATE.md: what stands there is so, and its commands, in their order, do what it says.

use std::path::Path;
use std::process::Stdio;
use std::time::Duration;

use local::demo::with_sample;
use local::dynamodb::scratch_dir;
use local::sample::Sample;
use local::serve::operating;
use local::stack::{Stack, StackSettings};
use tokio::io::AsyncWriteExt;
use tokio::process::Command;

const PAGE: &str = include_str!("../../../docs/OPERATE.md");

/// The page's commands, but for those that install the command.
fn script() -> String {
    let blocks = PAGE.split("\n```sh\n").skip(1);
    let blocks = blocks.map(|rest| rest.split_once("\n```").unwrap().0);
    let run = blocks.filter(|block| !block.starts_with("cargo install"));
    run.collect::<Vec<_>>().join("\n")
}

/// The whole service, with sample data.
pub(crate) async fn start(folder: &Path) -> Stack {
    let settings = StackSettings {
        chunk_target_bytes: 64 * 1024,
        ..StackSettings::in_folder(folder)
    };
    with_sample(&settings, Sample::SMALL).await.unwrap()
}

#[tokio::test]
async fn the_pages_commands_do_what_it_says() {
    let (state, folder) = (scratch_dir().unwrap(), scratch_dir().unwrap());
    let stack = start(state.path()).await;
    let token = stack.token(Duration::from_mins(30)).unwrap();
    let admin = Path::new(env!("CARGO_BIN_EXE_engagement-export-admin"));
    let mut shell = Command::new("bash")
        .args(["-e", "-o", "pipefail"])
        .current_dir(folder.path())
        .env(
            "PATH",
            format!("{}:/usr/bin:/bin", admin.parent().unwrap().display()),
        )
        .kill_on_drop(true)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    let mut input = shell.stdin.take().unwrap();
    let script = operating(&stack, token.reveal()) + &script() + "\n";
    input.write_all(script.as_bytes()).await.unwrap();
    drop(input);
    let done = shell.wait_with_output().await.unwrap();
    let said = String::from_utf8(done.stdout).unwrap();
    let complained = String::from_utf8(done.stderr).unwrap();
    assert!(done.status.success(), "{said}{complained}");
    for line in [
        "✓ reporting has the role Reader at /subscriptions/11111111-2222-3333-4444-555555555555/resourcegroups/demo\n",
        "· reporting may do nothing\n",
        "✓ devices.ndjson: 2 records, 2 items would be written\n",
        "✓ devices.ndjson: 2 records, 2 items written\n",
        "✓ feedback of campaigns of type Poll: an export would have 1 chunk\n",
        "✓ events from 2026-01-05 to 2026-01-07: an export would read ",
        "✓ green: all 15 checks are as they should be\n",
        "✓ green: all 7 checks are as they should be\n",
    ] {
        assert!(said.contains(line), "{line}: {said}");
    }
    for secret in [token.reveal(), "sig="] {
        assert!(!said.contains(secret) && !complained.contains(secret));
    }
}

/// The words of the page that are the code's.
#[tokio::test]
async fn the_page_has_every_command_and_every_exit_code_as_the_help_says_them() {
    let help = async |line: &[&str]| {
        let command = Command::new(env!("CARGO_BIN_EXE_engagement-export-admin"))
            .args(line)
            .output();
        String::from_utf8(command.await.unwrap().stdout).unwrap()
    };
    let top = help(&["--help"]).await;
    let (_, codes) = top.split_once("Exit codes:\n").unwrap();
    let rows = codes.lines().map(|line| {
        let (code, meaning) = line.trim().split_once("  ").unwrap();
        format!("| {code} | {meaning} |")
    });
    let rows: Vec<String> = rows.collect();
    assert!(rows.len() > 5, "{top}");
    let (_, table) = PAGE
        .split_once("| exit code | meaning |\n|---|---|\n")
        .unwrap();
    let shown: Vec<&str> = table
        .lines()
        .take_while(|line| line.starts_with('|'))
        .collect();
    assert_eq!(shown, rows);

    let (_, commands) = top.split_once("Commands:\n").unwrap();
    let commands = commands.lines().take_while(|line| !line.is_empty());
    let names = commands.map(|line| line.split_whitespace().next().unwrap());
    for name in names.filter(|name| *name != "help") {
        assert!(PAGE.contains(&format!("| `{name}")), "no row of {name}");
        if name == "completions" {
            continue;
        }
        let said = help(&[name, "--help"]).await;
        assert!(said.contains("Exit codes:"), "{name}: {said}");
        assert!(
            script().contains(&format!("engagement-export-admin {name}")),
            "no example of {name}"
        );
    }
}
