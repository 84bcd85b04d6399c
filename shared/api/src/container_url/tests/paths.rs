//! The container, and a folder within it.

use super::*;

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
