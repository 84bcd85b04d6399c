//! What was written down of changes, listed.
#![expect(
    clippy::disallowed_types,
    reason = "writes what the functions write, of days that are over"
)]

use aws_sdk_dynamodb::Client;
use aws_sdk_dynamodb::types::AttributeValue;
use local::dynamodb::EXPORTS_TABLE;

use super::desk::{Desk, SCOPE};

/// Writes a change as the functions do.
async fn write(desk: &Desk, day: &str, number: u32, by: &str, scope: &str, days: bool) {
    let put = Client::new(&desk.sdk).put_item().table_name(EXPORTS_TABLE);
    let texts = [
        ("pk", format!("AUDIT#{day}")),
        ("sk", format!("0198f7a4-0000-7000-8000-{number:012}")),
        ("kind", "audit".to_owned()),
        ("at", format!("{day}T08:00:0{number}Z")),
        ("by", by.to_owned()),
        ("act", "create".to_owned()),
        ("scope", scope.to_owned()),
        ("job", "0198f7a4-1111-7000-8000-000000000000".to_owned()),
        (
            "export_type",
            if days { "Event" } else { "Device" }.to_owned(),
        ),
        (
            "container",
            "https://a.blob.core.windows.net/exports".to_owned(),
        ),
    ];
    let mut put = texts
        .into_iter()
        .fold(put, |put, (name, text)| {
            put.item(name, AttributeValue::S(text))
        })
        .item("v", AttributeValue::N("3".to_owned()));
    for (name, day) in [("from", "2026-01-05"), ("to", "2026-01-06")]
        .iter()
        .filter(|_| days)
    {
        put = put.item(*name, AttributeValue::S((*day).to_owned()));
    }
    put.send().await.unwrap();
}

#[tokio::test]
async fn the_changes_of_some_days_are_listed_by_whom_and_where() {
    let desk = Desk::new().await;
    let other = "/subscriptions/s2/resourcegroups/g/providers/microsoft.mobileengagement/appcollections/c/apps/a";
    write(&desk, "2026-02-01", 2, "ann", other, false).await;
    write(&desk, "2026-02-01", 1, "bob", SCOPE, true).await;
    write(&desk, "2026-02-02", 3, "ann", SCOPE, true).await;
    write(&desk, "2026-02-03", 4, "ann", SCOPE, true).await;
    let days = [
        "audit",
        "list",
        "--from",
        "2026-02-01",
        "--to",
        "2026-02-02",
    ];
    let said = desk.run(&days).await.ends(0);
    let lines: Vec<&str> = said.stdout.lines().collect();
    let first = format!(
        "2026-02-01T08:00:01Z  bob  create Event 2026-01-05 to 2026-01-06  0198f7a4-1111-7000-8000-000000000000  {SCOPE}  \
         https://a.blob.core.windows.net/exports"
    );
    assert_eq!(lines[0], first);
    assert!(
        lines[1].starts_with("2026-02-01T08:00:02Z  ann  create Device  0198f7a4"),
        "{}",
        lines[1]
    );
    assert_eq!(lines[3], "· 3 changes from 2026-02-01 to 2026-02-02 (UTC)");
    let of = ["--subject", "ann", "--path", "/subscriptions/S1", "--json"];
    let said = desk.run(&[&days[..], &of].concat()).await.ends(0).json();
    assert_eq!(said["changes"].as_array().unwrap().len(), 1, "{said}");
    assert_eq!(
        (&said["changes"][0]["by"], &said["changes"][0]["startDate"]),
        (&"ann".into(), &"2026-01-05".into())
    );
    // One that nobody can read hides no other.
    let keys = ["AUDIT#2026-02-01", "damaged"].map(|key| AttributeValue::S(key.to_owned()));
    let [pk, sk] = keys;
    let put = Client::new(&desk.sdk).put_item().table_name(EXPORTS_TABLE);
    put.item("pk", pk).item("sk", sk).send().await.unwrap();
    let said = desk.run(&days).await.ends(1);
    assert!(said.stdout.contains("· 3 changes from"), "{}", said.stdout);
    said.says(
        "✗ item AUDIT#2026-02-01 damaged cannot be used: missing field `at` (table exports)\n",
    );
}

#[tokio::test]
async fn what_was_looked_for_and_what_cannot_be_found_is_said() {
    let desk = Desk::new().await;
    write(&desk, "2026-02-03", 4, "ann", SCOPE, true).await;
    desk.run(&["audit", "list"])
        .await
        .ends(0)
        .says("· 0 changes from ");
    desk.run(&[
        "audit",
        "list",
        "--to",
        "2026-02-03",
        "--subject",
        "ann",
        "--path",
        "/subscriptions/S1",
    ])
    .await
    .ends(0)
    .says("· 1 change by ann at or below /subscriptions/s1 from 2026-02-03 to 2026-02-03 (UTC)\n");
    desk.run(&[
        "audit",
        "list",
        "--from",
        "2020-01-01",
        "--to",
        "2020-01-01",
    ])
    .await
    .ends(0)
    .says("are forgotten (AUDIT_DAYS, the parameter AuditDays)");
    desk.run(&["audit", "list", "--from", "9999-01-01"])
        .await
        .ends(64)
        .says("nothing was changed yet");
    desk.run(&[
        "audit",
        "list",
        "--from",
        "2026-02-02",
        "--to",
        "2026-02-01",
    ])
    .await
    .ends(64)
    .says("give the first day first");
}
