//! The local gateway over real HTTP, and its routes against the template's.

use std::collections::BTreeMap;
use std::sync::Arc;

use api::route::Route;
use async_trait::async_trait;
use aws_lambda_events::encodings::Body;
use aws_lambda_events::event::apigw::{ApiGatewayV2httpRequest, ApiGatewayV2httpResponse};
use domain::app::AppScope;
use domain::job::JobId;
use local::dynamodb::scratch_dir;
use local::gateway::cors::{self, Cors};
use local::gateway::{
    Api, ApiFunction, Authorizer, BURST, Gateway, RATE_PER_SECOND, ROUTES, Refusal,
};
use local::token::{AUDIENCE, TokenIssuer};
use percent_encoding::{NON_ALPHANUMERIC, utf8_percent_encode};
use ports::clock::Clock;
use proptest::strategy::{Strategy, ValueTree};
use proptest::test_runner::TestRunner;
use reqwest::{Method, StatusCode};
use serde_json::{Value, json};
use time::OffsetDateTime;
use tokio::net::TcpListener;
use uuid::Uuid;
use wiring::SystemClock;

/// Answers with what it was asked; panics when told.
struct Echo;

#[async_trait]
impl Api for Echo {
    async fn call(
        &self,
        function: ApiFunction,
        event: ApiGatewayV2httpRequest,
    ) -> ApiGatewayV2httpResponse {
        assert_ne!(event.raw_path.as_deref(), Some("/panic"));
        let said = serde_json::json!({
            "function": function.name(),
            "path": event.raw_path,
            "route": event.route_key,
            "subject": event.request_context.authorizer.map(|it| it.jwt.unwrap().claims["sub"].clone()),
            "body": event.body,
        });
        let mut response = ApiGatewayV2httpResponse::default();
        response.status_code = 202;
        response
            .headers
            .insert("location", "http://elsewhere/".parse().unwrap());
        response
            .headers
            .insert("access-control-allow-origin", "*".parse().unwrap());
        response.body = Some(Body::Text(said.to_string()));
        response
    }
}

/// Answers with the app that a path names, and with the link to a task of it.
struct Links;

#[async_trait]
impl Api for Links {
    async fn call(
        &self,
        _: ApiFunction,
        event: ApiGatewayV2httpRequest,
    ) -> ApiGatewayV2httpResponse {
        let mut response = ApiGatewayV2httpResponse::default();
        response.status_code = 404;
        if let Ok(route) = Route::parse(event.raw_path.as_deref().unwrap_or_default()) {
            response.status_code = 202;
            let link = route.task_url("", JobId::new(SystemClock.fresh_id()));
            response.headers.insert("location", link.parse().unwrap());
            response.body = Some(Body::Text(json!(route.scope.as_str()).to_string()));
        }
        response
    }
}

/// The routes of the template: key and crate, sorted.
fn template_routes() -> Vec<(String, String)> {
    let template = concat!(env!("CARGO_MANIFEST_DIR"), "/../template.yaml");
    let template: serde_yaml_ng::Value =
        serde_yaml_ng::from_str(&std::fs::read_to_string(template).unwrap()).unwrap();
    let resources = template["Resources"].as_mapping().unwrap();
    let mut routes = Vec::new();
    for function in resources
        .values()
        .filter(|resource| resource["Type"] == "AWS::Serverless::Function")
    {
        let Some(events) = function["Properties"]["Events"].as_mapping() else {
            continue;
        };
        for event in events.values().filter(|event| event["Type"] == "HttpApi") {
            let path = event["Properties"]["Path"].as_str().unwrap();
            let method = event["Properties"]["Method"].as_str().unwrap();
            let key = if path == "$default" {
                path.to_owned()
            } else {
                format!("{method} {path}")
            };
            let binary = function["Metadata"]["BuildProperties"]["Binary"]
                .as_str()
                .unwrap();
            routes.push((key, binary.to_owned()));
        }
    }
    routes.sort();
    routes
}

#[test]
fn the_routes_are_the_templates() {
    let mut routes = ROUTES.map(|route| (route.key.to_owned(), route.function.name().to_owned()));
    routes.sort();
    assert_eq!(template_routes(), routes);
}

struct Bench {
    gateway: Gateway,
    token: String,
    http: reqwest::Client,
}

impl Bench {
    async fn new() -> Self {
        Self::with(Arc::new(Echo), Arc::new(SystemClock)).await
    }

    async fn with(api: Arc<dyn Api>, clock: Arc<dyn Clock>) -> Self {
        Self::letting_in(Cors::default(), api, clock).await
    }

    async fn letting_in(cors: Cors, api: Arc<dyn Api>, clock: Arc<dyn Clock>) -> Self {
        let issuer = TokenIssuer::open(&scratch_dir().unwrap().path().join("key"), ISSUER).unwrap();
        let authorizer = Authorizer {
            keys: issuer.keys().clone(),
            issuer: ISSUER.to_owned(),
            audience: AUDIENCE.to_owned(),
        };
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let gateway = Gateway::start(listener, authorizer, cors, api, clock).unwrap();
        let token = issuer
            .mint("ada", SystemClock.now(), std::time::Duration::from_mins(1))
            .unwrap();
        Self {
            gateway,
            token: token.reveal().to_owned(),
            http: client(),
        }
    }

    async fn send(&self, method: Method, path: &str, body: Vec<u8>) -> (StatusCode, Value) {
        let request = client().request(method, format!("{}{path}", self.gateway.url()));
        let request = request
            .bearer_auth(&self.token)
            .header("content-type", "application/json")
            .body(body);
        answer(request.send().await.unwrap()).await
    }
}

fn client() -> reqwest::Client {
    reqwest::Client::builder().no_proxy().build().unwrap()
}

async fn answer(response: reqwest::Response) -> (StatusCode, Value) {
    (
        response.status(),
        serde_json::from_slice(&response.bytes().await.unwrap()).unwrap_or(Value::Null),
    )
}

#[tokio::test]
async fn methods_lead_to_functions_with_the_caller_and_the_body() {
    let bench = Bench::new().await;
    for (method, function, route) in [
        (Method::POST, "create-job", "POST /{proxy+}"),
        (Method::GET, "get-status", "GET /{proxy+}"),
        (Method::PATCH, "resume-job", "PATCH /{proxy+}"),
        (Method::DELETE, "cancel-job", "DELETE /{proxy+}"),
        (Method::PUT, "get-status", "$default"),
    ] {
        let (status, said) = bench
            .send(method, "/Sub%20scriptions/x?y=1", b"{}".to_vec())
            .await;
        assert_eq!(status, StatusCode::ACCEPTED);
        assert_eq!(
            (&said["function"], &said["route"]),
            (&Value::from(function), &Value::from(route))
        );
        assert_eq!(
            (&said["path"], &said["subject"]),
            (&Value::from("/Sub scriptions/x"), &Value::from("ada"))
        );
        assert_eq!(said["body"], "{}");
    }
}

#[tokio::test]
async fn a_caller_without_a_good_token_is_told_so_as_api_gateway_does() {
    let bench = Bench::new().await;
    for (token, challenge) in [
        (None, "Bearer"),
        (
            Some("Bearer x"),
            r#"Bearer scope="" error="invalid_token" error_description="the token is not a JWT""#,
        ),
    ] {
        let request = client().get(bench.gateway.url());
        let request = token.into_iter().fold(request, |request, token| {
            request.header("authorization", token)
        });
        let response = request.send().await.unwrap();
        assert_eq!(response.headers()["www-authenticate"], challenge);
        assert!(response.headers().contains_key("apigw-requestid"));
        assert_eq!(
            answer(response).await,
            (StatusCode::UNAUTHORIZED, json!({"message": "Unauthorized"}))
        );
    }
}

const PAGE: &str = "https://page.example.com";
const ISSUER: &str = "https://issuer.example.com/";

/// The headers of CORS that an answer has, without `access-control-` before their names.
fn of_cors(response: &reqwest::Response) -> BTreeMap<String, String> {
    let headers = response.headers().iter().filter_map(|(name, value)| {
        let name = name.as_str().strip_prefix("access-control-")?;
        Some((name.to_owned(), value.to_str().unwrap().to_owned()))
    });
    headers.collect()
}

async fn from_origin(bench: &Bench, method: Method, origin: &str) -> reqwest::Response {
    let request = bench
        .http
        .request(method, format!("{}/x", bench.gateway.url()));
    let request = request
        .header("origin", origin)
        .header("access-control-request-method", "PATCH");
    request.send().await.unwrap()
}

#[tokio::test]
async fn pages_of_the_origins_that_are_let_in_may_ask_and_read_and_no_others() {
    let cors = Cors {
        origins: vec![PAGE.parse().unwrap()],
    };
    let bench = Bench::letting_in(cors, Arc::new(Echo), Arc::new(SystemClock)).await;
    let preflight = from_origin(&bench, Method::OPTIONS, PAGE).await;
    let text = |values: &[&str]| values.join(",");
    assert_eq!(preflight.status(), StatusCode::NO_CONTENT);
    let mut expected = BTreeMap::from([
        ("allow-origin".to_owned(), PAGE.to_owned()),
        ("expose-headers".to_owned(), text(&cors::EXPOSE_HEADERS)),
    ]);
    let marked = expected.clone();
    expected.extend([
        ("allow-methods".to_owned(), text(&cors::ALLOW_METHODS)),
        ("allow-headers".to_owned(), text(&cors::ALLOW_HEADERS)),
        ("max-age".to_owned(), cors::MAX_AGE_SECONDS.to_string()),
    ]);
    assert_eq!(of_cors(&preflight), expected);

    let refused = from_origin(&bench, Method::GET, PAGE).await;
    assert_eq!(refused.status(), StatusCode::UNAUTHORIZED);
    assert_eq!(of_cors(&refused), marked, "a page reads why it was refused");

    for origin in ["https://elsewhere.example.com", "null"] {
        let preflight = from_origin(&bench, Method::OPTIONS, origin).await;
        assert_eq!(preflight.status(), StatusCode::NO_CONTENT);
        assert_eq!(of_cors(&preflight), BTreeMap::new(), "{origin}");
        assert_eq!(preflight.headers()["vary"], "origin");
        let refused = from_origin(&bench, Method::GET, origin).await;
        assert_eq!(of_cors(&refused), BTreeMap::new(), "{origin}");
    }
}

#[tokio::test]
async fn what_a_function_says_of_cors_goes_nowhere() {
    for origins in [vec![], vec![PAGE.parse().unwrap()]] {
        let cors = Cors { origins };
        let bench = Bench::letting_in(cors, Arc::new(Echo), Arc::new(SystemClock)).await;
        let request = bench.http.get(format!("{}/x", bench.gateway.url()));
        let answer = request.bearer_auth(&bench.token).send().await.unwrap();
        assert_eq!(answer.status(), StatusCode::ACCEPTED);
        assert_eq!(of_cors(&answer), BTreeMap::new());
    }
}

#[tokio::test]
async fn without_origins_a_preflight_is_a_request_like_others_and_needs_no_token() {
    let bench = Bench::new().await;
    let (status, said) = answer(from_origin(&bench, Method::OPTIONS, PAGE).await).await;
    assert_eq!(status, StatusCode::ACCEPTED, "the function's");
    assert_eq!(
        (&said["route"], &said["subject"]),
        (&json!("OPTIONS /{proxy+}"), &Value::Null)
    );
}

/// A clock that stands still: no token comes back.
struct Stopped;

impl Clock for Stopped {
    fn now(&self) -> OffsetDateTime {
        OffsetDateTime::UNIX_EPOCH
    }

    fn fresh_id(&self) -> Uuid {
        SystemClock.fresh_id()
    }
}

#[tokio::test]
async fn too_many_requests_are_refused_as_api_gateway_does() {
    let bench = Bench::with(Arc::new(Echo), Arc::new(Stopped)).await;
    for _ in 0..BURST {
        client_status(&bench, StatusCode::UNAUTHORIZED).await;
    }
    let refused = client_status(&bench, StatusCode::TOO_MANY_REQUESTS).await;
    assert_eq!(refused, json!({"message": "Too Many Requests"}));
}

async fn client_status(bench: &Bench, expected: StatusCode) -> Value {
    let (status, said) = answer(bench.http.get(bench.gateway.url()).send().await.unwrap()).await;
    assert_eq!(status, expected);
    said
}

#[test]
fn the_gateway_takes_as_many_requests_as_the_templates_stage() {
    let template = include_str!("../../template.yaml");
    for (setting, number) in [
        ("ThrottlingBurstLimit", BURST),
        ("ThrottlingRateLimit", RATE_PER_SECOND),
    ] {
        assert!(
            template.contains(&format!("{setting}: {number}\n")),
            "{setting}"
        );
    }
}

#[test]
fn the_page_of_errors_lists_what_the_gateway_answers_itself() {
    let page = include_str!("../../docs/ERRORS.md");
    let (_, table) = page.split_once("\n## Answers of API Gateway").unwrap();
    let (table, _) = table.split_once("\n## ").unwrap();
    for refusal in Refusal::ALL {
        let row = format!("| {} | `{}` |", refusal.status().as_u16(), refusal.body());
        assert!(table.contains(&row), "{row}");
    }
}

#[tokio::test]
async fn a_body_is_passed_on_up_to_api_gateways_limit() {
    let bench = Bench::new().await;
    let limit = 10 * 1024 * 1024;
    let (status, _) = bench.send(Method::POST, "/x", vec![b' '; limit]).await;
    assert_eq!(status, StatusCode::ACCEPTED);
    let (status, said) = bench.send(Method::POST, "/x", vec![b' '; limit + 1]).await;
    assert_eq!(
        (status, said),
        (
            StatusCode::PAYLOAD_TOO_LARGE,
            json!({"message": "Request Entity Too Large"})
        )
    );
}

#[tokio::test]
async fn a_function_that_crashes_is_an_answer_too() {
    let bench = Bench::new().await;
    let answer = bench.send(Method::GET, "/panic", Vec::new()).await;
    assert_eq!(
        answer,
        (
            StatusCode::INTERNAL_SERVER_ERROR,
            json!({"message": "Internal Server Error"})
        )
    );
}

const COLLECTION: &str =
    "/subscriptions/s/resourceGroups/g/providers/Microsoft.MobileEngagement/appcollections/c/apps";

/// The app that a request for the path reaches, and the link to a task of it.
async fn reached(bench: &Bench, path: &str) -> (String, String) {
    let request = bench
        .http
        .get(format!("{}{path}", bench.gateway.url()))
        .bearer_auth(&bench.token);
    let response = request.send().await.unwrap();
    assert_eq!(response.status(), StatusCode::ACCEPTED, "{path}");
    let link = response.headers()["location"].to_str().unwrap().to_owned();
    (
        serde_json::from_slice(&response.bytes().await.unwrap()).unwrap(),
        link,
    )
}

#[tokio::test]
async fn a_link_leads_to_its_app_whatever_the_app_is_called() {
    let bench = Bench::with(Arc::new(Links), Arc::new(SystemClock)).await;
    // Fewer requests than the gateway takes at once.
    let mut runner = TestRunner::default();
    let names = (0..60).map(|_| "[^/]{1,40}".new_tree(&mut runner).unwrap().current());
    let names: Vec<String> = names
        .filter(|name| !matches!(name.as_str(), "." | ".."))
        .collect();
    let odd = [
        "a%2Fb", "a%2fb", "100%", "%41", "%25", "%2525", "ü%C3", "?#", "My App", "a+b",
    ]
    .map(str::to_owned);
    for name in odd.into_iter().chain(names) {
        let encoded: String = utf8_percent_encode(&name, NON_ALPHANUMERIC).collect();
        let expected = AppScope::from_segments([name.as_str()]);
        let (scope, link) = reached(
            &bench,
            &format!("{COLLECTION}/{encoded}/devices/exportTasks/x"),
        )
        .await;
        assert!(
            scope.ends_with(&format!("/apps{expected}")),
            "{name:?} is {scope}"
        );
        assert_eq!(reached(&bench, &link).await.0, scope, "{name:?}: {link}");
    }
}
