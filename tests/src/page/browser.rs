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
    assert_eq!(views.len(), 4, "{loads}");
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

#[tokio::test]
async fn filters_of_the_list_stand_in_its_address_and_are_there_again_on_the_way_back() {
    let seen = habit("back").await;
    assert_eq!(
        seen["found"],
        json!([["Crash", "Crash"], ["Crash", "Crash"]])
    );
    assert_eq!(seen["cleared"], "");
}

#[tokio::test]
async fn a_refused_field_is_marked_has_the_focus_and_is_called_as_the_form_calls_it() {
    let seen = habit("refused").await;
    let found = seen["found"].as_array().unwrap();
    assert!(found.len() > 6, "{seen}");
    for field in found {
        assert_eq!(
            (&field["active"], &field["invalid"], &field["left"]),
            (&json!(true), &json!(1), &json!(0)),
            "{field}"
        );
        let [said, beside] = ["said", "beside"].map(|name| field[name].as_str().unwrap());
        assert!(
            said.starts_with('“') && beside.starts_with("✗ “"),
            "{field}"
        );
        for of_the_api in [
            "exportOptions",
            "array",
            "startDate",
            "endDate",
            "containerUrl",
        ] {
            assert!(!said.contains(of_the_api), "{field}");
        }
    }
}

#[tokio::test]
async fn the_fields_of_the_form_are_called_as_the_api_calls_them_and_none_is_missing() {
    let seen = habit("names").await;
    assert!(seen["asked"].as_u64().unwrap() > 15, "{seen}");
    for differing in ["notInForm", "notInApi", "otherLimits"] {
        assert_eq!(seen[differing], json!([]), "{differing}");
    }
}

#[tokio::test]
async fn days_that_the_service_will_not_take_are_said_before_anything_is_sent() {
    let seen = habit("limits").await;
    assert_eq!(seen["sent"], 0);
    assert_eq!(
        seen["typed"], "2026-01-11",
        "and is there after a look at others"
    );
    for (days, expected) in [
        ("2026-01-05 2026-01-11", ""),
        ("2026-01-05 2026-01-12", "Not all of these days are over"),
        ("2026-01-13 2026-01-14", "These days have not begun"),
        ("2025-12-12 2026-01-11", ""),
        ("2025-12-11 2026-01-11", "at most 31 days"),
        ("2026-01-11 2026-01-05", "before the start date"),
    ] {
        let said = &seen["said"][days];
        let doubt = said[0].as_str().unwrap_or_default();
        assert_eq!(doubt.is_empty(), expected.is_empty(), "{days}: {said}");
        assert!(doubt.contains(expected), "{days}: {said}");
    }
}

#[tokio::test]
async fn an_answer_that_is_not_the_services_is_said_to_be_none_wherever_it_comes() {
    let seen = habit("unexpected").await;
    let id = "The request's id: ";
    for (answer, expected, has_id) in [
        ("html", "status 200, text/html, no JSON", false),
        ("empty", "status 200, application/json, not what was", true),
        ("list", "status 200, application/json, not what was", true),
        ("text", "status 502, no content type, no JSON", false),
        ("defect", "and what you did: the answer has no id", false),
        ("gateway", "The request's id: gateway-7", true),
    ] {
        let said = seen[answer].as_array().unwrap();
        assert_eq!(said.len(), 3, "list, export and form: {seen}");
        for text in said.iter().map(|text| text.as_str().unwrap()) {
            assert!(text.contains(expected), "{answer}: {text}");
            assert_eq!(text.contains(id), has_id, "{answer}: {text}");
            assert!(!text.contains("Loading"), "{answer}: {text}");
        }
        let asks_again = |at: usize| said[at].as_str().unwrap().contains("asks again by itself");
        assert_eq!([0, 1, 2].map(asks_again), [true, true, false], "{answer}");
    }
}

#[tokio::test]
async fn what_is_hidden_in_a_text_is_shown_and_copied_as_it_is() {
    let seen = habit("texts").await;
    for place in ["inList", "inView", "inForm"] {
        assert_eq!(seen[place], json!([]), "{place}");
    }
    let heading = seen["heading"].as_str().unwrap();
    let whole = seen["whole"].as_str().unwrap();
    assert!(heading.starts_with("report‹U+202E›gpj.exe‹U+200B›‹U+0007› ↵ A"));
    assert!(heading.ends_with('…') && heading.chars().count() < 130);
    assert!(whole.chars().count() > 900 && whole.starts_with(&heading[..80]));
    assert_eq!(
        (&seen["isolated"], &seen["isExact"], &seen["code"]),
        (&json!(1), &json!(true), &json!(["exportOption"]))
    );
}

#[tokio::test]
async fn a_link_that_names_no_app_is_not_followed() {
    let seen = habit("paths").await;
    let found = seen["found"].as_array().unwrap();
    assert!(found.len() > 8, "{seen}");
    for link in found {
        assert_eq!(
            link["said"],
            "This link leads to no app, and was not followed."
        );
        assert_eq!(
            (&link["asked"], &link["isKept"]),
            (&json!(0), &json!(false)),
            "{link}"
        );
    }
    let bar = "11111111-2222-3333-4444-555555555555 / demo / my studio / chess";
    assert_eq!(seen["bar"], bar, "where the app is, whole");
}

#[tokio::test]
async fn what_is_copied_says_beside_it_which_secrets_it_needs() {
    let seen = habit("needs").await;
    for name in ["command", "curl"] {
        let said = seen[name].as_str().unwrap();
        for needed in ["ENGAGEMENT_EXPORT_TOKEN", "ENGAGEMENT_EXPORT_CONTAINER_URL"] {
            let told = format!("\n{needed}\n");
            assert!(said.contains(&told), "{said}");
        }
        assert!(said.contains("How do I get a token?"), "{said}");
    }
    let verify = seen["verify"].as_str().unwrap();
    assert!(verify.contains("neither needs a token"), "{verify}");
    assert!(!verify.contains("TOKEN"), "{verify}");
}
