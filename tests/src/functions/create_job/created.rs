//! What a creation makes, once.

use domain::selection::{
    CampaignType, Compression, DeviceType, ExportFormat, HistoryType, Selection, Snapshot,
};
use ports::store::Act;
use serde_json::{Value, json};
use time::Duration;
use time::macros::{date, datetime};

use crate::api::{Request, SIGNATURE, World, answer, container_url, days, with};

fn snapshot() -> Value {
    json!({"containerUrl": container_url(), "exportFormat": "CsvBlob"})
}

fn campaigns() -> Value {
    json!({"containerUrl": container_url(), "exportFormat": "JsonBlob", "campaignType": "Poll", "campaignIds": [1, 2]})
}

fn window() -> Value {
    json!({
        "containerUrl": container_url(), "exportFormat": "JsonBlob", "campaignType": "DataPush",
        "campaignWindowStart": "2026-11-01T00:00:00Z", "campaignWindowEnd": "2026-11-02T02:00:00+02:00",
    })
}

#[tokio::test]
async fn who_makes_a_job_is_kept_for_as_long_as_it_is_set() {
    let world = World::new().await;
    let id = world.accepted().await;
    let kept = world.store.audits();
    let [(key, audit)] = kept.as_slice() else {
        panic!("{kept:?}")
    };
    assert_eq!((key.id.to_string(), audit.act), (id, Act::Create));
    assert_eq!(audit.expires - audit.at, Duration::days(365));
    let refused = world.send(&Request::create("events", &json!({}))).await;
    assert_eq!((refused.status, world.store.audits().len()), (400, 1));
}

#[tokio::test]
async fn every_operation_makes_a_job_of_its_type() {
    let (campaign_type, ids) = (CampaignType::Poll, vec![1, 2]);
    let listed = Snapshot::Campaigns { campaign_type, ids };
    let active = Snapshot::ActiveCampaigns {
        campaign_type: CampaignType::DataPush,
        start: datetime!(2026-11-01 00:00 UTC),
        end: datetime!(2026-11-02 00:00 UTC),
    };
    let history = |of| {
        let days = fakes::requests::history(of, date!(2026 - 11 - 01), date!(2026 - 11 - 20));
        (self::days(), Selection::from(days))
    };
    let devices = |of| (snapshot(), Snapshot::Devices(of).into());
    for (operation, (body, selection)) in [
        ("activities", history(HistoryType::Activity)),
        ("events", history(HistoryType::Event)),
        ("jobs", history(HistoryType::Job)),
        ("errors", history(HistoryType::Error)),
        ("sessions", history(HistoryType::Session)),
        ("crashes", history(HistoryType::Crash)),
        ("tags", devices(DeviceType::Tag)),
        ("tag", devices(DeviceType::Tag)),
        ("tokens", devices(DeviceType::Token)),
        ("token", devices(DeviceType::Token)),
        ("devices", devices(DeviceType::Device)),
        ("feedbackByCampaign", (campaigns(), listed.into())),
        ("feedbackByDate", (window(), active.into())),
    ] {
        let world = World::new().await;
        let reply = world.send(&Request::create(operation, &body)).await;
        assert_eq!(reply.status, 202, "{operation}: {reply:?}");
        assert_eq!(reply.json()["exportType"], selection.export_type().name());
        let [job] = world.store.stored().try_into().unwrap();
        assert_eq!(job.request.selection, selection, "{operation}");
    }
}

#[tokio::test]
async fn the_new_task_has_the_contracts_fields_and_its_phase() {
    let world = World::new().await;
    let reply = world
        .send(&Request::create(
            "events",
            &with(days(), "description", "für Ada"),
        ))
        .await;
    let since = "2026-11-21T12:00:00.000Z";
    let resolved = json!({
        "compression": "none", "byteOrderMark": false, "escapeFormulas": false, "exportUserId": false,
        "exportDeviceId": false,
    });
    let expected = json!({
        "id": reply.id(), "description": "für Ada", "state": "Queued", "dateCreated": since,
        "exportType": "Event", "status": "InProgress", "phase": "queued", "phaseSince": since,
        "exportFormat": "JsonBlob", "startDate": "2026-11-01", "endDate": "2026-11-20",
        "options": {"asked": {}, "resolved": resolved},
        "container": "https://account.blob.core.windows.net/exports", "askedBy": "alice",
        "credentialExpires": "2026-12-31T00:00:00.000Z",
    });
    assert_eq!(reply.json(), expected);
}

#[tokio::test]
async fn campaign_ids_may_be_numeric_texts_and_repeats_count_once() {
    let world = World::new().await;
    let body = with(
        campaigns(),
        "campaignIds",
        json!([7, "3", 7, "9223372036854775807", -1]),
    );
    assert_eq!(
        world
            .send(&Request::create("feedbackByCampaign", &body))
            .await
            .status,
        202
    );
    let [job] = world.store.stored().try_into().unwrap();
    let expected = Selection::Snapshot(Snapshot::Campaigns {
        campaign_type: CampaignType::Poll,
        ids: vec![7, 3, i64::MAX, -1],
    });
    assert_eq!(job.request.selection, expected);
}

#[tokio::test]
async fn limits_that_are_met_exactly_are_accepted() {
    let ids: Vec<i64> = (0..100).collect();
    for (operation, body) in [
        ("feedbackByCampaign", with(campaigns(), "campaignIds", ids)),
        ("activities", with(days(), "description", "ü".repeat(1_024))),
        ("activities", with(days(), "startDate", "2025-11-20")),
        (
            "activities",
            with(
                with(days(), "startDate", "2026-11-21"),
                "endDate",
                "2027-01-01",
            ),
        ),
        (
            "activities",
            with(
                with(days(), "startDate", "2026-11-20"),
                "endDate",
                "2026-11-20",
            ),
        ),
        (
            "activities",
            with(
                days(),
                "padding",
                "x".repeat(1_048_576 - with(days(), "padding", "").to_string().len()),
            ),
        ),
    ] {
        let reply = World::new()
            .await
            .send(&Request::create(operation, &body))
            .await;
        assert_eq!(reply.status, 202, "{reply:?}");
    }
}

#[tokio::test]
async fn the_option_to_export_user_ids_is_kept() {
    for (options, expected) in [
        (json!({"ExportUserID": true}), true),
        (json!({}), false),
        (Value::Null, false),
    ] {
        let world = World::new().await;
        let reply = world
            .send(&Request::create(
                "feedbackByCampaign",
                &with(campaigns(), "exportOptions", options),
            ))
            .await;
        assert_eq!(reply.status, 202, "{reply:?}");
        assert_eq!(world.store.stored()[0].request.export_user_id, expected);
    }
}

#[tokio::test]
async fn what_no_operation_knows_is_named_and_kept_on_the_task() {
    let world = World::new().await;
    let mut body = with(
        with(days(), "stratDate", "secret value"),
        "campaignIds",
        json!([1]),
    );
    body["exportOptions"] = json!({"exportUserId": true, "ExportUserIds": "secret value"});
    let reply = world.send(&Request::create("activities", &body)).await;
    let expected = json!([{
        "code": "UnknownProperties",
        "message": "The request has properties that are not known and were ignored: \"exportOptions.ExportUserIds\", \
                    \"stratDate\". Correct their names, or leave them out.",
    }]);
    assert_eq!(reply.json()["warnings"], expected);
    let task = world.send(&Request::task(&reply.id())).await;
    assert_eq!(task.json()["warnings"], expected);
    assert_eq!(
        world.send(&Request::list()).await.json()["value"][0]["warnings"],
        expected
    );
    assert!(!format!("{:?}", world.store.stored()).contains("secret value"));
}

#[tokio::test]
async fn unknown_names_are_bounded_and_never_hold_a_signature() {
    let mut body = days();
    for number in 0..100 {
        body[format!("{number:02}{}", "x".repeat(500))] = json!(1);
    }
    body[format!("!?sig={SIGNATURE}\n")] = json!(1);
    let reply = World::new()
        .await
        .send(&Request::create("activities", &body))
        .await;
    let message = reply.json()["warnings"][0]["message"]
        .as_str()
        .unwrap()
        .to_owned();
    assert!(
        message.contains("and 91 more") && message.len() < 1_000,
        "{message}"
    );
    assert!(
        !reply.text.contains(SIGNATURE) && message.contains("not repeated"),
        "{message}"
    );
}

#[tokio::test]
async fn what_another_operation_asks_for_is_no_unknown_property() {
    let mut body = campaigns();
    body.as_object_mut()
        .unwrap()
        .extend(window().as_object().unwrap().clone());
    body.as_object_mut()
        .unwrap()
        .extend(days().as_object().unwrap().clone());
    body["description"] = json!("all of them");
    body["exportOptions"] = json!({"exportUserId": false});
    for operation in &domain::operation::OPERATIONS {
        let reply = World::new()
            .await
            .send(&Request::create(operation.name, &body))
            .await;
        assert_eq!(
            (reply.status, reply.json().get("warnings")),
            (202, None),
            "{}",
            operation.name
        );
    }
}

#[tokio::test]
async fn numbers_and_texts_that_only_json_can_hold_are_ignored_where_nobody_asks() {
    let body = days().to_string();
    let odd =
        r#""big":1e400,"half":"\ud800","\udfff":[-1e999],"exportOptions":{"x":["\ud800",1e400]},"#;
    let request =
        Request::create("activities", &days()).body(body.replacen('{', &format!("{{{odd}"), 1));
    let reply = World::new().await.send(&request).await;
    assert_eq!(reply.status, 202, "{reply:?}");
    assert_eq!(reply.json()["warnings"][0]["code"], "UnknownProperties");
}

#[tokio::test]
async fn the_format_is_read_ignoring_case() {
    let world = World::new().await;
    world
        .send(&Request::create(
            "activities",
            &with(days(), "exportFormat", "csvblob"),
        ))
        .await;
    assert_eq!(
        world.store.stored()[0].request.format,
        ExportFormat::CsvBlob
    );
}

#[tokio::test]
async fn whether_activities_name_their_devices_is_kept_with_the_job() {
    for (options, expected) in [
        (json!({}), false),
        (json!({"exportDeviceId": false}), false),
        (json!({"exportDeviceId": true}), true),
    ] {
        let world = World::new().await;
        let body = with(days(), "exportOptions", options);
        assert_eq!(
            world
                .send(&Request::create("activities", &body))
                .await
                .status,
            202,
            "{body}"
        );
        let [job] = world.store.stored().try_into().unwrap();
        assert_eq!(job.request.export_device_id, expected, "{body}");
    }
}

#[tokio::test]
async fn the_compression_is_the_one_that_was_asked_for_or_the_usual_one_of_the_format() {
    for (format, options, expected) in [
        ("JsonBlob", json!(null), Compression::None),
        ("CsvBlob", json!({"compression": null}), Compression::None),
        ("JsonLinesBlob", json!({}), Compression::Zstd),
        (
            "JsonLinesBlob",
            json!({"compression": "none"}),
            Compression::None,
        ),
        (
            "JsonBlob",
            json!({"Compression": "GZip"}),
            Compression::Gzip,
        ),
        ("csvblob", json!({"compression": "zstd"}), Compression::Zstd),
        ("ParquetBlob", json!({}), Compression::None),
        (
            "ParquetBlob",
            json!({"compression": "none"}),
            Compression::None,
        ),
    ] {
        let world = World::new().await;
        let mut body = with(days(), "exportFormat", format);
        body["exportOptions"] = options;
        let reply = world.send(&Request::create("activities", &body)).await;
        assert_eq!(
            (reply.status, reply.json().get("warnings")),
            (202, None),
            "{body}"
        );
        let [job] = world.store.stored().try_into().unwrap();
        assert_eq!(job.request.compression, expected, "{body}");
    }
}

#[tokio::test]
async fn another_compression_under_the_same_key_is_another_request() {
    let world = World::new().await;
    let ask = |compression: &str| {
        let body = with(days(), "exportOptions", json!({"compression": compression}));
        Request::create("activities", &body).header("idempotency-key", "key-1")
    };
    assert_eq!(world.send(&ask("gzip")).await.status, 202);
    assert_eq!(world.send(&ask("gzip")).await.status, 202);
    let refused = world.send(&ask("zstd")).await;
    assert_eq!(refused.error(), answer(409, "RequestIdReused"));
    assert_eq!(world.store.stored().len(), 1);
}

#[tokio::test]
async fn an_option_beside_the_compression_that_is_not_known_is_named() {
    let world = World::new().await;
    let options = json!({"compression": "gzip", "compressionLevel": 9});
    let body = with(days(), "exportOptions", options);
    let reply = world.send(&Request::create("activities", &body)).await;
    let warning = &reply.json()["warnings"][0];
    assert_eq!(warning["code"], "UnknownProperties");
    let message = warning["message"].as_str().unwrap();
    assert!(
        message.contains("\"exportOptions.compressionLevel\"."),
        "{message}"
    );
    assert_eq!(
        world.store.stored()[0].request.compression,
        Compression::Gzip
    );
}
