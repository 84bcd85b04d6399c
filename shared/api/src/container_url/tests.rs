use proptest::prelude::{Strategy, any, prop_assert, prop_oneof, proptest};
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
fn the_endpoints_of_every_cloud_and_of_dns_zones_are_let_in() {
    for host in [
        "abc.blob.core.windows.net",
        "account1.blob.core.usgovcloudapi.net",
        "account1.blob.core.chinacloudapi.cn",
        "account1.z07.blob.storage.azure.net",
        "ACCOUNT1.blob.core.windows.net",
        "account1.blob.core.windows.net:443",
    ] {
        assert!(
            check(&format!("https://{host}/exports?{SAS}")).is_ok(),
            "{host}"
        );
    }
}

#[test]
fn every_other_host_is_refused() {
    for host in [
        "example.com",
        "127.0.0.1",
        "[::1]",
        "169.254.169.254",
        "blob.core.windows.net",
        "ab.blob.core.windows.net",
        "account1-secondary.blob.core.windows.net",
        "a.account1.blob.core.windows.net",
        "account1.blob.core.windows.net.example.com",
        "account1.blob.core.windows.net.",
        "account1.file.core.windows.net",
        "account1.z7.blob.storage.azure.net",
        "account1.zaa.blob.storage.azure.net",
        "account1.blob.storage.azure.net",
    ] {
        assert_eq!(
            code_of(&format!("https://{host}/exports?{SAS}")),
            "ContainerUrlUnknownHost",
            "{host}"
        );
    }
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
fn user_port_and_fragment_are_refused() {
    for url in [
        format!("https://user@account1.blob.core.windows.net/exports?{SAS}"),
        format!("https://:password@account1.blob.core.windows.net/exports?{SAS}"),
        format!("https://account1.blob.core.windows.net:8443/exports?{SAS}"),
        format!("{PLACE}?{SAS}#part"),
    ] {
        assert_eq!(code_of(&url), "ContainerUrlSurplus", "{url}");
    }
}

#[test]
fn the_path_begins_with_a_container() {
    for path in ["", "/", "//", "//exports"] {
        let url = format!("https://account1.blob.core.windows.net{path}?{SAS}");
        assert_eq!(code_of(&url), "ContainerUrlNotOneContainer", "{path}");
    }
    assert_eq!(
        check(&format!("{PLACE}/?{SAS}"))
            .unwrap()
            .access
            .address
            .as_str(),
        PLACE
    );
}

#[test]
fn the_container_has_a_valid_name() {
    let long = "a".repeat(64);
    for name in [
        "ab",
        &long,
        "Exports",
        "a_b",
        "a--b",
        "-ab",
        "ab-",
        "$root",
        "%61bc",
        "a.b",
        "exp\u{f6}rts",
    ] {
        let url = format!("https://account1.blob.core.windows.net/{name}?{SAS}");
        assert_eq!(code_of(&url), "ContainerUrlBadContainerName", "{name}");
    }
    let longest = "a".repeat(63);
    for name in ["abc", "a-b-c", "000", &longest] {
        assert!(
            check(&format!(
                "https://account1.blob.core.windows.net/{name}?{SAS}"
            ))
            .is_ok(),
            "{name}"
        );
    }
}

#[test]
fn a_signature_is_required_once_and_in_full() {
    assert_eq!(code_of(PLACE), "ContainerUrlSignatureMissing");
    assert_eq!(
        code_of(&format!("{PLACE}?")),
        "ContainerUrlSignatureMissing"
    );
    assert_eq!(without("sig").unwrap_err().code(), "ContainerUrlSigMissing");
    assert_eq!(code_with("sig", ""), "ContainerUrlSigMissing");
    assert_eq!(
        code_of(&format!("{PLACE}?{SAS}&sp=r")),
        "ContainerUrlRepeatedParameter"
    );
    assert_eq!(
        code_of(&format!("{PLACE}?{SAS}&SIG=x")),
        "ContainerUrlRepeatedParameter"
    );
    assert_eq!(code_with("comp", "list"), "ContainerUrlForeignParameter");
    assert_eq!(code_with("sip", &"1".repeat(4_096)), "ContainerUrlTooLong");
}

#[test]
fn a_signature_outlives_the_next_quarter_of_an_hour() {
    assert_eq!(
        code_with("se", "2026-11-21T12:00:00Z"),
        "ContainerUrlExpired"
    );
    assert_eq!(code_with("se", "2026-11-21"), "ContainerUrlExpired");
    assert_eq!(
        code_with("se", "2026-11-21T12:14:59Z"),
        "ContainerUrlExpiresSoon"
    );
    assert!(with("se", "2026-11-21T12:15Z").is_ok());
    assert_eq!(
        code_with("ske", "2026-11-21T12:01Z"),
        "ContainerUrlExpiresSoon"
    );
    assert_eq!(
        without("se").unwrap_err().code(),
        "ContainerUrlExpiryMissing"
    );
}

#[test]
fn a_signature_starts_at_most_five_minutes_from_now() {
    assert!(with("st", "2026-11-21T12:05:00Z").is_ok());
    assert_eq!(
        code_with("st", "2026-11-21T12:05:01Z"),
        "ContainerUrlNotYetValid"
    );
    assert_eq!(code_with("skt", "2026-11-22"), "ContainerUrlNotYetValid");
}

#[test]
fn every_form_of_time_of_azure_storage_is_read() {
    for (text, time) in [
        ("2026-12-01", datetime!(2026-12-01 0:00 UTC)),
        ("2026-12-01T10:30Z", datetime!(2026-12-01 10:30 UTC)),
        ("2026-12-01T10:30:15Z", datetime!(2026-12-01 10:30:15 UTC)),
        (
            "2026-12-01T10:30:15.1234567Z",
            datetime!(2026-12-01 10:30:15.1234567 UTC),
        ),
        (
            "2026-12-01T10:30:15%2B02:00",
            datetime!(2026-12-01 8:30:15 UTC),
        ),
        ("2026-12-01T10:30-02:00", datetime!(2026-12-01 12:30 UTC)),
    ] {
        assert_eq!(with("se", text).unwrap().expires, Some(time), "{text}");
    }
    for text in [
        "tomorrow",
        "2026-13-01",
        "2026-12-01T",
        "2026-12-01T25:00Z",
        "1764590400",
        "2026-12-01T10:30Zx",
    ] {
        assert_eq!(code_with("se", text), "ContainerUrlBadTime", "{text}");
    }
}

#[test]
fn a_signature_can_write() {
    for permissions in ["w", "cw", "wl", "racwdl"] {
        assert!(with("sp", permissions).is_ok(), "{permissions}");
    }
    for permissions in ["r", "rl", "c", "a"] {
        assert_eq!(
            code_with("sp", permissions),
            "ContainerUrlWriteMissing",
            "{permissions}"
        );
    }
    assert_eq!(
        without("sp").unwrap_err().code(),
        "ContainerUrlPermissionsMissing"
    );
}

#[test]
fn a_stored_access_policy_may_hold_permissions_and_expiry() {
    let checked = check(&format!("{PLACE}?sv=2023-11-03&sr=c&si=exports&sig=abc")).unwrap();
    assert_eq!(checked.expires, None);
    assert_eq!(
        code_of(&format!("{PLACE}?sr=c&si=exports&sp=r&sig=abc")),
        "ContainerUrlWriteMissing"
    );
}

#[test]
fn a_signature_is_for_the_blobs_of_the_container() {
    let account =
        |fields: &str| format!("{PLACE}?sv=2023-11-03&sp=w&se=2026-11-22&sig=abc&{fields}");
    assert!(check(&account("ss=b&srt=sco")).is_ok());
    assert!(check(&account("ss=bfqt&srt=o")).is_ok());
    for fields in [
        "",
        "sr=b",
        "sr=d&ss=b&srt=o",
        "ss=f&srt=sco",
        "ss=b&srt=sc",
        "ss=b",
        "srt=o",
        "sr=c&ss=b&srt=o",
    ] {
        assert_eq!(
            code_of(&account(fields)),
            "ContainerUrlWrongResource",
            "{fields}"
        );
    }
}

#[test]
fn a_folder_within_the_container_has_one_spelling() {
    for (given, address) in [
        ("/a", "/a"),
        ("/a/b c/", "/a/b%20c"),
        ("/a/%62%2D1/../c", "/a/c"),
        ("/%62%2D1/caf%C3%A9", "/b-1/caf%C3%A9"),
        ("/café", "/caf%C3%A9"),
        ("/date=2026", ""),
        ("/a_b.c~d", "/a_b.c~d"),
    ] {
        let checked = check(&format!("{PLACE}{given}?{SAS}"));
        let found = checked.map(|it| it.access.address.as_str().to_owned());
        if address.is_empty() {
            assert!(found.is_err(), "{given}");
        } else {
            assert_eq!(found, Ok(format!("{PLACE}{address}")), "{given}");
        }
    }
}

#[test]
fn what_no_folder_is_called_is_refused_with_the_reason() {
    for (folder, why) in [
        ("/", "an empty name"),
        ("a//b", "an empty name"),
        ("a.", "ends with a dot"),
        ("a%20/b", "ends with a dot or a space"),
        ("%ff", "not UTF-8"),
        ("a%2Fb", "one of"),
        ("a%5Cb", "one of"),
        ("a%3Db", "one of"),
        ("a%0Ab", "control character"),
        (&"a".repeat(40), "in a row"),
        ("ab/".repeat(51).trim_end_matches('/'), "deeper than 50"),
        (&"a-b".repeat(300), "longer than 800"),
    ] {
        let url = format!("{PLACE}/{folder}?{SAS}");
        assert_eq!(code_of(&url), "ContainerUrlBadFolder", "{folder}");
        let message = message_of(&url);
        assert!(message.contains(why), "{folder}: {message}");
    }
}

#[test]
fn a_signature_for_a_folder_is_for_the_one_of_the_path_or_one_above_it() {
    let url = |folder: &str, depth: &str| {
        let sas = SAS.replace("sr=c", &format!("sr=d{depth}"));
        assert!(sas.contains("sr=d"));
        format!("{PLACE}{folder}?{sas}")
    };
    for (folder, depth) in [
        ("/a/b", "&sdd=2"),
        ("/a/b", "&sdd=1"),
        ("/a/b/", "&sdd=2"),
        ("", "&sdd=0"),
    ] {
        assert!(check(&url(folder, depth)).is_ok(), "{folder} {depth}");
    }
    for (folder, depth) in [
        ("/a/b", "&sdd=3"),
        ("", "&sdd=1"),
        ("/a/b", ""),
        ("/a/b", "&sdd=x"),
    ] {
        let url = url(folder, depth);
        assert_eq!(code_of(&url), "ContainerUrlOtherFolder", "{folder} {depth}");
    }
    let message = message_of(&url("/a", "&sdd=2"));
    assert!(
        message.contains("sdd=2, and its path has 1 folder behind"),
        "{message}"
    );
}

#[test]
fn a_signature_may_be_used_over_https() {
    assert!(with("spr", "https,http").is_ok());
    assert!(without("spr").is_ok());
    assert_eq!(code_with("spr", "http"), "ContainerUrlHttpsShutOut");
}

#[test]
fn a_configured_endpoint_is_let_in_and_nothing_beside_it() {
    let endpoint = ExtraEndpoint::parse("http://127.0.0.1:10000/devstoreaccount1/").unwrap();
    let rules = ContainerUrlRules {
        extra_endpoints: vec![endpoint],
    };
    let sas = SAS.replace("spr=https", "spr=http");
    let place = "http://127.0.0.1:10000/devstoreaccount1/exports";
    assert_eq!(
        rules
            .check(&format!("{place}?{sas}"), NOW)
            .unwrap()
            .access
            .address
            .as_str(),
        place
    );
    for (place, code) in [
        (
            "http://127.0.0.1:10001/devstoreaccount1/exports",
            "ContainerUrlNotHttps",
        ),
        (
            "http://127.0.0.1:10000/devstoreaccount2/exports",
            "ContainerUrlNotHttps",
        ),
        (
            "http://127.0.0.1:10000/devstoreaccount1x/exports",
            "ContainerUrlNotHttps",
        ),
        (
            "https://127.0.0.1:10000/devstoreaccount1/exports",
            "ContainerUrlUnknownHost",
        ),
        (
            "http://127.0.0.1:10000/devstoreaccount1",
            "ContainerUrlNotHttps",
        ),
        (
            "http://127.0.0.1:10000/devstoreaccount1/exports//more",
            "ContainerUrlBadFolder",
        ),
        (
            "http://127.0.0.1:10000/devstoreaccount1/../secret/exports",
            "ContainerUrlNotHttps",
        ),
        (
            "http://u@127.0.0.1:10000/devstoreaccount1/exports",
            "ContainerUrlSurplus",
        ),
    ] {
        assert_eq!(
            rules
                .check(&format!("{place}?{sas}"), NOW)
                .unwrap_err()
                .code(),
            code,
            "{place}"
        );
    }
}

#[test]
fn only_a_plain_place_is_an_extra_endpoint() {
    for text in [
        "",
        "127.0.0.1:10000",
        "ftp://host",
        "http://user@host",
        "http://host/?sig=x",
        "http://host/#x",
    ] {
        assert_eq!(ExtraEndpoint::parse(text), Err(BadEndpoint), "{text}");
    }
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

/// Everywhere a signature could end up by a slip of the hand.
fn misplaced(sig: &str) -> impl Strategy<Value = String> + use<> {
    let sig = sig.to_owned();
    prop_oneof![
        any::<String>().prop_map({
            let sig = sig.clone();
            move |noise| format!("{noise}sig={sig}")
        }),
        "[a-z]{0,9}".prop_map({
            let sig = sig.clone();
            move |name| format!("{PLACE}?{SAS}&{name}={sig}")
        }),
        "(se|st|sp|sr|ss|srt|spr|sv|ske)".prop_map({
            let sig = sig.clone();
            move |name| sas_with(&name, Some(&sig))
        }),
        "[a-z/%?=]{0,9}".prop_map({
            let sig = sig.clone();
            move |path| format!("https://account1.blob.core.windows.net/{path}{sig}")
        }),
        "[a-z:@]{0,9}".prop_map({
            let sig = sig.clone();
            move |host| format!("https://{host}{sig}/exports?{SAS}")
        }),
        "[a-z+]{0,9}".prop_map({
            let sig = sig.clone();
            move |scheme| format!("{scheme}{sig}://host/exports?{SAS}")
        }),
        "[a-z]{0,9}".prop_map(move |name| format!("{PLACE}?{name}{sig}=1&{name}{sig}=2&{SAS}")),
    ]
}

proptest! {
    #[test]
    fn no_problem_tells_the_signature(
        (sig, url) in "[A-Za-z0-9+/]{43}=?".prop_flat_map(|sig| {
            let url = misplaced(&sig);
            (proptest::strategy::Just(sig), url)
        }),
    ) {
        if let Err(problem) = check(&url) {
            let text = format!("{problem} {problem:?}").to_lowercase();
            prop_assert!(!text.contains(&sig.get(..20).unwrap_or_default().to_lowercase()), "{text}");
            prop_assert!(!text.contains("secretsecret"), "{text}");
        }
    }

    #[test]
    fn no_text_makes_the_check_panic(text in any::<String>(), query in any::<String>()) {
        drop(check(&text));
        drop(check(&format!("{PLACE}?{query}")));
        drop(check(&format!("{PLACE}?{SAS}&{query}")));
    }

    #[test]
    fn no_time_makes_the_check_panic(time in "[0-9TZ:.+-]{0,30}") {
        drop(with("se", &time));
    }
}

fn message_of(url: &str) -> String {
    check(url).expect_err("refused").to_string()
}

#[test]
fn a_signature_for_one_user_or_one_kind_of_request_is_named_as_what_it_is() {
    for (name, value, code) in [
        (
            "sduoid",
            "0b4a4b1e-1a1f-4f62-93f2-1d1f2a5a9b11",
            "ContainerUrlUserBound",
        ),
        (
            "skdutid",
            "0b4a4b1e-1a1f-4f62-93f2-1d1f2a5a9b11",
            "ContainerUrlUserBound",
        ),
        ("srh", "x-ms-meta-tenant", "ContainerUrlRequestBound"),
        ("srq", "timeout", "ContainerUrlRequestBound"),
    ] {
        assert_eq!(code_with(name, value), code);
        let message = message_of(&sas_with(name, Some(value)));
        assert!(
            message.contains(name) && !message.contains(value),
            "{message}"
        );
        assert!(with(name, "").is_ok(), "an empty parameter binds nothing");
    }
}

#[test]
fn permission_to_create_alone_is_refused_with_the_true_reason() {
    for permissions in ["c", "rc", "cl"] {
        assert_eq!(code_with("sp", permissions), "ContainerUrlWriteMissing");
        let message = message_of(&sas_with("sp", Some(permissions)));
        assert!(message.contains("a commit is repeated"), "{message}");
    }
    let message = message_of(&sas_with("sp", Some("rl")));
    assert!(message.contains("sp=rl, which cannot write"), "{message}");
}

#[test]
fn hosts_that_look_like_blob_endpoints_are_named_as_what_they_are() {
    for (host, words) in [
        (
            "account1-secondary.blob.core.windows.net",
            "the secondary endpoint of an account, which can only be read",
        ),
        (
            "account1-secondary.z07.blob.storage.azure.net",
            "the secondary endpoint",
        ),
        ("onelake.blob.fabric.microsoft.com", "OneLake"),
        ("westus-onelake.dfs.fabric.microsoft.com", "OneLake"),
        (
            "x-secondary.example.com",
            "which is not an Azure blob endpoint",
        ),
        (
            "fabric.microsoft.com.example.com",
            "which is not an Azure blob endpoint",
        ),
    ] {
        let url = format!("https://{host}/exports?{SAS}");
        assert_eq!(code_of(&url), "ContainerUrlUnknownHost", "{host}");
        assert!(message_of(&url).contains(words), "{}", message_of(&url));
    }
}

#[test]
fn a_refusal_names_the_whole_host_and_the_whole_container() {
    let secondary = format!("{}-secondary.blob.core.windows.net", "a".repeat(24));
    let longest = format!("{}a.example.com", "a1.".repeat(80));
    assert_eq!(longest.len(), 253);
    let load_balancer =
        "internal-exports-0a1b2c3d4e5f60718293a4b5c6d7e8f9.eu-west-1.elb.example.com";
    let address = "[2001:db8:1111:2222:3333:4444:5555:6666]";
    for host in [&secondary, &longest, load_balancer, address, "localhost"] {
        let message = message_of(&format!("https://{host}/exports?{SAS}"));
        assert!(
            message.contains(&format!("has the host {host}, ")),
            "{message}"
        );
    }
    for name in [
        "exports_of_the_events_of_all_our_apps_in_europe_and_beyond_2026",
        "Exports-Of-0a1b2c3d4e5f60718293a4b5c6d7e8f9-And-Of-All-The-Others",
    ] {
        let message = message_of(&format!(
            "https://account1.blob.core.windows.net/{name}?{SAS}"
        ));
        assert!(
            message.contains(&format!("the container {name}, ")),
            "{message}"
        );
        let message = message_of(&format!("{PLACE}/a/{name}.?{SAS}"));
        assert!(
            message.contains(&format!("the folder a/{name}. within")),
            "{message}"
        );
    }
}

#[test]
fn what_may_be_a_signature_in_place_of_host_or_container_is_not_named() {
    let signature = "0aA".repeat(15);
    let cut_at_a_slash = "a0aa0a0jcwxhhcvn86fjxk";
    for place in [
        format!("{signature}/exports"),
        format!("{cut_at_a_slash}/{cut_at_a_slash}"),
        format!("{signature}.example.com/exports"),
        format!("account1.blob.core.windows.net/{signature}"),
        format!("account1.blob.core.windows.net/exports/{signature}"),
        format!("account1.blob.core.windows.net/exports/{cut_at_a_slash}/{cut_at_a_slash}."),
    ] {
        let message = message_of(&format!("https://{place}?{SAS}"));
        assert!(message.contains("(not shown)"), "{message}");
    }
}

#[test]
fn the_containers_of_azures_own_are_refused_with_what_they_are() {
    for (name, words) in [
        ("$web", "public"),
        ("$root", "slash"),
        ("$logs", "its own logs"),
        ("$blobchangefeed", "change feed"),
    ] {
        let url = format!("https://account1.blob.core.windows.net/{name}?{SAS}");
        assert_eq!(code_of(&url), "ContainerUrlBadContainerName");
        let message = message_of(&url);
        assert!(
            message.contains(name) && message.contains(words),
            "{message}"
        );
    }
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
