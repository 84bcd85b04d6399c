//! Requests, as API Gateway delivers them.

use std::sync::Arc;

use api::audit::Auditor;
use api::caller::EdgeSettings;
use api::code::ErrorCode;
use api::container_url::ContainerUrlRules;
use api::route::Route;
use aws_lambda_events::apigw::{ApiGatewayV2httpRequest, ApiGatewayV2httpResponse};
use aws_lambda_events::encodings::Body;
use serde_json::{Value, json};
use time::Duration;
use url::Url;

use super::{Standstill, Willing, assert_nothing_shown, block_on, sealer, store};

/// A request in lines: method, path with query, content type, request id, then the body.
pub(super) fn request(text: &str) -> bool {
    let mut lines = text.splitn(5, '\n');
    let mut line = || lines.next().unwrap_or_default();
    let (method, uri, content_type, id, body) = (line(), line(), line(), line(), line());
    let (path, query) = uri.split_once('?').unwrap_or((uri, ""));
    let request = json!({
        "rawPath": path,
        "rawQueryString": query,
        "headers": {"content-type": content_type, "x-ms-client-request-id": id},
        "requestContext": {
            "authorizer": {"jwt": {"claims": {"sub": "alice"}, "scopes": null}},
            "domainName": "api.example.com",
            "http": {"method": method},
            "requestId": "JKJaXmPLvHcESHA=",
        },
        "body": body,
        "isBase64Encoded": false,
    });
    event(&request.to_string())
}

/// Whichever function is asked, the answer is one of the contract, is no fault of the service, and
/// says nothing of a signature that the request has in its body.
pub(super) fn event(text: &str) -> bool {
    let Ok(event) = serde_json::from_str::<ApiGatewayV2httpRequest>(text) else {
        return false;
    };
    let signature = signature(&event, text);
    let replies = replies(&event);
    for reply in &replies {
        assert_reply(reply);
        let shown = format!("{:?} {:?}", reply.headers, reply.body);
        assert!(
            signature
                .as_ref()
                .is_none_or(|signature| !shown.contains(signature)),
            "{shown}"
        );
    }
    replies.iter().any(|reply| reply.status_code < 300)
}

/// The signature of a body's container URL, unless it is short, or stands elsewhere in the request
/// too.
fn signature(event: &ApiGatewayV2httpRequest, text: &str) -> Option<String> {
    let body: Value = serde_json::from_str(event.body.as_deref()?).ok()?;
    let url = body.get("containerUrl")?.as_str()?;
    let (_, signature) = url.split_once("&sig=")?;
    let signature = signature.split('&').next()?;
    (signature.len() >= 16 && text.matches(signature).count() == 1).then(|| signature.to_owned())
}

const AUDITOR: Auditor = Auditor {
    kept: Duration::days(365),
};

/// The answers of the functions behind the API: of the one that the method is routed to, and of
/// those that it is not.
fn replies(event: &ApiGatewayV2httpRequest) -> [ApiGatewayV2httpResponse; 4] {
    let (store, clock) = (store(), Arc::new(Standstill));
    let edge = EdgeSettings {
        public_url: None,
        subject_claim: "sub".to_owned(),
    };
    let create = create_job::Ports {
        clock: clock.clone(),
        grants: store.clone(),
        intake: store.clone(),
        jobs: store.clone(),
        container_urls: ContainerUrlRules::default(),
        containers: Arc::new(Willing),
        sealer: sealer(),
        auditor: AUDITOR,
        settings: create_job::Settings {
            edge: edge.clone(),
            max_range_days: 366,
            retention: Duration::days(90),
            has_folder_lake: false,
        },
    };
    let resume = resume_job::Ports {
        clock: clock.clone(),
        grants: store.clone(),
        jobs: store.clone(),
        container_urls: ContainerUrlRules::default(),
        containers: Arc::new(Willing),
        sealer: sealer(),
        auditor: AUDITOR,
        settings: edge.clone(),
    };
    let cancel = cancel_job::Ports {
        clock: clock.clone(),
        grants: store.clone(),
        jobs: store.clone(),
        auditor: AUDITOR,
        settings: edge.clone(),
    };
    let status = get_status::Ports {
        clock,
        grants: store.clone(),
        jobs: store.clone(),
        lists: store.clone(),
        chunks: store.clone(),
        settings: edge,
    };
    let replies = [
        block_on(create_job::handle(event.clone(), &create)),
        block_on(resume_job::handle(event.clone(), &resume)),
        block_on(cancel_job::handle(event.clone(), &cancel)),
        block_on(get_status::handle(event.clone(), &status)),
    ];
    assert_nothing_shown(&store);
    replies
}

fn assert_reply(reply: &ApiGatewayV2httpResponse) {
    let Some(Body::Text(text)) = &reply.body else {
        panic!("an answer without a body")
    };
    let json: Value = serde_json::from_str(text).expect("a body is JSON");
    assert!((200..500).contains(&reply.status_code), "{text}");
    assert!(reply.headers.contains_key("content-type"));
    match reply.status_code {
        200 => assert!(json.get("value").or(json.get("id")).is_some(), "{text}"),
        202 => {
            let location = reply
                .headers
                .get("location")
                .expect("an accepted task has a place");
            let location = location.to_str().expect("a place is ASCII");
            // Without the gateway's domain, links are paths.
            let gateway = Url::parse("https://gateway").expect("it is a URL");
            let url = gateway.join(location).expect("a place is a URL");
            assert!(Route::parse(url.path()).is_ok(), "{location}");
        }
        status => {
            let error = |key: &str| {
                json.pointer(&format!("/error/{key}"))
                    .and_then(Value::as_str)
                    .unwrap_or_default()
            };
            let known = ErrorCode::ALL
                .iter()
                .find(|code| code.name() == error("code"));
            let fits = known.map_or(status == 400, |code| i64::from(code.status()) == status);
            assert!(
                fits && (known.is_some() || error("code").starts_with("ContainerUrl")),
                "{text}"
            );
            assert!((10..1_000).contains(&error("message").len()), "{text}");
        }
    }
}
