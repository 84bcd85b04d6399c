//! `engagement-export verify` as a person runs it, over a real export in Azurite and in a folder. Only a test
//! binary of its own is told by cargo where the command is.
#![cfg(test)]

use std::path::Path;
use std::process::{Output, Stdio};
use std::time::Duration;

use client::blobs::ContainerView;
use domain::secret::Secret;
use domain::selection::{Compression, ExportFormat};
use local::demo::with_sample;
use local::dynamodb::scratch_dir;
use local::sample::{APPS, Sample};
use local::sas::SasTerms;
use local::stack::{Stack, StackSettings};
use ports::clock::Clock;
use serde_json::{Value, json};
use tokio::io::AsyncWriteExt;
use tokio::process::Command;
use wiring::SystemClock;

/// Runs the command; what is given to its standard input, what it says and how it exits.
async fn verify(arguments: &[&str], variable: Option<&Secret>, stdin: &str) -> (i32, String) {
    let mut command = Command::new(env!("CARGO_BIN_EXE_engagement-export"));
    command.arg("verify").args(arguments).kill_on_drop(true);
    for variable in client::environment::VARIABLES {
        command.env_remove(variable.name);
    }
    if let Some(url) = variable {
        command.env("VERIFY_CONTAINER_URL", url.reveal());
    }
    let mut child = command
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    let mut input = child.stdin.take().unwrap();
    input.write_all(stdin.as_bytes()).await.unwrap();
    drop(input);
    let Output {
        status,
        stdout,
        stderr,
    } = child.wait_with_output().await.unwrap();
    let said = String::from_utf8([stdout, stderr].concat()).unwrap();
    assert!(!said.contains("sig="), "{said}");
    (status.code().unwrap(), said)
}

/// Everything on one machine, with some sample data.
async fn start(folder: &Path) -> Stack {
    let settings = StackSettings {
        chunk_target_bytes: 64 * 1024,
        ..StackSettings::in_folder(folder)
    };
    with_sample(&settings, Sample::SMALL).await.unwrap()
}

/// A week of events, exported in several files; the finished task.
async fn export(stack: &Stack, format: ExportFormat, options: Value) -> Value {
    export_into(stack, "", format, options).await
}

/// A URL of the container, or of a folder in it that begins with a slash.
fn url_of(stack: &Stack, folder: &str, permissions: &str) -> Secret {
    let url = stack.container_url(permissions);
    Secret::new(url.reveal().replacen('?', &format!("{folder}?"), 1))
}

async fn export_into(stack: &Stack, folder: &str, format: ExportFormat, options: Value) -> Value {
    let http = reqwest::Client::builder().no_proxy().build().unwrap();
    let token = stack.token(Duration::from_mins(5)).unwrap();
    let url = format!(
        "{}{}/events?api-version=2014-12-01",
        stack.api_url(),
        APPS[0].exports_path()
    );
    let body = json!({
        "containerUrl": url_of(stack, folder, "w").reveal(), "exportFormat": format.name(),
        "exportOptions": options,
        "startDate": "2026-01-05", "endDate": "2026-01-11",
    });
    let request = http
        .post(url)
        .bearer_auth(token.reveal())
        .header("content-type", "application/json");
    let answer = request.body(body.to_string()).send().await.unwrap();
    let location = answer.headers()["location"].to_str().unwrap().to_owned();
    loop {
        let answer = http
            .get(&location)
            .bearer_auth(token.reveal())
            .send()
            .await
            .unwrap();
        let task: Value = serde_json::from_slice(&answer.bytes().await.unwrap()).unwrap();
        if task["state"] == "Succeeded" {
            return task;
        }
        assert_ne!(task["state"], "Failed", "{task}");
        tokio::task::yield_now().await;
    }
}

async fn download(stack: &Stack, folder: &Path) -> Vec<String> {
    let view = ContainerView::open(&stack.container_url("rl")).unwrap();
    let names: Vec<String> = view
        .list()
        .await
        .unwrap()
        .into_iter()
        .map(|blob| blob.name)
        .collect();
    for name in &names {
        let path = folder.join(name);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        view.download_to(name, &path).await.unwrap();
    }
    names
}

/// Writes a blob beside the service.
async fn put(url: &Secret, name: &str) {
    let view = ContainerView::open(url).unwrap();
    view.put(name, b"[]", "application/json").await.unwrap();
}

fn expired(stack: &Stack) -> Secret {
    let url = stack.container_url("rl");
    let (endpoint, container) = url
        .reveal()
        .split('?')
        .next()
        .unwrap()
        .rsplit_once('/')
        .unwrap();
    let expiry = SystemClock.now() - time::Duration::HOUR;
    SasTerms {
        expiry,
        ..SasTerms::for_a_day("rl")
    }
    .container_url(endpoint, container)
}

#[tokio::test]
async fn an_export_is_verified_in_its_container_and_in_a_folder() {
    let state = scratch_dir().unwrap();
    let stack = start(state.path()).await;
    let task = export(&stack, ExportFormat::JsonBlob, json!({})).await;
    let (id, manifest) = (
        task["id"].as_str().unwrap(),
        task["manifestUrl"].as_str().unwrap(),
    );
    let right = ": exactly as the manifest says\n";

    let (code, said) = verify(&["--job", id], Some(&stack.container_url("r")), "").await;
    assert!(
        code == 0
            && said.contains("not looked for: the signature may not list")
            && said.ends_with(right),
        "{said}"
    );
    let arguments = ["--job", manifest, "--container-url-file", "-"];
    let (code, said) = verify(&arguments, None, stack.container_url("rl").reveal()).await;
    assert!(
        code == 0 && said.contains("were looked for") && said.ends_with(right),
        "{said}"
    );

    for url in [expired(&stack), stack.container_url("w")] {
        let (code, said) = verify(&["--job", id], Some(&url), "").await;
        assert!(
            code == 2 && said.contains("✗ storage refuses the signature ("),
            "{said}"
        );
    }
    let other = SystemClock.fresh_id().to_string();
    let (code, said) = verify(&["--job", &other], Some(&stack.container_url("r")), "").await;
    assert!(
        code == 2 && said.contains("✗ the container has no manifest of this export"),
        "{said}"
    );
    assert_eq!(verify(&["--job", id], None, "").await.0, 64);

    let downloads = tempfile::tempdir().unwrap();
    let names = download(&stack, downloads.path()).await;
    let place = downloads.path().to_str().unwrap();
    let (code, said) = verify(&[place], None, "").await;
    assert!(code == 0 && said.ends_with(right), "{said}");

    let part = names.iter().find(|name| name.contains("part-")).unwrap();
    let mut bytes = std::fs::read(downloads.path().join(part)).unwrap();
    bytes[100] ^= 1;
    std::fs::write(downloads.path().join(part), bytes).unwrap();
    let (code, said) = verify(&[place], None, "").await;
    assert!(
        code == 1 && said.contains(&format!("✗ {part}: the manifest says SHA-256 ")),
        "{said}"
    );

    let stray = part.replace("part-", "stray-");
    for name in [part, &stray] {
        put(&stack.container_url("w"), name).await;
    }
    let (code, said) = verify(&["--job", id], Some(&stack.container_url("rl")), "").await;
    assert!(
        code == 1 && said.contains(&format!("✗ {part}: the manifest says ")),
        "{said}"
    );
    assert!(
        said.contains(&format!("✗ {stray}: it exists and is not in the manifest")),
        "{said}"
    );
    let (_, said) = verify(&["--job", id], Some(&stack.container_url("r")), "").await;
    assert!(!said.contains("stray-"), "{said}");
}

#[tokio::test]
async fn every_format_is_verified_with_every_compression() {
    let state = scratch_dir().unwrap();
    let stack = start(state.path()).await;
    let url = stack.container_url("rl");
    let view = ContainerView::open(&url).unwrap();
    for &format in ExportFormat::ALL {
        for &compression in format.compressions() {
            let options = json!({"compression": compression.name()});
            let task = export(&stack, format, options).await;
            let id = task["id"].as_str().unwrap();
            let (code, said) = verify(&["--job", id], Some(&url), "").await;
            let right = said.ends_with(": exactly as the manifest says\n");
            assert!(code == 0 && right, "{format:?} {compression:?}: {said}");
            let blobs = view.list().await.unwrap();
            let parts = blobs.iter().filter(|blob| blob.name.contains(id));
            let parts = parts.filter(|blob| blob.name.contains("part-"));
            let expected = match compression {
                Compression::None => format.content_type(),
                Compression::Gzip => "application/gzip",
                Compression::Zstd => "application/zstd",
            };
            let content_types: Vec<_> = parts.map(|blob| blob.content_type.as_deref()).collect();
            assert_eq!(content_types, vec![Some(expected); content_types.len()]);
            assert!(content_types.len() > 1, "{format:?} {compression:?}");
        }
    }
}

#[tokio::test]
async fn what_was_asked_of_the_files_is_verified() {
    let state = scratch_dir().unwrap();
    let stack = start(state.path()).await;
    let url = stack.container_url("rl");
    for (format, options) in [
        (
            ExportFormat::CsvBlob,
            json!({"columns": ["name", "extras"], "byteOrderMark": true, "escapeFormulas": true}),
        ),
        (
            ExportFormat::JsonLinesBlob,
            json!({"columns": ["extras", "name"]}),
        ),
        (ExportFormat::JsonBlob, json!({"maxFileBytes": 16_777_216})),
    ] {
        let task = export(&stack, format, options).await;
        let id = task["id"].as_str().unwrap();
        let (code, said) = verify(&["--job", id], Some(&url), "").await;
        let right = said.ends_with(": exactly as the manifest says\n");
        assert!(code == 0 && right, "{format:?}: {said}");
    }
}

#[tokio::test]
async fn every_row_of_a_filtered_export_is_compared_with_the_filter_where_it_can_be() {
    let state = scratch_dir().unwrap();
    let stack = start(state.path()).await;
    let url = stack.container_url("rl");
    let filter = json!({
        "names": {"notIn": ["nothing"]}, "session": "present",
        "from": "2026-01-06T12:00:00Z", "to": "2026-01-09T12:00:00Z",
    });
    for &format in ExportFormat::ALL {
        let task = export(&stack, format, json!({"filter": filter})).await;
        assert_ne!(task["progress"]["rows"], 0, "{format:?}");
        let id = task["id"].as_str().unwrap();
        let (code, said) = verify(&["--job", id], Some(&url), "").await;
        let right = said.ends_with(": exactly as the manifest says\n");
        let all = !said.contains("could not be compared");
        assert!(code == 0 && right && all, "{format:?}: {said}");
    }
    let options = json!({"columns": ["deviceId", "timestamp"], "filter": filter});
    let task = export(&stack, ExportFormat::CsvBlob, options).await;
    let id = task["id"].as_str().unwrap();
    let (code, said) = verify(&["--job", id], Some(&url), "").await;
    let what =
        "rows could not be compared with the whole filter: they have no `name`, `sessionId`\n";
    assert!(code == 0 && said.contains(what), "{said}");
}

#[tokio::test]
async fn an_export_into_a_folder_lies_below_it_and_is_verified_there() {
    let state = scratch_dir().unwrap();
    let stack = start(state.path()).await;
    let folder = "/team a/2026";
    let task = export_into(&stack, folder, ExportFormat::CsvBlob, json!({})).await;
    let (id, manifest) = (
        task["id"].as_str().unwrap(),
        task["manifestUrl"].as_str().unwrap(),
    );
    let end = format!("/team%20a/2026/Event/{id}/manifest.json");
    assert!(manifest.ends_with(&end), "{manifest}");
    let all = ContainerView::open(&stack.container_url("rl")).unwrap();
    let names: Vec<String> = all
        .list()
        .await
        .unwrap()
        .into_iter()
        .map(|it| it.name)
        .collect();
    let prefix = format!("team a/2026/Event/{id}/");
    assert!(names.len() > 2, "{names:?}");
    assert!(
        names.iter().all(|name| name.starts_with(&prefix)),
        "{names:?}"
    );

    let url = url_of(&stack, folder, "rl");
    let (code, said) = verify(&["--job", manifest], Some(&url), "").await;
    let right = said.ends_with(": exactly as the manifest says\n");
    assert!(
        code == 0 && right && said.contains("were looked for"),
        "{said}"
    );
    let stray = format!("Event/{id}/stray.csv");
    put(&url_of(&stack, folder, "w"), &stray).await;
    let (code, said) = verify(&["--job", id], Some(&url), "").await;
    let found = said.contains(&format!("✗ {stray}: it exists and is not in the manifest"));
    assert!(code == 1 && found, "{said}");
    let (code, _) = verify(&["--job", id], Some(&stack.container_url("rl")), "").await;
    assert_eq!(code, 2, "there is no such export beside the folder");
}
