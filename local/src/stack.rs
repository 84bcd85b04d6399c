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
use crate::issuer::{Issuer, PublicClient};
use crate::pump::{Pump, PumpError, PumpSettings};
use crate::sample::APPS;
use crate::sas::{self, PolicyError, SasTerms};
use crate::token::{AUDIENCE, TokenError, TokenIssuer, write_secret};

/// The container that exports are written into.
pub const CONTAINER: &str = "exports";

/// Who the stack's tokens are for; granted everything.
pub const SUBJECT: &str = "operator";

/// What the issuer knows the page by.
pub const PAGE_CLIENT_ID: &str = "page";

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
    /// The issuer's port; 0 is any free one. Tokens name it.
    pub issuer_port: u16,
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
            issuer_port: 0,
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
    /// A port is taken.
    #[error(
        "{who} cannot listen on port {port}: stop what does, or name another one with {option}"
    )]
    Port {
        /// Who would listen there: `the API` or `the issuer`.
        who: &'static str,
        /// The option that names the port, such as `--port`.
        option: &'static str,
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
    fn token_key(&self) -> PathBuf {
        self.folder.join("token-rsa.der")
    }

    /// The URL of the issuer that the tokens name, as it was at the last start.
    fn issuer(&self) -> PathBuf {
        self.folder.join("issuer.txt")
    }

    /// Who signs the tokens of this state, for a process that does not run it.
    ///
    /// # Errors
    /// [`TokenError`] when nothing has run it yet, or the key cannot be read.
    pub fn token_issuer(&self) -> Result<TokenIssuer, TokenError> {
        let path = self.issuer();
        // Without it there is no key either, and that error says what to do.
        let issuer = match std::fs::read_to_string(&path) {
            Ok(issuer) => issuer,
            Err(error) if error.kind() == ErrorKind::NotFound => String::new(),
            Err(source) => {
                let path = path.display().to_string();
                return Err(TokenError::File { path, source });
            }
        };
        TokenIssuer::read(&self.token_key(), &issuer)
    }

    fn remember_issuer(&self, url: &str) -> Result<(), StackError> {
        let path = self.issuer();
        std::fs::write(&path, url).map_err(|source| StackError::Io {
            what: path.display().to_string(),
            source,
        })
    }

    /// What the command of the operators needs to know, to be read by a shell.
    pub(crate) fn operate(&self) -> PathBuf {
        self.folder.join("operate.sh")
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
    tokens: Arc<TokenIssuer>,
    // Dropped in this order: no caller, no new work, then what the work needs.
    gateway: Gateway,
    issuer: Issuer,
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
        let (api, issuer) = (
            API.listen(settings.api_port).await?,
            ISSUER.listen(settings.issuer_port).await?,
        );
        let dynamodb = EmbeddedDynamoDb::start(&places.dynamodb()).await?;
        let config = dynamodb.sdk_config().await;
        create_tables(&config).await?;
        let azurite = start_azurite(&places, settings.blob_port).await?;
        let urls = (api.url.as_str(), issuer.url.as_str());
        let wiring = Wiring::new(
            environment(settings, &places, &azurite, urls)?,
            config.clone(),
        );
        grant_everything(&wiring).await?;
        let tokens = Arc::new(TokenIssuer::open(&places.token_key(), &issuer.url)?);
        places.remember_issuer(&issuer.url)?;
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
        let page = PublicClient::page(&api.url)?;
        let issuer = issuer
            .serve(|listener| Issuer::start(listener, Arc::clone(&tokens), page, wiring.clock()))?;
        let authorizer = Authorizer {
            keys: tokens.keys().clone(),
            issuer: tokens.issuer().to_owned(),
            audience: AUDIENCE.to_owned(),
        };
        let cors = settings.cors.clone();
        let gateway = api.serve(|listener| {
            Gateway::start(listener, authorizer, cors, functions, wiring.clock())
        })?;
        Ok(Self {
            places,
            config,
            dynamodb,
            tokens,
            gateway,
            issuer,
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

    /// Where people look at exports in a browser.
    pub fn page_url(&self) -> String {
        format!("{}{}/", self.api_url(), get_page::ROOT)
    }

    /// Where people sign in, which the tokens name.
    pub fn issuer_url(&self) -> String {
        self.issuer.url()
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

/// Who listens on a port, and the option that names it.
struct Door {
    who: &'static str,
    option: &'static str,
}

const API: Door = Door {
    who: "the API",
    option: "--port",
};

const ISSUER: Door = Door {
    who: "the issuer",
    option: "--issuer-port",
};

impl Door {
    async fn listen(self, port: u16) -> Result<Open, StackError> {
        let listener = TcpListener::bind(("127.0.0.1", port)).await;
        let bound = listener.and_then(|listener| Ok((listener.local_addr()?, listener)));
        match bound {
            Ok((address, listener)) => Ok(Open {
                url: format!("http://{address}"),
                door: self,
                port,
                listener,
            }),
            Err(source) => Err(self.error(port, source)),
        }
    }

    fn error(self, port: u16, source: std::io::Error) -> StackError {
        let Self { who, option } = self;
        StackError::Port {
            who,
            option,
            port,
            source,
        }
    }
}

/// A port that is listened on, and by nobody served yet.
struct Open {
    url: String,
    door: Door,
    port: u16,
    listener: TcpListener,
}

impl Open {
    fn serve<S>(
        self,
        start: impl FnOnce(TcpListener) -> std::io::Result<S>,
    ) -> Result<S, StackError> {
        start(self.listener).map_err(|source| self.door.error(self.port, source))
    }
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

impl PublicClient {
    /// The page, at the addresses that a browser on this machine may know it by.
    fn page(api_url: &str) -> Result<Self, StackError> {
        let own = Url::parse(&format!("{api_url}{}/", get_page::ROOT));
        let own = own.map_err(|_| StackError::Folder(api_url.to_owned()))?;
        let mut by_name = own.clone();
        let redirects = match by_name.set_host(Some("localhost")) {
            Ok(()) => vec![own, by_name],
            Err(_) => vec![own],
        };
        Ok(Self {
            id: PAGE_CLIENT_ID,
            redirects,
            subject: SUBJECT,
        })
    }
}

/// The functions' settings. Their time limit is short, so that the lease of a run that died with an
/// earlier process is soon over.
fn environment(
    settings: &StackSettings,
    places: &Places,
    azurite: &Azurite,
    (api_url, issuer_url): (&str, &str),
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
        (config::PUBLIC_URL.name, api_url.to_owned()),
        (config::PAGE_ISSUER.name, issuer_url.to_owned()),
        (config::PAGE_CLIENT_ID.name, PAGE_CLIENT_ID.to_owned()),
    ];
    let [demo, ..] = APPS;
    let by_default = [
        (config::PAGE_APP.name, demo.path()),
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
