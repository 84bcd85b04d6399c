//! Everything that the service needs, on one machine and in one folder: DynamoDB, Azurite, lake,
//! keys, API and pump.

mod doors;
mod environment;
mod error;
mod functions;
mod places;

use std::fs::File;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use aws_config::SdkConfig;
use domain::secret::Secret;
use ports::clock::Clock;
use ports::store::{Grant, Grants, Role};
use tokio_util::task::AbortOnDropHandle;
use url::Url;
use wiring::{SystemClock, Wiring, WiringError};

use self::doors::{API, ISSUER};
use self::environment::environment;
pub use self::error::StackError;
use self::functions::{InProcess, expire_hourly};
pub use self::places::Places;
use crate::azurite::{Azurite, AzuriteSettings, default_install};
use crate::dynamodb::{EXPORTS_TABLE, EmbeddedDynamoDb, create_tables};
use crate::gateway::cors::Cors;
use crate::gateway::{Authorizer, Gateway};
use crate::issuer::{Issuer, PublicClient};
use crate::pump::{Pump, PumpSettings};
use crate::sas::{self, PolicyError, SasTerms};
use crate::token::{AUDIENCE, TokenError, TokenIssuer};

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

async fn grant_everything(wiring: &Wiring) -> Result<(), StackError> {
    let store = exports_table::wire(wiring).map_err(WiringError::from)?;
    let grant = Grant {
        subject: SUBJECT.to_owned(),
        path: "/".to_owned(),
        role: Role::Contributor,
    };
    Ok(store.put_grant(&grant).await?)
}
