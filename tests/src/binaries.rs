//! The release binaries under AWS's runtime interface emulator: one whole export, from the POST to the sealed files,
//! with the sample events of `tests/events/`, over the embedded DynamoDB and Azurite.

mod emulator;

use std::path::Path;
use std::sync::Arc;

use local::azurite::{Azurite, AzuriteSettings, default_install};
use local::blobs::ContainerView;
use local::dynamodb::{EXPORTS_TABLE, EmbeddedDynamoDb, REGION, REGISTRY_TABLE, create_tables, scratch_dir};
use local::sas::SasTerms;
use serde_json::{Value, json};
use shared::app::AppScope;
use shared::clock::{Clock, SystemClock};
use shared::job::{Job, JobId, JobKey};
use shared::secret::Secret;
use shared::store::dynamo::DynamoStore;
use shared::store::{Grant, Grants, Jobs, Role};
use tempfile::TempDir;

use self::emulator::Emulated;
use crate::samples::sample;

const CONTAINER: &str = "exports";

/// Two days of the sample's app, as they lie in the lake.
const DAYS: [(&str, &str); 2] = [
    (
        "2026-01-05",
        r#"{"deviceId":"0123456789abcdef0123456789abcdef","name":"won","timestamp":"2026-01-05T08:00:00Z"}"#,
    ),
    (
        "2026-01-06",
        r#"{"deviceId":"0123456789abcdef0123456789abcdef","name":"lost","timestamp":"2026-01-06T09:00:00Z"}"#,
    ),
];

/// What the functions work on.
struct Machine {
    dynamo: EmbeddedDynamoDb,
    azurite: Azurite,
    store: DynamoStore,
    scope: AppScope,
    folder: TempDir,
}

impl Machine {
    async fn start() -> Self {
        let folder = scratch_dir().unwrap();
        let dynamo = EmbeddedDynamoDb::start(&folder.path().join("dynamodb.sqlite")).await.unwrap();
        let sdk = dynamo.sdk_config().await;
        create_tables(&sdk).await.unwrap();
        let data = folder.path().join("azurite");
        std::fs::create_dir_all(&data).unwrap();
        let azurite = Azurite::start(&AzuriteSettings { install: default_install(), data, port: None }).await.unwrap();
        azurite.create_container(CONTAINER).await.unwrap();
        let store = DynamoStore::new(client(&sdk), EXPORTS_TABLE, Arc::new(SystemClock));
        let plan: Value = sample("plan-export");
        let scope = AppScope::from_canonical(plan["detail"]["scope"].as_str().unwrap());
        let machine = Self { dynamo, azurite, store, scope, folder };
        machine.fill().await;
        machine
    }

    /// Grants the sample's caller its app, and lays out two days of events and a key.
    async fn fill(&self) {
        let grant =
            Grant { subject: "reporting".to_owned(), path: self.scope.as_str().to_owned(), role: Role::Contributor };
        self.store.put_grant(&grant).await.unwrap();
        std::fs::write(self.path("seal.key"), "5a".repeat(32)).unwrap();
        let app = self.scope.as_str().trim_start_matches('/').replace('/', "!");
        for (day, line) in DAYS {
            let folder = self.path(&format!("lake/events/app={app}/date={day}"));
            std::fs::create_dir_all(&folder).unwrap();
            std::fs::write(Path::new(&folder).join("part-0.ndjson"), format!("{line}\n")).unwrap();
        }
    }

    fn path(&self, name: &str) -> String {
        self.folder.path().join(name).display().to_string()
    }

    /// Starts a function with all that any function reads; what it does not read does not disturb it.
    async fn function(&self, name: &str) -> Emulated {
        let variables = [
            ("AWS_REGION", REGION.to_owned()),
            ("AWS_ACCESS_KEY_ID", "local".to_owned()),
            ("AWS_SECRET_ACCESS_KEY", "local".to_owned()),
            ("AWS_ENDPOINT_URL_DYNAMODB", self.dynamo.endpoint().to_owned()),
            ("EXPORTS_TABLE", EXPORTS_TABLE.to_owned()),
            ("REGISTRY_TABLE", REGISTRY_TABLE.to_owned()),
            ("LAKE_URL", format!("file://{}", self.path("lake"))),
            ("SEAL_KEY_FILE", self.path("seal.key")),
            ("EXTRA_BLOB_ENDPOINTS", self.azurite.endpoint()),
            ("LOG_LEVEL", "debug".to_owned()),
        ];
        Emulated::start(name, &variables, self.folder.path()).await
    }

    fn container(&self, permissions: &str) -> Secret {
        SasTerms::for_a_day(permissions).container_url(&self.azurite.endpoint(), CONTAINER)
    }

    async fn job(&self, id: &str) -> Job {
        let key = JobKey { scope: self.scope.clone(), id: JobId::parse(id).unwrap() };
        self.store.job(&key, SystemClock.now()).await.unwrap().unwrap()
    }
}

#[expect(clippy::disallowed_types, reason = "the store is made here as the functions make it")]
fn client(sdk: &aws_config::SdkConfig) -> aws_sdk_dynamodb::Client {
    aws_sdk_dynamodb::Client::new(sdk)
}

/// The sample POST into this container, and the id of the task that it makes.
async fn post(create: &Emulated, container: &Secret) -> String {
    let mut event: Value = sample("create-job");
    let mut body: Value = serde_json::from_str(event["body"].as_str().unwrap()).unwrap();
    body["containerUrl"] = container.reveal().into();
    event["body"] = body.to_string().into();
    let answer = create.invoke(&event).await;
    assert_eq!(answer["statusCode"], 202, "{answer}");
    let task: Value = serde_json::from_str(answer["body"].as_str().unwrap()).unwrap();
    task["id"].as_str().unwrap().to_owned()
}

/// The task as a GET shows it.
async fn task(status: &Emulated, id: &str) -> Value {
    let mut event: Value = sample("get-status");
    let path = event["rawPath"].as_str().unwrap();
    let path = format!("{}/{id}", path.rsplit_once('/').unwrap().0);
    event["requestContext"]["http"]["path"] = path.clone().into();
    event["rawPath"] = path.into();
    let answer = status.invoke(&event).await;
    assert_eq!(answer["statusCode"], 200, "{answer}");
    serde_json::from_str(answer["body"].as_str().unwrap()).unwrap()
}

/// The sample event of the bus, about this job.
fn bus_event(function: &str, id: &str) -> Value {
    let mut event: Value = sample(function);
    event["detail"]["job"] = id.into();
    event
}

/// The sample message of the queue, about this chunk of the job.
fn message(function: &str, job: &Job, chunk: u32) -> Value {
    let mut event: Value = sample(function);
    let shard = chunk % u32::from(job.shards);
    let body = json!({
        "scope": job.key.scope.as_str(), "job": job.key.id.to_string(),
        "shard": shard.to_string(), "chunk": chunk.to_string(),
    });
    event["Records"][0]["body"] = body.to_string().into();
    event
}

/// The names of the events in the files of the container, in the files' order.
async fn exported_names(container: &ContainerView) -> Vec<String> {
    let mut names = Vec::new();
    for blob in container.list().await.unwrap() {
        let content: Value = serde_json::from_slice(&container.read(&blob.name).await.unwrap()).unwrap();
        let groups = content.as_array().into_iter().flatten();
        let events = groups.flat_map(|group| group["events"].as_array().unwrap());
        names.extend(events.map(|event| event["name"].as_str().unwrap().to_owned()));
    }
    names
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_release_binaries_carry_an_export_from_the_post_to_sealed_files() {
    let machine = Machine::start().await;
    let create = machine.function("create-job").await;
    let id = post(&create, &machine.container("cw")).await;

    let plan = machine.function("plan-export").await;
    assert_eq!(plan.invoke(&bus_event("plan-export", &id)).await, Value::Null, "{}", plan.log());
    let run = machine.function("run-export-chunk").await;
    let job = machine.job(&id).await;
    assert_eq!(job.chunks, 2, "one chunk a day");
    for chunk in 0..job.chunks {
        let answer = run.invoke(&message("run-export-chunk", &job, chunk)).await;
        assert_eq!(answer, json!({"batchItemFailures": []}), "{}", run.log());
    }
    let fail = machine.function("fail-chunk").await;
    let answer = fail.invoke(&message("fail-chunk", &job, 0)).await;
    assert_eq!(answer, json!({"batchItemFailures": []}), "a recorded chunk is left alone: {}", fail.log());
    let finish = machine.function("finish-export").await;
    assert_eq!(finish.invoke(&bus_event("finish-export", &id)).await, Value::Null, "{}", finish.log());

    let status = machine.function("get-status").await;
    let task = task(&status, &id).await;
    assert_eq!((&task["state"], &task["progress"]["rows"]), (&json!("Succeeded"), &json!(2)), "{task}");
    let files = ContainerView::open(&machine.container("rl")).unwrap();
    assert_eq!(exported_names(&files).await, ["won", "lost"]);
    for function in [create, plan, run, fail, finish, status] {
        assert!(!function.log().contains("sig="), "a signature in the log");
    }
}
