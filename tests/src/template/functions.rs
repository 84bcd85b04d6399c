//! The functions of the template: their crates, their settings, their time-outs.

use std::collections::BTreeSet;
use std::path::Path;

use aws_config::SdkConfig;
use domain::cause::in_one_line;
use edge::telemetry;
use formats::encode::EncodeOptions;
use serde_json::Value;
use wiring::config::{
    BLOCK_BYTES, EXTRA_BLOB_ENDPOINTS, Environment, FUNCTION_TIMEOUT_SECONDS, JOB_RETENTION_DAYS,
    LAKE_URL, ON_BAD_RECORD, REGISTRY_SEGMENTS, ROW_GROUP_BYTES, SEAL_KEY_FILE, SEAL_KMS_KEY_ID,
    STORAGE_TIMEOUT_SECONDS, variables,
};
use wiring::{Wiring, WiringError};

use super::document::Template;

/// The settings that only one machine has.
const LOCAL_ONLY: [&str; 2] = [EXTRA_BLOB_ENDPOINTS.name, SEAL_KEY_FILE.name];

/// A function's environment in a deployment with the parameters' defaults, with what Lambda says of
/// its memory; but for the settings that are given here.
fn deployed_but(template: &Template, function: &str, given: &[(&str, &str)]) -> Environment {
    let memory = template.deployed(template.property(function, "MemorySize"));
    let variables = template.environment(function).into_iter();
    let pairs = variables
        .map(|(name, value)| (name, template.deployed(&value)))
        .chain([("AWS_LAMBDA_FUNCTION_MEMORY_SIZE".to_owned(), memory)])
        .chain(
            given
                .iter()
                .map(|(name, value)| ((*name).to_owned(), (*value).to_owned())),
        );
    Environment::from_pairs(pairs)
}

fn deployed(template: &Template, function: &str) -> Environment {
    deployed_but(template, function, &[])
}

/// Starts a function as its `main` does, but for what would go on beyond the process.
fn start(package: &str, env: &Environment, sdk: &SdkConfig) -> Result<(), WiringError> {
    telemetry::filter(env)?;
    telemetry::namespace(env)?;
    let wiring = Wiring::new(env.clone(), sdk.clone());
    match package {
        "create-job" => create_job::Ports::wire(&wiring).map(drop),
        "get-status" => get_status::Ports::wire(&wiring).map(drop),
        "get-page" => get_page::Ports::wire(&wiring).map(drop),
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

/// What a function reads of its environment when it starts in a deployment.
fn read(
    template: &Template,
    function: &str,
    package: &str,
    sdk: &SdkConfig,
) -> BTreeSet<&'static str> {
    let env = deployed(template, function);
    start(package, &env, sdk).unwrap_or_else(|error| panic!("{function}: {error}"));
    env.read()
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

#[test]
fn the_planner_knows_how_often_its_event_is_delivered() {
    let template = Template::read();
    let retries = template.property("PlanExport", "EventInvokeConfig/MaximumRetryAttempts");
    assert_eq!(retries, plan_export::DELIVERIES - 1);
}

#[tokio::test]
async fn every_function_starts_with_the_settings_that_it_is_given_and_reads_each_of_them() {
    let (template, sdk) = (Template::read(), sdk().await);
    for (function, package) in template.functions() {
        let mut read = read(&template, function, package, &sdk);
        read.retain(|name| !LOCAL_ONLY.contains(name));
        let given = template.environment(function);
        let given: BTreeSet<_> = given.keys().map(String::as_str).collect();
        assert_eq!(given, read, "{function}: given, and read");
    }
}

#[tokio::test]
async fn every_setting_is_read_by_some_function() {
    let (template, sdk) = (Template::read(), sdk().await);
    let functions = template.functions().into_iter();
    let read: BTreeSet<_> = functions
        .flat_map(|(name, package)| read(&template, name, package, &sdk))
        .collect();
    let known = variables().into_iter();
    assert_eq!(read, known.map(|variable| variable.name).collect());
}

#[tokio::test]
async fn every_function_that_writes_to_a_container_is_told_how_long_storage_may_take() {
    let (template, sdk) = (Template::read(), sdk().await);
    for (function, package) in template.functions() {
        if read(&template, function, package, &sdk).contains(STORAGE_TIMEOUT_SECONDS.name) {
            let given = template.environment(function);
            let seconds = given
                .get(STORAGE_TIMEOUT_SECONDS.name)
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
            let default = variables()
                .into_iter()
                .find(|variable| variable.name == name)
                .unwrap()
                .default;
            // What AWS itself knows, such as the stack's name, is no parameter.
            let parameter = value["Ref"].as_str();
            let parameter = parameter.filter(|name| !name.starts_with("AWS::"));
            if let (Some(default), Some(_)) = (default, parameter) {
                assert_eq!(template.deployed(&value), default, "{name} of {function}");
            }
        }
    }
}

#[test]
fn a_function_knows_its_time_out() {
    let template = Template::read();
    for (function, _) in template.functions() {
        if let Some(timeout) = template
            .environment(function)
            .get(FUNCTION_TIMEOUT_SECONDS.name)
        {
            assert_eq!(
                timeout,
                template.property(function, "Timeout"),
                "{function}"
            );
        }
    }
}

#[tokio::test]
async fn a_deployment_whose_jobs_are_forgotten_while_they_wait_does_not_start() {
    let (template, sdk) = (Template::read(), sdk().await);
    for (function, package) in [("CreateJob", "create-job"), ("ExpireJobs", "expire-jobs")] {
        let env = deployed_but(&template, function, &[(JOB_RETENTION_DAYS.name, "6")]);
        assert_eq!(
            start(package, &env, &sdk).unwrap_err().to_string(),
            "JOB_RETENTION_DAYS=6 does not fit: set it to at least CREDENTIAL_WAIT_DAYS, 7, \
             or a job is forgotten while it waits"
        );
    }
}

#[tokio::test]
async fn a_deployment_whose_blocks_do_not_fit_into_a_functions_memory_does_not_start() {
    let (template, sdk) = (Template::read(), sdk().await);
    for (function, package, memory, needed) in [
        (
            "RunExportChunk",
            "run-export-chunk",
            "1769 MB beside PREFETCH_BYTES=67108864 and ROW_GROUP_BYTES=33554432",
            2_238,
        ),
        ("FinishExport", "finish-export", "512 MB", 2_078),
    ] {
        let env = deployed_but(&template, function, &[(BLOCK_BYTES.name, "268435456")]);
        let error = start(package, &env, &sdk).unwrap_err().to_string();
        let said = format!(
            "BLOCK_BYTES=268435456 and UPLOADS_IN_FLIGHT=3 do not fit into the function's memory of {memory}: \
             give it {needed} MB, or set BLOCK_BYTES to at most "
        );
        assert!(error.starts_with(&said), "{error}");
    }
}

#[test]
fn a_row_group_is_as_large_as_the_encoder_takes_it_to_be_unless_it_is_set() {
    let of_encoder = EncodeOptions::default().row_group_bytes;
    assert_eq!(ROW_GROUP_BYTES.default, of_encoder);
}

#[tokio::test]
async fn a_function_that_cannot_use_a_setting_says_why() {
    let (template, sdk) = (Template::read(), sdk().await);
    let cases = [
        (
            (LAKE_URL.name, "ftp://lake"),
            "LAKE_URL=ftp://lake does not fit: set it to `s3://bucket/prefix` or `file:///folder`: \
             the lake's address begins with `ftp:`, not with `s3:` or `file:`",
        ),
        (
            (REGISTRY_SEGMENTS.name, "x"),
            "REGISTRY_SEGMENTS=x does not fit: set it to a number from 1 to 1024: \
             invalid digit found in string",
        ),
        (
            (SEAL_KEY_FILE.name, "/no/such/key"),
            "each of SEAL_KMS_KEY_ID and SEAL_KEY_FILE is set: set one of them",
        ),
        (
            (SEAL_KMS_KEY_ID.name, ""),
            "none of SEAL_KMS_KEY_ID and SEAL_KEY_FILE is set: set one of them",
        ),
    ];
    for (given, said) in cases {
        let env = deployed_but(&template, "RunExportChunk", &[given]);
        let error = start("run-export-chunk", &env, &sdk).unwrap_err();
        assert_eq!(in_one_line(&error), said);
    }
    let env = deployed_but(&template, "PlanExport", &[(ON_BAD_RECORD.name, "skip")]);
    assert_eq!(
        in_one_line(&start("plan-export", &env, &sdk).unwrap_err()),
        "ON_BAD_RECORD=skip does not fit: set it to `reject` or `fail`"
    );
}

#[tokio::test]
async fn a_key_file_or_an_endpoint_that_cannot_be_used_is_the_settings_fault() {
    let (template, sdk) = (Template::read(), sdk().await);
    let file = [
        (SEAL_KMS_KEY_ID.name, ""),
        (SEAL_KEY_FILE.name, "/no/such/key"),
    ];
    let env = deployed_but(&template, "ResumeJob", &file);
    let said = in_one_line(&start("resume-job", &env, &sdk).unwrap_err());
    assert!(
        said.starts_with(
            "SEAL_KEY_FILE=/no/such/key does not fit: set it to the path of a file of 64 hex digits: \
             the sealing key's file cannot be read: No such file"
        ),
        "{said}"
    );
    let endpoint = [(EXTRA_BLOB_ENDPOINTS.name, "http://host?sig=hush")];
    let env = deployed_but(&template, "ResumeJob", &endpoint);
    assert_eq!(
        in_one_line(&start("resume-job", &env, &sdk).unwrap_err()),
        "EXTRA_BLOB_ENDPOINTS=… does not fit: set it to http or https URLs, comma-separated: \
         an extra blob endpoint must be an http or https URL without user, query or fragment"
    );
}
