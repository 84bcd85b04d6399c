//! Downloads that are gone on with.

use std::path::{Path, PathBuf};

use local::dynamodb::scratch_dir;
use local::stack::Stack;

use super::person::{Person, exported, line, start};

/// All files below a folder, by their paths within it.
fn files(folder: &Path) -> Vec<PathBuf> {
    let mut found = Vec::new();
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            found.extend(files(&path));
        } else {
            found.push(path);
        }
    }
    found.sort();
    found
}

#[tokio::test]
async fn a_download_goes_on_with_what_is_there_and_mends_what_is_wrong() {
    let state = scratch_dir().unwrap();
    let stack = start(state.path()).await;
    let person = Person::of(&stack);
    let id = exported(&person).await;
    let folder = tempfile::tempdir().unwrap();
    let into = folder.path().to_str().unwrap();
    let download = ["download", id.as_str(), "--into", into];
    let ran = person.run(&download).await.ends(0);
    assert!(
        ran.stdout.contains(": exactly as the manifest says\n"),
        "{}",
        ran.stdout
    );
    let whole = files(folder.path());
    assert!(whole.len() > 3, "{whole:?}");
    assert!(
        whole
            .iter()
            .all(|path| !path.to_string_lossy().contains(".partial")),
        "{whole:?}"
    );
    let contents = |paths: &[PathBuf]| -> Vec<Vec<u8>> {
        paths
            .iter()
            .map(|path| std::fs::read(path).unwrap())
            .collect()
    };
    let before = contents(&whole);

    // One is wrong, one is not whole, one is missing, and a part of another version lies there.
    let parts: Vec<&PathBuf> = whole
        .iter()
        .filter(|path| path.to_string_lossy().contains("part-"))
        .collect();
    let [wrong, begun, missing, ..] = parts.as_slice() else {
        panic!("{whole:?}");
    };
    let mut bytes = std::fs::read(wrong).unwrap();
    bytes[9] ^= 1;
    std::fs::write(wrong, bytes).unwrap();
    let etag = etag(&stack, folder.path(), begun).await;
    let bytes = std::fs::read(begun).unwrap();
    std::fs::remove_file(begun).unwrap();
    let partial = |path: &Path, etag: &str| {
        let name = path.file_name().unwrap().to_str().unwrap();
        path.with_file_name(format!("{name}.{}.partial", hex::encode(etag)))
    };
    std::fs::write(partial(begun, &etag), &bytes[..100]).unwrap();
    std::fs::remove_file(missing).unwrap();
    std::fs::write(partial(missing, "\"0x1\""), "of another version").unwrap();

    let verdict = person
        .run(&line(&[&download, &["--json"]]))
        .await
        .ends(0)
        .json();
    assert_eq!(verdict["exports"][0]["outcome"], "right");
    assert_eq!(files(folder.path()), whole);
    assert_eq!(contents(&whole), before);
    let verify = person.run(&["verify", into, "--all"]).await.ends(0);
    assert!(
        verify.stdout.contains("were looked for"),
        "{}",
        verify.stdout
    );
}

/// The entity tag of the blob that a file is of.
async fn etag(stack: &Stack, folder: &Path, path: &Path) -> String {
    let name = path.strip_prefix(folder).unwrap().to_str().unwrap();
    let url = stack
        .container_url("r")
        .reveal()
        .replacen('?', &format!("/{name}?"), 1);
    let http = reqwest::Client::builder().no_proxy().build().unwrap();
    let answer = http.head(url).send().await.unwrap();
    answer.headers()["etag"].to_str().unwrap().to_owned()
}
