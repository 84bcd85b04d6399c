//! Each rule of the fields has a refusal that names the field, its value and the fix.

use domain::app::AppScope;
use serde_json::{Value, json};

use crate::api::{
    LIST, Request, SIGNATURE, World, answer, code_of, container_url, days, with, without,
};
use crate::functions::create_job::{campaigns, refusal};

#[tokio::test]
async fn a_missing_field_is_named() {
    for (operation, field) in [
        ("activities", "containerUrl"),
        ("activities", "exportFormat"),
        ("activities", "startDate"),
        ("crashes", "endDate"),
        ("feedbackByCampaign", "campaignType"),
        ("feedbackByCampaign", "campaignIds"),
        ("feedbackByDate", "campaignType"),
        ("feedbackByDate", "campaignWindowStart"),
        ("feedbackByDate", "campaignWindowEnd"),
    ] {
        for body in [
            without(campaigns(), field),
            with(campaigns(), field, Value::Null),
        ] {
            let (code, message) = refusal(operation, &body).await;
            assert_eq!(code, "MissingField", "{operation} {field}");
            assert!(
                message.contains(&format!("`{field}` is missing")),
                "{message}"
            );
        }
    }
}

#[tokio::test]
#[expect(clippy::too_many_lines, reason = "a table, one case after the other")]
async fn a_malformed_field_is_named_with_its_value_and_the_fix() {
    for (operation, field, value, shown, fix) in [
        (
            "events",
            "startDate",
            json!("2026-11-1"),
            "2026-11-1",
            "full-date",
        ),
        (
            "events",
            "startDate",
            json!("2026-11-01T00:00:00Z"),
            "2026-11-01T00",
            "full-date",
        ),
        (
            "events",
            "endDate",
            json!("2026-02-30"),
            "2026-02-30",
            "no day of the calendar",
        ),
        (
            "events",
            "startDate",
            json!("2026-13-01"),
            "2026-13-01",
            "no day of the calendar",
        ),
        (
            "feedbackByDate",
            "campaignWindowEnd",
            json!("2026-02-30T00:00:00Z"),
            "2026-02-30",
            "no day of the calendar",
        ),
        (
            "feedbackByDate",
            "campaignWindowEnd",
            json!("2026-02-28 00:00"),
            "2026-02-28",
            "date-time",
        ),
        (
            "events",
            "endDate",
            json!("+2026-11-20"),
            "+2026",
            "full-date",
        ),
        ("events", "endDate", json!(20), "20", "full-date"),
        ("events", "description", json!(["a"]), "[", "text"),
        ("events", "exportFormat", json!(1), "1", "JsonBlob"),
        (
            "events",
            "exportOptions",
            json!(true),
            "object",
            "exportUserId",
        ),
        (
            "events",
            "exportOptions",
            json!({"exportUserId": 1}),
            "1",
            "true or false",
        ),
        (
            "events",
            "exportOptions",
            json!({"exportDeviceId": 1}),
            "exportDeviceId",
            "true or false",
        ),
        (
            "events",
            "exportOptions",
            json!({"compression": true}),
            "exportOptions.compression",
            "send none, gzip or zstd",
        ),
        (
            "feedbackByCampaign",
            "campaignIds",
            json!([1.5]),
            "1.5",
            "whole numbers",
        ),
        (
            "feedbackByCampaign",
            "campaignIds",
            json!(["x"]),
            "x",
            "whole numbers",
        ),
        (
            "feedbackByCampaign",
            "campaignIds",
            json!([9_223_372_036_854_775_808_u64]),
            "9223372036854775808",
            "64 bits",
        ),
        (
            "feedbackByCampaign",
            "campaignIds",
            json!(1),
            "array",
            "array",
        ),
        (
            "feedbackByDate",
            "campaignWindowStart",
            json!("2026-11-01"),
            "2026-11-01",
            "date-time",
        ),
        (
            "feedbackByDate",
            "campaignWindowEnd",
            json!("9999-12-31T23:59:59-23:59"),
            "9999",
            "date-time",
        ),
    ] {
        let (code, message) = refusal(operation, &with(campaigns(), field, value.clone())).await;
        assert_eq!(code, "InvalidField", "{field} {value}");
        assert!(
            message.contains(field) && message.contains(shown) && message.contains(fix),
            "{message}"
        );
    }
}

#[tokio::test]
async fn a_container_url_of_the_wrong_type_is_not_repeated() {
    let (code, _) = refusal(
        "tags",
        &with(days(), "containerUrl", json!([container_url()])),
    )
    .await;
    assert_eq!(code, "InvalidField");
}

#[tokio::test]
async fn a_container_url_in_the_wrong_field_is_not_repeated() {
    for field in [
        "exportFormat",
        "startDate",
        "campaignType",
        "campaignWindowStart",
    ] {
        for operation in ["events", "feedbackByDate"] {
            let reply = World::new()
                .await
                .send(&Request::create(
                    operation,
                    &with(campaigns(), field, container_url()),
                ))
                .await;
            assert!(
                !reply.text.contains(SIGNATURE) || reply.status == 202,
                "{field}"
            );
        }
    }
}

#[tokio::test]
async fn a_field_that_stands_twice_is_refused() {
    for twice in [
        r#"{"exportFormat":"JsonBlob","exportFormat":"CsvBlob","#,
        r#"{"ExportFormat":"JsonBlob","#,
    ] {
        let body = format!("{twice}{}", &days().to_string()[1..]);
        let request = Request::create("activities", &days()).body(body);
        assert_eq!(
            code_of(&request).await,
            answer(400, "DuplicateField"),
            "{twice}"
        );
    }
}

#[tokio::test]
async fn every_rule_of_the_fields_has_its_own_code() {
    let many: Vec<i64> = (0..101).collect();
    for (operation, field, value, expected, part) in [
        (
            "events",
            "exportFormat",
            json!("OrcBlob"),
            "UnknownExportFormat",
            "JsonBlob, CsvBlob, JsonLinesBlob or ParquetBlob",
        ),
        (
            "events",
            "exportOptions",
            json!({"compression": "lz4"}),
            "UnknownCompression",
            "`exportOptions.compression` is \"lz4\", which is not known: send none, gzip or zstd",
        ),
        (
            "feedbackByDate",
            "campaignType",
            json!("Mail"),
            "UnknownCampaignType",
            "Announcement, DataPush, NativePush or Poll",
        ),
        (
            "events",
            "description",
            json!("x".repeat(1_025)),
            "DescriptionTooLong",
            "1025",
        ),
        (
            "events",
            "endDate",
            json!("2026-10-31"),
            "StartDateAfterEndDate",
            "2026-10-31",
        ),
        (
            "events",
            "startDate",
            json!("2025-11-19"),
            "DateRangeTooLong",
            "366 days",
        ),
        (
            "feedbackByCampaign",
            "campaignIds",
            json!([]),
            "NoCampaignIds",
            "campaignIds",
        ),
        (
            "feedbackByCampaign",
            "campaignIds",
            json!(many),
            "TooManyCampaignIds",
            "100",
        ),
        (
            "feedbackByDate",
            "campaignWindowEnd",
            json!("2026-10-31T00:00:00Z"),
            "CampaignWindowReversed",
            "campaignWindowEnd",
        ),
        (
            "events",
            "containerUrl",
            json!("https://account.blob.core.windows.net/exports"),
            "ContainerUrlSignatureMissing",
            "containerUrl",
        ),
    ] {
        let (code, message) = refusal(operation, &with(campaigns(), field, value)).await;
        assert_eq!(code, expected);
        assert!(
            message.contains(part) && message.contains(field) || message.contains("startDate"),
            "{message}"
        );
    }
}

#[tokio::test]
async fn a_range_that_starts_tomorrow_is_refused() {
    let body = with(
        with(days(), "startDate", "2026-11-22"),
        "endDate",
        "2026-11-23",
    );
    let (code, message) = refusal("sessions", &body).await;
    assert_eq!(code, "StartDateInFuture");
    assert!(
        message.contains("2026-11-22") && message.contains("2026-11-21"),
        "{message}"
    );
}

#[tokio::test]
async fn an_app_whose_folder_no_lake_can_hold_is_refused_at_once_where_the_lake_is_a_folder() {
    let rest = AppScope::from_segments(LIST.split('/').skip(1).take(9))
        .as_str()
        .len()
        + 1;
    let create = |operation: &str, length| {
        let request = Request::create(operation, &days());
        Request {
            path: request.path.replace("chess", &"x".repeat(length)),
            ..request
        }
    };
    // `app=` in place of the first slash.
    let most = 255 - "app=".len() + 1 - rest;
    let world = World {
        has_folder_lake: true,
        ..World::new().await
    };
    let reply = world.send(&create("activities", most + 1)).await;
    assert_eq!(reply.error(), answer(400, "AppPathTooLong"));
    assert!(
        reply
            .message()
            .contains("256 bytes as the name of its folder in the lake"),
        "{reply:?}"
    );
    assert!(world.store.stored().is_empty() && world.containers.staged().is_empty());
    for (operation, length) in [("activities", most), ("tags", most + 1)] {
        assert_eq!(
            world.send(&create(operation, length)).await.status,
            202,
            "{operation}"
        );
    }
    assert_eq!(
        World::new()
            .await
            .send(&create("activities", most + 1))
            .await
            .status,
        202
    );
}
