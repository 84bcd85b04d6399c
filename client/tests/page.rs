//! What people do in the page, in Chromium, with the whole service behind it; and what the command makes
//! of the exports and of the commands that the page gives them.
#![cfg(test)]

use std::path::{Path, PathBuf};
use std::process::{Output, Stdio};
use std::time::Duration;

use domain::selection::HistoryType;
use local::demo::with_sample;
use local::dynamodb::scratch_dir;
use local::sample::{APPS, DAYS, Sample, folder};
use local::sas::SasTerms;
use local::stack::{Stack, StackSettings};
use serde_json::{Value, json};
use tempfile::TempDir;
use tokio::io::{AsyncBufReadExt, AsyncWriteExt, BufReader};
use tokio::process::Command;

/// The policy of the container that governs a signature which is revoked.
const POLICY: &str = "page";

/// The service, with an app whose exports nobody has asked for yet.
struct Site {
    stack: Stack,
    token: String,
    /// An object of the app's events.
    object: PathBuf,
    _state: TempDir,
}

impl Site {
    /// With about so many rows of all types. Blocks are small, and are uploaded one by one: an export of
    /// plain JSON takes some seconds, so that something can come between.
    async fn with_rows(rows: u64) -> Self {
        let state = scratch_dir().unwrap();
        let settings = StackSettings {
            functions: vec![
                ("BLOCK_BYTES", "65536".to_owned()),
                ("UPLOADS_IN_FLIGHT", "1".to_owned()),
            ],
            ..StackSettings::in_folder(state.path())
        };
        let sample = Sample {
            rows,
            ..Sample::SMALL
        };
        let stack = with_sample(&settings, sample).await.unwrap();
        let token = stack.token(Duration::from_mins(30)).unwrap();
        Self {
            token: token.reveal().to_owned(),
            object: object_of(&stack),
            stack,
            _state: state,
        }
    }

    /// What a story comes to. However it goes, the browser complains of nothing, asks nobody but the
    /// service and its issuer, and the page leaves no secret behind.
    async fn play(&self, story: &str, app: &str) -> Value {
        self.let_happen("the signature holds again").await;
        let given = json!({
            "story": story,
            "origin": self.stack.api_url(),
            "issuer": self.stack.issuer_url(),
            "app": app,
            "token": self.token,
            "containerUrl": self.stack.container_url("w").reveal(),
            "policyUrl": self.stack.policy_url(POLICY).reveal(),
        });
        let mut node = Command::new("node")
            .arg("stories.mjs")
            .current_dir(concat!(
                env!("CARGO_MANIFEST_DIR"),
                "/../tests/browser/page"
            ))
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .kill_on_drop(true)
            .spawn()
            .unwrap();
        let mut input = node.stdin.take().unwrap();
        let mut lines = BufReader::new(node.stdout.take().unwrap()).lines();
        let mut came = Value::Null;
        input
            .write_all(format!("{given}\n").as_bytes())
            .await
            .unwrap();
        while let Some(line) = lines.next_line().await.unwrap() {
            match line.strip_prefix("meanwhile ") {
                Some(what) => {
                    self.let_happen(what).await;
                    input.write_all(b"\n").await.unwrap();
                }
                None => came = serde_json::from_str(&line).unwrap(),
            }
        }
        let ended = node.wait().await.unwrap();
        assert!(
            ended.success(),
            "is the browser installed? run `make setup`"
        );
        assert_eq!(came["complaints"], json!([]), "{story}");
        assert_eq!(came["leftovers"], json!([]), "{story}");
        came
    }

    /// Makes the world as a story says that it is.
    async fn let_happen(&self, what: &str) {
        let terms = SasTerms::for_a_day("w");
        let kept = [(POLICY, &terms)];
        let object = &self.object;
        let away = self.stack.places.lake().join("away");
        match what {
            "the signature holds again" => self.stack.keep_policies(&kept).await.unwrap(),
            "the signature is revoked" => self.stack.keep_policies(&[]).await.unwrap(),
            "an object goes away" => std::fs::rename(object, away).unwrap(),
            "the object comes back" => std::fs::rename(away, object).unwrap(),
            other => panic!("{other}"),
        }
    }

    /// Runs a text that the page gave, in a folder, as a shell does; secrets come from the environment.
    #[expect(
        clippy::disallowed_methods,
        reason = "a shell finds its commands by the PATH of the process"
    )]
    async fn run(&self, program: &[&str], text: &str, folder: &Path) -> Output {
        let bin = Path::new(env!("CARGO_BIN_EXE_engagement-export"));
        let path = std::env::var("PATH").unwrap();
        let path = format!("{}:{path}", bin.parent().unwrap().display());
        let [program, options @ ..] = program else {
            panic!("no program");
        };
        let mut command = Command::new(program);
        for variable in client::environment::VARIABLES {
            command.env_remove(variable.name);
        }
        command
            .args(options)
            .arg(text)
            .current_dir(folder)
            .env("PATH", path)
            .env("HOME", folder)
            .env("XDG_CONFIG_HOME", folder)
            .env("ENGAGEMENT_EXPORT_TOKEN", &self.token)
            .env(
                "ENGAGEMENT_EXPORT_CONTAINER_URL",
                self.stack.container_url("w").reveal(),
            )
            .env(
                "ENGAGEMENT_EXPORT_READ_URL",
                self.stack.container_url("rl").reveal(),
            )
            .kill_on_drop(true)
            .output()
            .await
            .unwrap()
    }

    /// The export that such a text created, as the service says it.
    async fn created(&self, program: &[&str], text: &str) -> Value {
        let folder = tempfile::tempdir().unwrap();
        let done = self.run(program, text, folder.path()).await;
        let said = String::from_utf8(done.stdout).unwrap();
        let fault = String::from_utf8_lossy(&done.stderr);
        assert!(done.status.success(), "{text}\n{said}{fault}");
        let is_id = |word: &&str| word.len() == 36 && word.matches('-').count() == 4;
        let mut words = said.split(|c: char| !c.is_ascii_hexdigit() && c != '-');
        let id = words.find(is_id).unwrap_or_else(|| panic!("{said}{fault}"));
        self.task(id).await
    }

    async fn task(&self, id: &str) -> Value {
        let url = format!(
            "{}{}/{id}?api-version=2014-12-01",
            self.stack.api_url(),
            APPS[0].exports_path()
        );
        let http = reqwest::Client::builder().no_proxy().build().unwrap();
        let answer = http.get(url).bearer_auth(&self.token).send().await.unwrap();
        serde_json::from_slice(&answer.bytes().await.unwrap()).unwrap()
    }
}

/// The path of an object of the app's events.
fn object_of(stack: &Stack) -> PathBuf {
    let folder = folder(HistoryType::Event, &APPS[0], DAYS[2]);
    let entries = std::fs::read_dir(stack.places.lake().join(folder)).unwrap();
    entries.map(|entry| entry.unwrap().path()).min().unwrap()
}

fn texts(of: &Value) -> Vec<&str> {
    let all = of.as_array().unwrap().iter();
    all.map(|text| text.as_str().unwrap()).collect()
}

/// What was asked of an export, whoever asked.
fn asked(task: &Value) -> Value {
    let fields = [
        "exportType",
        "exportFormat",
        "description",
        "startDate",
        "endDate",
    ];
    let asked: Value = fields
        .iter()
        .map(|name| ((*name).to_owned(), task[name].clone()))
        .collect();
    json!([asked, task["options"]["asked"]])
}

#[tokio::test]
async fn a_first_export_is_made_and_its_files_are_looked_at_without_a_mouse() {
    let site = Site::with_rows(6_000).await;
    // The other app, whose name has a blank, and of which nothing is remembered.
    let came = site.play("keyboard", &APPS[1].path()).await;
    assert_eq!(
        came["whileTyping"],
        json!([]),
        "nothing is sent while typing"
    );
    assert_eq!(
        (&came["tokenInMemory"], &came["signatureInMemory"]),
        (&json!(true), &json!(false)),
        "what is sent is gone"
    );
    assert!(
        came["advice"]
            .as_str()
            .unwrap()
            .contains("the URL of a container")
    );
    assert_eq!(
        (&came["heading"], &came["focus"]),
        (&json!("by keyboard"), &json!("H1")),
        "who hears the page knows where they are"
    );
    let rows = texts(&came["rows"]);
    assert_eq!(rows.len(), 6, "{rows:?}");
    assert!(
        rows[0].starts_with("date=2026-01-05/part-00000.parquet"),
        "{rows:?}"
    );
    assert!(
        came["chunk"]
            .as_str()
            .unwrap()
            .starts_with("Chunk 1: done, 6 Jan 2026")
    );
    assert_eq!(came["rejects"], "No record was rejected.");
    assert_eq!(came["sorted"], "ascending");
}

#[tokio::test]
async fn the_commands_of_the_page_make_the_same_exports_and_verify_them() {
    let site = Site::with_rows(6_000).await;
    let came = site.play("commands", &APPS[0].path()).await;
    let text = |of: &'static str, name: &'static str| came[of][name].as_str().unwrap();
    let (shell, python) = (["sh", "-c"], ["python3", "-c"]);

    let first = asked(&site.task(came["id"].as_str().unwrap()).await);
    for name in ["command", "curl"] {
        let again = site.created(&shell, text("copies", name)).await;
        assert_eq!(asked(&again), first, "{name}");
    }
    let by_form = [
        (shell, text("forms", "command")),
        (shell, text("forms", "curl")),
        (python, text("forms", "python")),
    ];
    for (program, text) in by_form {
        let made = asked(&site.created(&program, text).await);
        assert_eq!(made[0]["description"], "“$TOKEN” `date` 'quoted' \\ 日本");
        assert_eq!(
            made[1],
            json!({
                "compression": "gzip",
                "columns": ["deviceId", "name", "timestamp", "infoId", "sessionId", "locationId"],
                "escapeFormulas": true,
                "filter": {"names": {"notIn": ["-login, or out", "it's `$HOME`"]}},
            }),
            "{text}"
        );
    }

    let folder = tempfile::tempdir().unwrap();
    for name in ["download", "verify"] {
        let text = came[name].as_str().unwrap();
        let done = site.run(&shell, text, folder.path()).await;
        let said = String::from_utf8(done.stdout).unwrap();
        assert!(
            said.contains(": exactly as the manifest says\n"),
            "{text}\n{said}{}",
            String::from_utf8_lossy(&done.stderr)
        );
    }
}

#[tokio::test]
async fn a_signature_that_ends_in_the_midst_is_renewed_in_the_page_and_what_is_missing_retried() {
    let site = Site::with_rows(100_000).await;
    let came = site.play("renewal", &APPS[0].path()).await;
    let text = |name: &str| came[name].as_str().unwrap();
    assert!(
        text("waiting").starts_with("Waits for a new signature since"),
        "{}",
        text("waiting")
    );
    assert!(!text("waiting").contains("PATCH"), "{}", text("waiting"));
    assert!(
        text("other").contains("Another container"),
        "{}",
        text("other")
    );
    let trouble = text("trouble");
    for said in [
        "7 Jan 2026",
        "was replaced or deleted after the export was planned",
        "Put the planned version back as it was, then retry",
        "Export this day anew",
    ] {
        assert!(trouble.contains(said), "{trouble}");
    }
    assert_eq!(came["signatureInMemory"], false);
    let phases = ["waits for a new signature", "incomplete", "complete"];
    assert!(phases.iter().all(|phase| text("history").contains(phase)));

    let folder = tempfile::tempdir().unwrap();
    let verify = format!("engagement-export verify --job {}", text("id"));
    let done = site.run(&["sh", "-c"], &verify, folder.path()).await;
    assert!(
        done.status.success(),
        "{}",
        String::from_utf8_lossy(&done.stdout)
    );
}

#[tokio::test]
async fn an_export_is_cancelled_in_the_list_and_gone_on_with() {
    let site = Site::with_rows(100_000).await;
    let came = site.play("cancel", &APPS[0].path()).await;
    let row = came["complete"].as_str().unwrap();
    assert!(
        row.contains("complete, ") && !row.contains("Retry"),
        "{row}"
    );
    let task = site.task(came["id"].as_str().unwrap()).await;
    assert_eq!(task["state"], "Succeeded", "{task}");
    let phases: Vec<_> = task["history"]
        .as_array()
        .unwrap()
        .iter()
        .map(|step| &step["phase"])
        .collect();
    assert!(phases.contains(&&json!("cancelled")), "{phases:?}");
}

#[tokio::test]
async fn who_signs_in_at_the_issuer_comes_back_to_where_they_were_and_a_reload_forgets_them() {
    let site = Site::with_rows(100).await;
    let app = APPS[0].path();
    let came = site.play("issuer", &app).await;
    assert_eq!(came["session"], 0, "nothing of it is kept");
    let page = format!("{}#{app}/new", site.stack.page_url());
    assert_eq!(came["address"], page.as_str());
    assert!(came["used"].as_u64().unwrap() > 0, "{came}");
}
