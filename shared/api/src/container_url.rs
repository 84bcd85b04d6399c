//! Reads the container URL that a client gives, and refuses one that could not work before a job is
//! made of it.
//!
//! A container URL is
//! `https://{account}.blob.core.windows.net/{container}[/{folder}…]?{shared access signature}`. What
//! the URL alone shows is checked here; the rest is found out by writing.

mod endpoint;
mod folder;
mod problem;
mod signature;

use domain::container::{ContainerAccess, ContainerAddress};
use domain::secret::Secret;
use time::OffsetDateTime;
use url::Url;
use wiring::config::{ConfigError, EXTRA_BLOB_ENDPOINTS, Environment};

pub use self::endpoint::{BadEndpoint, ExtraEndpoint};
pub use self::problem::ContainerUrlProblem;
use self::problem::shown_place;
use self::signature::Found;

/// The longest signature accepted, in bytes: what the key service encrypts in one call, which is
/// 4,096 bytes (<https://docs.aws.amazon.com/kms/latest/APIReference/API_Encrypt.html>).
const MAX_SIGNATURE_BYTES: usize = 4_096;

/// The containers that Azure makes for purposes of its own, and why no export goes there.
const SPECIAL: [(&str, &str); 4] = [
    // https://learn.microsoft.com/en-us/azure/storage/blobs/storage-blob-static-website
    (
        "$web",
        "is the public website of the account: everybody could read the export",
    ),
    // https://learn.microsoft.com/en-us/rest/api/storageservices/working-with-the-root-container
    (
        "$root",
        "takes no blobs with a slash in their names, which the files of an export have",
    ),
    // https://learn.microsoft.com/en-us/rest/api/storageservices/about-storage-analytics-logging
    ("$logs", "is kept by Azure for its own logs"),
    // https://learn.microsoft.com/en-us/azure/storage/blobs/storage-blob-change-feed
    ("$blobchangefeed", "is kept by Azure for its change feed"),
];

/// Which container URLs are accepted: those of Azure Storage, and those below the extra endpoints.
#[derive(Debug, Clone, Default)]
pub struct ContainerUrlRules {
    /// Endpoints beside Azure's own, by configuration only: how an emulator is let in.
    pub extra_endpoints: Vec<ExtraEndpoint>,
}

/// A container URL that may work.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CheckedContainerUrl {
    /// The container and the signature to write into it.
    pub access: ContainerAccess,
    /// The permissions that the signature says, a letter each, in its order; absent when only its
    /// stored access policy knows them.
    pub permissions: Option<String>,
    /// When the signature expires; absent when only its stored access policy knows.
    pub expires: Option<OffsetDateTime>,
}

impl ContainerUrlRules {
    /// Reads the extra endpoints from the settings.
    ///
    /// # Errors
    /// [`ConfigError`] when one is not a URL.
    pub fn of(env: &Environment) -> Result<Self, ConfigError> {
        let texts = env.get(&EXTRA_BLOB_ENDPOINTS)?.unwrap_or_default();
        let endpoints = texts
            .split(',')
            .filter(|text| !text.is_empty())
            .map(ExtraEndpoint::parse);
        let extra_endpoints = endpoints.collect::<Result<_, _>>();
        let refused = |error: BadEndpoint| EXTRA_BLOB_ENDPOINTS.refused(&texts, error);
        Ok(Self {
            extra_endpoints: extra_endpoints.map_err(refused)?,
        })
    }

    /// Checks a container URL as given by a client, at the moment `now`.
    ///
    /// # Errors
    /// The first [`ContainerUrlProblem`] found: place before signature, form before content.
    pub fn check(
        &self,
        text: &str,
        now: OffsetDateTime,
    ) -> Result<CheckedContainerUrl, ContainerUrlProblem> {
        let url = Url::parse(text).map_err(|_| ContainerUrlProblem::NotAUrl)?;
        let endpoint = endpoint::of(&url, &self.extra_endpoints)?;
        let path = endpoint.path.strip_suffix('/').unwrap_or(endpoint.path);
        let (container, folder) = match path.split_once('/') {
            Some((container, folder)) => (container, Some(folder)),
            None => (path, None),
        };
        let container = container_name(container)?;
        let folder = folder.map(folder::read).transpose()?.unwrap_or_default();
        let query = url
            .query()
            .filter(|query| !query.is_empty())
            .ok_or(ContainerUrlProblem::SignatureMissing)?;
        if query.starts_with('?') {
            return Err(ContainerUrlProblem::Surplus {
                part: "a second question mark in front of the signature",
            });
        }
        if query.len() > MAX_SIGNATURE_BYTES {
            return Err(ContainerUrlProblem::TooLong {
                length: query.len(),
                limit: MAX_SIGNATURE_BYTES,
            });
        }
        let Found {
            permissions,
            expires,
        } = signature::check(query, folder.levels, endpoint.secure, now)?;
        let address = format!("{}/{container}{}", endpoint.base, folder.path);
        let address = ContainerAddress::new(address);
        Ok(CheckedContainerUrl {
            access: ContainerAccess {
                address,
                signature: Secret::new(query),
            },
            permissions,
            expires,
        })
    }
}

/// The first segment of the path, if it is a valid container name: 3 to 63 lower-case letters, digits
/// and single hyphens (<https://learn.microsoft.com/en-us/rest/api/storageservices/naming-and-referencing-containers--blobs--and-metadata#container-names>).
fn container_name(name: &str) -> Result<&str, ContainerUrlProblem> {
    if name.is_empty() {
        return Err(ContainerUrlProblem::NoContainer);
    }
    if let Some((name, why)) = SPECIAL.into_iter().find(|(special, _)| *special == name) {
        return Err(ContainerUrlProblem::SpecialContainer { name, why });
    }
    let words_are_plain = name
        .split('-')
        .all(|word| !word.is_empty() && word.bytes().all(is_lower_alphanumeric));
    if (3..=63).contains(&name.len()) && words_are_plain {
        Ok(name)
    } else {
        Err(ContainerUrlProblem::BadContainerName {
            name: shown_place(name),
        })
    }
}

fn is_lower_alphanumeric(byte: u8) -> bool {
    byte.is_ascii_lowercase() || byte.is_ascii_digit()
}

#[cfg(test)]
mod tests;
