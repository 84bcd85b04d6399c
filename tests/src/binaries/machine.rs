//! What the functions work on, and the events that they are called with: the samples of
//! `tests/events/`.

use std::path::Path;
use std::sync::Arc;

use client::blobs::ContainerView;
use domain::app::AppScope;
use domain::job::{Job, JobId, JobKey};
use domain::secret::Secret;
use exports_table::DynamoStore;
use local::azurite::{Azurite, AzuriteSettings, default_install};
use local::dynamodb::{EXPORTS_TABLE, EmbeddedDynamoDb, REGION, REGISTRY_TABLE, create_tables};
use local::sas::SasTerms;
use ports::clock::Clock;
use ports::store::{Grant, Grants, Jobs, Role};
use serde_json::{Value, json};
use tempfile::TempDir;
use wiring::{SystemClock, config};

use super::emulator::Emulated;
use crate::samples::sample;

const CONTAINER: &str = "exports";

/// Tables, storage, a lake, a key, and the app of the samples.
pub(super) struct Machine {
    pub(super) store: DynamoStore,
    dynamo: EmbeddedDynamoDb,
    azurite: Azurite,
    scope: AppScope,
    settings: Vec<(&'static str, String)>,
    folder: TempDir,
}

impl Machine {
    /// Starts in a folder, with an empty lake; the functions get these settings beside what they
    /// need in any case.
    pub(super) async fn start(folder: TempDir, settings: &[(&'static str, &str)]) -> Self {
        let dynamo = EmbeddedDynamoDb::start(&folder.path().join("dynamodb.sqlite"))
            .await
            .unwrap();
        let sdk = dynamo.sdk_config().await;
        create_tables(&sdk).await.unwrap();
        let data = folder.path().join("azurite");
        std::fs::create_dir_all(&data).unwrap();
        let azurite = Azurite::start(&AzuriteSettings {
            install: default_install(),
            data,
            port: None,
        })
        .await
        .unwrap();
        azurite.create_container(CONTAINER).await.unwrap();
        let store = DynamoStore::new(client(&sdk), EXPORTS_TABLE, Arc::new(SystemClock));
        let plan: Value = sample("plan-export");
        let scope = AppScope::from_canonical(plan["detail"]["scope"].as_str().unwrap());
        let settings = settings
            .iter()
            .map(|(name, value)| (*name, (*value).to_owned()))
            .collect();
        let machine = Self {
            store,
            dynamo,
            azurite,
            scope,
            settings,
            folder,
        };
        machine.admit().await;
        machine
    }

    /// Grants the samples' caller its app, and lays out a key.
    async fn admit(&self) {
        let path = self.scope.as_str().to_owned();
        let grant = Grant {
            subject: "reporting".to_owned(),
            path,
            role: Role::Contributor,
        };
        self.store.put_grant(&grant).await.unwrap();
        std::fs::write(self.path("seal.key"), "5a".repeat(32)).unwrap();
    }

    /// Puts an object of events into the lake.
    pub(super) fn put_events(&self, day: &str, name: &str, lines: &str) {
        let app = self
            .scope
            .as_str()
            .trim_start_matches('/')
            .replace('/', "!");
        let folder = self.path(&format!("lake/events/app={app}/date={day}"));
        std::fs::create_dir_all(&folder).unwrap();
        std::fs::write(Path::new(&folder).join(name), lines).unwrap();
    }

    fn path(&self, name: &str) -> String {
        self.folder.path().join(name).display().to_string()
    }

    /// Starts a function with all that any function reads; what it does not read does not disturb
    /// it.
    pub(super) async fn function(&self, name: &str) -> Emulated {
        let mut variables = vec![
            ("AWS_REGION", REGION.to_owned()),
            ("AWS_ACCESS_KEY_ID", "local".to_owned()),
            ("AWS_SECRET_ACCESS_KEY", "local".to_owned()),
            (
                "AWS_ENDPOINT_URL_DYNAMODB",
                self.dynamo.endpoint().to_owned(),
            ),
            (config::EXPORTS_TABLE.name, EXPORTS_TABLE.to_owned()),
            (config::REGISTRY_TABLE.name, REGISTRY_TABLE.to_owned()),
            (
                config::LAKE_URL.name,
                format!("file://{}", self.path("lake")),
            ),
            (config::SEAL_KEY_FILE.name, self.path("seal.key")),
            (config::EXTRA_BLOB_ENDPOINTS.name, self.azurite.endpoint()),
            (config::LOG_LEVEL.name, "debug".to_owned()),
        ];
        variables.extend(self.settings.iter().cloned());
        Emulated::start(name, &variables, self.folder.path()).await
    }

    /// The container's URL, with a signature for these permissions.
    pub(super) fn container(&self, permissions: &str) -> Secret {
        SasTerms::for_a_day(permissions).container_url(&self.azurite.endpoint(), CONTAINER)
    }

    /// The container as its owner sees it.
    pub(super) fn files(&self) -> ContainerView {
        ContainerView::open(&self.container("rl")).unwrap()
    }

    pub(super) async fn job(&self, id: &str) -> Job {
        let key = JobKey {
            scope: self.scope.clone(),
            id: JobId::parse(id).unwrap(),
        };
        self.store
            .job(&key, SystemClock.now())
            .await
            .unwrap()
            .unwrap()
    }

    /// What all functions have logged, those that are gone included.
    pub(super) fn logs(&self) -> String {
        let files = std::fs::read_dir(self.folder.path())
            .unwrap()
            .map(|entry| entry.unwrap().path());
        let logs =
            files.filter(|path| path.extension().is_some_and(|extension| extension == "log"));
        logs.map(|path| String::from_utf8_lossy(&std::fs::read(path).unwrap()).into_owned())
            .collect()
    }
}

#[expect(
    clippy::disallowed_types,
    reason = "the store is made here as the functions make it"
)]
fn client(sdk: &aws_config::SdkConfig) -> aws_sdk_dynamodb::Client {
    aws_sdk_dynamodb::Client::new(sdk)
}

/// The sample POST of these days into this container, and the id of the task that it makes.
pub(super) async fn post(create: &Emulated, container: &Secret, days: (&str, &str)) -> String {
    let mut event: Value = sample("create-job");
    let mut body: Value = serde_json::from_str(event["body"].as_str().unwrap()).unwrap();
    body["containerUrl"] = container.reveal().into();
    (body["startDate"], body["endDate"]) = (days.0.into(), days.1.into());
    event["body"] = body.to_string().into();
    let answer = create.invoke(&event).await;
    assert_eq!(answer["statusCode"], 202, "{answer}");
    let task: Value = serde_json::from_str(answer["body"].as_str().unwrap()).unwrap();
    task["id"].as_str().unwrap().to_owned()
}

/// The task as a GET shows it.
pub(super) async fn task(status: &Emulated, id: &str) -> Value {
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
pub(super) fn bus_event(function: &str, id: &str) -> Value {
    let mut event: Value = sample(function);
    event["detail"]["job"] = id.into();
    event
}

/// The sample message of the queue, about this chunk of the job.
pub(super) fn message(function: &str, job: &Job, chunk: u32) -> Value {
    let mut event: Value = sample(function);
    let shard = job.shard_of(chunk);
    let body = json!({
        "scope": job.key.scope.as_str(), "job": job.key.id.to_string(),
        "shard": shard.to_string(), "chunk": chunk.to_string(),
    });
    event["Records"][0]["body"] = body.to_string().into();
    event
}
