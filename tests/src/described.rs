//! The API's description, and every answer held to it.
//!
//! [`check`] is called with every answer of a function behind the API that any test gets: its
//! status and headers must be described, its body must be what is described and nothing else.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;
use std::sync::LazyLock;

use aws_lambda_events::apigw::{ApiGatewayV2httpRequest, ApiGatewayV2httpResponse};
use aws_lambda_events::encodings::Body;
use aws_lambda_events::http::HeaderMap;
use jsonschema::{Registry, Validator};
use local::gateway::{ROUTES, Refusal};
use percent_encoding::percent_decode_str;
use serde_json::{Map, Value, json};

/// What is asked and how it is answered: method and path as they are described, status, and, of an
/// error with a body, its code.
pub(crate) type Triple = (String, u64, Option<String>);

/// The description, as `docs/openapi.yaml` has it.
pub(crate) fn description() -> Value {
    let text = include_str!("../../docs/openapi.yaml");
    let mut yaml: serde_yaml_ng::Value = serde_yaml_ng::from_str(text).unwrap();
    yaml.apply_merge().unwrap();
    serde_json::to_value(yaml).unwrap()
}

static DESCRIBED: LazyLock<Described> = LazyLock::new(|| Described::of(description()));

struct Described {
    whole: Value,
    /// By method and path.
    operations: BTreeMap<(String, String), Operation>,
}

/// The responses of an operation, by status.
type Operation = BTreeMap<u64, Response>;

struct Response {
    headers: BTreeMap<String, Header>,
    /// Of its body, if it has one.
    body: Option<(Value, Validator)>,
}

struct Header {
    is_required: bool,
    schema: Validator,
}

impl Described {
    fn of(whole: Value) -> Self {
        let schemas = Registry::new().add(DESCRIPTION, whole.clone()).unwrap();
        let schemas = schemas.prepare().unwrap();
        let mut operations = BTreeMap::new();
        for (path, item) in whole["paths"].as_object().unwrap() {
            let methods = item.as_object().unwrap().iter();
            for (method, operation) in methods.filter(|(name, _)| *name != "parameters") {
                let responses = operation["responses"].as_object().unwrap().iter();
                let responses = responses.map(|(status, response)| {
                    let response = Response::of(&whole, &schemas, resolved(&whole, response));
                    (status.parse().unwrap(), response)
                });
                let key = (method.to_uppercase(), path.clone());
                operations.insert(key, responses.collect());
            }
        }
        Self { whole, operations }
    }

    /// The path, as it is described, that a request's path is one of. One without names comes
    /// before one with them.
    fn path(&self, asked: &str) -> Option<&str> {
        let asked = asked.strip_suffix('/').unwrap_or(asked).split('/');
        let asked: Vec<_> = asked
            .map(|name| percent_decode_str(name).decode_utf8_lossy())
            .collect();
        let fits = |path: &&str| {
            let parts: Vec<&str> = path.split('/').collect();
            let mut pairs = parts.iter().zip(&asked);
            parts.len() == asked.len()
                && pairs
                    .all(|(part, name)| part.eq_ignore_ascii_case(name) || part.starts_with('{'))
        };
        let paths = self.operations.keys().map(|(_, path)| path.as_str());
        let fitting = paths.filter(fits);
        fitting.min_by_key(|path| path.matches('{').count())
    }

    /// What an answer to what is described nowhere may be.
    fn is_of_others(&self, status: u64, code: Option<&str>) -> bool {
        let others = self.whole["x-other-requests"].as_object().unwrap();
        let mut others = others.values();
        others.any(|other| {
            other["status"] == status && (code.is_none() || other["code"].as_str() == code)
        })
    }
}

impl Response {
    fn of(whole: &Value, schemas: &Registry, response: &Value) -> Self {
        let headers = response.get("headers").and_then(Value::as_object);
        let headers = headers.into_iter().flatten().map(|(name, header)| {
            let header = resolved(whole, header);
            let header = Header {
                is_required: header["required"] == true,
                schema: validator(schemas, &header["schema"]),
            };
            (name.to_lowercase(), header)
        });
        let content = response.get("content").and_then(Value::as_object);
        let schema = content.map(|kinds| &kinds["application/json"]["schema"]);
        Self {
            headers: headers.collect(),
            body: schema.map(|schema| (schema.clone(), validator(schemas, schema))),
        }
    }

    #[track_caller]
    fn check_headers(&self, what: &str, headers: &HeaderMap) {
        for (name, header) in &self.headers {
            let is_there = headers.contains_key(name);
            assert!(is_there || !header.is_required, "{what} has no {name}");
        }
        // What HTTP itself says of a content is not described.
        let of_content = ["content-type", "content-length"];
        let said = headers.iter();
        for (name, value) in said.filter(|(name, _)| !of_content.contains(&name.as_str())) {
            let header = self.headers.get(name.as_str());
            let header = header.unwrap_or_else(|| panic!("{what} has a {name}"));
            let text = value.to_str().unwrap();
            let number = text.parse().map(|number: u64| json!(number));
            let is_described = header.schema.is_valid(&json!(text))
                || number.is_ok_and(|number| header.schema.is_valid(&number));
            assert!(is_described, "{what} has another {name}: {text}");
        }
    }
}

/// What a reference stands for.
fn resolved<'a>(whole: &'a Value, value: &'a Value) -> &'a Value {
    match value.get("$ref").and_then(Value::as_str) {
        Some(reference) => whole.pointer(reference.trim_start_matches('#')).unwrap(),
        None => value,
    }
}

/// Where the whole description is found by what refers into it.
const DESCRIPTION: &str = "urn:description";

/// What checks values against a schema of the description, which is read once for all of them.
fn validator(schemas: &Registry, schema: &Value) -> Validator {
    let schema = schema.to_string();
    let schema = schema.replace(r##""$ref":"#"##, &format!(r#""$ref":"{DESCRIPTION}#"#));
    jsonschema::options()
        .should_validate_formats(true)
        .with_registry(schemas)
        .build(&serde_json::from_str(&schema).unwrap())
        .unwrap()
}

/// Checks an answer, and says what it was to.
#[track_caller]
pub(crate) fn check(asked: &ApiGatewayV2httpRequest, answer: &ApiGatewayV2httpResponse) -> Triple {
    let method = asked.request_context.http.method.as_str();
    let path = asked.raw_path.as_deref().unwrap();
    let status = u64::try_from(answer.status_code).unwrap();
    let body: Option<Value> = match &answer.body {
        Some(Body::Text(text)) => Some(serde_json::from_str(text).unwrap()),
        None => None,
        other => panic!("a body that is no text: {other:?}"),
    };
    let code = body
        .as_ref()
        .and_then(|body| body["error"]["code"].as_str())
        .map(str::to_owned);
    let key = DESCRIBED
        .path(path)
        .map(|path| (method.to_owned(), path.to_owned()));
    let operation = key.as_ref().and_then(|key| DESCRIBED.operations.get(key));
    let Some(operation) = operation else {
        let what = format!("{method} {path}: {status} {code:?}");
        assert!(DESCRIBED.is_of_others(status, code.as_deref()), "{what}");
        return ("other".to_owned(), status, code);
    };
    let (method, path) = key.unwrap();
    let what = format!("{method} {path}: {status}");
    let response = operation.get(&status);
    let response = response.unwrap_or_else(|| panic!("{what} is not described: {body:?}"));
    response.check_headers(&what, &answer.headers);
    match (&response.body, &body) {
        (Some((_, schema)), Some(body)) => {
            let faults: Vec<String> = schema.iter_errors(body).map(|it| it.to_string()).collect();
            assert!(faults.is_empty(), "{what}: {faults:?} in {body}");
        }
        (described, given) => assert_eq!(described.is_some(), given.is_some(), "{what}"),
    }
    (format!("{method} {path}"), status, code)
}

/// Calls a function behind the API, and checks what it answers.
macro_rules! functions {
    ($($name:ident: $function:ident,)+) => {$(
        pub(crate) async fn $name(
            event: ApiGatewayV2httpRequest,
            ports: &$function::Ports,
        ) -> ApiGatewayV2httpResponse {
            let asked = event.clone();
            let answer = Box::pin($function::handle(event, ports)).await;
            check(&asked, &answer);
            answer
        }
    )+};
}

functions! {
    create: create_job,
    status: get_status,
    resume: resume_job,
    cancel: cancel_job,
}

/// Every answer that is described, but those of the gateway, which no function gives.
pub(crate) fn triples() -> BTreeSet<Triple> {
    let mut triples = BTreeSet::new();
    for ((method, path), operation) in &DESCRIBED.operations {
        for (status, response) in operation {
            let codes = match &response.body {
                Some((schema, _)) if *status >= 400 => codes(schema),
                Some(_) | None => vec![None],
            };
            let of_functions = codes
                .into_iter()
                .filter(|code| code.as_deref() != Some(OF_GATEWAY));
            for code in of_functions.filter(|_| *status != 429) {
                triples.insert((format!("{method} {path}"), *status, code));
            }
        }
    }
    triples
}

#[test]
fn what_the_gateway_answers_itself_is_described_of_every_operation() {
    for ((method, path), operation) in &DESCRIBED.operations {
        let is_public = path == "/openapi.json";
        let described = &DESCRIBED.whole["paths"][path][method.to_lowercase()];
        for refusal in Refusal::ALL {
            let is_due = match refusal {
                Refusal::Unauthorized { .. } => !is_public,
                Refusal::TooLarge => described.get("requestBody").is_some(),
                Refusal::TooMany | Refusal::Failed => true,
            };
            let what = format!("{method} {path}: {}", refusal.status());
            let response = operation.get(&u64::from(refusal.status().as_u16()));
            assert_eq!(response.is_some(), is_due, "{what}");
            let Some(Response { headers, body }) = response else {
                continue;
            };
            let answer: Value = serde_json::from_str(refusal.body()).unwrap();
            let takes = body.as_ref().map(|(_, schema)| schema.is_valid(&answer));
            // The body of an answer to HEAD is not sent.
            assert_eq!(takes, (method != "HEAD").then_some(true), "{what}");
            let is_challenged = matches!(refusal, Refusal::Unauthorized { .. });
            assert_eq!(
                headers.contains_key("www-authenticate"),
                is_challenged,
                "{what}"
            );
            assert!(headers.values().all(|header| !header.is_required), "{what}");
        }
    }
}

/// Stands for an answer of the gateway, which has no code.
const OF_GATEWAY: &str = "the gateway's";

/// The codes that a schema of errors allows.
fn codes(schema: &Value) -> Vec<Option<String>> {
    let schema = resolved(&DESCRIBED.whole, schema);
    if let Some(any) = schema.get("anyOf") {
        return any.as_array().unwrap().iter().flat_map(codes).collect();
    }
    let codes = schema.pointer("/properties/error/properties/code/enum");
    let Some(codes) = codes.and_then(Value::as_array) else {
        return vec![Some(OF_GATEWAY.to_owned())];
    };
    let codes = codes.iter().map(|code| code.as_str().unwrap().to_owned());
    codes.map(Some).collect()
}

/// The description as it is served: where it stands for the functions.
const SERVED: &str = concat!(
    env!("CARGO_MANIFEST_DIR"),
    "/../shared/api/src/description/openapi.json"
);

#[test]
fn what_is_served_is_what_is_written() {
    let served = format!("{}\n", description());
    if std::env::args().any(|argument| argument == "renew=openapi") {
        std::fs::write(SERVED, &served).unwrap();
    }
    assert_eq!(
        served,
        std::fs::read_to_string(SERVED).unwrap(),
        "run `make openapi`"
    );
}

/// Every schema of an object that is answered.
fn of_answers<'a>(
    name: &str,
    schema: &'a Value,
    found: &mut Vec<(String, &'a Map<String, Value>)>,
) {
    let Some(object) = schema.as_object() else {
        return;
    };
    if schema["type"] == "object" {
        found.push((name.to_owned(), object));
    }
    for inner in object.values() {
        match inner {
            Value::Array(all) => all.iter().for_each(|it| of_answers(name, it, found)),
            Value::Object(_) => of_answers(name, inner, found),
            Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => {}
        }
    }
}

#[test]
fn nothing_is_answered_beside_what_is_described() {
    let whole = description();
    let asked = [
        "DaysExport",
        "DevicesExport",
        "CampaignsExport",
        "ActiveCampaignsExport",
    ];
    let asked = [&asked[..], &["ExportOptions", "Resumption"]].concat();
    let mut found = Vec::new();
    for (name, schema) in whole["components"]["schemas"].as_object().unwrap() {
        if !asked.contains(&name.as_str()) {
            of_answers(name, schema, &mut found);
        }
    }
    assert!(found.len() > 20, "the answers are found");
    for (name, schema) in found {
        assert_eq!(schema["additionalProperties"], false, "{name}");
    }
}

#[test]
fn no_test_gets_an_answer_that_is_not_checked() {
    let sources = Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
    let mut folders = vec![sources.clone()];
    let mut calls = 0;
    while let Some(folder) = folders.pop() {
        for entry in std::fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                folders.push(path);
                continue;
            }
            let text = std::fs::read_to_string(&path).unwrap();
            let of = |function: &str| text.matches(&format!("{function}::handle(")).count();
            let direct: usize = ROUTES
                .iter()
                .map(|it| of(&it.function.name().replace('-', "_")))
                .sum();
            assert_eq!(direct, 0, "{}: call it by `described`", path.display());
            calls += text.matches("described::").count();
        }
    }
    assert!(calls > 10, "the calls are found");
}
