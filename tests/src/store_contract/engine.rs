//! The stores that the suite runs over, each with an app and a clock of its own.
#![expect(clippy::disallowed_types, reason = "writes what the ports never would")]

use std::collections::HashMap;
use std::ops::Deref;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use aws_config::SdkConfig;
use aws_lc_rs::digest;
use aws_sdk_dynamodb::config::retry::RetryConfig;
use aws_sdk_dynamodb::types::AttributeValue;
use aws_smithy_runtime_api::client::http::SharedHttpClient;
use domain::app::AppScope;
use domain::job::{Job, JobId};
use exports_table::DynamoStore;
use fakes::store::MemoryStore;
use local::dynamodb::{EXPORTS_TABLE, EmbeddedDynamoDb, create_tables, scratch_dir};
use ports::clock::Clock;
use ports::store::{
    Changes, ChunkLists, Chunks, GrantBook, Intake, JobLists, Plans, Tallies, WaitingJobs,
};
use tempfile::TempDir;
use time::{Date, OffsetDateTime};
use uuid::Uuid;
use wiring::SystemClock;

use super::samples::NOW;
use crate::faults::Faults;
use crate::faults::table::FaultyHttp;
use crate::ministack::Ministack;

/// Where `make conformance-dynamodb-local` starts the official engine.
#[cfg(feature = "dynamodb-local")]
const DYNAMODB_LOCAL: &str = "http://127.0.0.1:8000";

/// A clock that only the test moves, with ids that no other test draws.
pub(super) struct TestClock(Mutex<OffsetDateTime>);

impl TestClock {
    pub(super) fn set(&self, now: OffsetDateTime) {
        *self.0.lock().unwrap() = now;
    }
}

impl Clock for TestClock {
    fn now(&self) -> OffsetDateTime {
        *self.0.lock().unwrap()
    }

    fn fresh_id(&self) -> Uuid {
        SystemClock.fresh_id()
    }
}

/// All ports to the exports table.
pub(super) trait Store:
    GrantBook + Intake + Changes + WaitingJobs + JobLists + Tallies + Plans + Chunks + ChunkLists
{
}

impl<T> Store for T where
    T: GrantBook
        + Intake
        + Changes
        + WaitingJobs
        + JobLists
        + Tallies
        + Plans
        + Chunks
        + ChunkLists
{
}

/// A store, and an app that no other test knows.
pub(super) struct World {
    pub(super) store: Arc<dyn Store>,
    pub(super) scope: AppScope,
    pub(super) clock: Arc<TestClock>,
}

/// A world whose store is a table of DynamoDB, for what no port does.
pub(super) struct DynamoWorld {
    world: World,
    sdk: SdkConfig,
    _engine: Engine,
}

impl Deref for DynamoWorld {
    type Target = World;

    fn deref(&self) -> &World {
        &self.world
    }
}

/// What must live as long as the test.
enum Engine {
    Embedded {
        _server: EmbeddedDynamoDb,
        _folder: TempDir,
    },
    Ministack {
        _server: Arc<Ministack>,
    },
    #[cfg(feature = "dynamodb-local")]
    Official,
}

impl World {
    pub(super) fn in_memory() -> Self {
        Self::over(|clock| Arc::new(MemoryStore::by(Arc::clone(clock) as _)))
    }

    fn over(store: impl FnOnce(&Arc<TestClock>) -> Arc<dyn Store>) -> Self {
        let clock = Arc::new(TestClock(Mutex::new(NOW)));
        let subscription = clock.fresh_id().to_string();
        Self {
            store: store(&clock),
            scope: AppScope::from_segments(["subscriptions", &subscription, "apps", "chess"]),
            clock,
        }
    }
}

impl DynamoWorld {
    pub(super) async fn embedded() -> Self {
        let folder = scratch_dir().unwrap();
        let server = EmbeddedDynamoDb::start(&folder.path().join("dynamodb.sqlite"))
            .await
            .unwrap();
        let sdk = server.sdk_config().await;
        create_tables(&sdk).await.unwrap();
        Self::over(
            sdk,
            Engine::Embedded {
                _server: server,
                _folder: folder,
            },
        )
    }

    pub(super) async fn ministack() -> Self {
        let server = Ministack::shared().await;
        Self::over(
            server.sdk_config().await,
            Engine::Ministack { _server: server },
        )
    }

    #[cfg(feature = "dynamodb-local")]
    pub(super) async fn dynamodb_local() -> Self {
        let sdk = local::dynamodb::aws_config(DYNAMODB_LOCAL).await;
        create_tables(&sdk).await.unwrap();
        Self::over(sdk, Engine::Official)
    }

    fn over(sdk: SdkConfig, engine: Engine) -> Self {
        let client = aws_sdk_dynamodb::Client::new(&sdk);
        Self {
            world: World::over(|clock| {
                Arc::new(DynamoStore::new(
                    client,
                    EXPORTS_TABLE,
                    Arc::clone(clock) as _,
                ))
            }),
            sdk,
            _engine: engine,
        }
    }

    /// The store over another table.
    pub(super) fn store_over(&self, table: &str) -> DynamoStore {
        DynamoStore::new(
            aws_sdk_dynamodb::Client::new(&self.sdk),
            table,
            Arc::clone(&self.clock) as _,
        )
    }

    /// The same store behind an HTTP client that meets the faults; the SDK tries so often.
    pub(super) fn faulty(&self, faults: &Faults, tries: u32) -> DynamoStore {
        let inner = aws_smithy_http_client::Builder::new().build_http();
        let http = SharedHttpClient::new(FaultyHttp {
            faults: faults.clone(),
            inner,
        });
        let retry = RetryConfig::standard()
            .with_max_attempts(tries)
            .with_initial_backoff(Duration::from_millis(1));
        let sdk = self
            .sdk
            .to_builder()
            .http_client(http)
            .retry_config(retry)
            .build();
        DynamoStore::new(
            aws_sdk_dynamodb::Client::new(&sdk),
            EXPORTS_TABLE,
            Arc::clone(&self.clock) as _,
        )
    }

    /// Makes of a stored job one that an older version wrote: of its layout, without a row.
    pub(super) async fn make_older(&self, job: &Job) {
        let key = Self::key(
            &format!("APP#{}", self.scope),
            &format!("JOB#{}", job.key.id),
        );
        let update = self.raw().update_item().table_name(EXPORTS_TABLE);
        let update = update.set_key(Some(key)).update_expression("SET v = :v");
        let older = AttributeValue::N("2".to_owned());
        let update = update.expression_attribute_values(":v", older);
        update.send().await.unwrap();
        self.drop_row(job).await;
    }

    /// Deletes the row of a job.
    pub(super) async fn drop_row(&self, job: &Job) {
        let key = Self::key(&self.rows_partition(), &format!("ROW#{}", job.key.id));
        let delete = self.raw().delete_item().table_name(EXPORTS_TABLE);
        delete.set_key(Some(key)).send().await.unwrap();
    }

    /// Whether the job has a row.
    pub(super) async fn has_row(&self, job: &Job) -> bool {
        let rows = self.ids("ROW#").await;
        rows.contains(&job.key.id)
    }

    /// Up to which jobs there may be some without rows, as the app's marks say.
    pub(super) async fn marks(&self) -> Vec<JobId> {
        self.ids("MARK#").await
    }

    async fn ids(&self, prefix: &str) -> Vec<JobId> {
        let query = self.raw().query().table_name(EXPORTS_TABLE);
        let query = query
            .consistent_read(true)
            .key_condition_expression("pk = :pk AND begins_with(sk, :sk)")
            .expression_attribute_values(":pk", AttributeValue::S(self.rows_partition()))
            .expression_attribute_values(":sk", AttributeValue::S(prefix.to_owned()));
        let items = query.send().await.unwrap().items.unwrap();
        let id = |item: &HashMap<_, AttributeValue>| {
            JobId::parse(item["sk"].as_s().unwrap().strip_prefix(prefix).unwrap()).unwrap()
        };
        items.iter().map(id).collect()
    }

    fn rows_partition(&self) -> String {
        let hash = digest::digest(&digest::SHA256, self.scope.as_str().as_bytes());
        format!("APP#{}", hex::encode(&hash.as_ref()[..16]))
    }

    fn key(pk: &str, sk: &str) -> HashMap<String, AttributeValue> {
        let part = |name: &str, text: &str| (name.to_owned(), AttributeValue::S(text.to_owned()));
        HashMap::from([part("pk", pk), part("sk", sk)])
    }

    fn raw(&self) -> aws_sdk_dynamodb::Client {
        aws_sdk_dynamodb::Client::new(&self.sdk)
    }

    /// Writes an item of texts and numbers as no version of the service does.
    /// What is kept of the acts of a day on a job, by act, in no order.
    pub(super) async fn audits(&self, day: Date, job: JobId) -> Vec<HashMap<String, String>> {
        let query = self.raw().query().table_name(EXPORTS_TABLE);
        let query = query
            .key_condition_expression("pk = :pk")
            .consistent_read(true);
        let day = AttributeValue::S(format!("AUDIT#{day}"));
        let query = query.expression_attribute_values(":pk", day);
        let items = query.into_paginator().items().send();
        let items: Result<Vec<_>, _> = items.collect().await;
        let texts = |item: HashMap<String, AttributeValue>| {
            let text =
                |value: &AttributeValue| value.as_s().or_else(|_| value.as_n()).unwrap().clone();
            item.iter()
                .map(|(name, value)| (name.clone(), text(value)))
                .collect::<HashMap<_, _>>()
        };
        let items = items.unwrap().into_iter().map(texts);
        items
            .filter(|item| item["job"] == job.to_string())
            .collect()
    }

    pub(super) async fn put_raw(&self, attributes: &[(&str, &str)]) {
        let value = |text: &str| match text.parse::<u32>() {
            Ok(_) => AttributeValue::N(text.to_owned()),
            Err(_) => AttributeValue::S(text.to_owned()),
        };
        let item = attributes
            .iter()
            .map(|(name, text)| ((*name).to_owned(), value(text)));
        let request = self.raw().put_item().table_name(EXPORTS_TABLE);
        request.set_item(Some(item.collect())).send().await.unwrap();
    }
}
