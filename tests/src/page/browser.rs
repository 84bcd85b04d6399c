//! The page in Chromium: every state of it, what it loads, and what it says of signatures.

use serde_json::{Value, json};
use tokio::process::Command;

/// What a first visit to a view may load, without the library of the sign-in, in bytes.
const MOST_BYTES: u64 = 100_000;

/// What a script of `tests/browser/page` finds out.
async fn found_by(script: &str) -> Value {
    let done = Command::new("node")
        .arg(script)
        .current_dir(concat!(env!("CARGO_MANIFEST_DIR"), "/browser/page"))
        .kill_on_drop(true)
        .output()
        .await
        .unwrap();
    let fault = String::from_utf8_lossy(&done.stderr);
    assert!(
        done.status.success(),
        "is the browser installed? run `make setup`: {fault}"
    );
    serde_json::from_slice(&done.stdout).unwrap()
}

#[tokio::test]
async fn every_state_of_the_page_is_for_everybody_in_both_themes_and_on_a_narrow_screen() {
    let checked = found_by("check.mjs").await;
    assert_eq!(checked["found"], json!([]));
    assert!(checked["states"].as_u64().unwrap() > 20, "{checked}");
}

#[tokio::test]
async fn the_page_says_of_every_signature_what_the_service_says() {
    let explained = found_by("signatures.mjs").await;
    assert_eq!(explained["found"], json!([]));
    assert!(explained["cases"].as_u64().unwrap() > 20, "{explained}");
}

#[tokio::test]
async fn no_view_loads_a_hundred_kilobytes_beside_the_library() {
    let loads = found_by("loads.mjs").await;
    let views = loads["bytes"].as_object().unwrap();
    assert_eq!(views.len(), 3, "{loads}");
    for (view, bytes) in views {
        let bytes = bytes.as_u64().unwrap();
        assert!((10_000..MOST_BYTES).contains(&bytes), "{view}: {bytes}");
    }
}
