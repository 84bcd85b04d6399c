//! A body that cannot be read as a request is refused, and told what it looks like.

use crate::api::{Request, SIGNATURE, World, answer, code_of, container_url, days, with, without};
use crate::functions::create_job::campaigns;

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
    let body = with(days(), "padding", "x".repeat(1_048_576));
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
    for (request, problem, fix) in [
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
            reply.message().contains(problem) && reply.message().contains(fix),
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
