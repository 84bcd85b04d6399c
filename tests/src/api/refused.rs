//! One test per refusal, and the page that documents them.

use std::collections::{BTreeMap, BTreeSet};

use api::code::ErrorCode;
use domain::app::AppScope;
use domain::warning::WarningCode;
use ports::container::ContainerError;
use ports::container::refusal::CAUSES;
use ports::seal::SealError;
use ports::store::StoreError;
use serde_json::{Value, json};
use time::macros::datetime;

use super::{LIST, Request, SIGNATURE, World, container_url, days, with, without};

const ERRORS: &str = include_str!("../../../docs/ERRORS.md");

/// The codes and statuses of the page's first table.
fn documented() -> BTreeMap<&'static str, u16> {
    let (_, table) = ERRORS.split_once("## Codes").unwrap();
    let (table, _) = table.split_once("\n## ").unwrap();
    let rows = table
        .lines()
        .filter_map(|line| line.strip_prefix("| `")?.split_once("` | "));
    rows.map(|(code, rest)| (code, rest[..3].parse().unwrap()))
        .collect()
}

#[test]
fn the_page_of_errors_lists_exactly_the_codes_that_there_are() {
    let known: BTreeMap<&str, u16> = ErrorCode::ALL
        .iter()
        .map(|code| (code.name(), code.status()))
        .collect();
    assert_eq!(documented(), known);
}

#[test]
fn the_page_lists_exactly_the_codes_of_warnings() {
    let known: BTreeSet<&str> = WarningCode::ALL.iter().map(|code| code.name()).collect();
    let (_, table) = ERRORS.split_once("\n## Warnings").unwrap();
    let (table, _) = table.split_once("\n## ").unwrap();
    let rows = table
        .lines()
        .filter_map(|line| line.strip_prefix("| `")?.split_once('`'));
    assert_eq!(rows.map(|(code, _)| code).collect::<BTreeSet<_>>(), known);
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
    for path in [
        "/",
        "/subscriptions/s1",
        &format!("{LIST}/a/b"),
        &LIST.replace("apps", "application"),
    ] {
        for method in ["GET", "POST", "PUT", "PATCH", "DELETE", "HEAD"] {
            let reply = World::new().await.send(&Request::new(method, path)).await;
            assert_eq!(reply.status, 404, "{method} {path}");
            assert!(
                method == "HEAD" || reply.error() == answer(404, "UnknownPath"),
                "{method} {path}"
            );
        }
    }
    let operation = Request::create("everything", &days());
    assert_eq!(code_of(&operation).await, answer(404, "UnknownPath"));
}

#[tokio::test]
async fn a_known_path_names_its_methods() {
    let task = format!("{LIST}/019395a0-0000-7000-8000-000000000000");
    for (method, path, allow) in [
        ("POST", LIST, "GET, HEAD"),
        ("DELETE", LIST, "GET, HEAD"),
        ("PATCH", LIST, "GET, HEAD"),
        ("POST", &task, "GET, HEAD, PATCH, DELETE"),
        ("PUT", &task, "GET, HEAD, PATCH, DELETE"),
        ("PATCH", &format!("{LIST}/activities"), "POST"),
        ("DELETE", &format!("{LIST}/activities"), "POST"),
        ("GET", &format!("{LIST}/activities"), "POST"),
        ("PUT", &format!("{LIST}/feedbackbydate"), "POST"),
    ] {
        let reply = World::new().await.send(&Request::new(method, path)).await;
        assert_eq!(
            reply.error(),
            answer(405, "MethodNotAllowed"),
            "{method} {path}"
        );
        assert_eq!(reply.header("allow"), Some(allow));
    }
}

#[tokio::test]
async fn another_api_version_is_refused_naming_the_supported_one() {
    for query in ["", "api-version=2015-01-01", "api-version="] {
        for request in [Request::list(), Request::create("tags", &days())] {
            let reply = World::new().await.send(&request.query(query)).await;
            assert_eq!(
                reply.error(),
                answer(400, "UnsupportedApiVersion"),
                "{query}"
            );
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
        let reply = World::new()
            .await
            .send(&Request::list().query(&query))
            .await;
        assert_eq!(reply.error(), answer(400, "InvalidQuery"), "{option}");
        assert!(reply.message().contains(name));
    }
}

#[tokio::test]
async fn nobody_is_refused_everywhere() {
    for request in [
        Request::list(),
        Request::task("x"),
        Request::create("activities", &days()),
    ] {
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
        (
            Request::create("activities", &days()),
            "rita",
            "Contributor",
        ),
        (Request::list(), "mallory", "Reader"),
        (Request::new("GET", &outside), "rita", "Reader"),
    ] {
        let reply = World::new().await.send(&request.by(Some(subject))).await;
        assert_eq!(reply.error(), answer(403, "Forbidden"));
        assert!(
            reply.message().contains(needed) && reply.message().contains("/apps/chess"),
            "{reply:?}"
        );
    }
}

#[tokio::test]
async fn a_task_that_is_none_or_another_apps_is_not_found() {
    let world = World::new().await;
    let id = world.accepted().await;
    let elsewhere = Request::new("GET", &format!("{}/{id}", LIST.replace("chess", "go")));
    for request in [
        elsewhere,
        Request::task("019395a0-0000-7000-8000-000000000000"),
        Request::task("42"),
    ] {
        assert_eq!(
            world.send(&request).await.error(),
            answer(404, "TaskNotFound")
        );
    }
}

#[tokio::test]
async fn a_request_id_must_be_usable_as_a_key() {
    let long = "x".repeat(257);
    for (name, id) in [
        ("idempotency-key", long.as_str()),
        ("x-ms-client-request-id", &long),
        ("idempotency-key", "schlüssel"),
    ] {
        let request = Request::create("activities", &days()).header(name, id);
        assert_eq!(
            code_of(&request).await,
            answer(400, "InvalidRequestId"),
            "{name}"
        );
    }
    for name in ["idempotency-key", "x-ms-client-request-id"] {
        let request =
            Request::create("activities", &days()).header(name, &format!("1 {}", container_url()));
        let reply = World::new().await.send(&request).await;
        assert_eq!(
            reply.error(),
            answer(400, "InvalidRequestId"),
            "a signature is neither stored nor echoed"
        );
        assert!(!format!("{reply:?}").contains(SIGNATURE));
    }
    let request =
        Request::create("activities", &days()).header("idempotency-key", &"x".repeat(256));
    assert_eq!(World::new().await.send(&request).await.status, 202);
}

#[tokio::test]
async fn an_idempotency_key_that_is_used_for_something_else_is_a_conflict() {
    let world = World::new().await;
    let first = Request::create("activities", &days()).header("idempotency-key", "1");
    world.send(&first).await;
    for other in [
        Request::create("events", &days()),
        Request::create("activities", &with(days(), "endDate", "2026-11-19")),
    ] {
        let reply = world.send(&other.header("idempotency-key", "1")).await;
        assert_eq!(reply.error(), answer(409, "RequestIdReused"));
    }
    assert_eq!(world.store.stored().len(), 1);
}

#[tokio::test]
async fn other_content_types_are_refused() {
    for content_type in [
        "text/json",
        "application/json; charset=utf-16",
        "",
        "multipart/form-data",
        "json",
    ] {
        let request = Request::create("activities", &days()).header("content-type", content_type);
        assert_eq!(
            code_of(&request).await,
            answer(415, "UnsupportedMediaType"),
            "{content_type}"
        );
    }
}

#[tokio::test]
async fn a_compressed_body_is_refused_naming_its_coding() {
    let plain = Request::create("activities", &days());
    let gzip = [0x1f, 0x8b, 8, 0, 0, 0, 0, 0, 0, 3, 0xff];
    let encoded = base64::Engine::encode(&base64::engine::general_purpose::STANDARD, gzip);
    let unsaid = Request {
        is_base64: true,
        ..plain.clone().body(encoded)
    };
    let said = unsaid.clone().header("content-encoding", "gzip");
    for (request, coding) in [
        (unsaid, "gzip"),
        (said, "gzip"),
        (plain.clone().header("content-encoding", "br"), "br"),
    ] {
        let reply = World::new().await.send(&request).await;
        assert_eq!(reply.error(), answer(415, "UnsupportedMediaType"));
        assert_eq!(reply.header("accept-encoding"), Some("identity"));
        let expected = format!(
            "The body is compressed (\"{coding}\"): send it as it is, without `Content-Encoding`."
        );
        assert_eq!(reply.message(), expected);
    }
    let identity = plain.header("content-encoding", "Identity");
    assert_eq!(World::new().await.send(&identity).await.status, 202);
}

#[tokio::test]
async fn a_body_of_more_than_64_kib_is_refused() {
    let body = with(days(), "padding", "x".repeat(65_536));
    assert_eq!(
        code_of(&Request::create("activities", &body)).await,
        answer(413, "BodyTooLarge")
    );
}

#[tokio::test]
async fn a_body_that_is_no_json_object_is_refused_without_repeating_it() {
    let quoted = format!("\"{}\"", container_url());
    let cut = format!("{{\"containerUrl\": \"{}", container_url());
    for body in [
        "",
        "{",
        "[]",
        "1",
        "null",
        "{\"a\":1}x",
        "{a:1}",
        &quoted,
        &cut,
        &"[".repeat(20_000),
    ] {
        let reply = World::new()
            .await
            .send(&Request::create("activities", &days()).body(body))
            .await;
        assert_eq!(reply.error(), answer(400, "InvalidBody"), "{body}");
        assert!(!reply.text.contains(SIGNATURE));
    }
    for base64 in ["/////w==", "not base64"] {
        let request = Request {
            is_base64: true,
            ..Request::create("activities", &days()).body(base64)
        };
        assert_eq!(
            code_of(&request).await,
            answer(400, "InvalidBody"),
            "{base64}"
        );
    }
}

#[tokio::test]
async fn a_body_that_is_not_what_it_is_said_to_be_is_told_what_it_looks_like() {
    const FORM: &str = "application/x-www-form-urlencoded";
    let json = days().to_string();
    let cut = &json[..json.len() - 1];
    let form = "containerUrl=https%3A%2F%2Fa.blob.core.windows.net%2Fc&exportFormat=JsonBlob";
    for (content_type, body, expected) in [
        (
            FORM,
            json.as_str(),
            "looks like JSON, and its content type says that it is a form: send JSON with `Content-Type: application/json`.",
        ),
        (FORM, " [1]", "looks like JSON"),
        (
            "application/json",
            form,
            "looks like a form, and its content type says JSON",
        ),
        (
            "application/json",
            cut,
            "is not JSON: it ends too early, at line 1, column",
        ),
        (
            "application/json",
            "[[1]",
            "is not JSON: it ends too early, at line 1, column 4",
        ),
        (
            "application/json",
            "{\n\"a\": tru}",
            "is not JSON, at line 2, column",
        ),
        (
            "application/json",
            "[{}]",
            "is JSON, but an array and not an object",
        ),
        (
            "application/json",
            "\"a\"",
            "is JSON, but a text and not an object",
        ),
        ("application/json", " ", "is empty: send one object"),
        (FORM, "", "is empty"),
    ] {
        let request = Request::create("activities", &days())
            .header("content-type", content_type)
            .body(body);
        let reply = World::new().await.send(&request).await;
        assert_eq!(reply.error(), answer(400, "InvalidBody"), "{body}");
        assert!(
            reply.message().contains(&format!("The body {expected}")),
            "{body}: {reply:?}"
        );
        assert!(!reply.text.contains(SIGNATURE));
    }
}

#[tokio::test]
async fn a_container_url_that_a_form_cut_or_html_escaped_is_told_so() {
    let url = container_url();
    let escaped = url.replace('&', "&amp;");
    let encoded =
        |text: &str| url::form_urlencoded::byte_serialize(text.as_bytes()).collect::<String>();
    let rest = "&exportFormat=JsonBlob&startDate=2026-11-01&endDate=2026-11-02";
    let form = |url: &str| {
        let request =
            Request::create("activities", &days()).body(format!("containerUrl={url}{rest}"));
        request.header("content-type", "application/x-www-form-urlencoded")
    };
    let (cut, html) = ("was cut at its first `&`", "was escaped for HTML");
    for (request, problem, mend) in [
        (form(&url), cut, "percent-encode the whole URL"),
        (form(&escaped), cut, "percent-encode the whole URL"),
        (
            form(&url.replacen("?sv=2024-08-04&", "?", 1).replacen(
                '?',
                &format!("?sig={SIGNATURE}&sv=1&"),
                1,
            )),
            cut,
            "%26",
        ),
        (form(&encoded(&escaped)), html, "with `&` alone"),
        (
            Request::create(
                "activities",
                &with(days(), "containerUrl", escaped.as_str()),
            ),
            html,
            "with `&` alone",
        ),
    ] {
        let reply = World::new().await.send(&request).await;
        assert_eq!(reply.error(), answer(400, "InvalidField"));
        assert!(
            reply.message().contains(problem) && reply.message().contains(mend),
            "{reply:?}"
        );
        assert!(!reply.text.contains(SIGNATURE));
    }
    assert_eq!(
        World::new().await.send(&form(&encoded(&url))).await.status,
        202
    );
}

#[tokio::test]
async fn a_value_that_only_json_can_hold_is_named_where_it_is_asked_for() {
    for (operation, field, raw, problem) in [
        (
            "events",
            "description",
            r#""a \ud800""#,
            "holds half of a surrogate pair",
        ),
        (
            "events",
            "startDate",
            "1e400",
            "holds a number beyond 1.8e308",
        ),
        (
            "feedbackByCampaign",
            "campaignIds",
            "[1, 1e400]",
            "holds a number beyond 1.8e308",
        ),
        (
            "events",
            "exportOptions",
            r#"{"exportUserId": -1e400}"#,
            "holds a number beyond 1.8e308",
        ),
    ] {
        let body = without(campaigns(), field).to_string().replacen(
            '{',
            &format!("{{\"{field}\": {raw}, "),
            1,
        );
        let reply = World::new()
            .await
            .send(&Request::create(operation, &days()).body(body))
            .await;
        assert_eq!(reply.error(), answer(400, "InvalidField"), "{field}");
        assert!(
            reply.message().contains(field) && reply.message().contains(problem),
            "{reply:?}"
        );
    }
}

/// Requests of every method of an app.
fn of_app(app: &str) -> [Request; 6] {
    let requests = [
        Request::create("activities", &days()),
        Request::list(),
        Request::task("019395a0-0000-7000-8000-000000000000"),
        Request::resume("019395a0-0000-7000-8000-000000000000", &json!({})),
        Request::cancel("019395a0-0000-7000-8000-000000000000"),
        Request::new("HEAD", LIST),
    ];
    requests.map(|request| Request {
        path: request.path.replace("chess", app),
        ..request
    })
}

#[tokio::test]
async fn an_app_path_that_cannot_be_stored_is_refused_on_every_method_before_authorization() {
    let rest = AppScope::from_segments(LIST.split('/').skip(1).take(9))
        .as_str()
        .len()
        + 1;
    for request in of_app(&"ü".repeat((700 - rest) / 6 + 1)) {
        let request = Request {
            method: request.method.clone(),
            ..request
        }
        .by(None);
        let reply = World::new().await.send(&request).await;
        assert_eq!(reply.status, 400, "{request:?}");
        if request.method != "HEAD" {
            assert_eq!(reply.error(), answer(400, "AppPathTooLong"));
            assert!(
                reply
                    .message()
                    .contains("at most 700 fit: send shorter names"),
                "{reply:?}"
            );
        }
    }
    for request in of_app(&"x".repeat(700 - rest)) {
        assert!(
            [200, 202, 404].contains(&World::new().await.send(&request).await.status),
            "{request:?}"
        );
    }
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

#[tokio::test]
async fn a_subject_that_no_grant_takes_is_refused() {
    for request in of_app("chess") {
        let reply = World::new()
            .await
            .send(&request.clone().by(Some(&"ü".repeat(129))))
            .await;
        assert_eq!(reply.status, 403, "{request:?}");
        if request.method != "HEAD" {
            assert_eq!(reply.error(), answer(403, "SubjectTooLong"));
        }
    }
    let longest = Request::list().by(Some(&"x".repeat(256)));
    assert_eq!(code_of(&longest).await, answer(403, "Forbidden"));
}

fn campaigns() -> Value {
    let window = json!({"campaignWindowStart": "2026-11-01T00:00:00Z", "campaignWindowEnd": "2026-11-02T00:00:00Z"});
    let mut body = with(
        with(days(), "campaignType", "Poll"),
        "campaignIds",
        json!([1]),
    );
    body.as_object_mut()
        .unwrap()
        .extend(window.as_object().unwrap().clone());
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
async fn a_malformed_field_is_named_with_its_value_and_the_mend() {
    for (operation, field, value, shown, mend) in [
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
            message.contains(field) && message.contains(shown) && message.contains(mend),
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
            json!("ParquetBlob"),
            "UnknownExportFormat",
            "JsonBlob or CsvBlob",
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
async fn what_storage_says_to_the_trial_is_told_apart() {
    let code = || "FromStorage".to_owned();
    for (refusal, status, expected) in [
        (
            ContainerError::Denied { code: code() },
            400,
            "ContainerAccessDenied",
        ),
        (
            ContainerError::Missing { code: code() },
            400,
            "ContainerNotFound",
        ),
        (
            ContainerError::Refused { code: code() },
            400,
            "ContainerRefusesWrites",
        ),
        (ContainerError::BlocksGone, 400, "ContainerRefusesWrites"),
        (
            ContainerError::Damaged { code: code() },
            503,
            "StorageUnavailable",
        ),
        (
            ContainerError::unavailable(code()),
            503,
            "StorageUnavailable",
        ),
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
    world
        .containers
        .refuse(ContainerError::unavailable("time-out"));
    assert_eq!(world.send(&request).await.status, 503);
    world.containers = std::sync::Arc::default();
    assert_eq!(world.send(&request).await.status, 202);
}

#[tokio::test]
async fn a_part_that_does_not_answer_is_503_with_retry_after() {
    let failures: [fn() -> StoreError; 2] = [
        || StoreError::Unavailable {
            cause: "throttled".into(),
        },
        || StoreError::Conflict {
            item: "job".to_owned(),
        },
    ];
    for failure in failures {
        for request in [
            Request::create("tags", &days()),
            Request::list(),
            Request::task("x"),
        ] {
            let world = World::new().await;
            world.store.fail_with(failure);
            let reply = world.send(&request).await;
            assert_eq!(reply.error(), answer(503, "ServiceUnavailable"));
            assert_eq!(reply.header("retry-after"), Some("5"));
        }
    }
    let world = World::new().await;
    world.sealer.fail_with(|| SealError::Unavailable {
        cause: "throttled".into(),
    });
    assert_eq!(
        world.send(&Request::create("tags", &days())).await.error(),
        answer(503, "ServiceUnavailable")
    );
}

#[tokio::test]
async fn a_defect_shows_the_request_id_and_nothing_else() {
    let world = World::new().await;
    world.store.fail_with(|| StoreError::Corrupt {
        item: "JOB#secret-key".to_owned(),
        cause: "inner".into(),
    });
    let reply = world.send(&Request::list()).await;
    assert_eq!(reply.error(), answer(500, "InternalError"));
    assert!(reply.message().contains("JKJaXmPLvHcESHA="));
    assert!(!reply.text.contains("secret-key") && !reply.text.contains("inner"));
    let world = World::new().await;
    world.sealer.fail_with(|| SealError::Unreadable);
    assert_eq!(
        world.send(&Request::create("tags", &days())).await.error(),
        answer(500, "InternalError")
    );
}

#[test]
fn the_page_lists_exactly_the_codes_of_container_urls() {
    const PROBLEMS: &str = include_str!("../../../shared/api/src/container_url/problem.rs");
    let known = PROBLEMS
        .split("\"ContainerUrl")
        .skip(1)
        .filter_map(|rest| rest.split_once('"'));
    let known: BTreeSet<&str> = known.map(|(code, _)| code).collect();
    let (_, table) = ERRORS.split_once("## Container URLs").unwrap();
    let rows = table
        .lines()
        .filter_map(|line| line.strip_prefix("| `ContainerUrl")?.split_once('`'));
    let documented: BTreeSet<&str> = rows.map(|(code, _)| code).collect();
    assert!(!known.is_empty());
    assert_eq!(documented, known);
}

#[test]
fn the_page_tells_of_storages_codes_what_the_messages_tell() {
    let (_, table) = ERRORS.split_once("## What storage says").unwrap();
    let (table, _) = table.split_once("\n## ").unwrap();
    let rows = table.lines().filter_map(|line| {
        line.strip_prefix("| `")?
            .strip_suffix(" |")?
            .split_once("` | ")
    });
    assert_eq!(rows.collect::<Vec<_>>(), CAUSES);
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
    assert!(
        message.starts_with("containerUrl") && message.ends_with('.'),
        "{message}"
    );
    assert!(!message.contains(SIGNATURE));
}
