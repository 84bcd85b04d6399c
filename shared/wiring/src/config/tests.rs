use std::error::Error;
use std::ffi::OsString;
use std::os::unix::ffi::OsStringExt;

use super::*;

fn env(name: &str, value: &str) -> Environment {
    Environment::from_pairs([(name, value)])
}

/// What an error says, and what its cause says.
fn said<T>(read: Result<T, ConfigError>) -> (String, Option<String>) {
    let error = read.err().unwrap();
    (error.to_string(), error.source().map(ToString::to_string))
}

#[test]
fn a_missing_setting_says_what_it_is_for() {
    let (text, cause) = said(Environment::default().get(&EXPORTS_TABLE));
    assert_eq!(
        text,
        "set EXPORTS_TABLE: DynamoDB table of jobs, chunks and grants"
    );
    assert_eq!(cause, None);
}

#[test]
fn an_environment_remembers_what_was_read_from_it_and_its_clones() {
    let env = env(LOG_LEVEL.name, "warn");
    assert!(env.read().is_empty());
    assert!(env.clone().get(&EXPORTS_TABLE).is_err());
    assert_eq!(env.get(&MAX_SHARDS).unwrap(), 32);
    assert_eq!(
        env.read().into_iter().collect::<Vec<_>>(),
        ["EXPORTS_TABLE", "MAX_SHARDS"]
    );
}

#[test]
fn a_setting_that_is_empty_is_not_given() {
    assert_eq!(env("PUBLIC_URL", "").get(&PUBLIC_URL).unwrap(), None);
    assert_eq!(env("MAX_SHARDS", "").get(&MAX_SHARDS).unwrap(), 32);
    assert_eq!(
        env("TOKEN_SUBJECT_CLAIM", "")
            .get(&TOKEN_SUBJECT_CLAIM)
            .unwrap(),
        "sub"
    );
    assert!(env("LAKE_URL", "").get(&LAKE_URL).is_err());
}

#[test]
fn what_is_not_utf_8_is_refused_where_it_is_a_setting_and_passed_over_elsewhere() {
    let odd = || OsString::from_vec(vec![b'/', 0xff]);
    let env = Environment::from_pairs([
        (OsString::from("OTHER"), odd()),
        (odd(), "value".into()),
        ("LAKE_URL".into(), odd()),
        ("MAX_SHARDS".into(), "8".into()),
    ]);
    assert_eq!(env.get(&MAX_SHARDS).unwrap(), 8);
    assert_eq!(env.get(&PUBLIC_URL).unwrap(), None);
    let message = "LAKE_URL is not UTF-8: set it to `s3://bucket/prefix` or `file:///folder`";
    assert_eq!(said(env.get(&LAKE_URL)), (message.to_owned(), None));
    assert_eq!(said(env.settings()), (message.to_owned(), None));
}

#[test]
fn the_settings_are_what_is_given_of_them() {
    let env = Environment::from_pairs([("MAX_SHARDS", "8"), ("OTHER", "x"), ("LAKE_URL", "")]);
    let given = env.settings().unwrap();
    assert_eq!(given, [("MAX_SHARDS", "8".to_owned())]);
}

#[test]
fn a_memory_that_is_not_utf_8_is_refused() {
    let name = "AWS_LAMBDA_FUNCTION_MEMORY_SIZE";
    let env = Environment::from_pairs([(name, OsString::from_vec(vec![0xff]))]);
    let (message, _) = said(env.memory_megabytes());
    assert_eq!(
        message,
        format!("{name} is not UTF-8: set it to the function's memory in MB, as Lambda does")
    );
}

#[test]
fn a_text_is_what_is_given() {
    assert_eq!(
        env("PUBLIC_URL", "https://x").get(&PUBLIC_URL).unwrap(),
        Some("https://x".to_owned())
    );
    assert_eq!(
        env("TOKEN_SUBJECT_CLAIM", "oid")
            .get(&TOKEN_SUBJECT_CLAIM)
            .unwrap(),
        "oid"
    );
    assert_eq!(env("LAKE_URL", "s3://a").get(&LAKE_URL).unwrap(), "s3://a");
}

#[test]
fn the_bounds_of_a_number_are_within_it_and_what_lies_beyond_is_told() {
    for (text, number) in [("1", 1), ("32", 32)] {
        assert_eq!(env("MAX_SHARDS", text).get(&MAX_SHARDS).unwrap(), number);
    }
    for text in ["0", "33"] {
        let (message, cause) = said(env("MAX_SHARDS", text).get(&MAX_SHARDS));
        assert_eq!(
            message,
            format!("MAX_SHARDS={text} does not fit: set it to a number from 1 to 32")
        );
        assert_eq!(cause, None);
    }
}

#[test]
fn what_is_no_number_has_the_parsers_words_as_its_cause() {
    let message = said(env("MAX_SHARDS", "many").get(&MAX_SHARDS));
    let text = "MAX_SHARDS=many does not fit: set it to a number from 1 to 32";
    let cause = "invalid digit found in string";
    assert_eq!(message, (text.to_owned(), Some(cause.to_owned())));
    let (_, cause) = said(env("MAX_SHARDS", "65536").get(&MAX_SHARDS));
    assert_eq!(
        cause.as_deref(),
        Some("number too large to fit in target type")
    );
}

#[test]
fn a_span_is_counted_in_its_unit() {
    let wait = env("CREDENTIAL_WAIT_DAYS", "3").get(&CREDENTIAL_WAIT_DAYS);
    assert_eq!(wait.unwrap(), Duration::days(3));
    let limit = env("FUNCTION_TIMEOUT_SECONDS", "900").get(&FUNCTION_TIMEOUT_SECONDS);
    assert_eq!(limit.unwrap(), Duration::minutes(15));
    let (message, _) = said(env("FUNCTION_TIMEOUT_SECONDS", "901").get(&FUNCTION_TIMEOUT_SECONDS));
    assert_eq!(
        message,
        "FUNCTION_TIMEOUT_SECONDS=901 does not fit: set it to a number from 1 to 900"
    );
}

#[test]
fn a_word_is_one_of_those_that_are_named() {
    let fail = env("ON_BAD_RECORD", "fail").get(&ON_BAD_RECORD);
    assert_eq!(fail.unwrap(), OnBadRecord::Fail);
    let (message, _) = said(env("ON_BAD_RECORD", "skip").get(&ON_BAD_RECORD));
    assert_eq!(
        message,
        "ON_BAD_RECORD=skip does not fit: set it to `reject` or `fail`"
    );
    let (message, cause) = said(env("LOG_LEVEL", "INFO").get(&LOG_LEVEL));
    assert_eq!(
        message,
        "LOG_LEVEL=INFO does not fit: set it to `error`, `warn`, `info` or `debug`"
    );
    assert_eq!(cause, None);
}

#[test]
fn a_value_in_which_a_credential_may_stand_is_not_shown() {
    for value in ["https://host/c?sig=hush", "s3://key:hush@bucket"] {
        let error = LAKE_URL.refused(value, "no");
        assert!(!format!("{error} {error:?}").contains("hush"), "{error:?}");
    }
}

/// Else it could be left out and not be written down.
#[test]
fn every_default_fits() {
    assert_eq!(defaults_that_do_not_fit(), [""; 0]);
}
