//! Everything that the service needs, on one machine and in one folder: DynamoDB, Azurite, lake,
//! keys, API and pump.

mod functions;

use std::fs::{File, OpenOptions, TryLockError};
use std::io::ErrorKind;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use aws_config::SdkConfig;
use aws_lc_rs::rand::{SecureRandom, SystemRandom};
use client::blobs::BlobsError;
use domain::secret::Secret;
use ports::clock::Clock;
use ports::store::{Grant, Grants, Role, StoreError};
use thiserror::Error;
use tokio::net::TcpListener;
use tokio_util::task::AbortOnDropHandle;
use url::Url;
use wiring::config::{self, Environment};
use wiring::{SystemClock, Wiring, WiringError};

use self::functions::{InProcess, expire_hourly};
use crate::azurite::{Azurite, AzuriteError, AzuriteSettings, default_install};
use crate::dynamodb::{
    DynamoDbError, EXPORTS_TABLE, EmbeddedDynamoDb, REGISTRY_TABLE, create_tables,
};
use crate::gateway::cors::Cors;
use crate::gateway::{Authorizer, Gateway};
use crate::pump::{Pump, PumpError, PumpSettings};
use crate::sas::{self, PolicyError, SasTerms};
use crate::token::{AUDIENCE, ISSUER, TokenError, TokenIssuer, write_secret};

/// The container that exports are written into.
pub const CONTAINER: &str = "exports";

/// Who the stack's tokens are for; granted everything.
pub const SUBJECT: &str = "operator";

/// Source bytes that a chunk is packed up to where nobody asks for anything else: the sample's days
/// are of several chunks then.
const SAMPLE_CHUNK_BYTES: u64 = 256 * 1024;

/// Where the stack lives and listens.
#[derive(Debug, Clone)]
pub struct StackSettings {
    /// The folder of its whole state.
    pub folder: PathBuf,
    /// The API's port; 0 is any free one.
    pub api_port: u16,
    /// Whose pages in a browser may talk to the API.
    pub cors: Cors,
    /// Azurite's port; without one, any free one. Jobs remember it.
    pub blob_port: Option<u16>,
    /// Source bytes that a chunk is packed up to.
    pub chunk_target_bytes: u64,
    /// Settings of the functions that are not to be as they are by default.
    pub functions: Vec<(&'static str, String)>,
}

impl StackSettings {
    /// A stack in this folder, on free ports, for callers that are no pages, with the functions'
    /// defaults.
    pub fn in_folder(folder: &Path) -> Self {
        Self {
            folder: folder.to_owned(),
            api_port: 0,
            cors: Cors::default(),
            blob_port: None,
            chunk_target_bytes: SAMPLE_CHUNK_BYTES,
            functions: Vec::new(),
        }
    }
}

/// Why the stack does not start.
#[derive(Debug, Error)]
pub enum StackError {
    /// The API's port is taken.
    #[error(
        "the API cannot listen on port {port}: stop what does, or name another one with --port"
    )]
    Port {
        /// The port asked for.
        port: u16,
        /// What the system says.
        #[source]
        source: std::io::Error,
    },
    /// A folder or a file cannot be used.
    #[error("{what} cannot be used")]
    Io {
        /// The path of the folder or file.
        what: String,
        /// What the system says.
        #[source]
        source: std::io::Error,
    },
    /// Another process works on the state.
    #[error(
        "{folder} is in use by another `serve` or `sample`: stop that one, or name another folder with --state"
    )]
    InUse {
        /// The absolute path of the state's folder.
        folder: String,
    },
    /// A setting that is the stack's own to make.
    #[error("{name} is given in the environment, and this command sets it itself: unset it")]
    OwnSetting {
        /// The name of the environment variable, such as `LAKE_URL`.
        name: &'static str,
    },
    /// The folder has no absolute path.
    #[error("{0} is no place for the state")]
    Folder(String),
    /// No key could be drawn.
    #[error("no key could be drawn")]
    Draw,
    /// The embedded DynamoDB does not start, or its tables cannot be made.
    #[error(transparent)]
    DynamoDb(#[from] DynamoDbError),
    /// Azurite is not installed, ends at its start or does not answer.
    #[error(transparent)]
    Azurite(#[from] AzuriteError),
    /// The container of the exports cannot be made.
    #[error(transparent)]
    Container(#[from] BlobsError),
    /// A setting of the functions does not fit, or an adapter cannot work here.
    #[error(transparent)]
    Wiring(#[from] WiringError),
    /// The event pump cannot read the exports table or its stream.
    #[error(transparent)]
    Pump(#[from] PumpError),
    /// The key that signs tokens cannot be read, drawn or used.
    #[error(transparent)]
    Token(#[from] TokenError),
    /// The exports table does not take the operator's grant.
    #[error("the operator cannot be granted anything")]
    Grant(#[from] StoreError),
}

/// The places within the state's folder.
#[derive(Debug, Clone)]
pub struct Places {
    folder: PathBuf,
}

impl Places {
    /// Makes the folders that are missing.
    ///
    /// # Errors
    /// [`StackError::Io`] when one cannot be made.
    pub fn make(folder: &Path) -> Result<Self, StackError> {
        let io = |source| StackError::Io {
            what: folder.display().to_string(),
            source,
        };
        std::fs::create_dir_all(folder).map_err(io)?;
        let places = Self {
            folder: folder.canonicalize().map_err(io)?,
        };
        for made in [places.lake(), places.logs()] {
            std::fs::create_dir_all(made).map_err(io)?;
        }
        Ok(places)
    }

    /// The places within a folder, of which none need exist.
    pub fn at(folder: &Path) -> Self {
        Self {
            folder: folder.to_owned(),
        }
    }

    /// Takes the state for this process, as long as the file is open: the system gives it back
    /// however the process ends (<https://doc.rust-lang.org/std/fs/struct.File.html#method.try_lock>).
    fn lock(&self) -> Result<File, StackError> {
        let path = self.folder.join("lock");
        let io = |source| StackError::Io {
            what: path.display().to_string(),
            source,
        };
        let file = OpenOptions::new()
            .create(true)
            .truncate(false)
            .write(true)
            .open(&path)
            .map_err(io)?;
        match file.try_lock() {
            Ok(()) => Ok(file),
            Err(TryLockError::WouldBlock) => Err(StackError::InUse {
                folder: self.folder.display().to_string(),
            }),
            Err(TryLockError::Error(source)) => Err(io(source)),
        }
    }

    /// The raw data of the past.
    pub fn lake(&self) -> PathBuf {
        self.folder.join("lake")
    }

    /// The folder of the commands' log, `service.log`.
    pub fn logs(&self) -> PathBuf {
        self.folder.join("logs")
    }

    /// The file of both tables, a database of the embedded engine.
    pub fn dynamodb(&self) -> PathBuf {
        self.folder.join("dynamodb.sqlite")
    }

    /// The key that tokens are signed with.
    pub fn token_key(&self) -> PathBuf {
        self.folder.join("token-rsa.der")
    }

    fn seal_key(&self) -> PathBuf {
        self.folder.join("seal-key.hex")
    }

    fn azurite(&self) -> PathBuf {
        self.folder.join("azurite")
    }
}

/// The running service. Dropping it stops everything.
pub struct Stack {
    /// The places of its state.
    pub places: Places,
    /// The SDK's configuration for its DynamoDB.
    pub config: SdkConfig,
    /// What its tables are in.
    pub dynamodb: EmbeddedDynamoDb,
    tokens: TokenIssuer,
    // Dropped in this order: no caller, no new work, then what the work needs.
    gateway: Gateway,
    _pump: Pump,
    _schedule: AbortOnDropHandle<()>,
    azurite: Azurite,
    _lock: File,
}

impl Stack {
    /// Starts everything, with the state that the folder holds.
    ///
    /// # Errors
    /// [`StackError`], which says what does not start.
    pub async fn start(settings: &StackSettings) -> Result<Self, StackError> {
        let places = Places::make(&settings.folder)?;
        let lock = places.lock()?;
        let listener = listen(settings.api_port).await?;
        let url = format!(
            "http://{}",
            listener
                .local_addr()
                .map_err(|source| port_error(settings.api_port, source))?
        );
        let dynamodb = EmbeddedDynamoDb::start(&places.dynamodb()).await?;
        let config = dynamodb.sdk_config().await;
        create_tables(&config).await?;
        let azurite = start_azurite(&places, settings.blob_port).await?;
        let wiring = Wiring::new(
            environment(settings, &places, &azurite, &url)?,
            config.clone(),
        );
        grant_everything(&wiring).await?;
        let tokens = TokenIssuer::open(&places.token_key())?;
        let functions = Arc::new(InProcess::wire(&wiring)?);
        let pump_settings = PumpSettings::patient_person(EXPORTS_TABLE);
        let pump = Pump::start(
            pump_settings,
            &config,
            Arc::clone(&functions) as _,
            wiring.clock(),
        )
        .await?;
        let schedule = expire_hourly(expire_jobs::Ports::wire(&wiring)?);
        let authorizer = Authorizer {
            keys: tokens.keys().clone(),
            issuer: ISSUER.to_owned(),
            audience: AUDIENCE.to_owned(),
        };
        let gateway = Gateway::start(
            listener,
            authorizer,
            settings.cors.clone(),
            functions,
            wiring.clock(),
        )
        .map_err(|source| port_error(settings.api_port, source))?;
        Ok(Self {
            places,
            config,
            dynamodb,
            tokens,
            gateway,
            _pump: pump,
            _schedule: schedule,
            azurite,
            _lock: lock,
        })
    }

    /// The base of the API's URLs.
    pub fn api_url(&self) -> String {
        self.gateway.url()
    }

    /// A token that is valid for `ttl` from now on.
    ///
    /// # Errors
    /// [`TokenError`] when the key cannot sign.
    pub fn token(&self, ttl: std::time::Duration) -> Result<Secret, TokenError> {
        self.tokens.mint(SUBJECT, SystemClock.now(), ttl)
    }

    /// The container's URL with a signature for a day that permits as much.
    pub fn container_url(&self, permissions: &str) -> Secret {
        SasTerms::for_a_day(permissions).container_url(&self.azurite.endpoint(), CONTAINER)
    }

    /// The container's URL with a signature that its policy of that name governs.
    pub fn policy_url(&self, policy: &str) -> Secret {
        sas::policy_url(&self.azurite.endpoint(), CONTAINER, policy)
    }

    /// Makes the container keep these policies, by their names, and no others.
    ///
    /// # Errors
    /// [`PolicyError`]
    pub async fn keep_policies(&self, policies: &[(&str, &SasTerms)]) -> Result<(), PolicyError> {
        sas::keep_policies(&self.azurite.endpoint(), CONTAINER, policies).await
    }
}

fn port_error(port: u16, source: std::io::Error) -> StackError {
    StackError::Port { port, source }
}

async fn listen(port: u16) -> Result<TcpListener, StackError> {
    TcpListener::bind(("127.0.0.1", port))
        .await
        .map_err(|source| port_error(port, source))
}

async fn start_azurite(places: &Places, port: Option<u16>) -> Result<Azurite, StackError> {
    let settings = AzuriteSettings {
        install: default_install(),
        data: places.azurite(),
        port,
    };
    let azurite = Azurite::start(&settings).await?;
    azurite.create_container(CONTAINER).await?;
    Ok(azurite)
}

/// The functions' settings. Their time limit is short, so that the lease of a run that died with an
/// earlier process is soon over.
fn environment(
    settings: &StackSettings,
    places: &Places,
    azurite: &Azurite,
    url: &str,
) -> Result<Environment, StackError> {
    let lake = Url::from_directory_path(places.lake());
    let lake = lake.map_err(|()| StackError::Folder(places.lake().display().to_string()))?;
    let own = [
        (config::EXPORTS_TABLE.name, EXPORTS_TABLE.to_owned()),
        (config::REGISTRY_TABLE.name, REGISTRY_TABLE.to_owned()),
        (config::LAKE_URL.name, lake.to_string()),
        (
            config::SEAL_KEY_FILE.name,
            seal_key(places)?.display().to_string(),
        ),
        (config::EXTRA_BLOB_ENDPOINTS.name, azurite.endpoint()),
        (config::PUBLIC_URL.name, url.to_owned()),
    ];
    let by_default = [
        (config::FUNCTION_TIMEOUT_SECONDS.name, "60".to_owned()),
        (
            config::CHUNK_TARGET_BYTES.name,
            settings.chunk_target_bytes.to_string(),
        ),
    ];
    let given = &settings.functions;
    if let Some((name, _)) = own
        .iter()
        .find(|(name, _)| given.iter().any(|(given, _)| given == name))
    {
        return Err(StackError::OwnSetting { name });
    }
    let pairs = by_default.into_iter().chain(given.iter().cloned());
    Ok(Environment::from_pairs(pairs.chain(own)))
}

/// The file of the key that seals credentials, drawn at the first start.
fn seal_key(places: &Places) -> Result<PathBuf, StackError> {
    let path = places.seal_key();
    let mut key = [0; 32];
    SystemRandom::new()
        .fill(&mut key)
        .map_err(|_| StackError::Draw)?;
    match write_secret(&path, hex::encode(key).as_bytes()) {
        Ok(()) => Ok(path),
        Err(error) if error.kind() == ErrorKind::AlreadyExists => Ok(path),
        Err(source) => Err(StackError::Io {
            what: path.display().to_string(),
            source,
        }),
    }
}

async fn grant_everything(wiring: &Wiring) -> Result<(), StackError> {
    let store = exports_table::wire(wiring).map_err(WiringError::from)?;
    let grant = Grant {
        subject: SUBJECT.to_owned(),
        path: "/".to_owned(),
        role: Role::Contributor,
    };
    Ok(store.put_grant(&grant).await?)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::dynamodb::scratch_dir;

    #[test]
    fn a_state_is_free_again_when_its_holder_has_let_go() {
        let folder = scratch_dir().unwrap();
        let places = Places::make(folder.path()).unwrap();
        let held = places.lock().unwrap();
        assert!(matches!(places.lock(), Err(StackError::InUse { .. })));
        drop(held);
        places.lock().unwrap();
    }
}
