//! A world for whole-export stories: the real handlers over the embedded DynamoDB, a lake and a
//! container in memory, a clock that only the story moves, and deliveries that repeat, fail and go
//! on.
#![expect(
    clippy::disallowed_types,
    reason = "looks at the table as the pipes do, beside the ports"
)]

use std::collections::{BTreeMap, HashSet, VecDeque};
use std::sync::{Arc, Mutex};

use aws_config::SdkConfig;
use aws_lambda_events::apigw::{ApiGatewayV2httpRequest, ApiGatewayV2httpResponse};
use aws_lambda_events::eventbridge::EventBridgeEvent;
use aws_lambda_events::sqs::SqsEvent;
use aws_sdk_dynamodb::config::retry::RetryConfig;
use aws_sdk_dynamodb::types::AttributeValue;
use aws_smithy_runtime_api::client::http::SharedHttpClient;
use domain::app::AppScope;
use domain::container::{BlobName, ContainerAddress};
use domain::job::{Job, JobId, JobKey, Phase};
use domain::manifest::Manifest;
use domain::secret::Secret;
use edge::event::{ChunkMessage, JobEvent};
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
use time::macros::datetime;
use time::{Duration, OffsetDateTime};
use url::Url;
use uuid::Uuid;

use crate::adapters::Adapters;
use crate::faults::{Faults, FaultyContainers, FaultyHttp, FaultySource, skew};
use crate::table::Table;

pub(crate) const APP_PATH: &str = "/subscriptions/s1/resourceGroups/g1/providers/Microsoft.MobileEngagement/\
                                   appcollections/c1/apps/chess/devices/exportTasks";
pub(crate) const CONTAINER: &str = "https://account1.blob.core.windows.net/exports";
pub(crate) const SIGNATURE: &str =
    "sv=2024-11-04&sr=c&sp=w&se=2026-06-30T00%3A00%3A00Z&sig=c2VjcmV0LXNpZ25hdHVyZQ%3D%3D";

/// The segments that the registry spreads an app's devices over.
pub(crate) const REGISTRY_SEGMENTS: u16 = 4;

/// A clock that stands still until the story moves it.
pub(crate) struct StoryClock(Mutex<(OffsetDateTime, u128)>);

impl StoryClock {
    fn new() -> Self {
        Self(Mutex::new((datetime!(2026-02-01 00:00 UTC), 0)))
    }

    pub(crate) fn advance(&self, by: Duration) {
        self.0.lock().unwrap().0 += by;
    }
}

impl Clock for StoryClock {
    fn now(&self) -> OffsetDateTime {
        self.0.lock().unwrap().0 + skew()
    }

    fn fresh_id(&self) -> Uuid {
        let mut clock = self.0.lock().unwrap();
        clock.1 += 1;
        let millis = u64::try_from(clock.0.unix_timestamp_nanos() / 1_000_000).unwrap();
        let mut random = [0; 10];
        random[2..].copy_from_slice(&u64::try_from(clock.1).unwrap().to_be_bytes());
        uuid::Builder::from_unix_timestamp_millis(millis, &random).into_uuid()
    }
}

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

/// What is under way.
#[derive(Default)]
pub(crate) struct Deliveries {
    seen: HashSet<String>,
    queue: VecDeque<Delivery>,
}

impl Deliveries {
    /// A chunk's message that was received once and not dealt with.
    pub(crate) fn of_chunk(key: &JobKey, shard: u16, chunk: u32) -> Self {
        let delivery = Delivery {
            what: Kind::Chunk(chunk_message(key, shard, chunk)),
            receives: 1,
        };
        Self {
            seen: HashSet::new(),
            queue: VecDeque::from([delivery]),
        }
    }

    /// Puts an event of the job under way that no image tells of.
    pub(crate) fn add_event(&mut self, key: &JobKey, phase: &str) {
        self.add(Kind::Job(job_event(key, phase)));
    }

    /// Puts a chunk's message under way that no image tells of.
    pub(crate) fn add_chunk(&mut self, key: &JobKey, shard: u16, chunk: u32) {
        self.add(Kind::Chunk(chunk_message(key, shard, chunk)));
    }

    fn add(&mut self, what: Kind) {
        self.queue.push_back(Delivery { what, receives: 0 });
    }
}

/// A message or event on its way.
#[derive(Debug, Clone)]
pub(crate) struct Delivery {
    pub(crate) what: Kind,
    pub(crate) receives: u32,
}

#[derive(Debug, Clone)]
pub(crate) enum Kind {
    Chunk(ChunkMessage),
    Job(JobEvent),
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
                .survive(create_job::handle(event.clone(), &self.create))
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
        Box::pin(resume_job::handle(event, &self.resume)).await
    }

    /// Sends a DELETE, once.
    pub(crate) async fn delete(&self, key: &JobKey) -> ApiGatewayV2httpResponse {
        let event = Self::http("DELETE", &format!("{APP_PATH}/{}", key.id), None);
        Box::pin(cancel_job::handle(event, &self.cancel)).await
    }

    pub(crate) async fn task(&self, key: &JobKey) -> Value {
        let event = Self::http("GET", &format!("{APP_PATH}/{}", key.id), None);
        let answer = get_status::handle(event, &self.status).await;
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

    /// The event of a job's phase, as the bus delivers it.
    pub(crate) fn event_of(key: &JobKey, phase: &str) -> EventBridgeEvent<JobEvent> {
        bus_event(&job_event(key, phase))
    }

    /// Delivers events and messages until the job has ended and nothing is under way.
    pub(crate) async fn drive(&self, key: &JobKey) -> Job {
        self.drive_on(key, Deliveries::default()).await
    }

    /// Goes on with what is under way, until the job has ended and nothing is.
    pub(crate) async fn drive_on(&self, key: &JobKey, mut deliveries: Deliveries) -> Job {
        for _ in 0..100 {
            self.round(&mut deliveries).await;
            let job = self.job(key).await;
            if matches!(job.phase, Phase::Ended { .. }) && deliveries.queue.is_empty() {
                return job;
            }
        }
        panic!("the job does not end: {:?}", self.job(key).await);
    }

    /// Delivers until nothing is under way any more.
    pub(crate) async fn settle(&self) {
        self.settle_on(Deliveries::default()).await;
    }

    /// Goes on with what is under way, until nothing is any more.
    pub(crate) async fn settle_on(&self, mut deliveries: Deliveries) {
        for _ in 0..100 {
            let before = deliveries.seen.len();
            self.round(&mut deliveries).await;
            if deliveries.queue.is_empty() && deliveries.seen.len() == before {
                return;
            }
        }
        panic!("there is always more to deliver");
    }

    /// Delivers everything that is under way once; what failed comes again after its visibility
    /// time-out.
    pub(crate) async fn round(&self, deliveries: &mut Deliveries) {
        let new = self.new_images(&mut deliveries.seen).await;
        deliveries.queue.extend(new);
        let mut again = VecDeque::new();
        while let Some(delivery) = deliveries.queue.pop_front() {
            again.extend(self.deliver(delivery).await);
        }
        if !again.is_empty() {
            self.clock.advance(Duration::minutes(16));
        }
        deliveries.queue = again;
    }

    /// Delivers what is under way, after its visibility time-out, once; whether anything has to
    /// come again.
    pub(crate) async fn deliver_again(&self, deliveries: &mut Deliveries) -> bool {
        self.clock.advance(Duration::minutes(18));
        let mut again = VecDeque::new();
        while let Some(delivery) = deliveries.queue.pop_front() {
            again.extend(self.deliver(delivery).await);
        }
        deliveries.queue = again;
        !deliveries.queue.is_empty()
    }

    /// What the pipes would let through of the table's present images, those already delivered left
    /// out.
    async fn new_images(&self, seen: &mut HashSet<String>) -> Vec<Delivery> {
        let mut deliveries = Vec::new();
        let mut items = self
            .client
            .scan()
            .table_name(EXPORTS_TABLE)
            .into_paginator()
            .items()
            .send();
        while let Some(item) = items.try_next().await.unwrap() {
            let text = |name: &str| match item.get(name) {
                Some(AttributeValue::S(text) | AttributeValue::N(text)) => text.clone(),
                _ => String::new(),
            };
            let Some(what) = message_of(&text) else {
                continue;
            };
            // A tally has no id of its last write; it has no nested attributes either, whose order
            // would be any.
            let image: BTreeMap<_, _> = item.iter().collect();
            let version = item
                .get("write_id")
                .map_or_else(|| format!("{image:?}"), |write| format!("{write:?}"));
            if seen.insert(version) {
                deliveries.extend(std::iter::repeat_n(
                    Delivery { what, receives: 0 },
                    self.copies,
                ));
            }
        }
        deliveries
    }

    /// Delivers once; answers what is to be delivered again.
    pub(crate) async fn deliver(&self, delivery: Delivery) -> Option<Delivery> {
        let receives = delivery.receives + 1;
        let done = match &delivery.what {
            Kind::Chunk(message) if receives > self.max_receives => {
                self.dead_letter(&json!(message)).await
            }
            Kind::Job(event) if receives > self.max_receives => {
                self.dead_letter(&envelope(event)).await
            }
            Kind::Chunk(message) => {
                let run = run_export_chunk::handle(sqs_event(&json!(message)), &self.run);
                self.faults
                    .survive(run)
                    .await
                    .is_some_and(|answer| answer.batch_item_failures.is_empty())
            }
            Kind::Job(event) => match event.phase.as_str() {
                "queued" | "resuming" => {
                    let plan = plan_export::handle(bus_event(event), &self.plan);
                    self.faults
                        .survive(plan)
                        .await
                        .is_some_and(|answer| answer.is_ok())
                }
                "running" | "cancelling" | "drained" => {
                    let finish = finish_export::handle(bus_event(event), &self.finish);
                    self.faults
                        .survive(finish)
                        .await
                        .is_some_and(|answer| answer.is_ok())
                }
                _ => true,
            },
        };
        (!done).then_some(Delivery {
            receives,
            ..delivery
        })
    }

    /// The message of a chunk, as the queue delivers it.
    pub(crate) fn message_of(key: &JobKey, shard: u16, chunk: u32) -> SqsEvent {
        sqs_event(&json!(chunk_message(key, shard, chunk)))
    }

    /// Delivers a chunk's message as a dead letter.
    pub(crate) async fn bury(&self, key: &JobKey, shard: u16, chunk: u32) {
        assert!(self.buried(key, shard, chunk).await);
    }

    /// The same; whether it was dealt with.
    pub(crate) async fn buried(&self, key: &JobKey, shard: u16, chunk: u32) -> bool {
        self.dead_letter(&json!(chunk_message(key, shard, chunk)))
            .await
    }

    /// Delivers a job's event as a dead letter; whether it was dealt with.
    pub(crate) async fn bury_event(&self, key: &JobKey, phase: &str) -> bool {
        self.dead_letter(&envelope(&Self::event_of(key, phase).detail))
            .await
    }

    async fn dead_letter(&self, body: &Value) -> bool {
        let end = fail_chunk::handle(sqs_event(body), &self.fail);
        self.faults
            .survive(end)
            .await
            .is_some_and(|answer| answer.batch_item_failures.is_empty())
    }

    /// The manifest, if the container has one.
    pub(crate) fn manifest(&self, job: &Job) -> Option<Manifest> {
        let name = BlobName::manifest(job.request.export_type(), job.key.id);
        let blob = self
            .containers
            .read(&ContainerAddress::new(CONTAINER), &name)?;
        Some(serde_json::from_slice(&blob.data).unwrap())
    }

    /// The bytes of every file of rows that the manifest lists, checked against it; no other file of
    /// the job may be there.
    pub(crate) fn files(&self, job: &Job) -> Vec<Vec<u8>> {
        let address = ContainerAddress::new(CONTAINER);
        let manifest = self.manifest(job).unwrap();
        let mut listed: Vec<String> = manifest
            .files
            .iter()
            .map(|file| file.name.clone())
            .collect();
        listed.extend(manifest.rejected.iter().map(|file| file.name.clone()));
        // Version 1 wrote none.
        if let Some(schema) = &manifest.head.schema {
            self.data(&schema.name, schema.bytes, &schema.sha256);
            listed.push(schema.name.clone());
        }
        listed.push(
            BlobName::manifest(job.request.export_type(), job.key.id)
                .as_str()
                .to_owned(),
        );
        listed.sort_unstable();
        let mut there = self.containers.list(&address);
        let prefix = format!("{}/{}/", job.request.export_type(), job.key.id);
        there.retain(|name| name.starts_with(&prefix));
        assert_eq!(there, listed, "files and manifest");
        let files = manifest.files.iter();
        files
            .map(|file| self.data(&file.name, file.counts.bytes, &file.sha256))
            .collect()
    }

    /// What the files of rejects hold, line by line, each checked against the manifest.
    pub(crate) fn rejects(&self, job: &Job) -> Vec<Value> {
        let manifest = self.manifest(job).unwrap();
        let mut rejects = Vec::new();
        for file in &manifest.rejected {
            let data = self.data(&file.name, file.bytes, &file.sha256);
            let lines = String::from_utf8(data).unwrap();
            let lines = lines
                .lines()
                .map(|line| serde_json::from_str(line).unwrap());
            let before = rejects.len() as u64;
            rejects.extend(lines);
            assert_eq!(rejects.len() as u64 - before, file.records_rejected);
        }
        assert_eq!(rejects.len() as u64, manifest.head.totals.counts.rejected);
        rejects
    }

    /// The bytes of a blob that has this size and checksum.
    fn data(&self, name: &str, bytes: u64, sha256: &str) -> Vec<u8> {
        let address = ContainerAddress::new(CONTAINER);
        let blob = self.containers.read(&address, &BlobName::from_stored(name));
        let data = blob.unwrap().data;
        assert_eq!(data.len() as u64, bytes, "{name}");
        let digest = aws_lc_rs::digest::digest(&aws_lc_rs::digest::SHA256, &data);
        assert_eq!(hex::encode(digest), sha256, "{name}");
        data
    }
}

/// What the pipes let through of an image, given by its attributes' texts.
pub(crate) fn message_of(text: &impl Fn(&str) -> String) -> Option<Kind> {
    match (
        text("kind").as_str(),
        text("phase").as_str(),
        text("state").as_str(),
    ) {
        ("chunk", _, "pending") => Some(Kind::Chunk(ChunkMessage {
            scope: text("scope"),
            job: text("job"),
            shard: text("shard"),
            chunk: text("chunk"),
        })),
        ("job", "queued" | "resuming" | "running" | "cancelling", _) => {
            Some(Kind::Job(event_in(text)))
        }
        ("tally", ..) if text("open") == "0" => Some(Kind::Job(event_in(text))),
        _ => None,
    }
}

fn event_in(text: &impl Fn(&str) -> String) -> JobEvent {
    JobEvent {
        kind: text("kind"),
        scope: text("scope"),
        job: text("job"),
        phase: text("phase"),
    }
}

fn job_event(key: &JobKey, phase: &str) -> JobEvent {
    JobEvent {
        kind: "job".to_owned(),
        scope: key.scope.as_str().to_owned(),
        job: key.id.to_string(),
        phase: phase.to_owned(),
    }
}

fn chunk_message(key: &JobKey, shard: u16, chunk: u32) -> ChunkMessage {
    ChunkMessage {
        scope: key.scope.as_str().to_owned(),
        job: key.id.to_string(),
        shard: shard.to_string(),
        chunk: chunk.to_string(),
    }
}

pub(crate) fn envelope(event: &JobEvent) -> Value {
    json!({
        "version": "0", "id": "e1", "detail-type": edge::event::EVENT_DETAIL_TYPE, "source": edge::event::EVENT_SOURCE,
        "account": "1", "time": "2026-02-01T00:00:00Z", "region": "eu-west-1", "resources": [], "detail": event,
    })
}

pub(crate) fn bus_event(event: &JobEvent) -> EventBridgeEvent<JobEvent> {
    serde_json::from_value(envelope(event)).unwrap()
}

pub(crate) fn sqs_event(body: &Value) -> SqsEvent {
    serde_json::from_value(json!({"Records": [{"messageId": "m1", "body": body.to_string()}]}))
        .unwrap()
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
