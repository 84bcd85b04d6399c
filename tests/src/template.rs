//! template.yaml says what the code relies on.

mod document;

use serde_json::{Value, json};
use shared::config::{Environment, VARIABLES};
use shared::event::{self, ChunkMessage, JobEvent};
use shared::wiring::Wiring;

use self::document::Template;

/// The functions: in the template, as a crate, and the settings that each reads.
const FUNCTIONS: [(&str, &str, &[&str]); 9] = [
    (
        "CreateJob",
        "create-job",
        &[
            "EXPORTS_TABLE",
            "LOG_LEVEL",
            "SEAL_KMS_KEY_ID",
            "PUBLIC_URL",
            "TOKEN_SUBJECT_CLAIM",
            "JOB_RETENTION_DAYS",
            "MAX_RANGE_DAYS",
            "STORAGE_TIMEOUT_SECONDS",
        ],
    ),
    ("GetStatus", "get-status", &["EXPORTS_TABLE", "LOG_LEVEL", "PUBLIC_URL", "TOKEN_SUBJECT_CLAIM"]),
    (
        "ResumeJob",
        "resume-job",
        &[
            "EXPORTS_TABLE",
            "LOG_LEVEL",
            "SEAL_KMS_KEY_ID",
            "PUBLIC_URL",
            "TOKEN_SUBJECT_CLAIM",
            "STORAGE_TIMEOUT_SECONDS",
        ],
    ),
    ("CancelJob", "cancel-job", &["EXPORTS_TABLE", "LOG_LEVEL", "PUBLIC_URL", "TOKEN_SUBJECT_CLAIM"]),
    ("ExpireJobs", "expire-jobs", &["EXPORTS_TABLE", "LOG_LEVEL", "CREDENTIAL_WAIT_DAYS"]),
    (
        "PlanExport",
        "plan-export",
        &[
            "EXPORTS_TABLE",
            "LOG_LEVEL",
            "REGISTRY_TABLE",
            "REGISTRY_SEGMENTS",
            "LAKE_URL",
            "CHUNK_TARGET_BYTES",
            "MAX_SHARDS",
            "FUNCTION_TIMEOUT_SECONDS",
        ],
    ),
    (
        "RunExportChunk",
        "run-export-chunk",
        &[
            "EXPORTS_TABLE",
            "LOG_LEVEL",
            "REGISTRY_TABLE",
            "REGISTRY_SEGMENTS",
            "LAKE_URL",
            "SEAL_KMS_KEY_ID",
            "BLOCK_BYTES",
            "UPLOADS_IN_FLIGHT",
            "ON_BAD_RECORD",
            "FUNCTION_TIMEOUT_SECONDS",
        ],
    ),
    (
        "FinishExport",
        "finish-export",
        &["EXPORTS_TABLE", "LOG_LEVEL", "SEAL_KMS_KEY_ID", "BLOCK_BYTES", "UPLOADS_IN_FLIGHT"],
    ),
    ("FailChunk", "fail-chunk", &["EXPORTS_TABLE", "LOG_LEVEL"]),
];

/// The settings that only one machine has.
const LOCAL_ONLY: [&str; 2] = ["SEAL_KEY_FILE", "EXTRA_BLOB_ENDPOINTS"];

/// The routes, by method, and the function that each leads to.
const ROUTES: [(&str, &str, &str); 5] = [
    ("ANY", "$default", "GetStatus"),
    ("DELETE", "/{proxy+}", "CancelJob"),
    ("GET", "/{proxy+}", "GetStatus"),
    ("PATCH", "/{proxy+}", "ResumeJob"),
    ("POST", "/{proxy+}", "CreateJob"),
];

/// The least seconds between the end of a run's lease and the moment when its message is seen again.
const AFTER_LEASE_SECONDS: u64 = 30;

fn parsed(text: &str) -> Value {
    serde_json::from_str(text).unwrap()
}

/// The patterns of a pipe's filters.
fn filters(template: &Template, pipe: &str) -> Vec<String> {
    let filters = template.property(pipe, "SourceParameters/FilterCriteria/Filters").as_array().unwrap();
    filters.iter().map(|filter| filter["Pattern"].as_str().unwrap().to_owned()).collect()
}

/// What a pipe makes of an image that has `value` in every attribute, of every type.
fn transformed(template: &Template, pipe: &str, value: &str) -> Value {
    let text = template.property(pipe, "TargetParameters/InputTemplate").as_str().unwrap();
    let mut parts = text.split("<$.dynamodb.NewImage.");
    let mut made = parts.next().unwrap().to_owned();
    for part in parts {
        let (path, rest) = part.split_once('>').unwrap();
        let (name, kind) = path.split_once('.').unwrap();
        let is_number = ["shard", "chunk"].contains(&name);
        assert_eq!(kind, if is_number { "N" } else { "S" }, "the type of {name}");
        assert!(made.ends_with('"') && rest.starts_with('"'), "a path to a text stands in quotes: {name}");
        made.push_str(value);
        made.push_str(rest);
    }
    parsed(&made)
}

#[test]
fn the_pipes_let_through_what_the_code_says() {
    let template = Template::read();
    assert_eq!(filters(&template, "JobsPipe"), event::JOBS_FILTERS);
    assert_eq!(filters(&template, "ChunksPipe"), event::CHUNKS_FILTERS);
}

#[test]
fn the_pipes_make_the_messages_that_the_functions_read() {
    let template = Template::read();
    let message: ChunkMessage = serde_json::from_value(transformed(&template, "ChunksPipe", "7")).unwrap();
    assert_eq!(json!(message), transformed(&template, "ChunksPipe", "7"));
    let event: JobEvent = serde_json::from_value(transformed(&template, "JobsPipe", "x")).unwrap();
    assert_eq!(json!(event), transformed(&template, "JobsPipe", "x"));
}

#[test]
fn the_events_on_the_bus_carry_the_name_that_the_rules_ask_for() {
    let template = Template::read();
    let named = template.property("JobsPipe", "TargetParameters/EventBridgeEventBusParameters");
    assert_eq!(named, &json!({"Source": event::EVENT_SOURCE, "DetailType": event::EVENT_DETAIL_TYPE}));
    let rule = |function, name| template.property(function, &format!("Events/{name}/Properties/Pattern"));
    assert_eq!(rule("PlanExport", "Queued"), &parsed(event::PLAN_RULE));
    assert_eq!(rule("FinishExport", "Drained"), &parsed(event::FINISH_RULE));
}

#[test]
fn the_notices_are_off_and_tell_of_phases_that_are_on_the_bus() {
    let template = Template::read();
    assert_eq!(template.at("/Parameters/PublishJobEvents/Default"), "no");
    for resource in ["JobNotices", "JobTopic", "JobTopicPolicy"] {
        assert_eq!(template.at(&format!("/Resources/{resource}/Condition")), "HasJobTopic");
    }
    let pattern = template.property("JobNotices", "EventPattern");
    assert_eq!(pattern["source"], json!([event::EVENT_SOURCE]));
    for phase in pattern["detail"]["phase"].as_array().unwrap() {
        assert!(event::JOBS_FILTERS[0].contains(&phase.to_string()), "{phase}");
    }
}

#[test]
fn jobs_that_wait_are_looked_at_every_hour() {
    let template = Template::read();
    let event = template.property("ExpireJobs", "Events/Hourly");
    assert_eq!(event, &json!({"Type": "Schedule", "Properties": {"Schedule": "rate(1 hour)"}}));
}

/// The functions that have a statement with both words.
fn functions_allowed(template: &Template, action: &str, keys: &str) -> Vec<&'static str> {
    let is_allowed = |function: &&str| {
        let statements = template.property(function, "Policies/0/Statement").as_array().unwrap();
        statements.iter().map(Value::to_string).any(|text| text.contains(action) && text.contains(keys))
    };
    FUNCTIONS.map(|(function, _, _)| function).into_iter().filter(is_allowed).collect()
}

#[test]
fn the_functions_of_control_may_do_what_it_takes() {
    let template = Template::read();
    let allowed = |action, keys| functions_allowed(&template, action, keys);
    assert_eq!(allowed("PutItem", "\"WAITING\""), ["RunExportChunk", "FinishExport", "FailChunk"], "let jobs wait");
    assert_eq!(allowed("DeleteItem", "\"WAITING\""), ["ExpireJobs"], "strike them");
    assert_eq!(allowed("ConditionCheckItem", "APP#*"), ["ExpireJobs", "PlanExport"], "if nobody moved the job");
    assert_eq!(allowed("\"kms:Encrypt\"", "job-id"), ["CreateJob", "ResumeJob"], "seal");
    assert_eq!(allowed("\"kms:Decrypt\"", "job-id"), ["ResumeJob", "RunExportChunk", "FinishExport"], "open");
}

#[test]
fn the_stream_has_no_reader_but_the_two_pipes() {
    let template = Template::read();
    assert_eq!(template.property("ExportsTable", "StreamSpecification"), &json!({"StreamViewType": "NEW_IMAGE"}));
    assert_eq!(template.of_type("AWS::Pipes::Pipe").len(), 2);
    for (pipe, properties) in template.of_type("AWS::Pipes::Pipe") {
        assert_eq!(properties["Source"], json!({"Fn::GetAtt": "ExportsTable.StreamArn"}), "{pipe}");
        let stream = &properties["SourceParameters"]["DynamoDBStreamParameters"];
        assert_eq!(stream["DeadLetterConfig"]["Arn"], json!({"Fn::GetAtt": "StrandedMessages.Arn"}), "{pipe}");
        assert!(stream["MaximumRecordAgeInSeconds"].as_u64().unwrap() < 24 * 3600, "{pipe}");
    }
    for (mapping, properties) in template.of_type("AWS::Lambda::EventSourceMapping") {
        assert!(properties["EventSourceArn"]["Fn::GetAtt"].as_str().unwrap().ends_with(".Arn"), "{mapping}");
    }
}

#[test]
fn every_function_is_given_the_settings_that_it_reads_and_no_other() {
    let template = Template::read();
    assert_eq!(template.of_type("AWS::Serverless::Function").len(), FUNCTIONS.len());
    for (function, _, reads) in FUNCTIONS {
        let mut given: Vec<_> = template.environment(function).into_iter().map(|(name, _)| name).collect();
        let mut reads = reads.to_vec();
        given.sort_unstable();
        reads.sort_unstable();
        assert_eq!(given, reads, "{function}");
    }
}

#[test]
fn every_setting_is_known_and_given_to_some_function() {
    let known = VARIABLES.map(|variable| variable.name);
    let is_given = |name: &&str| FUNCTIONS.iter().any(|(_, _, reads)| reads.contains(name));
    assert!(FUNCTIONS.iter().flat_map(|(_, _, reads)| *reads).all(|name| known.contains(name)));
    let missing: Vec<_> = known.into_iter().filter(|name| !is_given(name)).collect();
    assert_eq!(missing, LOCAL_ONLY);
}

#[test]
fn a_parameter_defaults_to_what_its_setting_defaults_to() {
    let template = Template::read();
    for (function, _, _) in FUNCTIONS {
        for (name, value) in template.environment(function) {
            let default = VARIABLES.iter().find(|variable| variable.name == name).unwrap().default;
            if let (Some(default), Some(_)) = (default, value.get("Ref")) {
                assert_eq!(template.deployed(&value), default, "{name} of {function}");
            }
        }
    }
}

#[tokio::test]
async fn every_function_starts_with_the_environment_of_the_template() {
    let template = Template::read();
    let sdk = local::dynamodb::aws_config("http://127.0.0.1:9").await;
    let wiring = |function: &str| {
        let variables = template.environment(function).into_iter();
        let pairs = variables.map(|(name, value)| (name, template.deployed(&value)));
        Wiring::new(Environment::from_pairs(pairs), sdk.clone())
    };
    assert!(create_job::Ports::wire(&wiring("CreateJob")).is_ok());
    assert!(get_status::Ports::wire(&wiring("GetStatus")).is_ok());
    assert!(plan_export::Ports::wire(&wiring("PlanExport")).is_ok());
    assert!(run_export_chunk::Ports::wire(&wiring("RunExportChunk")).is_ok());
    assert!(finish_export::Ports::wire(&wiring("FinishExport")).is_ok());
    assert!(fail_chunk::Ports::wire(&wiring("FailChunk")).is_ok());
    assert!(resume_job::Ports::wire(&wiring("ResumeJob")).is_ok());
    assert!(cancel_job::Ports::wire(&wiring("CancelJob")).is_ok());
    assert!(expire_jobs::Ports::wire(&wiring("ExpireJobs")).is_ok());
}

#[test]
fn a_function_is_built_from_its_crate_and_knows_its_time_out() {
    let template = Template::read();
    for (function, package, reads) in FUNCTIONS {
        let resource = template.at(&format!("/Resources/{function}"));
        assert_eq!(resource["Metadata"]["BuildProperties"]["Binary"], package);
        assert_eq!(resource["Metadata"]["BuildMethod"], "rust-cargolambda");
        if reads.contains(&"FUNCTION_TIMEOUT_SECONDS") {
            let told = template.environment(function)["FUNCTION_TIMEOUT_SECONDS"].clone();
            assert_eq!(told, resource["Properties"]["Timeout"], "{function}");
        }
    }
}

#[test]
fn the_api_leads_by_method_whatever_the_path_and_asks_for_a_token() {
    let template = Template::read();
    let mut routes = Vec::new();
    for (function, properties) in template.of_type("AWS::Serverless::Function") {
        let events = properties["Events"].as_object().into_iter().flatten();
        for (_, event) in events.filter(|(_, event)| event["Type"] == "HttpApi") {
            let event = &event["Properties"];
            assert_eq!(event["PayloadFormatVersion"], "2.0");
            assert!(event.get("Auth").is_none(), "the default authorizer holds");
            routes.push((event["Method"].as_str().unwrap(), event["Path"].as_str().unwrap(), function));
        }
    }
    routes.sort_unstable();
    assert_eq!(routes, ROUTES);
    assert_eq!(template.property("Api", "Auth/DefaultAuthorizer"), "Token");
}

#[test]
fn the_access_log_has_neither_query_nor_header() {
    let template = Template::read();
    let format = template.property("Api", "AccessLogSettings/Format").as_str().unwrap();
    assert!(parsed(format).is_object());
    for leak in ["query", "header", "rawPath", "Authorization"] {
        assert!(!format.contains(leak), "{leak}");
    }
}

#[test]
fn a_chunk_is_seen_again_only_when_the_lease_of_its_run_is_over() {
    let template = Template::read();
    let timeout = template.property("RunExportChunk", "Timeout").as_u64().unwrap();
    let visibility = template.property("ChunkQueue", "VisibilityTimeout").as_u64().unwrap();
    assert!(visibility >= timeout + AFTER_LEASE_SECONDS);
    assert_eq!(template.property("ChunkQueue", "RedrivePolicy/maxReceiveCount"), 5);
    for mapping in ["ChunkRuns", "FailedChunkRuns", "FailedEvents"] {
        assert_eq!(template.property(mapping, "BatchSize"), 1, "{mapping}");
        assert_eq!(template.property(mapping, "FunctionResponseTypes"), &json!(["ReportBatchItemFailures"]));
    }
}

#[test]
fn whatever_fails_for_good_ends_in_a_queue_that_somebody_reads() {
    let template = Template::read();
    let queue = |name: &str| json!({"Fn::GetAtt": format!("{name}.Arn")});
    for function in ["PlanExport", "FinishExport"] {
        assert_eq!(template.property(function, "DeadLetterQueue/TargetArn"), &queue("EventDeadLetters"));
    }
    let rules = [("PlanExport", "Queued"), ("FinishExport", "Drained")];
    for (function, rule) in rules {
        let letters = template.property(function, &format!("Events/{rule}/Properties/DeadLetterConfig/Arn"));
        assert_eq!(letters, &queue("EventDeadLetters"));
    }
    let next = |name: &str| template.property(name, "RedrivePolicy/deadLetterTargetArn").clone();
    assert_eq!(next("ChunkQueue"), queue("ChunkDeadLetters"));
    assert_eq!(next("ChunkDeadLetters"), queue("StrandedMessages"));
    assert_eq!(next("EventDeadLetters"), queue("StrandedMessages"));
    for (mapping, letters) in [("FailedChunkRuns", "ChunkDeadLetters"), ("FailedEvents", "EventDeadLetters")] {
        assert_eq!(template.property(mapping, "EventSourceArn"), &queue(letters));
        assert_eq!(template.property(mapping, "FunctionName"), &queue("FailChunk"));
    }
}

#[test]
fn no_log_is_kept_for_ever_and_every_alarm_reaches_the_topic() {
    let template = Template::read();
    for (group, properties) in template.of_type("AWS::Logs::LogGroup") {
        assert_eq!(properties["RetentionInDays"], json!({"Ref": "LogRetentionDays"}), "{group}");
    }
    assert_eq!(template.at("/Globals/Function/LoggingConfig/LogGroup"), &json!({"Ref": "FunctionLogs"}));
    let to_topic = json!([{"Fn::If": ["HasAlarmTopic", {"Ref": "AlarmTopicArn"}, {"Ref": "AWS::NoValue"}]}]);
    for (alarm, properties) in template.of_type("AWS::CloudWatch::Alarm") {
        assert_eq!(properties["AlarmActions"], to_topic, "{alarm}");
        assert_eq!(properties["TreatMissingData"], "notBreaching", "{alarm}");
    }
}

#[test]
fn the_runbook_says_what_to_do_at_every_alarm() {
    let runbook = include_str!("../../docs/OPERATIONS.md");
    for (alarm, _) in Template::read().of_type("AWS::CloudWatch::Alarm") {
        assert!(runbook.contains(&format!("### {alarm}\n")), "{alarm}");
    }
}

#[test]
fn no_function_may_write_a_grant_or_call_anything_on_everything() {
    let template = Template::read();
    for (function, properties) in template.of_type("AWS::Serverless::Function") {
        for statement in properties["Policies"][0]["Statement"].as_array().unwrap() {
            let text = statement.to_string();
            assert_ne!(statement["Resource"], "*", "{function}: {text}");
            let writes = ["PutItem", "UpdateItem", "DeleteItem"].iter().any(|action| text.contains(action));
            assert!(!writes || !text.contains("PRINCIPAL#") && text.contains("dynamodb:LeadingKeys"), "{text}");
        }
    }
}
