//! `local` and `engagement-export` as a person runs them: README's first export, and how the
//! commands answer, refuse and exit.
#![cfg(test)]

use std::fs::File;
use std::path::{Path, PathBuf};
use std::process::{Output, Stdio};

use local::dynamodb::scratch_dir;
use local::serve::first_export;
use serde_json::json;
use tokio::io::{AsyncBufReadExt, AsyncWriteExt, BufReader};
use tokio::process::{Child, Command};

const LOCAL: &str = env!("CARGO_BIN_EXE_local");

/// Both commands.
const PROGRAMS: [&str; 2] = ["local", EXPORTER];

const EXPORTER: &str = "engagement-export";

/// Where `serve` and `sample` listen: on any free port.
const PORTS: [&str; 6] = ["--port", "0", "--issuer-port", "0", "--blob-port", "0"];

/// The folder into which cargo has built both: `cargo test --workspace` builds the other one for its
/// own tests.
fn built() -> &'static Path {
    let folder = Path::new(LOCAL).parent().unwrap();
    assert!(
        folder.join(EXPORTER).exists(),
        "build {EXPORTER}: cargo build --package client"
    );
    folder
}

/// A command, which finds no settings of a person's in its environment.
fn command<'a>(program: &str, arguments: impl IntoIterator<Item = &'a str>) -> Command {
    let mut command = Command::new(built().join(program));
    command
        .args(arguments)
        .stdin(Stdio::null())
        .kill_on_drop(true);
    for variable in client::environment::VARIABLES {
        command.env_remove(variable.name);
    }
    for setting in wiring::config::variables() {
        command.env_remove(setting.name);
    }
    command
}

/// Runs `local` to its end: its exit code, what it answers and what it complains of.
async fn run<'a>(arguments: impl IntoIterator<Item = &'a str>) -> (i32, String, String) {
    run_program("local", arguments).await
}

async fn run_program<'a>(
    program: &str,
    arguments: impl IntoIterator<Item = &'a str>,
) -> (i32, String, String) {
    let Output {
        status,
        stdout,
        stderr,
    } = command(program, arguments).output().await.unwrap();
    (
        status.code().unwrap(),
        String::from_utf8(stdout).unwrap(),
        String::from_utf8(stderr).unwrap(),
    )
}

/// `serve` on a state, and what it says until it is up. It is killed when dropped.
async fn serve(state: &str) -> (Child, String) {
    let mut child = command(
        "local",
        ["serve", "--state", state].into_iter().chain(PORTS),
    )
    .stdout(Stdio::piped())
    .spawn()
    .unwrap();
    let mut lines = BufReader::new(child.stdout.take().unwrap()).lines();
    let mut said = String::new();
    while let Some(line) = lines.next_line().await.unwrap() {
        if line.starts_with("Ctrl-C") {
            return (child, said);
        }
        said += &line;
        said.push('\n');
    }
    panic!("it ended: {said}");
}

/// Pastes commands into a shell in a folder. `cargo run` is the binaries that cargo has built
/// already.
async fn paste(commands: &str, folder: &Path) -> (i32, String, String) {
    let cargo = format!(
        "cargo() {{ [ \"${{*:1:5}}\" = 'run -q -p client --' ] && {}/{EXPORTER} \"${{@:6}}\"; }}\n",
        built().display()
    );
    let mut shell = Command::new("bash");
    shell
        .current_dir(folder)
        .env("NO_PROXY", "127.0.0.1")
        .kill_on_drop(true);
    let mut shell = shell
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    let mut input = shell.stdin.take().unwrap();
    input
        .write_all((cargo + commands).as_bytes())
        .await
        .unwrap();
    drop(input);
    let Output {
        status,
        stdout,
        stderr,
    } = shell.wait_with_output().await.unwrap();
    (
        status.code().unwrap(),
        String::from_utf8(stdout).unwrap(),
        String::from_utf8(stderr).unwrap(),
    )
}

/// All data files below a folder.
fn parts(folder: &Path) -> Vec<PathBuf> {
    let entries = std::fs::read_dir(folder)
        .unwrap()
        .map(|entry| entry.unwrap().path());
    let (folders, files): (Vec<_>, Vec<_>) = entries.partition(|path| path.is_dir());
    let is_part = |path: &PathBuf| {
        path.file_name()
            .unwrap()
            .to_str()
            .unwrap()
            .starts_with("part-")
    };
    folders
        .iter()
        .flat_map(|folder| parts(folder))
        .chain(files.into_iter().filter(is_part))
        .collect()
}

#[tokio::test]
async fn the_readmes_first_export_is_what_serve_prints_and_ends_with_verified_files() {
    let (state, downloads) = (scratch_dir().unwrap(), scratch_dir().unwrap());
    let place = state.path().to_str().unwrap();
    let (code, _, stderr) = run(["sample", "--rows", "6000", "--state", place]
        .into_iter()
        .chain(PORTS))
    .await;
    assert_eq!(code, 0, "{stderr}");
    let (_serving, said) = serve(place).await;

    let begin = said.find("API='").unwrap();
    let commands = said[begin..].trim_end().to_owned() + "\n";
    let blanked = commands.lines().map(|line| match line.split_once("='") {
        Some((name @ ("API" | "TOKEN" | "CONTAINER_URL" | "READ_URL"), value))
            if value.len() > 8 =>
        {
            format!("{name}='…'\n")
        }
        Some(_) | None => format!("{line}\n"),
    });
    assert_eq!(blanked.collect::<String>(), first_export());

    let (code, stdout, stderr) = paste(&commands, downloads.path()).await;
    let verdict = stdout.lines().last().unwrap_or_default();
    assert!(
        code == 0 && verdict.ends_with(": exactly as the manifest says"),
        "{stdout}{stderr}"
    );
    assert!(
        verdict.starts_with("✓ ") && !verdict.contains(" 0 rows"),
        "{verdict}"
    );
    let mut tasks = stdout.lines().filter(|line| line.starts_with('{'));
    let (created, ended) = (tasks.next().unwrap(), tasks.next().unwrap());
    assert!(created.contains("\"state\":\"Queued\""), "{stdout}");
    assert!(
        ended.contains("\"state\":\"Succeeded\"") && ended.ends_with('}'),
        "{stdout}"
    );
    assert!(!parts(downloads.path()).is_empty(), "{stdout}");

    // What was exported before is still there: a refusal must not end as if it had been exported.
    let refused = commands.replace("2026-01-05", "2026-13-05");
    let (_, stdout, stderr) = paste(&refused, downloads.path()).await;
    assert_eq!(
        (stdout.lines().count(), stderr.as_str()),
        (1, ""),
        "{stdout}"
    );
    assert!(stdout.contains("2026-13-05"), "{stdout}");
}

#[tokio::test]
async fn a_setting_of_the_functions_that_does_not_fit_or_is_the_stacks_own_is_refused_by_name() {
    let state = scratch_dir().unwrap();
    let place = state.path().to_str().unwrap();
    for (name, value, said) in [
        ("ON_BAD_RECORD", "skip", "ON_BAD_RECORD"),
        ("LAKE_LATE_DAYS", "32", "from 0 to 31"),
        ("LAKE_URL", "file:///elsewhere", "unset it"),
    ] {
        let mut serve = command(
            "local",
            ["serve", "--state", place].into_iter().chain(PORTS),
        );
        let ended = serve.env(name, value).output().await.unwrap();
        let stderr = String::from_utf8(ended.stderr).unwrap();
        assert!(!ended.status.success(), "{name}={value}");
        assert!(stderr.contains(name) && stderr.contains(said), "{stderr}");
    }
}

#[tokio::test]
async fn a_state_belongs_to_one_process_at_a_time() {
    let state = scratch_dir().unwrap();
    let place = state.path().to_str().unwrap();
    run(["sample", "--rows", "1", "--state", place]
        .into_iter()
        .chain(PORTS))
    .await;
    let (_serving, _) = serve(place).await;
    for second in ["serve", "sample"] {
        let (code, stdout, stderr) = run([second, "--state", place].into_iter().chain(PORTS)).await;
        assert_eq!((code, stdout.as_str()), (1, ""), "{second}: {stderr}");
        assert!(
            stderr.contains(&format!(
                "{place} is in use by another `serve` or `sample`: stop that one"
            )),
            "{stderr}"
        );
    }
    let (code, token, _) = run(["token", "--state", place]).await;
    assert!(
        code == 0 && token.starts_with("ey"),
        "reading the key needs no lock: {code}"
    );
}

#[tokio::test]
async fn a_port_that_is_taken_is_refused_with_the_option_that_names_another() {
    let taken = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let port = taken.local_addr().unwrap().port().to_string();
    for (who, option, other) in [
        ("the API", "--port", "--issuer-port"),
        ("the issuer", "--issuer-port", "--port"),
    ] {
        let state = scratch_dir().unwrap();
        let place = state.path().to_str().unwrap();
        let ports = [option, &port, other, "0"];
        let arguments = ["serve", "--state", place].into_iter().chain(ports);
        let (code, _, stderr) = run(arguments).await;
        assert_eq!(code, 1, "{stderr}");
        assert!(
            stderr.starts_with(&format!("✗ {who} cannot listen on port {port}: ")),
            "{stderr}"
        );
        assert!(stderr.contains(&format!(" with {option}: ")), "{stderr}");
    }
}

#[tokio::test]
async fn a_token_of_a_state_that_does_not_exist_is_refused_and_nothing_is_made() {
    let folder = scratch_dir().unwrap();
    let typo = folder.path().join("typo");
    let (code, stdout, stderr) = run(["token", "--state", typo.to_str().unwrap()]).await;
    assert_eq!((code, stdout.as_str()), (1, ""));
    assert!(
        stderr.starts_with("✗ there is no token key at ") && stderr.contains("--state"),
        "{stderr}"
    );
    assert!(!typo.exists());
}

/// The commands that the help of a program lists.
async fn commands(program: &str) -> Vec<String> {
    let (code, help, _) = run_program(program, ["--help"]).await;
    assert_eq!(code, 0);
    let list = help
        .lines()
        .skip_while(|line| *line != "Commands:")
        .skip(1)
        .take_while(|line| !line.is_empty());
    let list: Vec<String> = list
        .map(|line| line.split_whitespace().next().unwrap().to_owned())
        .collect();
    assert!(list.len() >= 2, "{help}");
    list
}

#[tokio::test]
async fn a_command_line_that_cannot_be_understood_exits_with_64_and_says_so_on_stderr() {
    let mut lines: Vec<(&str, String)> = Vec::new();
    for program in PROGRAMS {
        let commands = commands(program).await;
        lines.extend(
            commands
                .iter()
                .map(|command| (program, format!("{command} --nonsense"))),
        );
        lines.extend(["", "nonsense"].map(|line| (program, line.to_owned())));
    }
    let others = [
        ("local", "run --rows many"),
        ("local", "token --hours 0"),
        ("local", "token --hours 9999999999999"),
        (EXPORTER, "verify"),
        (
            EXPORTER,
            "verify --job 01890a5d-ac96-774b-bcce-b302099a8057",
        ),
    ];
    lines.extend(others.map(|(program, line)| (program, line.to_owned())));
    for (program, line) in lines {
        let (code, stdout, stderr) = run_program(program, line.split_whitespace()).await;
        assert_eq!(
            (code, stdout.as_str()),
            (64, ""),
            "{program} {line}: {stderr}"
        );
        assert!(!stderr.is_empty(), "{program} {line}");
    }
}

#[tokio::test]
async fn a_signature_on_a_command_line_is_refused_or_redacted_and_never_repeated() {
    let url = "http://127.0.0.1:1/a/exports?se=1&sig=c2VjcmV0%3D&sp=r";
    for (program, line, said) in [
        (EXPORTER, vec!["verify", url], "everybody on this machine"),
        (
            EXPORTER,
            vec!["verify", "--job", url],
            "--container-url-file FILE",
        ),
        (
            EXPORTER,
            vec!["create", "events", url],
            "ENGAGEMENT_EXPORT_CONTAINER_URL",
        ),
        (EXPORTER, vec![url], "a new signature"),
        ("local", vec![url], "sig=[redacted]"),
    ] {
        let (code, stdout, stderr) = run_program(program, line.iter().copied()).await;
        assert_eq!((code, stdout.as_str()), (64, ""), "{line:?}: {stderr}");
        assert!(
            stderr.contains(said) && !stderr.contains("c2VjcmV0"),
            "{line:?}: {stderr}"
        );
    }
}

#[tokio::test]
async fn help_and_version_are_answers() {
    for program in PROGRAMS {
        let (code, stdout, stderr) = run_program(program, ["--version"]).await;
        let version = format!("{program} {}", env!("CARGO_PKG_VERSION"));
        assert_eq!(
            (code, stdout.trim(), stderr.as_str()),
            (0, version.as_str(), "")
        );
        let usage = format!("Usage: {program}");
        let commands = commands(program).await;
        for command in commands.iter().filter(|command| *command != "help") {
            for (flag, expected) in [
                ("--help", usage.as_str()),
                ("--version", env!("CARGO_PKG_VERSION")),
            ] {
                let (code, stdout, stderr) = run_program(program, [command.as_str(), flag]).await;
                let said = stdout.contains(expected);
                assert!(
                    code == 0 && said && stderr.is_empty(),
                    "{command} {flag}: {stdout}{stderr}"
                );
            }
        }
    }
}

/// A folder with a manifest and none of the 50 files that it lists: a line for each.
fn incomplete_download() -> tempfile::TempDir {
    let folder = scratch_dir().unwrap();
    let job = "01890a5d-ac96-774b-bcce-b302099a8057";
    let file = |number: u32| {
        json!({
            "name": format!("Event/{job}/part-{number:05}.json"), "chunk": number, "rows": 1, "bytes": 2,
            "sha256": "0".repeat(64), "crc64": "0".repeat(16), "badRecordsSkipped": 0, "sources": [],
        })
    };
    let manifest = json!({
        "manifestVersion": 1, "jobId": job, "exportType": "Event", "format": "JsonBlob", "scope": "/s",
        "dateCreated": "2026-01-12T00:00:00Z", "readUpTo": "2026-01-12T00:00:01Z", "complete": true,
        "selection": {"kind": "days", "startDate": "2026-01-05", "endDate": "2026-01-05"},
        "totals": {"chunks": 50, "failedChunks": 0, "rows": 50, "bytes": 100, "badRecordsSkipped": 0},
        "files": (0..50).map(file).collect::<Vec<_>>(), "missing": [],
    });
    std::fs::write(folder.path().join("manifest.json"), manifest.to_string()).unwrap();
    folder
}

/// A pipe that nobody reads any more.
fn closed_pipe() -> Stdio {
    let (reader, writer) = std::io::pipe().unwrap();
    drop(reader);
    writer.into()
}

#[tokio::test]
async fn a_reader_that_has_gone_changes_no_exit_code() {
    let folder = incomplete_download();
    let place = folder.path().to_str().unwrap();
    for (program, line, expected) in [
        (EXPORTER, vec!["verify", place], 1),
        (EXPORTER, vec!["verify", "/does/not/exist"], 2),
        (EXPORTER, vec!["--help"], 0),
        ("local", vec!["--help"], 0),
        ("local", vec!["--no"], 64),
    ] {
        let status = command(program, line.iter().copied())
            .stdout(closed_pipe())
            .stderr(closed_pipe())
            .status()
            .await
            .unwrap();
        assert_eq!(status.code(), Some(expected), "{line:?}");
    }
}

#[tokio::test]
async fn output_that_is_lost_on_a_full_disk_is_a_failure_of_its_own() {
    let folder = incomplete_download();
    let full = || File::options().write(true).open("/dev/full").unwrap();
    for (program, line) in [
        (EXPORTER, vec!["verify", folder.path().to_str().unwrap()]),
        (EXPORTER, vec!["--version"]),
        ("local", vec!["--version"]),
    ] {
        let child = command(program, line.iter().copied())
            .stdout(full())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        let Output { status, stderr, .. } = child.wait_with_output().await.unwrap();
        let stderr = String::from_utf8(stderr).unwrap();
        assert_eq!(status.code(), Some(74), "{line:?}: {stderr}");
        assert_eq!(
            stderr.matches("✗ the output cannot be written: ").count(),
            1,
            "{stderr}"
        );
    }
}

/// Runs `tools/lock` where it finds no other program, so that it could do no harm.
async fn lock(argument: &str) -> Output {
    let script = concat!(env!("CARGO_MANIFEST_DIR"), "/../tools/lock");
    let run = "PATH=; source \"$0\" \"$1\"";
    Command::new("bash")
        .args(["-c", run, script, argument])
        .output()
        .await
        .unwrap()
}

#[tokio::test]
async fn the_help_of_the_lock_tool_says_what_it_does_and_does_nothing() {
    for argument in ["--help", "-h"] {
        let Output {
            status,
            stdout,
            stderr,
        } = lock(argument).await;
        assert_eq!(
            (status.code(), stderr.as_slice()),
            (Some(0), b"".as_slice())
        );
        assert!(stdout.starts_with(b"Usage: tools/lock\n"));
    }
    let Output {
        status,
        stdout,
        stderr,
    } = lock("--nonsense").await;
    assert_eq!(
        (status.code(), stdout.as_slice()),
        (Some(64), b"".as_slice())
    );
    assert!(
        String::from_utf8(stderr)
            .unwrap()
            .contains("does not know `--nonsense`")
    );
}
