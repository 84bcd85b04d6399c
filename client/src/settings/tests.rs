use std::collections::BTreeMap;

use super::*;
use crate::environment::Variable;

const PATH: &str = "/subscriptions/s/resourceGroups/g/providers/Microsoft.MobileEngagement/appcollections/c/apps/a";

/// Resolves flags with these variables, and with the profile of a file.
fn resolve(
    flags: ServiceFlags,
    variables: &[(&Variable, &str)],
    profile: &str,
) -> Result<Service, Failure> {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("config.toml");
    let text = format!("default-profile = \"p\"\n[profiles.p]\n{profile}");
    std::fs::write(&file, text).unwrap();
    let variables: BTreeMap<&str, &str> = variables
        .iter()
        .map(|(variable, value)| (variable.name, *value))
        .collect();
    let flags = ServiceFlags {
        config: Some(file),
        ..flags
    };
    flags.resolve(&|variable| Ok(variables.get(variable.name).map(|it| (*it).to_owned())))
}

fn everything() -> String {
    format!("api = \"https://file.example\"\napp = \"{PATH}\"\ntoken-command = \"of the file\"\n")
}

#[test]
fn a_flag_wins_over_the_environment_and_that_over_the_file() {
    let api = |flag: Option<&str>, variables: &[(&Variable, &str)]| {
        let flags = ServiceFlags {
            api: flag.map(str::to_owned),
            ..ServiceFlags::default()
        };
        let service = resolve(flags, variables, &everything()).unwrap();
        service.tasks.host_str().unwrap().to_owned()
    };
    let variable = (&API, "https://variable.example");
    assert_eq!(api(None, &[]), "file.example");
    assert_eq!(api(None, &[variable]), "variable.example");
    assert_eq!(
        api(Some("https://flag.example"), &[variable]),
        "flag.example"
    );
}

#[test]
fn a_token_by_flag_wins_over_one_in_the_environment_and_that_over_the_profiles() {
    let token = |flags: ServiceFlags, variables: &[(&Variable, &str)]| {
        resolve(flags, variables, &everything()).unwrap().token
    };
    let given = (&TOKEN, "abc");
    let of_file = token(ServiceFlags::default(), &[]);
    assert!(matches!(of_file, Token::Command(it) if it == "of the file"));
    let of_environment = token(ServiceFlags::default(), &[given]);
    assert!(matches!(of_environment, Token::Given(it) if it.reveal() == "abc"));
    let by_flag = ServiceFlags {
        token_file: Some("f".into()),
        ..ServiceFlags::default()
    };
    assert!(matches!(token(by_flag, &[given]), Token::File(_)));
}

#[test]
fn what_nobody_says_is_named_with_every_place_where_it_can_be_said() {
    let said = |profile: &str| {
        let resolved = resolve(ServiceFlags::default(), &[], profile);
        resolved.unwrap_err()
    };
    for (profile, what) in [
        ("", "--api, in ENGAGEMENT_EXPORT_API"),
        ("api = \"https://a\"", "--app, in ENGAGEMENT_EXPORT_APP"),
        (
            &format!("api = \"https://a\"\napp = \"{PATH}\""),
            "ENGAGEMENT_EXPORT_TOKEN",
        ),
    ] {
        let failure = said(profile);
        assert!(failure.message.contains(what), "{failure}");
        assert!(failure.message.contains("config.toml"), "{failure}");
        assert_eq!(failure.ending, crate::ending::Ending::Usage);
    }
}

#[test]
fn the_tasks_of_an_app_lie_below_its_path_however_it_is_given() {
    let expected = format!("https://a.example/prod{PATH}/devices/exportTasks");
    for (api, app) in [
        ("https://a.example/prod", PATH.to_owned()),
        ("https://a.example/prod/", format!("{PATH}/")),
        (
            "https://a.example/prod?x=1",
            format!("{PATH}/devices/exportTasks"),
        ),
    ] {
        assert_eq!(tasks_url(api, &app).unwrap().as_str(), expected);
    }
    let blank = tasks_url("https://a.example", &PATH.replace("apps/a", "apps/a b")).unwrap();
    assert!(blank.path().contains("/apps/a%20b/"), "{blank}");
}

#[test]
fn a_token_goes_over_https_or_stays_on_this_machine() {
    for (api, is_taken) in [
        ("https://a.example", true),
        ("http://127.0.0.1:8080", true),
        ("http://localhost", true),
        ("http://a.example", false),
        ("ftp://a.example", false),
        ("a.example", false),
    ] {
        assert_eq!(tasks_url(api, PATH).is_ok(), is_taken, "{api}");
    }
    assert!(tasks_url("https://a.example", "/apps/a").is_err());
}
