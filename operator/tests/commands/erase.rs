//! Where a device is, before it is erased.

use super::desk::{APP, Desk, SCOPE};
use super::lake::FOLDER;

const DAY: &str = "2026-01-05";

const DEVICE: &str = "00000000000000000000000000000003";

fn record(device: u32, day: &str) -> String {
    format!(
        "{{\"deviceId\":\"{device:032x}\",\"name\":\"a\",\"timestamp\":\"{day}T08:00:00Z\",\"sessionId\":\"{:032x}\"}}\n",
        70 + device
    )
}

/// Days with the device and without it, one object with a record that names it and is none, one that
/// cannot be read, and a registry with the device and another one.
async fn fill(desk: &Desk) {
    let day = DAY;
    desk.file(
        &format!("{FOLDER}/date={day}/with.ndjson"),
        record(3, day) + &record(4, day) + &record(3, day),
    );
    desk.file(
        &format!("{FOLDER}/date={day}/without.ndjson"),
        record(4, day),
    );
    let bad = format!(
        "{{\"device\":\"00000000-0000-0000-0000-000000000003\"}}\n{}",
        record(4, "2026-01-06")
    );
    desk.file(&format!("{FOLDER}/date=2026-01-06/rejected.ndjson"), bad);
    desk.file(
        &format!("{FOLDER}/date=2026-01-07/damaged.ndjson"),
        [0x1f, 0x8b, 8, 0, 1],
    );
    desk.file(
        &format!("{FOLDER}/date=2026-01-09/later.ndjson"),
        record(3, "2026-01-09"),
    );
    let device = |number: u32, rest: &str| format!("{{\"deviceId\":\"{number:032x}\"{rest}}}\n");
    let feedback = ",\"campaignType\":\"Poll\",\"campaignId\":7,\"status\":[\"Queued\"]";
    for (of, content) in [
        ("devices", device(3, "") + &device(4, "")),
        (
            "campaigns",
            "{\"campaignType\":\"Poll\",\"campaignId\":7,\"activeFrom\":\"2026-01-05\"}".to_owned(),
        ),
        ("feedback", device(3, feedback) + &device(4, feedback)),
    ] {
        let file = desk.file(of, content);
        desk.run(&["registry", "load", of, "--app", APP, &file])
            .await
            .ends(0);
    }
}

#[tokio::test]
async fn every_object_and_item_that_holds_a_device_is_named_and_no_other() {
    let desk = Desk::new().await;
    fill(&desk).await;
    let dashed = "00000000-0000-0000-0000-000000000003";
    let plan = [
        "erase",
        "plan",
        "--app",
        APP,
        "--device",
        dashed,
        "--from",
        DAY,
        "--to",
        "2026-01-08",
    ];
    let said = desk
        .run(&[&plan[..], &["--json"]].concat())
        .await
        .ends(3)
        .json();
    let places = |of: &str| -> Vec<(String, u64, u64)> {
        let places = said[of]["places"].as_array().unwrap().iter();
        let place = |it: &serde_json::Value| {
            (
                it["place"]
                    .as_str()
                    .unwrap()
                    .rsplit('/')
                    .next()
                    .unwrap()
                    .to_owned(),
                it["records"].as_u64().unwrap(),
                it["recordsRejected"].as_u64().unwrap(),
            )
        };
        places.map(place).collect()
    };
    assert_eq!(
        places("lake"),
        [
            ("with.ndjson".to_owned(), 2, 0),
            ("rejected.ndjson".to_owned(), 0, 1)
        ]
    );
    let registry: Vec<String> = places("registry")
        .into_iter()
        .map(|(place, ..)| place)
        .collect();
    assert_eq!(registry.len(), 2, "{said}");
    assert!(
        registry[0].starts_with("chess#") && registry[0].ends_with(DEVICE),
        "{registry:?}"
    );
    assert_eq!(registry[1], format!("chess#Poll#7 {DEVICE}"));
    assert_eq!(
        said["lake"]["unread"].as_array().unwrap().len(),
        1,
        "{said}"
    );
    assert_eq!(
        said["lake"]["sessionIds"],
        serde_json::json!([format!("{:032x}", 73)])
    );
    // As `aws dynamodb delete-item --key` takes it.
    let key =
        serde_json::json!({"pk": {"S": format!("FEEDBACK#{SCOPE}#Poll#7")}, "sk": {"S": DEVICE}});
    assert_eq!(said["registry"]["places"][1]["key"], key, "{said}");
    let said = desk.run(&plan).await.ends(3);
    let printed = format!(": 1 record (Push), --key '{key}'\n");
    assert!(said.stdout.contains(&printed), "{printed}: {}", said.stdout);
    assert!(said.stdout.ends_with("2 places in the lake, 2 places in the registry, 0 exports that could hold it; nothing was erased\n"), "{}", said.stdout);
    desk.run(&[
        "erase", "plan", "--app", APP, "--device", "3", "--from", DAY,
    ])
    .await
    .ends(64)
    .says("give 32 hex digits");
}

#[tokio::test]
async fn what_no_export_reads_was_not_searched_and_is_said() {
    let desk = Desk::new().await;
    let plan = [
        "erase", "plan", "--app", APP, "--device", DEVICE, "--from", DAY, "--to", DAY,
    ];
    desk.run(&plan)
        .await
        .ends(3)
        .says("has no folder in the lake");
    desk.file(&format!("{FOLDER}/date={DAY}/a.ndjson"), record(4, DAY));
    desk.run(&plan).await.ends(0);
    for unread in [format!("date={DAY}/x.tmp"), "stray.ndjson".to_owned()] {
        let file = desk.file(&format!("{FOLDER}/{unread}"), record(3, DAY));
        let said = desk
            .run(&[&plan[..], &["--json"]].concat())
            .await
            .ends(3)
            .json();
        assert_eq!(
            said["lake"]["unread"].as_array().unwrap().len(),
            1,
            "{said}"
        );
        std::fs::remove_file(file).unwrap();
    }
}
