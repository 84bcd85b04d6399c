//! Shared access signatures for Azurite's development account.
//!
//! Signed as in <https://learn.microsoft.com/en-us/rest/api/storageservices/create-service-sas#version-2020-12-06-and-later>
//! and <https://learn.microsoft.com/en-us/rest/api/storageservices/create-account-sas#construct-the-signature-string>.

mod stored;

pub use stored::{PolicyError, keep_policies, policy_url};

use aws_lc_rs::hmac;
use base64::Engine;
use base64::prelude::BASE64_STANDARD;
use domain::secret::Secret;
use ports::clock::Clock;
use time::format_description::BorrowedFormatItem;
use time::macros::format_description;
use time::{Duration, OffsetDateTime};
use wiring::SystemClock;

/// The account that every Azurite knows.
pub(crate) const ACCOUNT: &str = "devstoreaccount1";

/// Its key, published and worth nothing elsewhere
/// (<https://learn.microsoft.com/en-us/azure/storage/common/storage-use-azurite#well-known-storage-account-and-key>).
const KEY: &str =
    "Eby8vdM02xNOcqFlqUwJPLlmEtlCDXJ1OUzFT50uSRZ6IFsuFq2UVErCz4I6tq/K1SZFPTOtr/KBHBeksoGMGw==";

/// The service version that the signatures are made for.
const VERSION: &str = "2023-11-03";

/// What a signature allows, and when.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SasTerms {
    /// `sp`, in the order that storage wants: of `racwdl`.
    pub permissions: String,
    /// `st`: valid at once when absent.
    pub start: Option<OffsetDateTime>,
    /// `se`: may lie in the past.
    pub expiry: OffsetDateTime,
    /// `spr`: `https`, or `https,http`, which is also what its absence means.
    pub protocol: Option<String>,
}

impl SasTerms {
    /// Terms from now on for a day.
    pub fn for_a_day(permissions: &str) -> Self {
        let expiry = SystemClock.now() + Duration::DAY;
        Self {
            permissions: permissions.to_owned(),
            start: None,
            expiry,
            protocol: None,
        }
    }

    /// The URL of a container below an endpoint of the development account, with a signature for
    /// this container.
    pub fn container_url(&self, endpoint: &str, container: &str) -> Secret {
        let (start, expiry, protocol) = self.fields();
        let resource = format!("/blob/{ACCOUNT}/{container}");
        // Permissions, start, expiry, resource, policy, addresses, protocol, version, kind, then
        // seven unused fields.
        let fields = [
            &self.permissions,
            &start,
            &expiry,
            &resource,
            "",
            "",
            &protocol,
            VERSION,
            "c",
        ];
        let signature = sign(&format!("{}{}", fields.join("\n"), "\n".repeat(7)));
        self.url(endpoint, container, &[("sr", "c"), ("sig", &signature)])
    }

    /// The same with a signature for all blobs and containers of the account.
    pub fn account_url(&self, endpoint: &str, container: &str) -> Secret {
        let (start, expiry, protocol) = self.fields();
        // Account, permissions, services, resource types, start, expiry, addresses, protocol,
        // version, encryption.
        let fields = [
            ACCOUNT,
            &self.permissions,
            "b",
            "sco",
            &start,
            &expiry,
            "",
            &protocol,
            VERSION,
            "",
        ];
        let signature = sign(&format!("{}\n", fields.join("\n")));
        self.url(
            endpoint,
            container,
            &[("ss", "b"), ("srt", "sco"), ("sig", &signature)],
        )
    }

    fn fields(&self) -> (String, String, String) {
        let start = self.start.map(moment).unwrap_or_default();
        (
            start,
            moment(self.expiry),
            self.protocol.clone().unwrap_or_default(),
        )
    }

    fn url(&self, endpoint: &str, container: &str, last: &[(&str, &str)]) -> Secret {
        let (start, expiry, protocol) = self.fields();
        let first = [
            ("sv", VERSION),
            ("sp", &self.permissions),
            ("st", &start),
            ("se", &expiry),
            ("spr", &protocol),
        ];
        let pairs = first
            .iter()
            .chain(last)
            .filter(|(_, value)| !value.is_empty());
        let query = url::form_urlencoded::Serializer::new(String::new())
            .extend_pairs(pairs)
            .finish();
        Secret::new(format!("{endpoint}/{container}?{query}"))
    }
}

const SECONDS: &[BorrowedFormatItem<'_>] =
    format_description!("[year]-[month]-[day]T[hour]:[minute]:[second]Z");

fn moment(at: OffsetDateTime) -> String {
    at.to_offset(time::UtcOffset::UTC)
        .format(SECONDS)
        .unwrap_or_default()
}

fn sign(text: &str) -> String {
    let key = BASE64_STANDARD.decode(KEY).unwrap_or_default();
    let key = hmac::Key::new(hmac::HMAC_SHA256, &key);
    BASE64_STANDARD.encode(hmac::sign(&key, text.as_bytes()))
}

#[cfg(test)]
mod tests {
    use api::container_url::{ContainerUrlRules, ExtraEndpoint};

    use super::*;

    const ENDPOINT: &str = "http://127.0.0.1:10000/devstoreaccount1";

    #[test]
    fn both_kinds_of_signature_pass_the_check_of_container_urls() {
        let rules = ContainerUrlRules {
            extra_endpoints: vec![ExtraEndpoint::parse(ENDPOINT).unwrap()],
        };
        let terms = SasTerms::for_a_day("cw");
        for url in [
            terms.container_url(ENDPOINT, "exports"),
            terms.account_url(ENDPOINT, "exports"),
        ] {
            let checked = rules.check(url.reveal(), SystemClock.now()).unwrap();
            assert_eq!(
                checked.access.address.as_str(),
                format!("{ENDPOINT}/exports")
            );
            assert_eq!(checked.expires.map(moment), Some(moment(terms.expiry)));
        }
    }

    #[test]
    fn every_term_is_in_the_url() {
        let start = SystemClock.now();
        let terms = SasTerms {
            start: Some(start),
            protocol: Some("https".to_owned()),
            ..SasTerms::for_a_day("w")
        };
        let url = terms.container_url(ENDPOINT, "exports");
        for part in [
            "sv=2023-11-03",
            "sp=w",
            "st=20",
            "se=20",
            "spr=https",
            "sr=c",
            "sig=",
        ] {
            assert!(url.reveal().contains(part), "{part}");
        }
    }
}
