//! One test per refusal, and the page that documents them.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::{Value, json};
use shared::container::ContainerError;
use shared::http::code::ErrorCode;
use shared::seal::SealError;
use shared::store::StoreError;
use time::macros::datetime;

use super::{LIST, Request, SIGNATURE, World, container_url, days, with, without};

const ERRORS: &str = include_str!("../../../docs/ERRORS.md");

/// The codes and statuses of the page's first table.
fn documented() -> BTreeMap<&'static str, u16> {
    let (_, table) = ERRORS.split_once("## Codes").unwrap();
    let (table, _) = table.split_once("\n## ").unwrap();
    let rows = table.lines().filter_map(|line| line.strip_prefix("| `")?.split_once("` | "));
    rows.map(|(code, rest)| (code, rest[..3].parse().unwrap())).collect()
}

#[test]
fn the_page_of_errors_lists_exactly_the_codes_that_there_are() {
    let known: BTreeMap<&str, u16> = ErrorCode::ALL.iter().map(|code| (code.name(), code.status())).collect();
    assert_eq!(documented(), known);
}

#[test]
fn the_pages_sample_has_the_shape_of_an_error() {
    let (_, sample) = ERRORS.split_once("```json\n").unwrap();
    let sample: Value = serde_json::from_str(sample.split_once("```").unwrap().0).unwrap();
    assert_eq!(documented()[sample["error"]["code"].as_str().unwrap()], 400);
}

async fn code_of(request: &Request) -> (i64, String) {
    World::new().await.send(request).await.error()
}

fn answer(status: i64, code: &str) -> (i64, String) {
    (status, code.to_owned())
}

/// The refusal of a creation, after a look that it left nothing behind.
async fn refusal(operation: &str, body: &Value) -> (String, String) {
    let world = World::new().await;
    let reply = world.send(&Request::create(operation, body)).await;
    let (status, code) = reply.error();
    assert_eq!(status, 400, "{body}");
    assert!(world.store.stored().is_empty() && world.containers.staged().is_empty());
    assert!(!reply.text.contains(SIGNATURE));
    (code, reply.message())
}

#[tokio::test]
async fn an_unknown_path_is_404_for_every_method() {
    for path in ["/", "/subscriptions/s1", &format!("{LIST}/a/b"), &LIST.replace("apps", "application")] {
        for method in ["GET", "POST", "PUT", "PATCH", "DELETE", "HEAD"] {
            assert_eq!(code_of(&Request::new(method, path)).await, answer(404, "UnknownPath"), "{method} {path}");
        }
    }
    let operation = Request::create("everything", &days());
    assert_eq!(code_of(&operation).await, answer(404, "UnknownPath"));
}

#[tokio::test]
async fn a_known_path_names_its_methods() {
    let task = format!("{LIST}/019395a0-0000-7000-8000-000000000000");
    for (method, path, allow) in [
        ("POST", LIST, "GET"),
        ("DELETE", LIST, "GET"),
        ("PATCH", LIST, "GET"),
        ("POST", &task, "GET, PATCH, DELETE"),
        ("PUT", &task, "GET, PATCH, DELETE"),
        ("PATCH", &format!("{LIST}/activities"), "POST"),
        ("DELETE", &format!("{LIST}/activities"), "POST"),
        ("GET", &format!("{LIST}/activities"), "POST"),
        ("PUT", &format!("{LIST}/feedbackbydate"), "POST"),
    ] {
        let reply = World::new().await.send(&Request::new(method, path)).await;
        assert_eq!(reply.error(), answer(405, "MethodNotAllowed"), "{method} {path}");
        assert_eq!(reply.header("allow"), Some(allow));
    }
}

#[tokio::test]
async fn another_api_version_is_refused_naming_the_supported_one() {
    for query in ["", "api-version=2015-01-01", "api-version="] {
        for request in [Request::list(), Request::create("tags", &days())] {
            let reply = World::new().await.send(&request.query(query)).await;
            assert_eq!(reply.error(), answer(400, "UnsupportedApiVersion"), "{query}");
            assert!(reply.message().contains("2014-12-01"));
        }
    }
}

#[tokio::test]
async fn a_page_that_cannot_be_is_refused_naming_the_option() {
    for (option, name) in [
        ("%24top=41", "$top"),
        ("$top=x", "$top"),
        ("$skip=-1", "$skip"),
        ("$orderby=size", "$orderby"),
        ("$filter=a", "$filter"),
    ] {
        let query = format!("api-version=2014-12-01&{option}");
        let reply = World::new().await.send(&Request::list().query(&query)).await;
        assert_eq!(reply.error(), answer(400, "InvalidQuery"), "{option}");
        assert!(reply.message().contains(name));
    }
}

#[tokio::test]
async fn nobody_is_refused_everywhere() {
    for request in [Request::list(), Request::task("x"), Request::create("activities", &days())] {
        for subject in [None, Some("")] {
            let reply = World::new().await.send(&request.clone().by(subject)).await;
            assert_eq!(reply.error(), answer(401, "Unauthenticated"));
            assert_eq!(reply.header("www-authenticate"), Some("Bearer"));
        }
    }
}

#[tokio::test]
async fn a_caller_without_the_role_is_told_scope_and_role() {
    let outside = LIST.replace("s1", "s10");
    for (request, subject, needed) in [
        (Request::create("activities", &days()), "rita", "Contributor"),
        (Request::list(), "mallory", "Reader"),
        (Request::new("GET", &outside), "rita", "Reader"),
    ] {
        let reply = World::new().await.send(&request.by(Some(subject))).await;
        assert_eq!(reply.error(), answer(403, "Forbidden"));
        assert!(reply.message().contains(needed) && reply.message().contains("/apps/chess"), "{reply:?}");
    }
}

#[tokio::test]
async fn a_task_that_is_none_or_another_apps_is_not_found() {
    let world = World::new().await;
    let id = world.accepted().await;
    let elsewhere = Request::new("GET", &format!("{}/{id}", LIST.replace("chess", "go")));
    for request in [elsewhere, Request::task("019395a0-0000-7000-8000-000000000000"), Request::task("42")] {
        assert_eq!(world.send(&request).await.error(), answer(404, "TaskNotFound"));
    }
}

#[tokio::test]
async fn a_request_id_must_be_usable_as_a_key() {
    let long = "x".repeat(257);
    for (name, id) in
        [("idempotency-key", long.as_str()), ("x-ms-client-request-id", &long), ("idempotency-key", "schlüssel")]
    {
        let request = Request::create("activities", &days()).header(name, id);
        assert_eq!(code_of(&request).await, answer(400, "InvalidRequestId"), "{name}");
    }
    let request = Request::create("activities", &days()).header("idempotency-key", &"x".repeat(256));
    assert_eq!(World::new().await.send(&request).await.status, 202);
}

#[tokio::test]
async fn a_request_id_that_is_used_for_something_else_is_a_conflict() {
    let world = World::new().await;
    let first = Request::create("activities", &days()).header("x-ms-client-request-id", "1");
    world.send(&first).await;
    for other in
        [Request::create("events", &days()), Request::create("activities", &with(days(), "endDate", "2026-11-19"))]
    {
        let reply = world.send(&other.header("x-ms-client-request-id", "1")).await;
        assert_eq!(reply.error(), answer(409, "RequestIdReused"));
    }
    assert_eq!(world.store.stored().len(), 1);
}

#[tokio::test]
async fn other_content_types_are_refused() {
    for content_type in ["text/json", "application/json; charset=utf-16", "", "multipart/form-data", "json"] {
        let request = Request::create("activities", &days()).header("content-type", content_type);
        assert_eq!(code_of(&request).await, answer(415, "UnsupportedMediaType"), "{content_type}");
    }
}

#[tokio::test]
async fn a_body_of_more_than_64_kib_is_refused() {
    let body = with(days(), "padding", "x".repeat(65_536));
    assert_eq!(code_of(&Request::create("activities", &body)).await, answer(413, "BodyTooLarge"));
}

#[tokio::test]
async fn a_body_that_is_no_json_object_is_refused_without_repeating_it() {
    let quoted = format!("\"{}\"", container_url());
    let cut = format!("{{\"containerUrl\": \"{}", container_url());
    for body in ["", "{", "[]", "1", "null", "{\"a\":1}x", "{a:1}", &quoted, &cut, &"[".repeat(20_000)] {
        let reply = World::new().await.send(&Request::create("activities", &days()).body(body)).await;
        assert_eq!(reply.error(), answer(400, "InvalidBody"), "{body}");
        assert!(!reply.text.contains(SIGNATURE));
    }
    for base64 in ["/////w==", "not base64"] {
        let request = Request { is_base64: true, ..Request::create("activities", &days()).body(base64) };
        assert_eq!(code_of(&request).await, answer(400, "InvalidBody"), "{base64}");
    }
}

fn campaigns() -> Value {
    let window = json!({"campaignWindowStart": "2026-11-01T00:00:00Z", "campaignWindowEnd": "2026-11-02T00:00:00Z"});
    let mut body = with(with(days(), "campaignType", "Poll"), "campaignIds", json!([1]));
    body.as_object_mut().unwrap().extend(window.as_object().unwrap().clone());
    body
}

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
        for body in [without(campaigns(), field), with(campaigns(), field, Value::Null)] {
            let (code, message) = refusal(operation, &body).await;
            assert_eq!(code, "MissingField", "{operation} {field}");
            assert!(message.contains(&format!("`{field}` is missing")), "{message}");
        }
    }
}

#[tokio::test]
async fn a_malformed_field_is_named_with_its_value_and_the_mend() {
    for (operation, field, value, shown, mend) in [
        ("events", "startDate", json!("2026-11-1"), "2026-11-1", "full-date"),
        ("events", "startDate", json!("2026-11-01T00:00:00Z"), "2026-11-01T00", "full-date"),
        ("events", "endDate", json!("2026-02-30"), "2026-02-30", "full-date"),
        ("events", "endDate", json!("+2026-11-20"), "+2026", "full-date"),
        ("events", "endDate", json!(20), "20", "full-date"),
        ("events", "description", json!(["a"]), "[", "text"),
        ("events", "exportFormat", json!(1), "1", "JsonBlob"),
        ("events", "exportOptions", json!(true), "object", "exportUserId"),
        ("events", "exportOptions", json!({"exportUserId": 1}), "1", "true or false"),
        ("feedbackByCampaign", "campaignIds", json!([1.5]), "1.5", "whole numbers"),
        ("feedbackByCampaign", "campaignIds", json!(["x"]), "x", "whole numbers"),
        ("feedbackByCampaign", "campaignIds", json!([9_223_372_036_854_775_808_u64]), "9223372036854775808", "64 bits"),
        ("feedbackByCampaign", "campaignIds", json!(1), "array", "array"),
        ("feedbackByDate", "campaignWindowStart", json!("2026-11-01"), "2026-11-01", "date-time"),
        ("feedbackByDate", "campaignWindowEnd", json!("9999-12-31T23:59:59-23:59"), "9999", "date-time"),
    ] {
        let (code, message) = refusal(operation, &with(campaigns(), field, value.clone())).await;
        assert_eq!(code, "InvalidField", "{field} {value}");
        assert!(message.contains(field) && message.contains(shown) && message.contains(mend), "{message}");
    }
}

#[tokio::test]
async fn a_container_url_of_the_wrong_type_is_not_repeated() {
    let (code, _) = refusal("tags", &with(days(), "containerUrl", json!([container_url()]))).await;
    assert_eq!(code, "InvalidField");
}

#[tokio::test]
async fn a_container_url_in_the_wrong_field_is_not_repeated() {
    for field in ["exportFormat", "startDate", "campaignType", "campaignWindowStart"] {
        for operation in ["events", "feedbackByDate"] {
            let reply =
                World::new().await.send(&Request::create(operation, &with(campaigns(), field, container_url()))).await;
            assert!(!reply.text.contains(SIGNATURE) || reply.status == 202, "{field}");
        }
    }
}

#[tokio::test]
async fn a_field_that_stands_twice_is_refused() {
    for twice in [r#"{"exportFormat":"JsonBlob","exportFormat":"CsvBlob","#, r#"{"ExportFormat":"JsonBlob","#] {
        let body = format!("{twice}{}", &days().to_string()[1..]);
        let request = Request::create("activities", &days()).body(body);
        assert_eq!(code_of(&request).await, answer(400, "DuplicateField"), "{twice}");
    }
}

#[tokio::test]
async fn every_rule_of_the_fields_has_its_own_code() {
    let many: Vec<i64> = (0..101).collect();
    for (operation, field, value, expected, part) in [
        ("events", "exportFormat", json!("ParquetBlob"), "UnknownExportFormat", "JsonBlob or CsvBlob"),
        (
            "feedbackByDate",
            "campaignType",
            json!("Mail"),
            "UnknownCampaignType",
            "Announcement, DataPush, NativePush or Poll",
        ),
        ("events", "description", json!("x".repeat(1_025)), "DescriptionTooLong", "1025"),
        ("events", "endDate", json!("2026-10-31"), "StartDateAfterEndDate", "2026-10-31"),
        ("events", "startDate", json!("2025-11-19"), "DateRangeTooLong", "366 days"),
        ("feedbackByCampaign", "campaignIds", json!([]), "NoCampaignIds", "campaignIds"),
        ("feedbackByCampaign", "campaignIds", json!(many), "TooManyCampaignIds", "100"),
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
        assert!(message.contains(part) && message.contains(field) || message.contains("startDate"), "{message}");
    }
}

#[tokio::test]
async fn a_range_that_starts_tomorrow_is_refused() {
    let body = with(with(days(), "startDate", "2026-11-22"), "endDate", "2026-11-23");
    let (code, message) = refusal("sessions", &body).await;
    assert_eq!(code, "StartDateInFuture");
    assert!(message.contains("2026-11-22") && message.contains("2026-11-21"), "{message}");
}

#[tokio::test]
async fn what_storage_says_to_the_trial_is_told_apart() {
    let code = || "FromStorage".to_owned();
    for (refusal, status, expected) in [
        (ContainerError::Denied { code: code() }, 400, "ContainerAccessDenied"),
        (ContainerError::Missing { code: code() }, 400, "ContainerNotFound"),
        (ContainerError::Refused { code: code() }, 400, "ContainerRefusesWrites"),
        (ContainerError::BlocksGone, 400, "ContainerRefusesWrites"),
        (ContainerError::Damaged { code: code() }, 503, "StorageUnavailable"),
        (ContainerError::Unavailable { reason: code() }, 503, "StorageUnavailable"),
    ] {
        let world = World::new().await;
        world.containers.refuse(refusal);
        let reply = world.send(&Request::create("tokens", &days())).await;
        assert_eq!(reply.error(), answer(status, expected));
        assert_eq!(reply.header("retry-after"), (status == 503).then_some("5"));
        assert!(world.store.stored().is_empty());
    }
}

#[tokio::test]
async fn a_request_that_storage_did_not_answer_may_be_sent_again() {
    let request = Request::create("tokens", &days()).header("x-ms-client-request-id", "1");
    let mut world = World::new().await;
    world.containers.refuse(ContainerError::Unavailable { reason: "time-out".to_owned() });
    assert_eq!(world.send(&request).await.status, 503);
    world.containers = std::sync::Arc::default();
    assert_eq!(world.send(&request).await.status, 202);
}

#[tokio::test]
async fn a_part_that_does_not_answer_is_503_with_retry_after() {
    let failures: [fn() -> StoreError; 2] = [
        || StoreError::Unavailable { reason: "throttled".to_owned() },
        || StoreError::Conflict { item: "job".to_owned() },
    ];
    for failure in failures {
        for request in [Request::create("tags", &days()), Request::list(), Request::task("x")] {
            let world = World::new().await;
            world.store.fail_with(failure);
            let reply = world.send(&request).await;
            assert_eq!(reply.error(), answer(503, "ServiceUnavailable"));
            assert_eq!(reply.header("retry-after"), Some("5"));
        }
    }
    let world = World::new().await;
    world.sealer.fail_with(SealError::Unavailable { reason: "throttled".to_owned() });
    assert_eq!(world.send(&Request::create("tags", &days())).await.error(), answer(503, "ServiceUnavailable"));
}

#[tokio::test]
async fn a_defect_shows_the_request_id_and_nothing_else() {
    let world = World::new().await;
    world.store.fail_with(|| StoreError::Corrupt { item: "JOB#secret-key".to_owned(), reason: "inner".to_owned() });
    let reply = world.send(&Request::list()).await;
    assert_eq!(reply.error(), answer(500, "InternalError"));
    assert!(reply.message().contains("JKJaXmPLvHcESHA="));
    assert!(!reply.text.contains("secret-key") && !reply.text.contains("inner"));
    let world = World::new().await;
    world.sealer.fail_with(SealError::Unreadable);
    assert_eq!(world.send(&Request::create("tags", &days())).await.error(), answer(500, "InternalError"));
}

#[test]
fn the_page_lists_exactly_the_codes_of_container_urls() {
    const PROBLEMS: &str = include_str!("../../../shared/src/container/url/problem.rs");
    let known = PROBLEMS.lines().filter_map(|line| line.split_once("=> \"ContainerUrl")?.1.split_once('"'));
    let known: BTreeSet<&str> = known.map(|(code, _)| code).collect();
    let (_, table) = ERRORS.split_once("## Container URLs").unwrap();
    let rows = table.lines().filter_map(|line| line.strip_prefix("| `ContainerUrl")?.split_once('`'));
    let documented: BTreeSet<&str> = rows.map(|(code, _)| code).collect();
    assert!(!known.is_empty());
    assert_eq!(documented, known);
}

#[tokio::test]
async fn a_container_url_is_checked_at_the_moment_of_the_request() {
    let world = World::new().await;
    world.clock.set(datetime!(2026-12-31 00:10 UTC));
    let (code, message) = {
        let reply = world.send(&Request::create("activities", &days())).await;
        (reply.error(), reply.message())
    };
    assert_eq!(code, answer(400, "ContainerUrlExpired"));
    assert!(message.starts_with("containerUrl") && message.ends_with('.'), "{message}");
    assert!(!message.contains(SIGNATURE));
}
