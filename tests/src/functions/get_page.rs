//! What get-page answers, through its ports.

use aws_lambda_events::apigw::{ApiGatewayV2httpRequest, ApiGatewayV2httpResponse};
use aws_lambda_events::encodings::Body;
use get_page::{Files, Ports, Settings, handle};
use serde_json::{Value, json};
use wiring::config::{Environment, MAX_RANGE_DAYS, PAGE_ISSUER};

fn ports() -> Ports {
    let issuer = "https://login.example.com/".to_owned();
    let env = Environment::from_pairs([(PAGE_ISSUER.name, issuer)]);
    Ports {
        settings: Settings::of(&env).unwrap(),
    }
}

fn ask(method: &str, path: &str, known: Option<&str>) -> ApiGatewayV2httpResponse {
    let headers = known.map_or_else(|| json!({}), |tag| json!({"if-none-match": tag}));
    let mut event: Value = crate::samples::sample("get-page");
    event["rawPath"] = path.into();
    event["headers"] = headers;
    event["requestContext"]["http"]["method"] = method.into();
    let event: ApiGatewayV2httpRequest = serde_json::from_value(event).unwrap();
    handle(&event, &ports())
}

fn get(path: &str) -> ApiGatewayV2httpResponse {
    ask("GET", path, None)
}

fn header<'a>(answer: &'a ApiGatewayV2httpResponse, name: &str) -> &'a str {
    answer
        .headers
        .get(name)
        .map_or("", |value| value.to_str().unwrap())
}

fn content(answer: &ApiGatewayV2httpResponse) -> Vec<u8> {
    match answer.body.as_ref() {
        None => Vec::new(),
        Some(Body::Text(text)) if !answer.is_base64_encoded => text.clone().into_bytes(),
        Some(Body::Binary(bytes)) if answer.is_base64_encoded => bytes.clone(),
        other => panic!("{other:?}, in base64: {}", answer.is_base64_encoded),
    }
}

#[test]
fn every_file_of_the_page_is_answered_as_it_is() {
    let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/../web");
    let paths = Files::paths();
    assert!(paths.contains(&"index.html".to_owned()), "{paths:?}");
    for path in paths {
        let asked = path.strip_suffix("index.html").unwrap_or(&path);
        let answer = get(&format!("/ui/{asked}"));
        assert_eq!(answer.status_code, 200, "{path}");
        assert_eq!(
            content(&answer),
            std::fs::read(format!("{folder}/{path}")).unwrap(),
            "{path}"
        );
        assert_eq!(header(&answer, "cache-control"), "no-cache");
    }
}

#[test]
fn the_page_itself_is_at_the_root_alone_and_one_is_sent_there() {
    let page = get("/ui/");
    assert_eq!(
        (page.status_code, header(&page, "content-type")),
        (200, "text/html; charset=utf-8")
    );
    for (path, to) in [("/ui", "ui/"), ("/ui/index.html", "./")] {
        let sent = get(path);
        assert_eq!((sent.status_code, header(&sent, "location")), (308, to));
    }
}

#[test]
fn the_settings_are_a_file_too() {
    let answer = get("/ui/config.json");
    assert_eq!(
        header(&answer, "content-type"),
        "application/json; charset=utf-8"
    );
    let config: Value = serde_json::from_slice(&content(&answer)).unwrap();
    assert_eq!(config["issuer"], "https://login.example.com/");
    let unset = Environment::from_pairs(<[(&str, &str); 0]>::default());
    let most = unset.get(&MAX_RANGE_DAYS).unwrap();
    assert_eq!(config["maxRangeDays"], most, "as create-job reads it");
}

#[test]
fn who_has_the_present_file_gets_nothing_but_the_word_that_it_is() {
    for path in ["/ui/", "/ui/config.json"] {
        let first = get(path);
        let tag = header(&first, "etag");
        assert!(tag.starts_with('"'), "strong: {tag}");
        let again = ask("GET", path, Some(tag));
        assert_eq!((again.status_code, again.body.as_ref()), (304, None));
        assert_eq!(header(&again, "etag"), tag);
        assert_eq!(ask("GET", path, Some("\"another\"")).status_code, 200);
    }
}

#[test]
fn an_answer_to_head_has_the_headers_and_no_body() {
    for path in ["/ui/", "/ui/none.js", "/ui"] {
        let (whole, mut head) = (get(path), ask("HEAD", path, None));
        assert_eq!(
            (head.status_code, head.body.as_ref()),
            (whole.status_code, None)
        );
        // How long the body would be, where there is one.
        let length = head.headers.remove("content-length");
        let length = length.map(|length| length.to_str().unwrap().parse().unwrap());
        assert_eq!(length, whole.body.as_ref().map(|_| content(&whole).len()));
        assert_eq!(head.headers, whole.headers);
    }
}

#[test]
fn what_is_no_file_is_not_found_and_no_path_leads_out_of_the_folder() {
    for path in [
        "/ui/none.js",
        "/ui/vendor",
        "/ui/vendor/",
        "/ui/../Cargo.toml",
        "/ui/../../Cargo.toml",
        "/ui//etc/passwd",
        "/ui//",
        "/ui//style.css",
        "/ui/index.html/",
        "/ui/%2e%2e/Cargo.toml",
        "/uix",
        "/",
        "",
    ] {
        let answer = get(path);
        assert_eq!(answer.status_code, 404, "{path}");
        assert_eq!(content(&answer), b"There is no such file of the page.\n");
    }
}

#[test]
fn every_answer_says_what_the_page_may_do() {
    let policy = "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; \
                  connect-src 'self' https://login.example.com; \
                  form-action 'none'; frame-ancestors 'none'; base-uri 'none'";
    for path in ["/ui", "/ui/", "/ui/config.json", "/ui/none"] {
        let answer = get(path);
        assert_eq!(header(&answer, "content-security-policy"), policy);
        assert_eq!(header(&answer, "x-content-type-options"), "nosniff");
        assert_eq!(header(&answer, "referrer-policy"), "no-referrer");
        assert_eq!(header(&answer, "cross-origin-opener-policy"), "same-origin");
    }
}
