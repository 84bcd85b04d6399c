//! The description of the API names exactly the answers that there are: each one that it has is
//! given here, to a request that is made for it.

use std::collections::BTreeSet;

use api::route::Parts;
use domain::operation::{OPERATIONS, Operation, SelectionKind};
use ports::container::ContainerError;
use ports::store::StoreError;
use serde_json::{Value, json};

use super::courses::{
    denied, finishing_prepared, new_url, running, succeeded, waiting, world_with,
};
use super::{LIST, Request, World, container_url, with, without};
use crate::described::{Triple, triples};

/// The triples of the answers to these requests of one world.
async fn asked(world: &World, requests: Vec<Request>) -> BTreeSet<Triple> {
    let mut given = BTreeSet::new();
    for request in requests {
        given.insert(world.ask(&request).await.1);
    }
    given
}

/// What every request of an app may be answered, whatever it asks for: by path, by version, by
/// caller, and when a part of the service fails.
async fn of_any(request: &Request) -> BTreeSet<Triple> {
    let world = World::new().await;
    let app = |name: &str| Request {
        path: request.path.replace("chess", name),
        ..request.clone()
    };
    let mut given = asked(
        &world,
        vec![
            app("%2e%2e"),
            app(&"x".repeat(701)),
            request.clone().query("api-version=2015-01-01"),
            request.clone().by(None),
            request.clone().by(Some("mallory")),
            request.clone().by(Some(&"x".repeat(257))),
        ],
    )
    .await;
    let failures: [fn() -> StoreError; 2] = [
        || StoreError::Unavailable {
            cause: "throttled".into(),
        },
        || StoreError::Corrupt {
            item: "job".to_owned(),
            cause: "inner".into(),
        },
    ];
    for failure in failures {
        let world = World::new().await;
        world.store.fail_with(failure);
        given.extend(asked(&world, vec![request.clone()]).await);
    }
    given
}

/// A URL that each rule of containers refuses.
fn refused_urls() -> Vec<String> {
    let good = container_url();
    let sas = |from: &str, to: &str| good.replace(from, to);
    let account = "https://account.blob.core.windows.net";
    vec![
        "exports".to_owned(),
        format!("{good}#part"),
        sas("https:", "http:"),
        sas(account, "https://example.com"),
        sas("/exports", "/"),
        sas("/exports", "/exports/a."),
        sas("/exports", "/exports/a").replace("sr=c", "sr=d&sdd=2"),
        sas("/exports", "/EXPORTS"),
        format!("{account}/exports"),
        format!("{good}{}", "x".repeat(10_000)),
        good.split("&sig=").next().unwrap().to_owned(),
        format!("{good}&sp=w"),
        format!("{good}&restype=container"),
        format!("{good}&sduoid=a"),
        format!("{good}&srh=a"),
        sas("2026-12-31T00:00:00Z", "tomorrow"),
        sas("&se=2026-12-31T00:00:00Z", ""),
        sas("2026-12-31", "2016-12-31"),
        sas("2026-12-31T00:00:00Z", "2026-11-21T12:10:00Z"),
        format!("{good}&st=2026-12-01T00:00:00Z"),
        sas("&sp=w", ""),
        sas("sp=w", "sp=r"),
        sas("sr=c", "sr=b"),
        sas("spr=https", "spr=http"),
    ]
}

/// What a request with a body may be answered for the sake of the body and its container.
async fn of_body(
    request: &Request,
    body: &Value,
    worlds: impl AsyncFn() -> World,
) -> BTreeSet<Triple> {
    let world = worlds().await;
    let mut requests = vec![
        request.clone().body("{"),
        request
            .clone()
            .body(with(body.clone(), "containerUrl", 1).to_string()),
        request
            .clone()
            .body(r#"{"containerUrl": "a", "CONTAINERURL": "b"}"#),
        request.clone().body(" ".repeat(1_048_577)),
        request.clone().header("content-type", "text/plain"),
        request.clone().header("content-encoding", "gzip"),
    ];
    let urls = refused_urls().into_iter();
    requests.extend(urls.map(|url| {
        request
            .clone()
            .body(with(body.clone(), "containerUrl", url).to_string())
    }));
    let mut given = asked(&world, requests).await;
    for refusal in [
        denied(),
        ContainerError::Missing {
            code: "ContainerNotFound".to_owned(),
        },
        ContainerError::Refused {
            code: "BlobImmutableDueToPolicy".to_owned(),
        },
        ContainerError::unavailable("it timed out"),
    ] {
        let world = worlds().await;
        world.containers.refuse(refusal);
        given.extend(asked(&world, vec![request.clone().body(body.to_string())]).await);
    }
    given
}

/// A body that the operation accepts.
fn accepted_body(operation: &Operation) -> Value {
    let body = json!({"containerUrl": container_url(), "exportFormat": "CsvBlob"});
    match operation.selection {
        SelectionKind::Days(_) => {
            let body = with(body, "startDate", "2026-11-01");
            with(body, "endDate", "2026-11-20")
        }
        SelectionKind::Devices(_) => body,
        SelectionKind::Campaigns => {
            let body = with(body, "campaignType", "Poll");
            with(body, "campaignIds", json!([1]))
        }
        SelectionKind::ActiveCampaigns => {
            let body = with(body, "campaignType", "Poll");
            let body = with(body, "campaignWindowStart", "2026-11-01T00:00:00Z");
            with(body, "campaignWindowEnd", "2026-11-20T00:00:00Z")
        }
    }
}

/// Bodies of which each is refused for another reason, as far as the operation can be asked so.
fn refused_bodies(operation: &Operation) -> Vec<Value> {
    let good = || accepted_body(operation);
    let option = |name: &str, value: Value| with(good(), "exportOptions", json!({ name: value }));
    let many: Vec<String> = (0..=1_000).map(|number| format!("{number:032}")).collect();
    let at = |from: &str, to: &str| option("filter", json!({"from": from, "to": to}));
    vec![
        without(good(), "exportFormat"),
        with(good(), "exportFormat", "XmlBlob"),
        with(good(), "description", "x".repeat(1_025)),
        option("compression", json!("brotli")),
        option("columns", json!([])),
        option("columns", json!(["shoe"])),
        option("columns", json!(["deviceId", "DEVICEID"])),
        option("maxFileBytes", json!(1)),
        with(
            option("byteOrderMark", json!(true)),
            "exportFormat",
            "JsonBlob",
        ),
        option("filter", json!({"shoe": 1})),
        option("filter", json!({"deviceIds": []})),
        option("filter", json!({"deviceIds": many})),
        option("filter", json!({"session": "present"})),
        option("filter", json!({"names": {"in": ["a"]}})),
        at("2026-11-02T00:00:00Z", "2026-11-01T00:00:00Z"),
        at("2026-10-02T00:00:00Z", "2026-11-02T00:00:00Z"),
        with(good(), "startDate", "2026-11-21"),
        with(
            with(good(), "startDate", "2026-11-22"),
            "endDate",
            "2026-11-23",
        ),
        with(good(), "startDate", "2016-11-22"),
        with(good(), "campaignType", "Smoke"),
        with(good(), "campaignIds", json!([])),
        with(good(), "campaignIds", (0..=100).collect::<Vec<_>>()),
        with(good(), "campaignWindowStart", "2026-11-21T00:00:00Z"),
    ]
}

async fn of_creation(operation: &Operation) -> BTreeSet<Triple> {
    let mut given = of_export(operation.name, operation).await;
    given.extend(of_export(&format!("{}/check", operation.name), operation).await);
    let request = Request::create(operation.name, &accepted_body(operation));
    let other = with(accepted_body(operation), "description", "another");
    let requests = vec![
        request.clone().header("idempotency-key", "ü"),
        request.header("idempotency-key", "one"),
        Request::create(operation.name, &other).header("idempotency-key", "one"),
    ];
    given.extend(asked(&World::new().await, requests).await);
    given
}

/// What a request for an export, at this path, may be answered for the sake of what is asked.
async fn of_export(path: &str, operation: &Operation) -> BTreeSet<Triple> {
    let request = Request::create(path, &accepted_body(operation));
    let mut given = of_any(&request).await;
    given.extend(of_body(&request, &accepted_body(operation), World::new).await);
    let refused = refused_bodies(operation).into_iter();
    let mut requests: Vec<Request> = refused.map(|body| Request::create(path, &body)).collect();
    requests.push(request);
    given.extend(asked(&World::new().await, requests).await);
    given
}

/// What a call that changes a task may be answered for the sake of the task's phase.
async fn of_phases(request: impl Fn(&str) -> Vec<Request>) -> BTreeSet<Triple> {
    let mut given = BTreeSet::new();
    for course in [waiting, running, succeeded, finishing_prepared] {
        let (world, id) = world_with(course).await;
        given.extend(asked(&world, request(&id)).await);
    }
    given
}

/// The triples of the answers to a request, and to its repeat by who has the first answer.
async fn asked_twice(world: &World, request: Request) -> BTreeSet<Triple> {
    let (reply, first) = world.ask(&request).await;
    let again = request.header("if-none-match", reply.header("etag").unwrap());
    BTreeSet::from([first, world.ask(&again).await.1])
}

const NOBODYS: &str = "019395a0-0000-7000-8000-000000000000";

#[tokio::test]
async fn every_answer_that_is_described_is_given_and_no_other() {
    let world = World::new().await;
    let id = world.accepted().await;
    let mut given = asked(
        &world,
        vec![
            Request::new("GET", "/openapi.json").query("").by(None),
            Request::list(),
            Request::list().query("api-version=2014-12-01&$top=41"),
            Request::new("HEAD", LIST),
            Request::new("HEAD", LIST).query("api-version=2014-12-01&$top=41"),
        ],
    )
    .await;
    for method in ["GET", "HEAD", "PATCH", "DELETE"] {
        let task = |id: &str| Request::new(method, &format!("{LIST}/{id}"));
        if matches!(method, "GET" | "HEAD") {
            for request in [task(&id), Request::new(method, LIST)] {
                given.extend(asked_twice(&world, request).await);
            }
            given.extend(of_any(&Request::new(method, LIST)).await);
            for parts in Parts::ALL.iter().map(|parts| parts.name()) {
                let parts = |id: &str| Request::new(method, &format!("{LIST}/{id}/{parts}"));
                let token = "api-version=2014-12-01&$skiptoken=x";
                let requests = vec![parts(&id), parts(&id).query(token), parts(NOBODYS)];
                given.extend(asked(&world, requests).await);
                given.extend(of_any(&parts(NOBODYS)).await);
            }
        }
        given.extend(asked(&world, vec![task(NOBODYS)]).await);
        given.extend(of_any(&task(NOBODYS)).await);
    }
    let (_, waits) = world_with(waiting).await;
    let renewal = Request::resume(&waits, &new_url());
    given.extend(of_body(&renewal, &new_url(), async || world_with(waiting).await.0).await);
    let elsewhere = container_url().replace("/exports", "/elsewhere");
    given.extend(
        of_phases(|id| {
            vec![
                Request::resume(id, &json!({"containerUrl": elsewhere})),
                Request::resume(id, &json!({})),
                Request::resume(id, &new_url()),
            ]
        })
        .await,
    );
    given.extend(of_phases(|id| vec![Request::cancel(id)]).await);
    let (world, id) = world_with(waiting).await;
    world.containers.refuse(denied());
    given.extend(asked(&world, vec![Request::resume(&id, &json!({}))]).await);
    for operation in &OPERATIONS {
        given.extend(of_creation(operation).await);
    }
    let (described, other) = (triples(), "other".to_owned());
    given.retain(|(what, _, _)| *what != other);
    let missing: Vec<_> = described.difference(&given).collect();
    assert!(missing.is_empty(), "described, and not given: {missing:#?}");
    assert_eq!(given, described);
}
