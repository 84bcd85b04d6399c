//! Policies that a container keeps, by which signatures are revoked: a signature that names one is
//! worth what the container says, and nothing once it has forgotten the policy
//! (<https://learn.microsoft.com/en-us/rest/api/storageservices/define-stored-access-policy>).

use domain::secret::Secret;
use ports::clock::Clock;
use reqwest::StatusCode;
use thiserror::Error;
use time::format_description::BorrowedFormatItem;
use time::macros::format_description;
use wiring::SystemClock;

use super::{ACCOUNT, SasTerms, VERSION, moment, sign};

/// Why a container does not keep the policies.
#[derive(Debug, Error)]
pub enum PolicyError {
    /// Storage was not reached.
    #[error("storage does not take the container's policies")]
    Unreached(#[source] reqwest::Error),
    /// Storage says no.
    #[error("storage refuses the container's policies with {0}")]
    Refused(StatusCode),
}

/// Makes a container keep these policies, by their names, and no others.
///
/// Shared Key alone may do that (<https://learn.microsoft.com/en-us/rest/api/storageservices/set-container-acl>).
///
/// # Errors
/// [`PolicyError`]
pub async fn keep_policies(
    endpoint: &str,
    container: &str,
    policies: &[(&str, &SasTerms)],
) -> Result<(), PolicyError> {
    let body = document(policies);
    let date = SystemClock.now().format(RFC_1123).unwrap_or_default();
    let signature = sign(&to_sign(container, body.len(), &date));
    let client = reqwest::Client::builder().no_proxy().build();
    let request = client
        .map_err(PolicyError::Unreached)?
        .put(format!("{endpoint}/{container}?restype=container&comp=acl"))
        .header("x-ms-date", date)
        .header("x-ms-version", VERSION)
        .header("content-type", CONTENT_TYPE)
        .header("authorization", format!("SharedKey {ACCOUNT}:{signature}"))
        .body(body);
    let answer = request.send().await.map_err(PolicyError::Unreached)?;
    match answer.status() {
        StatusCode::OK => Ok(()),
        refused => Err(PolicyError::Refused(refused)),
    }
}

/// The URL of a container with a signature that a policy of that name governs.
pub fn policy_url(endpoint: &str, container: &str, policy: &str) -> Secret {
    let resource = format!("/blob/{ACCOUNT}/{container}");
    let fields = ["", "", "", &resource, policy, "", "", VERSION, "c"];
    let signature = sign(&format!("{}{}", fields.join("\n"), "\n".repeat(7)));
    let pairs = [
        ("sv", VERSION),
        ("si", policy),
        ("sr", "c"),
        ("sig", &signature),
    ];
    let query = url::form_urlencoded::Serializer::new(String::new())
        .extend_pairs(pairs)
        .finish();
    Secret::new(format!("{endpoint}/{container}?{query}"))
}

const CONTENT_TYPE: &str = "application/xml";

const RFC_1123: &[BorrowedFormatItem<'_>] = format_description!(
    "[weekday repr:short], [day] [month repr:short] [year] [hour]:[minute]:[second] GMT"
);

fn document(policies: &[(&str, &SasTerms)]) -> String {
    let policies: Vec<String> = policies.iter().map(|(name, of)| policy(name, of)).collect();
    format!(
        "<SignedIdentifiers>{}</SignedIdentifiers>",
        policies.concat()
    )
}

fn policy(name: &str, terms: &SasTerms) -> String {
    let start = terms
        .start
        .map(moment)
        .map(|at| format!("<Start>{at}</Start>"));
    let start = start.unwrap_or_default();
    let expiry = moment(terms.expiry);
    let permissions = &terms.permissions;
    format!(
        "<SignedIdentifier><Id>{name}</Id><AccessPolicy>{start}<Expiry>{expiry}</Expiry>\
         <Permission>{permissions}</Permission></AccessPolicy></SignedIdentifier>"
    )
}

/// What Shared Key signs
/// (<https://learn.microsoft.com/en-us/rest/api/storageservices/authorize-with-shared-key>). In the
/// emulator's paths the account stands twice.
fn to_sign(container: &str, length: usize, date: &str) -> String {
    let standard = format!("PUT\n\n\n{length}\n\n{CONTENT_TYPE}\n\n\n\n\n\n\n");
    let headers = format!("x-ms-date:{date}\nx-ms-version:{VERSION}\n");
    let resource = format!("/{ACCOUNT}/{ACCOUNT}/{container}\ncomp:acl\nrestype:container");
    format!("{standard}{headers}{resource}")
}
