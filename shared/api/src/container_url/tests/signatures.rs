//! What a signature has to permit, for how long and for what.

use time::macros::datetime;

use super::*;

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
