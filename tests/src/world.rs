//! A world for whole-export stories: the real handlers over the embedded DynamoDB, a lake and a
//! container in memory, a clock that only the story moves, and deliveries that repeat, fail and go
//! on.
#![expect(
    clippy::disallowed_types,
    reason = "makes the table and its clients, beside the ports"
)]

pub(crate) mod clock;
pub(crate) mod deliveries;
pub(crate) mod events;
mod files;

use std::sync::Arc;

use aws_config::SdkConfig;
use aws_config::stalled_stream_protection::StalledStreamProtectionConfig;
use aws_lambda_events::apigw::{ApiGatewayV2httpRequest, ApiGatewayV2httpResponse};
use aws_sdk_dynamodb::config::retry::RetryConfig;
use aws_smithy_runtime_api::client::http::SharedHttpClient;
use domain::app::AppScope;
use domain::container::ContainerAddress;
use domain::job::{Job, JobId, JobKey};
use domain::secret::Secret;
use exports_table::DynamoStore;
use fakes::container::{MemoryContainers, Permission};
use local::dynamodb::{EXPORTS_TABLE, REGISTRY_TABLE, aws_config, create_tables};
use object_store::ObjectStoreExt;
use object_store::memory::InMemory;
use object_store::path::Path;
use ports::clock::Clock;
use ports::source::{Source, Sources};
use ports::store::{Grant, Grants, Jobs, Role};
use sealing::key::KeySealer;
use serde_json::{Value, json};
use sources::lake::Lake;
use sources::registry::Registry;
use url::Url;

use crate::adapters::Adapters;
use crate::faults::Faults;
use crate::faults::container::FaultyContainers;
use crate::faults::source::FaultySource;
use crate::faults::table::FaultyHttp;
use crate::table::Table;
use clock::StoryClock;

pub(crate) const APP_PATH: &str = "/subscriptions/s1/resourceGroups/g1/providers/Microsoft.MobileEngagement/\
                                   appcollections/c1/apps/chess/devices/exportTasks";
pub(crate) const CONTAINER: &str = "https://account1.blob.core.windows.net/exports";
pub(crate) const SIGNATURE: &str =
    "sv=2024-11-04&sr=c&sp=w&se=2026-06-30T00%3A00%3A00Z&sig=c2VjcmV0LXNpZ25hdHVyZQ%3D%3D";

/// The segments that the registry spreads an app's devices over.
pub(crate) const REGISTRY_SEGMENTS: u16 = 4;

pub(crate) struct World {
    pub(crate) faults: Faults,
    pub(crate) clock: Arc<StoryClock>,
    pub(crate) containers: MemoryContainers,
    pub(crate) lake: Arc<InMemory>,
    /// The table without faults, for a look from outside.
    pub(crate) store: DynamoStore,
    pub(crate) client: aws_sdk_dynamodb::Client,
    pub(crate) create: create_job::Ports,
    pub(crate) status: get_status::Ports,
    pub(crate) resume: resume_job::Ports,
    pub(crate) cancel: cancel_job::Ports,
    pub(crate) expire: expire_jobs::Ports,
    pub(crate) plan: plan_export::Ports,
    pub(crate) run: run_export_chunk::Ports,
    pub(crate) finish: finish_export::Ports,
    pub(crate) fail: fail_chunk::Ports,
    /// How often every event and message is delivered at least.
    pub(crate) copies: usize,
    /// How often a message may fail before it becomes a dead letter.
    pub(crate) max_receives: u32,
    /// The engine below all clients.
    pub(crate) table: Table,
}

/// The table behind an HTTP client that meets the faults and repeats nothing by itself.
fn faulty_table(
    sdk: &SdkConfig,
    table: &Table,
    faults: &Faults,
    clock: &Arc<StoryClock>,
) -> DynamoStore {
    let http = FaultyHttp {
        faults: faults.clone(),
        inner: SharedHttpClient::new(table.clone()),
    };
    let sdk = sdk
        .to_builder()
        .http_client(http)
        .retry_config(RetryConfig::disabled())
        .build();
    DynamoStore::new(
        aws_sdk_dynamodb::Client::new(&sdk),
        EXPORTS_TABLE,
        Arc::clone(clock) as _,
    )
}

pub(crate) fn faulty_source<S, P>(
    faults: &Faults,
    inner: Arc<dyn Source<Selected = S, Part = P>>,
) -> Arc<dyn Source<Selected = S, Part = P>>
where
    S: Clone + Send + Sync + 'static,
    P: Send + Sync + 'static,
{
    let faults = faults.clone();
    Arc::new(FaultySource { faults, inner })
}

impl World {
    pub(crate) async fn new() -> Self {
        let table = Table::new();
        let sdk = aws_config("http://table.invalid")
            .await
            .to_builder()
            .http_client(table.clone())
            // It would compare the world's time, which stands still, with the system's.
            .stalled_stream_protection(StalledStreamProtectionConfig::disabled())
            .build();
        create_tables(&sdk).await.unwrap();
        let client = aws_sdk_dynamodb::Client::new(&sdk);
        let faults = Faults::default();
        let clock = Arc::new(StoryClock::new());
        let containers = MemoryContainers::default();
        let address = ContainerAddress::new(CONTAINER);
        containers.create(&address);
        containers.grant(&address, &Secret::new(SIGNATURE), Permission::Write);
        let lake = Arc::new(InMemory::new());
        let sources = Sources {
            lake: faulty_source(
                &faults,
                Arc::new(Lake::new(Arc::clone(&lake) as _, Path::from("lake"), 2_000)),
            ),
            registry: faulty_source(
                &faults,
                Arc::new(Registry::new(
                    client.clone(),
                    REGISTRY_TABLE,
                    REGISTRY_SEGMENTS,
                )),
            ),
        };
        let adapters = Adapters {
            table: Arc::new(faulty_table(&sdk, &table, &faults, &clock)),
            containers: Arc::new(FaultyContainers {
                faults: faults.clone(),
                inner: containers.clone(),
            }),
            sealer: Arc::new(KeySealer::new(&[7; 32]).unwrap()),
            clock: Arc::clone(&clock) as _,
        };
        let world = Self {
            create: adapters.create(),
            status: adapters.status(),
            resume: adapters.resume(),
            cancel: adapters.cancel(),
            expire: adapters.expire(),
            plan: adapters.plan(&sources),
            run: adapters.run(&sources),
            finish: adapters.finish(),
            fail: adapters.fail(),
            store: DynamoStore::new(client.clone(), EXPORTS_TABLE, Arc::clone(&clock) as _),
            client,
            faults,
            clock,
            containers,
            lake,
            copies: 1,
            max_receives: 20,
            table,
        };
        let grant = Grant {
            subject: "analyst".to_owned(),
            path: "/".to_owned(),
            role: Role::Contributor,
        };
        world.store.put_grant(&grant).await.unwrap();
        world
    }

    pub(crate) fn scope() -> AppScope {
        AppScope::from_segments(APP_PATH.trim_start_matches('/').split('/').take(10))
    }

    pub(crate) async fn put_object(
        &self,
        kind: &str,
        day: &str,
        name: &str,
        text: impl Into<Vec<u8>>,
    ) {
        let path = format!(
            "lake/{kind}/app={}/date={day}/{name}",
            Self::scope().folder()
        );
        self.lake
            .put(&Path::from(path), text.into().into())
            .await
            .unwrap();
    }

    /// An event of API Gateway, from the analyst.
    pub(crate) fn http(method: &str, path: &str, body: Option<&Value>) -> ApiGatewayV2httpRequest {
        let event = json!({
            "version": "2.0", "routeKey": format!("{method} /{{proxy+}}"), "rawPath": path,
            "rawQueryString": "api-version=2014-12-01", "isBase64Encoded": false,
            "headers": {"content-type": "application/json"}, "body": body.map(Value::to_string),
            "requestContext": {
                "accountId": "1", "apiId": "a", "domainName": "api.example", "stage": "$default", "requestId": "r1",
                "http": {"method": method, "path": path, "protocol": "HTTP/1.1", "sourceIp": "127.0.0.1"},
                "authorizer": {"jwt": {"claims": {"sub": "analyst"}, "scopes": null}},
            },
        });
        serde_json::from_value(event).unwrap()
    }

    /// Posts until the answer is 202, as a stock client repeats what failed with 5xx or not at all;
    /// the request id makes it one job.
    pub(crate) async fn post(&self, operation: &str, body: &Value) -> JobKey {
        let mut event = Self::http("POST", &format!("{APP_PATH}/{operation}"), Some(body));
        event
            .headers
            .insert("x-ms-client-request-id", "request-1".parse().unwrap());
        for _ in 0..5 {
            let Some(answer) = self
                .faults
                .survive(crate::described::create(event.clone(), &self.create))
                .await
            else {
                continue;
            };
            if answer.status_code == 202 {
                let task = body_of(&answer);
                let id = JobId::parse(task["id"].as_str().unwrap()).unwrap();
                return JobKey {
                    scope: Self::scope(),
                    id,
                };
            }
            assert!(answer.status_code >= 500, "{answer:?}");
        }
        panic!("the request was never accepted");
    }

    /// Sends a PATCH, once.
    pub(crate) async fn patch(&self, key: &JobKey, body: &Value) -> ApiGatewayV2httpResponse {
        let event = Self::http("PATCH", &format!("{APP_PATH}/{}", key.id), Some(body));
        Box::pin(crate::described::resume(event, &self.resume)).await
    }

    /// Sends a DELETE, once.
    pub(crate) async fn delete(&self, key: &JobKey) -> ApiGatewayV2httpResponse {
        let event = Self::http("DELETE", &format!("{APP_PATH}/{}", key.id), None);
        Box::pin(crate::described::cancel(event, &self.cancel)).await
    }

    pub(crate) async fn task(&self, key: &JobKey) -> Value {
        let event = Self::http("GET", &format!("{APP_PATH}/{}", key.id), None);
        let answer = crate::described::status(event, &self.status).await;
        assert_eq!(answer.status_code, 200, "{answer:?}");
        body_of(&answer)
    }

    pub(crate) async fn job(&self, key: &JobKey) -> Job {
        self.store
            .job(key, self.clock.now())
            .await
            .unwrap()
            .unwrap()
    }
}

pub(crate) fn body_of(answer: &ApiGatewayV2httpResponse) -> Value {
    let Some(aws_lambda_events::encodings::Body::Text(text)) = &answer.body else {
        panic!("no text: {answer:?}")
    };
    serde_json::from_str(text).unwrap()
}

/// The container URL that the stories give.
pub(crate) fn container_url() -> String {
    url_with(SIGNATURE)
}

/// The container's URL with a signature.
pub(crate) fn url_with(signature: &str) -> String {
    Url::parse(&format!("{CONTAINER}?{signature}"))
        .unwrap()
        .to_string()
}
