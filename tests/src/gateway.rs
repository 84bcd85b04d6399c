//! The local gateway over real HTTP, and its routes against the template's.

use std::sync::Arc;

use async_trait::async_trait;
use aws_lambda_events::encodings::Body;
use aws_lambda_events::event::apigw::{ApiGatewayV2httpRequest, ApiGatewayV2httpResponse};
use local::dynamodb::scratch_dir;
use local::gateway::{Api, ApiFunction, Authorizer, Gateway, ROUTES};
use local::token::{AUDIENCE, ISSUER, TokenIssuer};
use reqwest::{Method, StatusCode};
use serde_json::Value;
use shared::clock::{Clock, SystemClock};
use tokio::net::TcpListener;

/// Answers with what it was asked; panics when told.
struct Echo;

#[async_trait]
impl Api for Echo {
    async fn call(&self, function: ApiFunction, event: ApiGatewayV2httpRequest) -> ApiGatewayV2httpResponse {
        assert_ne!(event.raw_path.as_deref(), Some("/panic"));
        let said = serde_json::json!({
            "function": function.name(),
            "path": event.raw_path,
            "route": event.route_key,
            "subject": event.request_context.authorizer.unwrap().jwt.unwrap().claims["sub"],
            "body": event.body,
        });
        let mut response = ApiGatewayV2httpResponse::default();
        response.status_code = 202;
        response.headers.insert("location", "http://elsewhere/".parse().unwrap());
        response.body = Some(Body::Text(said.to_string()));
        response
    }
}

/// The routes of the template: key and crate, sorted.
fn template_routes() -> Vec<(String, String)> {
    let template = concat!(env!("CARGO_MANIFEST_DIR"), "/../template.yaml");
    let template: serde_yaml_ng::Value = serde_yaml_ng::from_str(&std::fs::read_to_string(template).unwrap()).unwrap();
    let resources = template["Resources"].as_mapping().unwrap();
    let mut routes = Vec::new();
    for function in resources.values().filter(|resource| resource["Type"] == "AWS::Serverless::Function") {
        let Some(events) = function["Properties"]["Events"].as_mapping() else { continue };
        for event in events.values().filter(|event| event["Type"] == "HttpApi") {
            let path = event["Properties"]["Path"].as_str().unwrap();
            let method = event["Properties"]["Method"].as_str().unwrap();
            let key = if path == "$default" { path.to_owned() } else { format!("{method} {path}") };
            let binary = function["Metadata"]["BuildProperties"]["Binary"].as_str().unwrap();
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
}

impl Bench {
    async fn new() -> Self {
        let issuer = TokenIssuer::open(&scratch_dir().unwrap().path().join("key")).unwrap();
        let authorizer =
            Authorizer { keys: issuer.keys().clone(), issuer: ISSUER.to_owned(), audience: AUDIENCE.to_owned() };
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let gateway = Gateway::start(listener, authorizer, Arc::new(Echo), Arc::new(SystemClock)).unwrap();
        let token = issuer.mint("ada", SystemClock.now(), std::time::Duration::from_mins(1)).unwrap();
        Self { gateway, token: token.reveal().to_owned() }
    }

    async fn send(&self, method: Method, path: &str, body: Vec<u8>) -> (StatusCode, Value) {
        let request = client().request(method, format!("{}{path}", self.gateway.url()));
        let request = request.bearer_auth(&self.token).header("content-type", "application/json").body(body);
        answer(request.send().await.unwrap()).await
    }
}

fn client() -> reqwest::Client {
    reqwest::Client::builder().no_proxy().build().unwrap()
}

async fn answer(response: reqwest::Response) -> (StatusCode, Value) {
    (response.status(), serde_json::from_slice(&response.bytes().await.unwrap()).unwrap_or(Value::Null))
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
        let (status, said) = bench.send(method, "/Sub%20scriptions/x?y=1", b"{}".to_vec()).await;
        assert_eq!(status, StatusCode::ACCEPTED);
        assert_eq!((&said["function"], &said["route"]), (&Value::from(function), &Value::from(route)));
        assert_eq!((&said["path"], &said["subject"]), (&Value::from("/Sub scriptions/x"), &Value::from("ada")));
        assert_eq!(said["body"], "{}");
    }
}

#[tokio::test]
async fn a_caller_without_a_token_is_told_so_in_the_contracts_shape() {
    let bench = Bench::new().await;
    let response = client().get(bench.gateway.url()).send().await.unwrap();
    assert_eq!(response.headers()["www-authenticate"], "Bearer");
    let (status, said) = answer(response).await;
    assert_eq!((status, &said["error"]["code"]), (StatusCode::UNAUTHORIZED, &Value::from("Unauthorized")));
    assert!(said["error"]["message"].is_string());
}

#[tokio::test]
async fn a_body_is_passed_on_up_to_api_gateways_limit() {
    let bench = Bench::new().await;
    let limit = 10 * 1024 * 1024;
    let (status, _) = bench.send(Method::POST, "/x", vec![b' '; limit]).await;
    assert_eq!(status, StatusCode::ACCEPTED);
    let (status, said) = bench.send(Method::POST, "/x", vec![b' '; limit + 1]).await;
    assert_eq!((status, &said["error"]["code"]), (StatusCode::PAYLOAD_TOO_LARGE, &Value::from("RequestTooLarge")));
}

#[tokio::test]
async fn a_function_that_crashes_is_an_answer_too() {
    let bench = Bench::new().await;
    let (status, said) = bench.send(Method::GET, "/panic", Vec::new()).await;
    assert_eq!(status, StatusCode::INTERNAL_SERVER_ERROR);
    assert_eq!(said["error"]["code"], "InternalServerError");
}
