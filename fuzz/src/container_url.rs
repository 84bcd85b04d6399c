//! A client's container URL with its signature.

use api::container_url::{
    CheckedContainerUrl, ContainerUrlProblem, ContainerUrlRules, ExtraEndpoint,
};
use time::{Duration, OffsetDateTime};
use url::Url;

use crate::signature::{is_shown_in, resigned};
use crate::world::NOW;

/// An endpoint that configuration lets in, as for an emulator.
const EXTRA: &str = "http://127.0.0.1:10000/devstoreaccount1";

/// The domains of Azure's blob endpoints.
const DOMAINS: [&str; 4] = [
    ".blob.core.windows.net",
    ".blob.core.usgovcloudapi.net",
    ".blob.core.chinacloudapi.cn",
    ".blob.storage.azure.net",
];

/// What is accepted leads into one container of a known endpoint, or a folder of it, reads back as it was read, and
/// lasts. Accepted or refused, nothing that is shown depends on the signature.
pub fn container_url(input: &[u8]) -> bool {
    let text = String::from_utf8_lossy(input);
    let extra_endpoints = ExtraEndpoint::parse(EXTRA).into_iter().collect();
    let mut is_accepted = false;
    for rules in [
        ContainerUrlRules::default(),
        ContainerUrlRules { extra_endpoints },
    ] {
        let (checked, other) = (rules.check(&text, NOW), rules.check(&resigned(&text), NOW));
        let (shown, other_shown) = (shown(&checked), shown(&other));
        // With another signature, what only looks like one may make it another URL, refused for
        // another reason.
        if code(&checked) == code(&other) {
            assert_eq!(shown, other_shown, "what is shown knows the signature");
        }
        if let Ok(checked) = checked {
            assert_leads_to_a_container(&checked, !rules.extra_endpoints.is_empty());
            assert!(checked.expires.is_none_or(lasts), "{:?}", checked.expires);
            let again = format!(
                "{}?{}",
                checked.access.address,
                checked.access.signature.reveal()
            );
            assert_eq!(
                rules.check(&again, NOW),
                Ok(checked),
                "it reads back as another one"
            );
            is_accepted = true;
        }
    }
    is_accepted
}

fn code(checked: &Result<CheckedContainerUrl, ContainerUrlProblem>) -> Option<&'static str> {
    checked.as_ref().err().map(ContainerUrlProblem::code)
}

fn shown(checked: &Result<CheckedContainerUrl, ContainerUrlProblem>) -> String {
    let text = match checked {
        Ok(checked) => format!(
            "{checked:?} {} {}",
            checked.access.address, checked.access.signature
        ),
        Err(problem) => format!("{problem:?} {problem} {}", problem.code()),
    };
    assert!(!is_shown_in(&text), "{text}");
    assert!(text.len() < 1_000, "{text}");
    text
}

fn assert_leads_to_a_container(checked: &CheckedContainerUrl, is_extra: bool) {
    let address = checked.access.address.as_str();
    let url = Url::parse(address).expect("an address is a URL");
    assert_eq!(url.as_str(), address, "an address is in its normal form");
    let is_plain = url.username().is_empty() && url.password().is_none() && url.query().is_none();
    assert!(is_plain && url.fragment().is_none(), "{address}");
    let host = url.host_str().unwrap_or_default();
    let is_azure = url.scheme() == "https"
        && url.port().is_none()
        && DOMAINS.iter().any(|it| host.ends_with(it));
    let container = if is_azure {
        url.path().strip_prefix('/')
    } else {
        address.strip_prefix(&format!("{EXTRA}/"))
    };
    assert!(is_azure || is_extra, "{address}");
    let is_name = |name: &str| {
        name.bytes()
            .all(|it| it.is_ascii_lowercase() || it.is_ascii_digit() || it == b'-')
    };
    let place = container.unwrap_or_default();
    let (container, folder) = place.split_once('/').unwrap_or((place, "none"));
    assert!(
        (3..=63).contains(&container.len()) && is_name(container),
        "{address}"
    );
    assert!(folder.split('/').all(|it| !it.is_empty()), "{address}");
}

/// Long enough for an export to be written.
fn lasts(expires: OffsetDateTime) -> bool {
    expires >= NOW + Duration::minutes(15)
}
