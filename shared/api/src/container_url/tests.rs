mod endpoints;
mod explained;
mod paths;
mod secrets;
mod signatures;

use time::macros::datetime;

use super::*;

const NOW: OffsetDateTime = datetime!(2026-11-21 12:00 UTC);
const PLACE: &str = "https://account1.blob.core.windows.net/exports";
const SAS: &str = "sv=2023-11-03&sr=c&sp=cw&se=2026-11-22T12%3A00%3A00Z&spr=https&sig=SECRETsecret%2B0123456789%3D";

fn check(url: &str) -> Result<CheckedContainerUrl, ContainerUrlProblem> {
    ContainerUrlRules::default().check(url, NOW)
}

fn code_of(url: &str) -> &'static str {
    check(url).expect_err("refused").code()
}

/// The good signature with one parameter set to another value, or left out.
fn sas_with(name: &str, value: Option<&str>) -> String {
    let others = SAS
        .split('&')
        .filter(|pair| pair.split('=').next() != Some(name))
        .map(str::to_owned);
    let pairs: Vec<_> = others
        .chain(value.map(|value| format!("{name}={value}")))
        .collect();
    format!("{PLACE}?{}", pairs.join("&"))
}

fn with(name: &str, value: &str) -> Result<CheckedContainerUrl, ContainerUrlProblem> {
    check(&sas_with(name, Some(value)))
}

fn code_with(name: &str, value: &str) -> &'static str {
    with(name, value).expect_err("refused").code()
}

fn without(name: &str) -> Result<CheckedContainerUrl, ContainerUrlProblem> {
    check(&sas_with(name, None))
}

#[test]
fn a_container_url_is_cut_into_address_signature_and_expiry() {
    let checked = check(&format!("{PLACE}?{SAS}")).unwrap();
    assert_eq!(checked.access.address.as_str(), PLACE);
    assert_eq!(checked.access.signature.reveal(), SAS);
    assert_eq!(checked.expires, Some(datetime!(2026-11-22 12:00 UTC)));
    assert!(!format!("{checked:?}").contains("SECRET"));
}

#[test]
fn what_is_no_https_url_is_refused() {
    assert_eq!(code_of("exports"), "ContainerUrlNotAUrl");
    assert_eq!(code_of(""), "ContainerUrlNotAUrl");
    assert_eq!(
        code_of(&format!(
            "http://account1.blob.core.windows.net/exports?{SAS}"
        )),
        "ContainerUrlNotHttps"
    );
    assert_eq!(
        code_of(&format!("data:text/plain,{SAS}")),
        "ContainerUrlNotHttps"
    );
}

#[test]
fn a_refusal_names_the_field_the_value_and_the_fix() {
    let text = with("sp", "rl").unwrap_err().to_string();
    assert!(
        text.starts_with("containerUrl")
            && text.contains("sp=rl")
            && text.contains("such as sp=cw"),
        "{text}"
    );
}

fn message_of(url: &str) -> String {
    check(url).expect_err("refused").to_string()
}

#[test]
fn a_doubled_question_mark_is_said() {
    let url = format!("{PLACE}??{SAS}");
    assert_eq!(code_of(&url), "ContainerUrlSurplus");
    assert!(
        message_of(&url).contains("a second question mark"),
        "{}",
        message_of(&url)
    );
}
