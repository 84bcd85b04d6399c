//! The recipes of docs/CLIENTS.md, run as they stand there against the whole service.

use std::path::Path;
use std::process::Output;
use std::time::Duration;

use local::demo::with_sample;
use local::dynamodb::scratch_dir;
use local::sample::{APPS, Sample};
use local::stack::{Stack, StackSettings};
use tokio::process::Command;

const PAGE: &str = include_str!("../../docs/CLIENTS.md");

/// The recipe in this language.
fn recipe(language: &str) -> &'static str {
    let (_, rest) = PAGE.split_once(&format!("\n```{language}\n")).unwrap();
    rest.split_once("\n```").unwrap().0
}

/// Runs a program in a folder of its own, with what the recipes take from the environment.
async fn run(stack: &Stack, folder: &Path, program: &str, file: &str) -> Output {
    let token = stack.token(Duration::from_mins(5)).unwrap();
    let app = APPS[0].exports_path().replace("/devices/exportTasks", "");
    Command::new(program)
        .arg(file)
        .current_dir(folder)
        .env("API", stack.api_url())
        .env("APP", app)
        .env("TOKEN", token.reveal())
        .env("CONTAINER_URL", stack.container_url("w").reveal())
        .env("READ_URL", stack.container_url("r").reveal())
        .kill_on_drop(true)
        .output()
        .await
        .unwrap()
}

#[tokio::test]
async fn the_recipes_export_download_verify_and_cancel() {
    let state = scratch_dir().unwrap();
    let settings = StackSettings {
        chunk_target_bytes: 1 << 20,
        ..StackSettings::in_folder(state.path())
    };
    let stack = with_sample(&settings, Sample::SMALL).await.unwrap();
    let said = tokio::join!(
        said(&stack, "python3", "python", "recipe.py"),
        said(&stack, "node", "js", "recipe.mjs"),
    );
    assert_eq!(said.0, said.1, "both download the same");
}

/// What a recipe prints, once it has done all that it shows.
async fn said(stack: &Stack, program: &str, language: &str, file: &str) -> String {
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(folder.path().join(file), recipe(language)).unwrap();
    let done = run(stack, folder.path(), program, file).await;
    let text = String::from_utf8(done.stdout).unwrap();
    let fault = String::from_utf8_lossy(&done.stderr);
    assert!(done.status.success(), "{language}: {text}{fault}");
    assert!(text.ends_with(" rows\ncancelled\n"), "{language}: {text}");
    let files = walk(&folder.path().join("downloads"));
    let without_manifest = format!("{} files, ", files - 1);
    assert!(text.starts_with(&without_manifest), "{language}: {text}");
    text
}

/// How many files lie in a folder and below.
fn walk(folder: &Path) -> usize {
    let entries = std::fs::read_dir(folder).unwrap();
    let counts = entries.map(|entry| {
        let path = entry.unwrap().path();
        if path.is_dir() { walk(&path) } else { 1 }
    });
    counts.sum()
}
