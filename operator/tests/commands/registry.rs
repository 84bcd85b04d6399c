//! The registry, loaded from files and looked at, as an export then has it.

mod stops;

use std::fmt::Write as _;
use std::io::Write as _;

use domain::app::AppScope;
use domain::selection::{DeviceType, Snapshot};
use futures::StreamExt;
use ports::source::{Piece, Source, Unanswered};
use serde_json::Value;

use super::desk::{APP, Desk, SCOPE};

/// How devices are loaded, but for the files.
const LOAD: [&str; 5] = ["registry", "load", "devices", "--app", APP];

/// Every record that an export of this type would have, sorted.
async fn exported(desk: &Desk, snapshot: Snapshot) -> Vec<String> {
    let registry = local::dynamodb::registry(&desk.sdk);
    let scope = AppScope::from_canonical(SCOPE);
    let plan = registry.plan(&scope, &snapshot, None, 100, Unanswered::IsRetried);
    let mut lines = Vec::new();
    for chunk in plan.await.unwrap().chunks {
        let domain::chunk::ChunkSource::Partitions(partitions) = chunk else {
            panic!("a chunk of the lake");
        };
        let mut pieces = registry.read(&partitions, &snapshot);
        while let Some(piece) = pieces.next().await {
            if let Piece::Text { text, .. } = piece.unwrap() {
                lines.extend(
                    String::from_utf8(text.to_vec())
                        .unwrap()
                        .lines()
                        .map(str::to_owned),
                );
            }
        }
    }
    lines.sort();
    lines
}

fn id(number: u32) -> String {
    format!("{number:032x}")
}

fn devices(range: std::ops::Range<u32>) -> String {
    let mut text = String::new();
    for number in range {
        let (id, tags) = (id(number), format!("{{\"plan\":\"gold {number}\"}}"));
        writeln!(
            text,
            "{{\"deviceId\":\"{id}\",\"appInfo\":{tags},\"token\":\"t{number}\",\"type\":\"GCM\"}}"
        )
        .unwrap();
    }
    text
}

fn gzip(text: &str) -> Vec<u8> {
    let mut gzip = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
    gzip.write_all(text.as_bytes()).unwrap();
    gzip.finish().unwrap()
}

#[tokio::test]
async fn files_of_every_compression_are_loaded_and_exported_as_their_lines_say() {
    let desk = Desk::new().await;
    let files = [
        desk.file("a.ndjson", devices(0..1_500)),
        desk.file("b.gz", gzip(&devices(1_500..1_600))),
        desk.file(
            "c with blanks.zst",
            zstd::encode_all(devices(1_600..1_700).as_bytes(), 1).unwrap(),
        ),
    ];
    let [a, b, c] = &files;
    let line = ["registry", "load", "devices", "--app", APP, a, b, c];
    let said = desk.run(&line).await.ends(0);
    let expected = format!(
        "✓ {a}: 1,500 records, 1,500 items written\n✓ {b}: 100 records, 100 items written\n✓ {c}: 100 records, 100 items written\n"
    );
    assert_eq!(said.stdout, expected);
    let tags = exported(&desk, Snapshot::Devices(DeviceType::Tag)).await;
    assert_eq!(tags.len(), 1_700);
    let expected = format!(
        "{{\"deviceId\":\"{}\",\"tags\":{{\"plan\":\"gold 1699\"}}}}",
        id(1_699)
    );
    assert_eq!(tags.last(), Some(&expected));
    assert_eq!(
        exported(&desk, Snapshot::Devices(DeviceType::Token))
            .await
            .len(),
        1_700
    );
    // Once more: nothing is there twice.
    desk.run(&line).await.ends(0);
    assert_eq!(
        exported(&desk, Snapshot::Devices(DeviceType::Tag)).await,
        tags
    );
}

#[tokio::test]
async fn a_line_that_cannot_be_loaded_is_named_kept_and_costs_no_other() {
    let desk = Desk::new().await;
    let wrong = format!(
        "{}{{\"deviceId\":\"x\"}}\nnonsense\n{{\"deviceId\":\"{}\",\"token\":\"t\"}}\n{}{{\"deviceId\":\"{}\",\"appInfo\":{{\"n\":1e200}},\"Meta\":{{}}}}\n",
        devices(0..2),
        id(7),
        devices(1..3),
        id(8),
    );
    let (file, rejects) = (desk.file("d.ndjson", wrong), desk.file("rejects", ""));
    let line = [&LOAD[..], &["--rejects", &rejects, &file]].concat();
    let said = desk
        .run(&[&line[..], &["--dry-run"]].concat())
        .await
        .ends(3);
    assert!(said.stdout.contains("8 records, 4 items would be written, 1 with an item that a later record has, too, 3 left out"), "{}", said.stdout);
    assert!(
        exported(&desk, Snapshot::Devices(DeviceType::Device))
            .await
            .is_empty()
    );
    let said = desk.run(&line).await.ends(3);
    for line in [
        "✗ FILE, line 3: field `deviceId` is not an id: expected 32 hex digits",
        "✗ FILE, line 4: not JSON: expected one JSON object",
        "✗ FILE, line 5: missing required field `type`",
        "✗ FILE, line 8: the table refuses its item: ",
        "! FILE: 8 records, 3 items written, 1 with an item that a later record has, too, 4 left out",
        "! FILE: the field `Meta` of 1 record is none of the registry's, and is left out",
    ] {
        let line = line.replace("FILE", &file);
        assert!(said.stdout.contains(&line), "{line}: {}", said.stdout);
    }
    assert_eq!(
        exported(&desk, Snapshot::Devices(DeviceType::Device))
            .await
            .len(),
        3
    );
    let kept = std::fs::read_to_string(&rejects).unwrap();
    let kept: Vec<Value> = kept
        .lines()
        .map(|line| serde_json::from_str(line).unwrap())
        .collect();
    let codes: Vec<&str> = kept
        .iter()
        .map(|line| line["code"].as_str().unwrap())
        .collect();
    assert_eq!(codes, ["WrongValue", "NotJson", "MissingField", "Refused"]);
    assert_eq!(
        (&kept[1]["record"], &kept[1]["line"]),
        (&"nonsense".into(), &4.into())
    );
    let said = desk
        .run(&[&line[..], &["--json"]].concat())
        .await
        .ends(3)
        .json();
    assert_eq!(
        (&said["files"][0]["written"], &said["findingsCount"]),
        (&3.into(), &4.into())
    );
}

#[tokio::test]
async fn what_comes_by_the_standard_input_is_loaded() {
    let desk = Desk::new().await;
    let line = ["registry", "load", "devices", "--app", APP, "-"];
    let mut child = desk
        .command(&line)
        .stdin(std::process::Stdio::piped())
        .stdout(std::process::Stdio::piped())
        .spawn()
        .unwrap();
    let mut input = child.stdin.take().unwrap();
    tokio::io::AsyncWriteExt::write_all(&mut input, &gzip(&devices(0..7)))
        .await
        .unwrap();
    drop(input);
    let done = child.wait_with_output().await.unwrap();
    assert!(done.status.success());
    let said = String::from_utf8(done.stdout).unwrap();
    assert_eq!(said, "✓ -: 7 records, 7 items written\n");
    assert_eq!(
        exported(&desk, Snapshot::Devices(DeviceType::Tag))
            .await
            .len(),
        7
    );
    desk.run(&[&line[..], &["-"]].concat())
        .await
        .ends(64)
        .says("is named twice");
}

#[tokio::test]
async fn an_item_that_the_table_would_refuse_is_known_before_it_is_asked() {
    let desk = Desk::new().await;
    let line = |number: u32, bytes: usize| {
        let text = "x".repeat(bytes);
        format!(
            "{{\"deviceId\":\"{}\",\"appInfo\":{{\"t\":\"{text}\"}}}}\n",
            id(number)
        )
    };
    // Some hundred bytes are keys and names.
    let file = desk.file(
        "devices",
        line(1, 409_000) + &line(2, 409_600) + &line(3, 10),
    );
    let load = ["registry", "load", "devices", "--app", APP, &file];
    let said = desk
        .run(&[&load[..], &["--dry-run"]].concat())
        .await
        .ends(3);
    let refused = format!("✗ {file}, line 2: its item would have ");
    assert!(said.stdout.contains(&refused), "{}", said.stdout);
    let said = desk.run(&load).await.ends(3);
    assert!(
        said.stdout.contains(&refused)
            && said.stdout.contains("and the table takes at most 409600")
            && said
                .stdout
                .contains("3 records, 2 items written, 1 left out"),
        "{}",
        said.stdout
    );
}

#[tokio::test]
async fn an_app_of_which_nothing_is_known_is_not_as_it_should_be() {
    let desk = Desk::new().await;
    let check = ["registry", "check", "--app", APP];
    desk.run(&check)
        .await
        .ends(1)
        .says("✗ the registry has nothing of the app /subscriptions/s1/");
    let file = desk.file("devices", devices(0..1));
    desk.run(&["registry", "load", "devices", "--app", APP, &file])
        .await
        .ends(0);
    let said = desk
        .run(&[&check[..], &["--json"]].concat())
        .await
        .ends(0)
        .json();
    assert_eq!(said["items"], 3, "device, tags and token: {said}");
}

#[tokio::test]
async fn a_file_that_is_loaded_is_no_file_of_rejects() {
    let desk = Desk::new().await;
    let content = format!("{}broken\n", devices(0..1));
    let (one, two) = (desk.file("one", &content), desk.file("two", &content));
    let link = format!("{two}.link");
    std::os::unix::fs::symlink(&two, &link).unwrap();
    for rejects in [&one, &two, &link] {
        let load = [&LOAD[..], &["--dry-run", "--rejects", rejects, &one, &two]].concat();
        desk.run(&load).await.ends(64).says("which is to be loaded");
    }
    let progress = desk.file("one.progress", "{}");
    desk.run(&[&LOAD[..], &["--rejects", &progress, &one]].concat())
        .await
        .ends(64)
        .says("has how far an earlier run came with the file");
    // Nor is an earlier one lost for a file that is not there.
    let nowhere = desk.file("rejects", &content).replace("rejects", "nowhere");
    let rejects = nowhere.replace("nowhere", "rejects");
    desk.run(&[&LOAD[..], &["--rejects", &rejects, &nowhere]].concat())
        .await
        .ends(2)
        .says("cannot be read");
    for file in [one, two, rejects] {
        assert_eq!(std::fs::read_to_string(file).unwrap(), content);
    }
}

#[tokio::test]
async fn a_line_of_another_kind_replaces_no_device_and_no_file_is_loaded_twice() {
    let desk = Desk::new().await;
    let file = desk.file("devices", devices(0..1));
    desk.run(&[&LOAD[..], &[&file]].concat()).await.ends(0);
    let feedback = format!(
        "{{\"deviceId\":\"{}\",\"campaignType\":\"Announcement\",\"campaignId\":7,\"status\":[]}}\n",
        id(0)
    );
    let feedback = desk.file("feedback", feedback);
    desk.run(&[&LOAD[..], &[&feedback]].concat())
        .await
        .ends(3)
        .says("it is a line of feedback: load its file by `registry load feedback`");
    let tags = exported(&desk, Snapshot::Devices(DeviceType::Tag)).await;
    assert_eq!(tags.len(), 1);
    desk.run(&[&LOAD[..], &[&file, &file]].concat())
        .await
        .ends(64)
        .says("is named twice");
}

#[tokio::test]
async fn of_two_lines_of_one_device_the_later_one_counts() {
    let desk = Desk::new().await;
    let line = |plan: &str| {
        format!(
            "{{\"deviceId\":\"{}\",\"appInfo\":{{\"plan\":\"{plan}\"}}}}\n",
            id(1)
        )
    };
    let file = desk.file("devices.ndjson", line("silver") + &line("gold"));
    let load = ["registry", "load", "devices", "--app", APP, &file];
    desk.run(&load)
        .await
        .ends(0)
        .says("2 records, 1 item written, 1 with an item that a later record has, too");
    let tags = exported(&desk, Snapshot::Devices(DeviceType::Tag)).await;
    let expected = format!(
        "{{\"deviceId\":\"{}\",\"tags\":{{\"plan\":\"gold\"}}}}",
        id(1)
    );
    assert_eq!(tags, [expected]);
}

#[tokio::test]
async fn a_rate_is_kept() {
    let desk = Desk::new().await;
    let file = desk.file("devices.ndjson", devices(0..60));
    let began = std::time::Instant::now();
    desk.run(&[
        "registry", "load", "devices", "--app", APP, "--rate", "50", &file,
    ])
    .await
    .ends(0);
    assert!(
        began.elapsed() >= std::time::Duration::from_millis(1_200),
        "{:?}",
        began.elapsed()
    );
}

#[tokio::test]
async fn campaigns_and_feedback_are_loaded_from_what_exports_write() {
    let desk = Desk::new().await;
    let campaigns = desk.file("c", "{\"campaignType\":\"Poll\",\"campaignId\":7,\"activeFrom\":\"2026-01-05T08:00:00+01:00\"}\n\
        {\"campaignType\":\"Announcement\",\"campaignId\":7,\"activeFrom\":\"2026-01-05\",\"activeTo\":\"2026-01-06T00:00:00Z\"}");
    let line = format!(
        "{{\"deviceId\":\"{}\",\"campaignType\":\"Poll\",\"campaignId\":7,\"status\":[\"Queued\"]}}",
        id(1)
    );
    let feedback = desk.file("f", &line);
    desk.run(&["registry", "load", "campaigns", "--app", APP, &campaigns])
        .await
        .ends(0)
        .says("2 items written");
    desk.run(&["registry", "load", "feedback", "--app", APP, &feedback])
        .await
        .ends(0)
        .says("1 item written");
    let active = Snapshot::ActiveCampaigns {
        campaign_type: domain::selection::CampaignType::Poll,
        start: time::macros::datetime!(2026-01-05 07:00 UTC),
        end: time::macros::datetime!(2026-01-05 07:00 UTC),
    };
    assert_eq!(exported(&desk, active).await, [line]);
}

#[tokio::test]
async fn another_number_of_segments_a_file_that_is_none_and_a_path_above_apps_are_refused() {
    let mut desk = Desk::new().await;
    let file = desk.file("devices.ndjson", devices(0..2));
    let line = ["registry", "load", "devices", "--app", APP, &file];
    desk.run(&line).await.ends(0);
    desk.set("REGISTRY_SEGMENTS", "8");
    desk.run(&line)
        .await
        .ends(6)
        .says("the app's devices are spread over 16 segments, and REGISTRY_SEGMENTS (the parameter RegistrySegments) says 8: set it to 16");
    desk.unset("REGISTRY_SEGMENTS");
    desk.run(&["registry", "load", "devices", "--app", APP, "nowhere"])
        .await
        .ends(2)
        .says("nowhere cannot be read: ");
    desk.run(&[
        "registry",
        "load",
        "devices",
        "--app",
        "/subscriptions/s",
        &file,
    ])
    .await
    .ends(64)
    .says("is above apps");
    desk.set("REGISTRY_TABLE", "elsewhere");
    desk.run(&["registry", "load", "feedback", "--app", APP, &file])
        .await
        .ends(6)
        .says("the table does not exist");
}
