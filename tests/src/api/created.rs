//! What a creation makes, once.

use serde_json::{Value, json};
use shared::seal::Sealer;
use shared::selection::{CampaignType, DateRange, ExportFormat, ExportType, Selection};
use time::Duration;
use time::macros::{date, datetime};

use super::fakes::NOW;
use super::{Request, SIGNATURE, World, container_url, days, with};

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
async fn every_operation_makes_a_job_of_its_type() {
    let range = Selection::Days(DateRange { start: date!(2026 - 11 - 01), end: date!(2026 - 11 - 20) });
    let listed = Selection::Campaigns { campaign_type: CampaignType::Poll, ids: vec![1, 2] };
    let (start, end) = (datetime!(2026-11-01 00:00 UTC), datetime!(2026-11-02 00:00 UTC));
    let active = Selection::ActiveCampaigns { campaign_type: CampaignType::DataPush, start, end };
    for (operation, body, export_type, selection) in [
        ("activities", days(), ExportType::Activity, &range),
        ("events", days(), ExportType::Event, &range),
        ("jobs", days(), ExportType::Job, &range),
        ("errors", days(), ExportType::Error, &range),
        ("sessions", days(), ExportType::Session, &range),
        ("crashes", days(), ExportType::Crash, &range),
        ("tags", snapshot(), ExportType::Tag, &Selection::Devices),
        ("tag", snapshot(), ExportType::Tag, &Selection::Devices),
        ("tokens", snapshot(), ExportType::Token, &Selection::Devices),
        ("token", snapshot(), ExportType::Token, &Selection::Devices),
        ("devices", snapshot(), ExportType::Device, &Selection::Devices),
        ("feedbackByCampaign", campaigns(), ExportType::Push, &listed),
        ("feedbackByDate", window(), ExportType::Push, &active),
    ] {
        let world = World::new().await;
        let reply = world.send(&Request::create(operation, &body)).await;
        assert_eq!(reply.status, 202, "{operation}: {reply:?}");
        assert_eq!(reply.json()["exportType"], export_type.name());
        let [job] = world.store.stored().try_into().unwrap();
        assert_eq!((job.request.export_type, &job.request.selection), (export_type, selection), "{operation}");
    }
}

#[tokio::test]
async fn the_new_task_has_the_contracts_fields_and_its_phase() {
    let world = World::new().await;
    let reply = world.send(&Request::create("events", &with(days(), "description", "für Ada"))).await;
    let expected = json!({
        "id": reply.id(), "description": "für Ada", "state": "Queued", "dateCreated": "2026-11-21T12:00:00.000Z",
        "exportType": "Event", "phase": "queued", "credentialExpires": "2026-12-31T00:00:00.000Z",
    });
    assert_eq!(reply.json(), expected);
}

#[tokio::test]
async fn the_container_is_tried_under_the_jobs_own_prefix_before_the_202() {
    let world = World::new().await;
    let id = world.accepted().await;
    assert_eq!(world.containers.staged(), [format!("Activity/{id}/manifest.json")]);
}

#[tokio::test]
async fn the_signature_is_stored_sealed_for_its_job() {
    let world = World::new().await;
    world.accepted().await;
    let [job] = world.store.stored().try_into().unwrap();
    assert_eq!(job.destination.as_str(), "https://account.blob.core.windows.net/exports");
    assert_eq!(job.expires, NOW + Duration::days(90));
    let opened = world.sealer.open(job.key.id, &job.credential.as_ref().unwrap().sealed).await.unwrap();
    assert!(opened.reveal().ends_with(SIGNATURE));
}

#[tokio::test]
async fn campaign_ids_may_be_numeric_texts_and_repeats_count_once() {
    let world = World::new().await;
    let body = with(campaigns(), "campaignIds", json!([7, "3", 7, "9223372036854775807", -1]));
    assert_eq!(world.send(&Request::create("feedbackByCampaign", &body)).await.status, 202);
    let [job] = world.store.stored().try_into().unwrap();
    let expected = Selection::Campaigns { campaign_type: CampaignType::Poll, ids: vec![7, 3, i64::MAX, -1] };
    assert_eq!(job.request.selection, expected);
}

#[tokio::test]
async fn limits_that_are_met_exactly_are_accepted() {
    let ids: Vec<i64> = (0..100).collect();
    for (operation, body) in [
        ("feedbackByCampaign", with(campaigns(), "campaignIds", ids)),
        ("activities", with(days(), "description", "ü".repeat(1_024))),
        ("activities", with(days(), "startDate", "2025-11-20")),
        ("activities", with(with(days(), "startDate", "2026-11-21"), "endDate", "2027-01-01")),
        ("activities", with(with(days(), "startDate", "2026-11-20"), "endDate", "2026-11-20")),
        ("activities", with(days(), "padding", "x".repeat(65_536 - with(days(), "padding", "").to_string().len()))),
    ] {
        let reply = World::new().await.send(&Request::create(operation, &body)).await;
        assert_eq!(reply.status, 202, "{reply:?}");
    }
}

#[tokio::test]
async fn the_option_to_export_user_ids_is_kept() {
    for (options, expected) in [(json!({"ExportUserID": true}), true), (json!({}), false), (Value::Null, false)] {
        let world = World::new().await;
        let reply =
            world.send(&Request::create("feedbackByCampaign", &with(campaigns(), "exportOptions", options))).await;
        assert_eq!(reply.status, 202, "{reply:?}");
        assert_eq!(world.store.stored()[0].request.export_user_id, expected);
    }
}

#[tokio::test]
async fn a_repeat_with_the_same_request_id_is_answered_with_the_first_task() {
    let world = World::new().await;
    for header in ["x-ms-client-request-id", "idempotency-key"] {
        let request = Request::create("activities", &days()).header(header, header);
        let (first, second) = (world.send(&request).await, world.send(&request).await);
        assert_eq!((first.status, second.status), (202, 202));
        assert_eq!(first.text, second.text);
        assert_eq!(first.header("location"), second.header("location"));
    }
    assert_eq!(world.store.stored().len(), 2);
    assert_eq!(world.containers.staged().len(), 2, "a repeat does not try the container again");
}

#[tokio::test]
async fn a_repeat_is_answered_although_its_signature_has_expired_meanwhile() {
    let world = World::new().await;
    let request = Request::create("activities", &days()).header("x-ms-client-request-id", "1");
    let first = world.send(&request).await;
    let denied = shared::container::ContainerError::Denied { code: "AuthenticationFailed".to_owned() };
    world.containers.refuse(denied);
    assert_eq!(world.send(&request).await.text, first.text);
}

#[tokio::test]
async fn of_two_runs_of_one_request_at_the_same_time_one_makes_the_job() {
    let world = World::new().await;
    world.store.look_up_too_early();
    let request = Request::create("activities", &days()).header("x-ms-client-request-id", "1");
    let (first, second) = (world.send(&request).await, world.send(&request).await);
    assert_eq!((second.status, &second.text), (202, &first.text));
    let other = Request::create("events", &days()).header("x-ms-client-request-id", "1");
    assert_eq!(world.send(&other).await.error(), (409, "RequestIdReused".to_owned()));
    assert_eq!(world.store.stored().len(), 1);
}

#[tokio::test]
async fn the_idempotency_key_goes_before_the_clients_request_id() {
    let world = World::new().await;
    let request = |key: &str, id: &str| {
        Request::create("activities", &days()).header("idempotency-key", key).header("x-ms-client-request-id", id)
    };
    let first = world.send(&request("k", "1")).await;
    assert_eq!(world.send(&request("k", "2")).await.id(), first.id());
    assert_ne!(world.send(&request("l", "1")).await.id(), first.id());
}

#[tokio::test]
async fn a_request_id_is_forgotten_after_a_day_and_belongs_to_one_app() {
    let world = World::new().await;
    let request = Request::create("activities", &days()).header("x-ms-client-request-id", "1");
    let first = world.send(&request).await.id();
    let other_app = Request { path: request.path.replace("chess", "go"), ..request.clone() };
    assert_ne!(world.send(&other_app).await.id(), first);
    world.clock.set(NOW + Duration::DAY);
    assert_ne!(world.send(&request).await.id(), first);
}

#[tokio::test]
async fn requests_without_an_id_make_a_job_each() {
    let world = World::new().await;
    assert_ne!(world.accepted().await, world.accepted().await);
}

#[tokio::test]
async fn the_format_is_read_ignoring_case() {
    let world = World::new().await;
    world.send(&Request::create("activities", &with(days(), "exportFormat", "csvblob"))).await;
    assert_eq!(world.store.stored()[0].request.format, ExportFormat::CsvBlob);
}
