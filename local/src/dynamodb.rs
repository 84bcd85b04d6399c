//! DynamoDB in this process: an embedded engine behind DynamoDB's own wire protocol, so that the
//! SDK code is the one of the cloud.

#![expect(
    clippy::disallowed_types,
    reason = "this is the adapter that makes the tables"
)]

use std::path::{Path, PathBuf};
use std::time::Duration;

use aws_config::{BehaviorVersion, Region, SdkConfig};
use aws_sdk_dynamodb::Client;
use aws_sdk_dynamodb::config::Credentials;
use aws_sdk_dynamodb::error::SdkError;
use aws_sdk_dynamodb::operation::create_table::CreateTableError;
use aws_sdk_dynamodb::types::{
    AttributeDefinition, BillingMode, KeySchemaElement, KeyType, ScalarAttributeType,
    StreamSpecification, StreamViewType, TimeToLiveSpecification,
};
use domain::cause::Cause;
use dynoxide::Database;
use dynoxide::errors::DynoxideError;
use sources::registry::Registry;
use tempfile::TempDir;
use thiserror::Error;
use time::OffsetDateTime;
use tokio::net::TcpListener;
use tokio::sync::oneshot;
use wiring::config::REGISTRY_SEGMENTS;

/// The table of jobs, chunks and grants, as the local stack names it.
pub const EXPORTS_TABLE: &str = "exports";

/// The table of devices, campaigns and feedback, as the local stack names it.
pub const REGISTRY_TABLE: &str = "registry";

/// The attribute of the exports table by which items expire.
pub(crate) const TTL_ATTRIBUTE: &str = "ttl";

/// The region that the local stack claims to be in.
pub const REGION: &str = "us-east-1";

/// Stream records deleted by one statement, so that the engine's own writes never wait long for the
/// file's lock.
const TRIM_BATCH: usize = 2_000;

/// Why the embedded engine cannot be used.
#[derive(Debug, Error)]
pub enum DynamoDbError {
    /// The file cannot be opened or holds something else.
    #[error("the DynamoDB file {path} cannot be opened")]
    File {
        /// The path of the engine's file.
        path: String,
        /// What the engine says.
        source: DynoxideError,
    },
    /// The port is taken, or there is no loopback interface.
    #[error("DynamoDB cannot listen on port {port}")]
    Port {
        /// The port asked for; 0 is any free one.
        port: u16,
        /// What the system says.
        #[source]
        source: std::io::Error,
    },
    /// The engine's file refused a statement.
    #[error("the DynamoDB file refused a statement")]
    Statement(#[from] rusqlite::Error),
    /// A table could not be made.
    #[error("the table {table} cannot be made")]
    Table {
        /// Its name: `exports` or `registry`.
        table: &'static str,
        /// What the SDK says.
        source: Cause,
    },
    /// The engine does not change how it writes.
    #[error("bulk loading cannot be switched")]
    Bulk(#[source] DynoxideError),
    /// Expired items could not be deleted.
    #[error("expired items cannot be deleted")]
    Expiry(#[source] DynoxideError),
}

/// A fresh folder that is gone when dropped, in memory where the system has such a place: an
/// embedded table writes through to its file at every transaction.
///
/// # Errors
/// When the folder cannot be made.
pub fn scratch_dir() -> std::io::Result<TempDir> {
    let memory = Path::new("/dev/shm");
    let builder = tempfile::Builder::new()
        .prefix("engagement-export-")
        .to_owned();
    if memory.is_dir() {
        builder.tempdir_in(memory)
    } else {
        builder.tempdir()
    }
}

/// The SDK's configuration for an engine on this machine, which looks at no signature.
pub async fn aws_config(endpoint: &str) -> SdkConfig {
    let credentials = Credentials::new("local", "local", None, None, "local");
    aws_config::defaults(BehaviorVersion::latest())
        .endpoint_url(endpoint)
        .region(Region::new(REGION))
        .credentials_provider(credentials)
        .load()
        .await
}

/// The registry in its table, to be filled.
pub fn registry(config: &SdkConfig) -> Registry {
    Registry::new(
        Client::new(config),
        REGISTRY_TABLE,
        REGISTRY_SEGMENTS.default,
    )
}

/// A running engine on a file; dropping it stops the server.
pub struct EmbeddedDynamoDb {
    endpoint: String,
    path: PathBuf,
    database: Database,
    _stop: oneshot::Sender<()>,
}

impl EmbeddedDynamoDb {
    /// Starts on a free port of 127.0.0.1, with the tables of an earlier run if the file has any.
    ///
    /// # Errors
    /// [`DynamoDbError`] when the file or the port cannot be used.
    pub async fn start(path: &Path) -> Result<Self, DynamoDbError> {
        Self::start_on(path, 0).await
    }

    /// Starts on a given port of 127.0.0.1.
    ///
    /// # Errors
    /// [`DynamoDbError`] when the file or the port cannot be used.
    pub(crate) async fn start_on(path: &Path, port: u16) -> Result<Self, DynamoDbError> {
        let listen_error = |source| DynamoDbError::Port { port, source };
        let name = path.display().to_string();
        let database = Database::new(&name).map_err(|source| DynamoDbError::File {
            path: name.clone(),
            source,
        })?;
        index_stream_records(path)?;
        let listener = TcpListener::bind(("127.0.0.1", port))
            .await
            .map_err(listen_error)?;
        let address = listener.local_addr().map_err(listen_error)?;
        let (stop, stopped) = oneshot::channel::<()>();
        let until_dropped = async move { drop(stopped.await) };
        let served = database.clone();
        tokio::spawn(async move {
            dynoxide::server::serve_with_shutdown(listener, served, until_dropped).await
        });
        Ok(Self {
            endpoint: format!("http://{address}"),
            path: path.to_owned(),
            database,
            _stop: stop,
        })
    }

    /// The URL that the engine answers at.
    pub fn endpoint(&self) -> &str {
        &self.endpoint
    }

    /// The SDK's configuration for this engine.
    pub async fn sdk_config(&self) -> SdkConfig {
        aws_config(&self.endpoint).await
    }

    /// Deletes stream records that are older than `age`, which DynamoDB does after a day
    /// (<https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/Streams.html>) and the engine never does.
    /// The youngest record stays: the next one is numbered after it.
    ///
    /// # Errors
    /// [`DynamoDbError::Statement`] when the file is locked for long.
    pub(crate) fn trim_stream(
        &self,
        now: OffsetDateTime,
        age: Duration,
    ) -> Result<usize, DynamoDbError> {
        let connection = connect(&self.path)?;
        let before = (now - age).unix_timestamp();
        let statement = format!(
            "DELETE FROM _stream_records WHERE id IN (SELECT id FROM _stream_records WHERE created_at < ?1 \
             AND id < (SELECT MAX(id) FROM _stream_records) LIMIT {TRIM_BATCH})"
        );
        let mut trimmed = 0;
        loop {
            let deleted = connection.execute(&statement, [before])?;
            trimmed += deleted;
            if deleted < TRIM_BATCH {
                return Ok(trimmed);
            }
        }
    }

    /// Does not wait for the disk from now on, for loading what can be loaded anew; or does so
    /// again at checkpoints, which survives the end of this process at any moment.
    ///
    /// # Errors
    /// [`DynamoDbError::Bulk`] when the engine refuses.
    pub(crate) fn set_bulk_loading(&self, on: bool) -> Result<(), DynamoDbError> {
        let done = if on {
            self.database.enable_bulk_loading()
        } else {
            self.database.disable_bulk_loading()
        };
        done.map_err(DynamoDbError::Bulk)
    }

    /// Deletes the items whose time to live is over, which the engine does only when asked to.
    ///
    /// # Errors
    /// [`DynamoDbError::Expiry`] when the engine refuses.
    pub(crate) fn delete_expired(&self) -> Result<usize, DynamoDbError> {
        self.database.sweep_ttl().map_err(DynamoDbError::Expiry)
    }
}

/// A second connection to the engine's file.
fn connect(path: &Path) -> Result<rusqlite::Connection, rusqlite::Error> {
    let connection = rusqlite::Connection::open(path)?;
    connection.busy_timeout(Duration::from_secs(10))?;
    Ok(connection)
}

/// The engine looks for the highest sequence number at every write, and has no index for it:
/// without this one, a transaction takes ten times longer after 10,000 records.
fn index_stream_records(path: &Path) -> Result<(), rusqlite::Error> {
    connect(path)?.execute_batch(
        "CREATE INDEX IF NOT EXISTS sr_seq ON _stream_records(table_name, CAST(sequence_number AS INTEGER))",
    )
}

/// Makes both tables as the template does, unless they are there.
///
/// # Errors
/// [`DynamoDbError::Table`] when DynamoDB refuses.
pub async fn create_tables(config: &SdkConfig) -> Result<(), DynamoDbError> {
    let client = Client::new(config);
    let stream = StreamSpecification::builder()
        .stream_enabled(true)
        .stream_view_type(StreamViewType::NewImage);
    let stream = stream
        .build()
        .map_err(|error| table_error(EXPORTS_TABLE, error))?;
    if create_table(&client, EXPORTS_TABLE, Some(stream)).await? {
        enable_ttl(&client).await?;
    }
    create_table(&client, REGISTRY_TABLE, None).await?;
    Ok(())
}

fn table_error(table: &'static str, error: impl Into<Cause>) -> DynamoDbError {
    DynamoDbError::Table {
        table,
        source: error.into(),
    }
}

/// Whether the table had to be made.
async fn create_table(
    client: &Client,
    table: &'static str,
    stream: Option<StreamSpecification>,
) -> Result<bool, DynamoDbError> {
    let refused = |error: aws_sdk_dynamodb::error::BuildError| table_error(table, error);
    let text = |name: &str| {
        AttributeDefinition::builder()
            .attribute_name(name)
            .attribute_type(ScalarAttributeType::S)
            .build()
    };
    let key = |name: &str, kind: KeyType| {
        KeySchemaElement::builder()
            .attribute_name(name)
            .key_type(kind)
            .build()
    };
    let request = client
        .create_table()
        .table_name(table)
        .billing_mode(BillingMode::PayPerRequest)
        .attribute_definitions(text("pk").map_err(refused)?)
        .attribute_definitions(text("sk").map_err(refused)?)
        .key_schema(key("pk", KeyType::Hash).map_err(refused)?)
        .key_schema(key("sk", KeyType::Range).map_err(refused)?)
        .set_stream_specification(stream);
    match request.send().await {
        Ok(_) => Ok(true),
        Err(SdkError::ServiceError(error))
            if matches!(error.err(), CreateTableError::ResourceInUseException(_)) =>
        {
            Ok(false)
        }
        Err(error) => Err(table_error(table, error)),
    }
}

async fn enable_ttl(client: &Client) -> Result<(), DynamoDbError> {
    let ttl = TimeToLiveSpecification::builder()
        .attribute_name(TTL_ATTRIBUTE)
        .enabled(true);
    let ttl = ttl
        .build()
        .map_err(|error| table_error(EXPORTS_TABLE, error))?;
    let request = client
        .update_time_to_live()
        .table_name(EXPORTS_TABLE)
        .time_to_live_specification(ttl);
    request
        .send()
        .await
        .map(drop)
        .map_err(|error| table_error(EXPORTS_TABLE, error))
}

#[cfg(test)]
mod tests {
    use aws_sdk_dynamodb::types::AttributeValue;

    use super::*;

    async fn put(client: &Client, key: &str) {
        let text = |value: &str| AttributeValue::S(value.to_owned());
        let item = client
            .put_item()
            .table_name(EXPORTS_TABLE)
            .item("pk", text(key))
            .item("sk", text("x"));
        item.send().await.unwrap();
    }

    async fn count(client: &Client) -> i32 {
        client
            .scan()
            .table_name(EXPORTS_TABLE)
            .send()
            .await
            .unwrap()
            .count()
    }

    #[tokio::test]
    async fn items_survive_a_restart_and_tables_are_made_once() {
        let folder = scratch_dir().unwrap();
        let path = folder.path().join("dynamodb.sqlite");
        for expected in 1..=2 {
            let dynamodb = EmbeddedDynamoDb::start(&path).await.unwrap();
            let config = dynamodb.sdk_config().await;
            create_tables(&config).await.unwrap();
            let client = Client::new(&config);
            put(&client, &format!("item {expected}")).await;
            assert_eq!(count(&client).await, expected);
        }
    }

    #[tokio::test]
    async fn trimming_leaves_young_stream_records_and_the_last_one() {
        let folder = scratch_dir().unwrap();
        let path = folder.path().join("dynamodb.sqlite");
        let dynamodb = EmbeddedDynamoDb::start(&path).await.unwrap();
        let config = dynamodb.sdk_config().await;
        create_tables(&config).await.unwrap();
        let client = Client::new(&config);
        for key in ["a", "b", "c"] {
            put(&client, key).await;
        }
        let now = OffsetDateTime::from(
            std::time::UNIX_EPOCH + std::time::Duration::from_secs(4_000_000_000),
        );
        assert_eq!(
            dynamodb
                .trim_stream(OffsetDateTime::UNIX_EPOCH, Duration::ZERO)
                .unwrap(),
            0
        );
        assert_eq!(
            dynamodb.trim_stream(now, Duration::from_mins(1)).unwrap(),
            2
        );
        assert_eq!(
            dynamodb.trim_stream(now, Duration::from_mins(1)).unwrap(),
            0
        );
        assert_eq!(count(&client).await, 3);
    }

    #[tokio::test]
    async fn a_dropped_engine_no_longer_answers() {
        let folder = scratch_dir().unwrap();
        let dynamodb = EmbeddedDynamoDb::start(&folder.path().join("db"))
            .await
            .unwrap();
        let address = dynamodb.endpoint().trim_start_matches("http://").to_owned();
        assert!(tokio::net::TcpStream::connect(&address).await.is_ok());
        drop(dynamodb);
        while tokio::net::TcpStream::connect(&address).await.is_ok() {
            tokio::task::yield_now().await;
        }
    }
}
