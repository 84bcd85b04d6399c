//! The functions of the template: their crates, their settings, their time-outs.

use std::collections::BTreeSet;
use std::path::Path;

use aws_config::SdkConfig;
use edge::telemetry;
use serde_json::Value;
use wiring::config::{Environment, VARIABLES};
use wiring::{Wiring, WiringError};

use super::document::Template;

/// The settings that only one machine has.
const LOCAL_ONLY: [&str; 2] = ["EXTRA_BLOB_ENDPOINTS", "SEAL_KEY_FILE"];

/// A function's environment in a deployment with the parameters' defaults.
fn deployed(template: &Template, function: &str) -> Environment {
    let variables = template.environment(function).into_iter();
    Environment::from_pairs(variables.map(|(name, value)| (name, template.deployed(&value))))
}

/// Starts a function as its `main` does, but for what would go on beyond the process.
fn start(package: &str, env: &Environment, sdk: &SdkConfig) -> Result<(), WiringError> {
    telemetry::filter(env)?;
    let wiring = Wiring::new(env.clone(), sdk.clone());
    match package {
        "create-job" => create_job::Ports::wire(&wiring).map(drop),
        "get-status" => get_status::Ports::wire(&wiring).map(drop),
        "plan-export" => plan_export::Ports::wire(&wiring).map(drop),
        "run-export-chunk" => run_export_chunk::Ports::wire(&wiring).map(drop),
        "finish-export" => finish_export::Ports::wire(&wiring).map(drop),
        "fail-chunk" => fail_chunk::Ports::wire(&wiring).map(drop),
        "resume-job" => resume_job::Ports::wire(&wiring).map(drop),
        "cancel-job" => cancel_job::Ports::wire(&wiring).map(drop),
        "expire-jobs" => expire_jobs::Ports::wire(&wiring).map(drop),
        other => panic!("start {other} here too"),
    }
}

async fn sdk() -> SdkConfig {
    local::dynamodb::aws_config("http://127.0.0.1:9").await
}

/// What a function asks its environment for when it starts in a deployment.
fn asked(
    template: &Template,
    function: &str,
    package: &str,
    sdk: &SdkConfig,
) -> BTreeSet<&'static str> {
    let env = deployed(template, function);
    start(package, &env, sdk).unwrap_or_else(|error| panic!("{function}: {error}"));
    env.asked()
}

#[test]
fn every_crate_of_the_functions_is_deployed() {
    let template = Template::read();
    let folders =
        std::fs::read_dir(Path::new(env!("CARGO_MANIFEST_DIR")).join("../functions")).unwrap();
    let crates: BTreeSet<_> = folders
        .map(|folder| folder.unwrap().file_name().into_string().unwrap())
        .collect();
    let deployed = template
        .functions()
        .into_iter()
        .map(|(_, package)| package.to_owned());
    assert_eq!(deployed.collect::<BTreeSet<_>>(), crates);
    for (function, _) in template.functions() {
        assert_eq!(
            template.at(&format!("/Resources/{function}/Metadata/BuildMethod")),
            "rust-cargolambda"
        );
    }
}

#[tokio::test]
async fn every_function_starts_with_the_settings_that_it_is_given_and_reads_each_of_them() {
    let (template, sdk) = (Template::read(), sdk().await);
    for (function, package) in template.functions() {
        let mut asked = asked(&template, function, package, &sdk);
        asked.retain(|name| !LOCAL_ONLY.contains(name));
        let given = template.environment(function);
        let given: BTreeSet<_> = given.keys().map(String::as_str).collect();
        assert_eq!(given, asked, "{function}: given, and read");
    }
}

#[tokio::test]
async fn every_setting_is_read_by_some_function() {
    let (template, sdk) = (Template::read(), sdk().await);
    let functions = template.functions().into_iter();
    let asked: BTreeSet<_> = functions
        .flat_map(|(name, package)| asked(&template, name, package, &sdk))
        .collect();
    assert_eq!(
        asked,
        VARIABLES.iter().map(|variable| variable.name).collect()
    );
}

#[tokio::test]
async fn every_function_that_writes_to_a_container_is_told_how_long_storage_may_take() {
    let (template, sdk) = (Template::read(), sdk().await);
    for (function, package) in template.functions() {
        if asked(&template, function, package, &sdk).contains("STORAGE_TIMEOUT_SECONDS") {
            let given = template.environment(function);
            let seconds = given
                .get("STORAGE_TIMEOUT_SECONDS")
                .and_then(Value::as_u64)
                .unwrap();
            assert!(
                seconds * 2 < template.property(function, "Timeout").as_u64().unwrap(),
                "{function}"
            );
        }
    }
}

#[test]
fn a_parameter_defaults_to_what_its_setting_defaults_to() {
    let template = Template::read();
    for (function, _) in template.functions() {
        for (name, value) in template.environment(function) {
            let default = VARIABLES
                .iter()
                .find(|variable| variable.name == name)
                .unwrap()
                .default;
            if let (Some(default), Some(_)) = (default, value.get("Ref")) {
                assert_eq!(template.deployed(&value), default, "{name} of {function}");
            }
        }
    }
}

#[test]
fn a_function_knows_its_time_out() {
    let template = Template::read();
    for (function, _) in template.functions() {
        if let Some(told) = template
            .environment(function)
            .get("FUNCTION_TIMEOUT_SECONDS")
        {
            assert_eq!(told, template.property(function, "Timeout"), "{function}");
        }
    }
}

#[tokio::test]
async fn a_deployment_whose_jobs_are_forgotten_while_they_wait_does_not_start() {
    let (template, sdk) = (Template::read(), sdk().await);
    for (function, package) in [("CreateJob", "create-job"), ("ExpireJobs", "expire-jobs")] {
        let variables = template.environment(function).into_iter();
        let pairs = variables.map(|(name, value)| {
            let value = if name == "JOB_RETENTION_DAYS" {
                "6".to_owned()
            } else {
                template.deployed(&value)
            };
            (name, value)
        });
        let error = start(package, &Environment::from_pairs(pairs), &sdk)
            .unwrap_err()
            .to_string();
        assert!(
            error
                .starts_with("JOB_RETENTION_DAYS=6 does not fit: at least CREDENTIAL_WAIT_DAYS, 7"),
            "{error}"
        );
    }
}
