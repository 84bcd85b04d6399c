//! Which hosts a container may be at.

use super::*;

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
