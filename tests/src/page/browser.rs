//! The page in Chromium: every state of it, what it loads, and what it says of signatures.

use serde_json::{Value, json};
use tokio::process::Command;

/// What a first visit to a view may load, without the library of the sign-in, in bytes.
const MOST_BYTES: u64 = 100_000;

/// What a script of `tests/browser/page` finds out.
async fn found_by(script: &str) -> Value {
    run(&[script]).await
}

/// What is seen of a habit of the page.
async fn habit(name: &str) -> Value {
    run(&["habits.mjs", name]).await
}

async fn run(arguments: &[&str]) -> Value {
    let done = Command::new("node")
        .args(arguments)
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

#[tokio::test]
async fn the_list_is_asked_for_by_its_tag_and_seldom_while_nobody_looks() {
    let seen = habit("polling").await;
    assert_eq!(seen["isByTag"], true, "{seen}");
    assert_eq!(seen["rows"], 1, "what is the same stays: {seen}");
    assert!(seen["looked"].as_u64().unwrap() > 3, "{seen}");
    assert!(seen["hidden"].as_u64().unwrap() <= 1, "{seen}");
    assert!(seen["again"].as_u64().unwrap() >= 1, "{seen}");
}

#[tokio::test]
async fn a_creation_without_an_answer_is_repeated_under_its_key_and_another_has_its_own() {
    let seen = habit("keys").await;
    assert_eq!(
        (&seen["isRepeated"], &seen["isNew"]),
        (&json!(true), &json!(true)),
        "{seen}"
    );
    assert_eq!(seen["field"], true, "it can be sent again: {seen}");
    assert_eq!(seen["focus"], "Create the export", "{seen}");
    let said = seen["said"].as_str().unwrap();
    assert!(said.contains("it makes no second export"), "{said}");
}

#[tokio::test]
async fn a_token_that_expires_is_asked_for_beside_the_work() {
    let seen = habit("expiry").await;
    assert_eq!(seen["description"], "long thought about");
    assert_eq!(seen["bearer"], "Bearer e30.e30.");
}

#[tokio::test]
async fn a_signature_that_is_pasted_for_an_app_is_kept_nowhere() {
    let seen = habit("strays").await;
    let app = seen["app"].as_str().unwrap();
    assert!(
        seen["wrong"]
            .as_str()
            .unwrap()
            .contains("no path of an app")
    );
    assert_eq!(seen["kept"], json!([app]).to_string());
    assert_eq!(seen["address"], app);
}

#[tokio::test]
async fn what_fails_or_leads_nowhere_says_so_where_one_looks() {
    let seen = habit("astray").await;
    assert!(
        seen["older"].as_str().unwrap().contains("Not now"),
        "{seen}"
    );
    assert_eq!(seen["nowhere"], "This link leads to no export");
    assert_eq!(seen["isKept"], true, "a link alone is not remembered");
}

#[tokio::test]
async fn filters_are_the_services_and_a_next_page_comes_from_where_the_page_does() {
    let seen = habit("pages").await;
    assert_eq!(seen["rows"], json!(["Number 19", "Number 20", "Number 21"]));
    let asked = &seen["asked"];
    assert_eq!(
        (&asked["state"], &asked["exportType"]),
        (&json!("Failed"), &json!("Crash"))
    );
}

#[tokio::test]
async fn an_export_is_asked_for_again_as_it_was() {
    let seen = habit("again").await;
    assert_eq!(seen["found"], json!([]));
    assert!(seen["asked"].as_u64().unwrap() > 5, "{seen}");
}
