//! The lake and the registry, looked at before anybody exports them.

use std::fmt::Write as _;

use super::desk::{APP, Desk};

pub(super) const FOLDER: &str = "lake/events/app=subscriptions!s1!resourcegroups!games!providers!microsoft.mobileengagement!appcollections!studio!apps!chess";

fn events(day: &str, count: u32) -> String {
    let mut text = String::new();
    for number in 0..count {
        writeln!(text, "{{\"deviceId\":\"{number:032x}\",\"name\":\"login\",\"timestamp\":\"{day}T08:00:00Z\"}}").unwrap();
    }
    text
}

const CHECK: [&str; 10] = [
    "lake",
    "check",
    "--app",
    APP,
    "--type",
    "events",
    "--from",
    "2026-01-05",
    "--to",
    "2026-01-07",
];

#[tokio::test]
async fn a_lake_that_is_as_it_should_be_has_nothing_to_say_but_its_days() {
    let desk = Desk::new().await;
    for day in ["2026-01-05", "2026-01-06", "2026-01-07"] {
        desk.file(&format!("{FOLDER}/date={day}/a.ndjson"), events(day, 10));
    }
    let said = desk.run(&CHECK).await.ends(0);
    let lines: Vec<&str> = said.stdout.lines().collect();
    assert!(
        lines[0].starts_with(
            "✓ events from 2026-01-05 to 2026-01-07: an export would read 3 objects, "
        ),
        "{}",
        said.stdout
    );
    assert!(
        lines[1].starts_with("  2026-01-05      1 object  "),
        "{}",
        said.stdout
    );
    assert_eq!(
        lines[4],
        "· all chunks were run: 30 records became 30 rows, 0 would be rejected, 0 left to the exports of other days"
    );
    assert_eq!(lines.len(), 5);
}

#[tokio::test]
async fn what_an_export_would_leave_out_lose_and_reject_is_said_as_the_service_would_say_it() {
    let desk = Desk::new().await;
    let mixed = format!(
        "{}nonsense\n{{\"deviceId\":\"x\"}}\n{}",
        events("2026-01-05", 100),
        events("2026-01-04", 2)
    );
    desk.file(&format!("{FOLDER}/date=2026-01-05/a.ndjson"), mixed);
    desk.file(&format!("{FOLDER}/date=2026-01-05/_temporary"), "x");
    desk.file(
        &format!("{FOLDER}/date=2026-01-06/b.ndjson"),
        [0x1f, 0x8b, 8, 0, 1, 2, 3],
    );
    desk.file(
        &format!("{FOLDER}/date=2026-1-7/c.ndjson"),
        events("2026-01-07", 1),
    );
    let said = desk.run(&CHECK).await.ends(1);
    for line in [
        "✗ events from 2026-01-05 to 2026-01-07: an export would read 2 objects, ",
        "! DaysWithoutObjects: The lake has no object with records of type Event on 1 of the selected days: `2026-01-07`.",
        "! ObjectsLeftOut: Left out, because of their names or because they are empty: 1 object in the folders that are read (1 bytes): `date=2026-01-05/_temporary`.",
        "! FoldersLeftOut: ",
        "`date=2026-1-7/`",
        "· all chunks were run: 104 records became 100 rows, 4 would be rejected, 0 left to the exports of other days",
        "✗ missing: events/app=",
        "! NotJson: events/app=",
        "line 101: not JSON: expected one JSON object",
        "! WrongDay: ",
        "! WrongValue: ",
    ] {
        assert!(said.stdout.contains(line), "{line}: {}", said.stdout);
    }
    assert!(
        !said.stdout.contains("nonsense"),
        "no record on a terminal: {}",
        said.stdout
    );
    let said = desk
        .run(&[&CHECK[..], &["--json"]].concat())
        .await
        .ends(1)
        .json();
    assert_eq!(said["sample"]["counts"]["recordsRejected"], 4);
    assert_eq!(said["sample"]["missing"].as_array().unwrap().len(), 1);
    assert_eq!(said["days"][0]["day"], "2026-01-05");
    assert_eq!(said["exitCode"], 1);
}

#[tokio::test]
async fn a_sample_reads_as_many_chunks_as_asked_for_and_none_but_the_plan_for_nothing() {
    let mut desk = Desk::new().await;
    desk.set("CHUNK_TARGET_BYTES", "1");
    for number in 0..9 {
        desk.file(
            &format!("{FOLDER}/date=2026-01-05/{number}.ndjson"),
            events("2026-01-05", 1),
        );
    }
    for (sample, said) in [
        ("2", "· 2 of 9 chunks were run: 2 records"),
        ("all", "· all chunks were run: 9 records"),
    ] {
        desk.run(&[&CHECK[..], &["--sample", sample]].concat())
            .await
            .ends(3)
            .says(said);
    }
    let ran = desk
        .run(&[&CHECK[..], &["--sample", "0"]].concat())
        .await
        .ends(3);
    assert!(
        ran.stdout.contains("in 9 chunks") && !ran.stdout.contains("were run"),
        "{}",
        ran.stdout
    );
}

#[tokio::test]
async fn a_lake_without_a_folder_of_the_app_is_said_and_so_is_one_that_is_not_there() {
    let mut desk = Desk::new().await;
    desk.run(&CHECK)
        .await
        .ends(3)
        .says("! NoFolder: The lake has no folder `events/app=subscriptions!s1!");
    desk.set("LAKE_URL", "file:///nowhere-at-all");
    desk.run(&CHECK)
        .await
        .ends(64)
        .says("LAKE_URL=file:///nowhere-at-all does not fit");
    let backwards = [
        "lake",
        "check",
        "--app",
        APP,
        "--type",
        "events",
        "--from",
        "2026-01-05",
        "--to",
        "2026-01-04",
    ];
    desk.run(&backwards)
        .await
        .ends(64)
        .says("--to 2026-01-04 is before --from 2026-01-05");
    let of = [
        "lake",
        "check",
        "--app",
        APP,
        "--type",
        "tags",
        "--from",
        "2026-01-05",
        "--to",
        "2026-01-05",
    ];
    desk.run(&of)
        .await
        .ends(64)
        .says("give one of activities, events, jobs, errors, sessions, crashes");
}

#[tokio::test]
async fn who_has_credentials_in_a_profile_alone_is_told_that_the_lake_cannot_be_read_by_them() {
    let mut desk = Desk::new().await;
    let profile = desk.file(
        "profile",
        "[default]\naws_access_key_id = a\naws_secret_access_key = b\n",
    );
    desk.set("LAKE_URL", "s3://nowhere/lake");
    // Days that are refused before anything is read.
    let line = [
        "lake",
        "check",
        "--app",
        APP,
        "--type",
        "events",
        "--from",
        "2026-01-05",
        "--to",
        "2026-01-04",
    ];
    let said = desk.run(&line).await.ends(64);
    assert!(
        !said.stderr.contains("export-credentials"),
        "{}",
        said.stderr
    );
    desk.unset("AWS_ACCESS_KEY_ID");
    desk.set("AWS_SHARED_CREDENTIALS_FILE", &profile);
    desk.run(&line)
        .await
        .ends(64)
        .says("eval \"$(aws configure export-credentials --format env)\"");
}

#[tokio::test]
async fn the_registry_is_looked_at_as_exports_would_read_it() {
    let mut desk = Desk::new().await;
    let device = |number: u32, rest: &str| format!("{{\"deviceId\":\"{number:032x}\"{rest}}}\n");
    let devices = device(1, ",\"appInfo\":{\"a\":1}")
        + &device(2, ",\"token\":\"t\",\"type\":\"GCM\"")
        + &device(3, "");
    let campaigns = "{\"campaignType\":\"Poll\",\"campaignId\":7,\"activeFrom\":\"2026-01-05\",\"activeTo\":\"2026-01-06\"}";
    let feedback = device(
        1,
        ",\"campaignType\":\"Poll\",\"campaignId\":7,\"status\":[\"Queued\"]",
    );
    for (of, content) in [
        ("devices", devices.as_str()),
        ("campaigns", campaigns),
        ("feedback", &feedback),
    ] {
        let file = desk.file(of, content);
        desk.run(&["registry", "load", of, "--app", APP, &file])
            .await
            .ends(0);
    }
    let check = ["registry", "check", "--app", APP];
    let said = desk.run(&check).await.ends(0);
    for (title, rows) in [
        ("devices", "3 records became 3 rows"),
        ("tags", "1 record became 1 row"),
        ("tokens", "1 record became 1 row"),
        (
            "feedback of campaigns of type Poll",
            "1 record became 1 row",
        ),
    ] {
        let (_, rest) = said
            .stdout
            .split_once(&format!("✓ {title}: an export would have "))
            .unwrap_or_else(|| panic!("{title}: {}", said.stdout));
        assert!(
            rest.lines().nth(1).unwrap().contains(rows),
            "{title}: {}",
            said.stdout
        );
    }
    desk.set("REGISTRY_SEGMENTS", "8");
    let said = desk.run(&check).await.ends(1);
    assert!(
        said.stdout.contains("✗ the export would fail: ")
            && said.stdout.contains("16")
            && said.stdout.contains('8'),
        "{}",
        said.stdout
    );
}

#[tokio::test]
async fn more_days_than_an_export_may_span_are_refused_as_the_service_refuses_them() {
    let mut desk = Desk::new().await;
    desk.set("MAX_RANGE_DAYS", "2");
    desk.run(&CHECK).await.ends(64).says(
        "3 days are more than an export may span (MAX_RANGE_DAYS=2): ask for fewer days at a time",
    );
    desk.set("MAX_RANGE_DAYS", "3");
    desk.run(&CHECK).await.ends(3);
}
