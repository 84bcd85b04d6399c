//! Which hosts are let in: a server-side request must never go where a client likes.

use thiserror::Error;
use url::Url;

use super::is_lower_alphanumeric;
use super::problem::{ContainerUrlProblem, shown, shown_host};

/// The blob endpoints of Azure's public, government and China clouds
/// (<https://learn.microsoft.com/en-us/azure/storage/common/storage-account-overview#standard-endpoints>).
const CLOUDS: [&str; 3] = [
    "blob.core.windows.net",
    "blob.core.usgovcloudapi.net",
    "blob.core.chinacloudapi.cn",
];

/// Behind the zone of an account with an Azure DNS zone endpoint: `{account}.z{00 to
/// 99}.blob.storage.azure.net` (<https://learn.microsoft.com/en-us/azure/storage/common/storage-account-overview#azure-dns-zone-endpoints>).
const DNS_ZONE: &str = "blob.storage.azure.net";

/// How the account's name ends in the host of its read-only copy.
const SECONDARY: &str = "-secondary";

/// How the hosts of `OneLake` end, the global and the regional ones
/// (<https://learn.microsoft.com/en-us/fabric/onelake/onelake-access-api#uri-syntax>).
const FABRIC: &str = ".fabric.microsoft.com";

/// An endpoint that configuration lets in, such as `http://127.0.0.1:10000/devstoreaccount1`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ExtraEndpoint {
    base: Url,
}

/// A configured endpoint that is none.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[error("an extra blob endpoint must be an http or https URL without user, query or fragment")]
pub struct BadEndpoint;

impl ExtraEndpoint {
    /// Reads an endpoint from configuration: scheme, host, port and, where the account is in the
    /// path, the account.
    ///
    /// # Errors
    /// [`BadEndpoint`] when it is not an http or https URL, or holds more than a place.
    pub fn parse(text: &str) -> Result<Self, BadEndpoint> {
        let base = Url::parse(text.trim_end_matches('/')).map_err(|_| BadEndpoint)?;
        let plain = base.query().is_none() && base.fragment().is_none() && !has_user(&base);
        if plain && base.has_host() && matches!(base.scheme(), "http" | "https") {
            Ok(Self { base })
        } else {
            Err(BadEndpoint)
        }
    }

    fn text(&self) -> &str {
        self.base.as_str().trim_end_matches('/')
    }

    fn admits<'u>(&self, url: &'u Url) -> Option<Endpoint<'u>> {
        let path = url
            .path()
            .strip_prefix(self.base.path().trim_end_matches('/'))?
            .strip_prefix('/')?;
        let same_origin = url.origin() == self.base.origin();
        same_origin.then(|| Endpoint {
            base: self.text().to_owned(),
            path,
            secure: url.scheme() == "https",
        })
    }
}

/// Where a URL leads, and what of it names the container.
pub(super) struct Endpoint<'u> {
    /// The URL up to the container, without a slash at its end.
    pub(super) base: String,
    /// The path behind `base`, without its first slash: the container, if the URL is right.
    pub(super) path: &'u str,
    /// Whether it is reached over https.
    pub(super) secure: bool,
}

/// Finds the endpoint of a URL.
pub(super) fn of<'u>(
    url: &'u Url,
    extra: &[ExtraEndpoint],
) -> Result<Endpoint<'u>, ContainerUrlProblem> {
    if has_user(url) {
        return Err(ContainerUrlProblem::Surplus {
            part: "a user name or password",
        });
    }
    if url.fragment().is_some() {
        return Err(ContainerUrlProblem::Surplus { part: "a fragment" });
    }
    if let Some(endpoint) = extra.iter().find_map(|endpoint| endpoint.admits(url)) {
        return Ok(endpoint);
    }
    of_azure(url)
}

fn of_azure(url: &Url) -> Result<Endpoint<'_>, ContainerUrlProblem> {
    if url.scheme() != "https" {
        return Err(ContainerUrlProblem::NotHttps {
            scheme: shown(url.scheme()),
        });
    }
    let host = url.host_str().unwrap_or_default();
    if !is_azure(host) {
        return Err(foreign(host));
    }
    if url.port().is_some() {
        return Err(ContainerUrlProblem::Surplus { part: "a port" });
    }
    let path = url.path().strip_prefix('/').unwrap_or_default();
    Ok(Endpoint {
        base: format!("https://{host}"),
        path,
        secure: true,
    })
}

/// What is wrong with a host that is no blob endpoint.
fn foreign(host: &str) -> ContainerUrlProblem {
    let is_secondary = host.split_once('.').is_some_and(|(account, rest)| {
        account
            .strip_suffix(SECONDARY)
            .is_some_and(|account| is_azure(&format!("{account}.{rest}")))
    });
    let host_shown = shown_host(host);
    if is_secondary {
        ContainerUrlProblem::SecondaryHost { host: host_shown }
    } else if host.ends_with(FABRIC) {
        ContainerUrlProblem::OneLakeHost { host: host_shown }
    } else {
        ContainerUrlProblem::UnknownHost { host: host_shown }
    }
}

fn has_user(url: &Url) -> bool {
    !url.username().is_empty() || url.password().is_some()
}

fn is_azure(host: &str) -> bool {
    host.split_once('.').is_some_and(|(account, rest)| {
        is_account(account) && (CLOUDS.contains(&rest) || is_zone(rest))
    })
}

/// Three to 24 lower-case letters and digits, which shuts out the read-only `{account}-secondary`
/// (<https://learn.microsoft.com/en-us/azure/storage/common/storage-account-overview#storage-account-name>).
fn is_account(name: &str) -> bool {
    (3..=24).contains(&name.len()) && name.bytes().all(is_lower_alphanumeric)
}

fn is_zone(host: &str) -> bool {
    host.split_once('.').is_some_and(|(zone, rest)| {
        rest == DNS_ZONE
            && zone.strip_prefix('z').is_some_and(|number| {
                number.len() == 2 && number.bytes().all(|b| b.is_ascii_digit())
            })
    })
}
