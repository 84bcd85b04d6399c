//! What the functions are given as their environment.

use std::io::ErrorKind;
use std::path::PathBuf;

use aws_lc_rs::rand::{SecureRandom, SystemRandom};
use url::Url;
use wiring::config::{self, Environment};

use super::{PAGE_CLIENT_ID, Places, StackError, StackSettings};
use crate::azurite::Azurite;
use crate::dynamodb::{EXPORTS_TABLE, REGISTRY_TABLE};
use crate::sample::APPS;
use crate::token::write_secret;

/// The functions' settings. Their time limit is short, so that the lease of a run that died with an
/// earlier process is soon over.
pub(super) fn environment(
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
