//! The smoke test of a deployment: green when it works, and red when it does not.

use std::time::Duration;

use local::dynamodb::scratch_dir;
use local::serve::operating;
use local::stack::Stack;
use ports::clock::Clock;
use wiring::SystemClock;

use super::desk::{Desk, Ran};
use super::documented::start;

/// A desk from which a stack's API is asked.
async fn desk_of(stack: &Stack) -> Desk {
    let mut desk = Desk::new().await;
    let token = stack.token(Duration::from_mins(30)).unwrap();
    desk.set("ENGAGEMENT_EXPORT_API", &stack.api_url());
    desk.set(
        "ENGAGEMENT_EXPORT_APP",
        &local::sample::APPS[0].exports_path(),
    );
    desk.set("ENGAGEMENT_EXPORT_TOKEN", token.reveal());
    desk.file("url.txt", stack.container_url("w").reveal());
    desk.file("read-url.txt", stack.container_url("rl").reveal());
    desk
}

const SMOKE: [&str; 5] = [
    "smoke",
    "--container-url-file",
    "url.txt",
    "--day",
    "2026-01-05",
];

async fn smoke(desk: &Desk, more: &[&str]) -> Ran {
    desk.run(&[&SMOKE[..], more].concat()).await
}

#[tokio::test]
async fn a_deployment_that_works_is_green_and_one_that_does_not_is_red_by_name() {
    let state = scratch_dir().unwrap();
    let stack = start(state.path()).await;
    let mut desk = desk_of(&stack).await;
    let said = smoke(&desk, &["--read-url-file", "read-url.txt"])
        .await
        .ends(0);
    let lines: Vec<&str> = said.stdout.lines().collect();
    assert_eq!(lines[0], "✓ a wrong token: refused (401)");
    assert_eq!(
        lines[1..4],
        [
            "✓ the URL to write with: with this token, an export into it would be accepted",
            "✓ a wrong signature: refused (400 ContainerAccessDenied)",
            "✓ the URL to read with: its signature may read",
        ]
    );
    let verified = lines
        .iter()
        .filter(|line| line.ends_with(": exactly as the manifest says"));
    assert_eq!(verified.count(), 11, "{}", said.stdout);
    for of in [
        "activities as JsonBlob",
        "events as CsvBlob",
        "jobs as JsonLinesBlob",
        "errors as ParquetBlob",
        "feedbackByDate as ",
    ] {
        assert!(
            lines
                .iter()
                .any(|line| line.starts_with(&format!("✓ {of}"))),
            "{of}: {}",
            said.stdout
        );
    }
    assert_eq!(
        lines.last(),
        Some(&"✓ green: all 15 checks are as they should be")
    );

    // A day without data shows less, and what may not be read even less: that is said.
    let line = [
        "smoke",
        "--container-url-file",
        "url.txt",
        "--day",
        "2026-01-08",
    ];
    let said = desk.run(&line).await.ends(0);
    assert!(
        said.stdout.contains("! events as CsvBlob: export ")
            && said.stdout.contains("content was not read")
            && said
                .stdout
                .contains("succeeded, 0 rows; --day names a day with data\n"),
        "{}",
        said.stdout
    );

    what_all_exports_share_is_said_once(&stack, &mut desk).await;
    the_exports_that_could_hold_a_device_are_named(&stack, &mut desk).await;
    the_changes_are_listed(&desk).await;
}

/// What keeps every export from being made is one red line, and nothing else is tried.
async fn what_all_exports_share_is_said_once(stack: &Stack, desk: &mut Desk) {
    let outcomes = |said: &serde_json::Value| -> Vec<(String, String)> {
        let checks = said["checks"].as_array().unwrap().iter();
        let text = |of: &serde_json::Value| of.as_str().unwrap().to_owned();
        checks
            .map(|it| (text(&it["name"]), text(&it["outcome"])))
            .collect()
    };
    let pairs = |of: &[(&str, &str)]| -> Vec<(String, String)> {
        let texts = of
            .iter()
            .map(|(name, outcome)| ((*name).to_owned(), (*outcome).to_owned()));
        texts.collect()
    };
    // A URL that cannot be read with is known before the first export.
    let write_only = ["--read-url-file", "url.txt", "--json"];
    let said = smoke(desk, &write_only).await.ends(1).json();
    let expected = pairs(&[
        ("a wrong token", "green"),
        ("the URL to write with", "green"),
        ("a wrong signature", "green"),
        ("the URL to read with", "red"),
        ("exports", "unknown"),
    ]);
    assert_eq!(outcomes(&said), expected, "{said}");
    desk.file(
        "other.txt",
        stack
            .container_url("rl")
            .reveal()
            .replace("/exports?", "/others?"),
    );
    smoke(desk, &["--read-url-file", "other.txt"])
        .await
        .ends(1)
        .says("✗ the URL to read with: it is of another container");
    // One that may not write shows nothing of a wrong signature.
    desk.file("url.txt", stack.container_url("r").reveal());
    let said = smoke(desk, &["--json"]).await.ends(1).json();
    let expected = pairs(&[
        ("a wrong token", "green"),
        ("the URL to write with", "red"),
        ("exports", "unknown"),
    ]);
    assert_eq!(outcomes(&said), expected, "{said}");
    assert_eq!(
        (&said["green"], &said["contentRead"]),
        (&false.into(), &false.into())
    );
    desk.file("url.txt", stack.container_url("w").reveal());
    desk.set("ENGAGEMENT_EXPORT_TOKEN", "nobody's");
    let said = smoke(desk, &[]).await.ends(1);
    assert!(
        said.stdout.contains("✓ a wrong token: refused (401)")
            && said.stdout.contains("✗ the token: ")
            && said.stdout.contains("TokenAudience")
            && said
                .stdout
                .ends_with("✗ red: 1 of 3 checks is not as it should be\n"),
        "{}",
        said.stdout
    );
    smoke(desk, &["--timeout", "0s"])
        .await
        .ends(64)
        .says("no export ends in no time");
    // What does not answer is asked once.
    desk.set("ENGAGEMENT_EXPORT_API", "http://127.0.0.1:9");
    smoke(desk, &[])
        .await
        .ends(2)
        .says("? a wrong token: the service does not answer")
        .says("? 2 of 2 checks are open, and none is red");
}

/// Those of two smoke tests but for what had nothing to read: the last was of a day without data.
async fn the_exports_that_could_hold_a_device_are_named(stack: &Stack, desk: &mut Desk) {
    let token = stack.token(Duration::from_mins(30)).unwrap();
    for line in operating(stack, token.reveal()).lines() {
        let (name, value) = line.trim_start_matches("export ").split_once('=').unwrap();
        desk.set(name, value.trim_matches('\''));
    }
    let device = "0123456789abcdef0123456789abcdef";
    let app = local::sample::APPS[0].exports_path();
    let plan = [
        "erase",
        "plan",
        "--app",
        &app,
        "--device",
        device,
        "--from",
        "2026-01-05",
        "--to",
        "2026-01-05",
        "--json",
    ];
    let said = desk.run(&plan).await.ends(0).json();
    let exports = said["exports"].as_array().unwrap();
    let of = |of: &str| exports.iter().filter(|it| it["exportType"] == of).count();
    assert_eq!((of("Event"), of("Tag"), of("Crash")), (1, 2, 1), "{said}");
    assert_eq!(exports[0]["lakeHoldsDevice"], false, "{said}");
    assert!(
        exports
            .iter()
            .all(|it| it["container"].as_str().unwrap().ends_with("/exports")),
        "{said}"
    );
}

/// Each export that was created has a line, and no refused one.
async fn the_changes_are_listed(desk: &Desk) {
    let yesterday = SystemClock.now().date().previous_day().unwrap().to_string();
    let list = ["audit", "list", "--from", &yesterday, "--json"];
    let said = desk.run(&list).await.ends(0).json();
    let changes = said["changes"].as_array().unwrap();
    assert_eq!(changes.len(), 22, "{said}");
    assert!(
        changes
            .iter()
            .all(|it| it["by"] == "operator" && it["act"] == "create"),
        "{said}"
    );
    let events = changes
        .iter()
        .find(|it| it["exportType"] == "Event")
        .unwrap();
    assert_eq!(
        (&events["startDate"], &events["endDate"]),
        (&"2026-01-05".into(), &"2026-01-05".into())
    );
}

#[tokio::test]
async fn what_it_needs_and_is_not_given_is_asked_for() {
    let mut desk = Desk::new().await;
    desk.run(&SMOKE)
        .await
        .ends(2)
        .says("the container's URL cannot be read from url.txt");
    desk.file("url.txt", "http://127.0.0.1:9/exports?sig=AAAA");
    desk.run(&SMOKE)
        .await
        .ends(64)
        .says("the service is not known");
    desk.set("ENGAGEMENT_EXPORT_API", "http://127.0.0.1:9");
    desk.set(
        "ENGAGEMENT_EXPORT_APP",
        &local::sample::APPS[0].exports_path(),
    );
    desk.run(&SMOKE).await.ends(64).says("no token is known");
}
