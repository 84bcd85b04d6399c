//! template.yaml says what the code relies on.

mod deploying;
mod document;
mod functions;
mod operated;
mod policies;
mod restored;
mod rules;
mod watched;

use std::collections::BTreeSet;

use edge::event::{self, ChunkMessage, JobEvent};
use local::gateway::{ROUTES, cors};
use serde_json::{Value, json};

use self::document::Template;

/// The least seconds between the end of a run's lease and the moment when its message is seen
/// again.
const AFTER_LEASE_SECONDS: u64 = 30;

fn parsed(text: &str) -> Value {
    serde_json::from_str(text).unwrap()
}

/// The patterns of a pipe's filters.
fn filters(template: &Template, pipe: &str) -> Vec<Value> {
    let filters = template
        .property(pipe, "SourceParameters/FilterCriteria/Filters")
        .as_array()
        .unwrap();
    filters
        .iter()
        .map(|filter| parsed(filter["Pattern"].as_str().unwrap()))
        .collect()
}

/// What a pipe makes of an image that has `value` in every attribute, of every type.
fn transformed(template: &Template, pipe: &str, value: &str) -> Value {
    let text = template
        .property(pipe, "TargetParameters/InputTemplate")
        .as_str()
        .unwrap();
    let mut parts = text.split("<$.dynamodb.NewImage.");
    let mut made = parts.next().unwrap().to_owned();
    for part in parts {
        let (path, rest) = part.split_once('>').unwrap();
        let (name, kind) = path.split_once('.').unwrap();
        let is_number = ["shard", "chunk"].contains(&name);
        assert_eq!(
            kind,
            if is_number { "N" } else { "S" },
            "the type of {name}"
        );
        assert!(
            made.ends_with('"') && rest.starts_with('"'),
            "a path to a text stands in quotes: {name}"
        );
        made.push_str(value);
        made.push_str(rest);
    }
    parsed(&made)
}

#[test]
fn the_pipes_let_through_what_the_code_says() {
    let template = Template::read();
    assert_eq!(filters(&template, "JobsPipe"), event::jobs_filters());
    assert_eq!(filters(&template, "ChunksPipe"), event::chunks_filters());
}

#[test]
fn the_pipes_make_the_messages_that_the_functions_read() {
    let template = Template::read();
    let message: ChunkMessage =
        serde_json::from_value(transformed(&template, "ChunksPipe", "7")).unwrap();
    assert_eq!(json!(message), transformed(&template, "ChunksPipe", "7"));
    let event: JobEvent = serde_json::from_value(transformed(&template, "JobsPipe", "x")).unwrap();
    assert_eq!(json!(event), transformed(&template, "JobsPipe", "x"));
}

#[test]
fn the_stream_has_no_reader_but_the_two_pipes() {
    let template = Template::read();
    assert_eq!(
        template.property("ExportsTable", "StreamSpecification"),
        &json!({"StreamViewType": "NEW_IMAGE"})
    );
    assert_eq!(template.of_type("AWS::Pipes::Pipe").len(), 2);
    for (pipe, properties) in template.of_type("AWS::Pipes::Pipe") {
        assert_eq!(
            properties["Source"],
            json!({"Fn::GetAtt": "ExportsTable.StreamArn"}),
            "{pipe}"
        );
        let stream = &properties["SourceParameters"]["DynamoDBStreamParameters"];
        assert_eq!(
            stream["DeadLetterConfig"]["Arn"],
            json!({"Fn::GetAtt": "StrandedMessages.Arn"}),
            "{pipe}"
        );
        assert!(
            stream["MaximumRecordAgeInSeconds"].as_u64().unwrap() < 24 * 3600,
            "{pipe}"
        );
    }
    for (mapping, properties) in template.of_type("AWS::Lambda::EventSourceMapping") {
        assert!(
            properties["EventSourceArn"]["Fn::GetAtt"]
                .as_str()
                .unwrap()
                .ends_with(".Arn"),
            "{mapping}"
        );
    }
}

#[test]
fn the_api_leads_as_on_one_machine_and_asks_for_a_token_where_that_does() {
    let template = Template::read();
    let mut routes = BTreeSet::new();
    for (function, properties) in template.of_type("AWS::Serverless::Function") {
        let events = properties["Events"].as_object().into_iter().flatten();
        for (_, event) in events.filter(|(_, event)| event["Type"] == "HttpApi") {
            let event = &event["Properties"];
            assert_eq!(event["PayloadFormatVersion"], "2.0");
            let auth = event.get("Auth");
            let is_public = auth == Some(&json!({"Authorizer": "NONE"}));
            assert!(is_public || auth.is_none(), "the default authorizer holds");
            let path = event["Path"].as_str().unwrap();
            let key = if path == "$default" {
                path.to_owned()
            } else {
                format!("{} {path}", event["Method"].as_str().unwrap())
            };
            let built = template.at(&format!(
                "/Resources/{function}/Metadata/BuildProperties/Binary"
            ));
            routes.insert((key, built.as_str().unwrap(), is_public));
        }
    }
    let of_one_machine = ROUTES
        .iter()
        .map(|route| (route.key.to_owned(), route.function.name(), route.is_public));
    assert_eq!(routes, of_one_machine.collect());
    assert_eq!(template.property("Api", "Auth/DefaultAuthorizer"), "Token");
}

#[test]
fn the_page_is_off_and_may_do_nothing() {
    let template = Template::read();
    assert_eq!(template.at("/Parameters/Page/Default"), "no");
    assert_eq!(template.at("/Resources/GetPage/Condition"), "HasPage");
    assert_eq!(template.at("/Outputs/PageUrl/Condition"), "HasPage");
    assert_eq!(template.property("GetPage", "Policies"), &Value::Null);
}

#[test]
fn pages_of_no_origin_are_let_in_unless_it_is_named_as_on_one_machine() {
    let template = Template::read();
    assert_eq!(template.at("/Parameters/CorsAllowedOrigins/Default"), "");
    let given = template.at("/Conditions/HasCorsOrigins");
    assert_eq!(
        given,
        &json!({"Fn::Not": [{"Fn::Equals": [{"Ref": "CorsAllowedOrigins"}, ""]}]})
    );
    // The whole is the function: SAM takes one within as the whole, without the rest.
    let configured = json!({
        "AllowOrigins": {"Fn::Split": [",", {"Ref": "CorsAllowedOrigins"}]},
        "AllowMethods": cors::ALLOW_METHODS,
        "AllowHeaders": cors::ALLOW_HEADERS,
        "ExposeHeaders": cors::EXPOSE_HEADERS,
        "MaxAge": cors::MAX_AGE_SECONDS,
    });
    assert_eq!(
        template.property("Api", "CorsConfiguration"),
        &json!({"Fn::If": ["HasCorsOrigins", configured, {"Ref": "AWS::NoValue"}]})
    );
}

#[test]
fn the_access_log_has_neither_query_nor_header() {
    let template = Template::read();
    let format = template
        .property("Api", "AccessLogSettings/Format")
        .as_str()
        .unwrap();
    assert!(parsed(format).is_object());
    for leak in ["query", "header", "rawPath", "Authorization"] {
        assert!(!format.contains(leak), "{leak}");
    }
}

#[test]
fn a_chunk_is_seen_again_only_when_the_lease_of_its_run_is_over() {
    let template = Template::read();
    let timeout = template
        .property("RunExportChunk", "Timeout")
        .as_u64()
        .unwrap();
    let visibility = template
        .property("ChunkQueue", "VisibilityTimeout")
        .as_u64()
        .unwrap();
    assert!(visibility >= timeout + AFTER_LEASE_SECONDS);
    assert_eq!(
        template.property("ChunkQueue", "RedrivePolicy/maxReceiveCount"),
        5
    );
    for mapping in ["ChunkRuns", "FailedChunkRuns", "FailedEvents"] {
        assert_eq!(template.property(mapping, "BatchSize"), 1, "{mapping}");
        assert_eq!(
            template.property(mapping, "FunctionResponseTypes"),
            &json!(["ReportBatchItemFailures"])
        );
    }
}

#[test]
fn no_log_is_kept_for_ever_and_every_alarm_reaches_the_topic() {
    let template = Template::read();
    for (group, properties) in template.of_type("AWS::Logs::LogGroup") {
        let days = if group == "AuditLogs" {
            "AuditDays"
        } else {
            "LogRetentionDays"
        };
        assert_eq!(
            properties["RetentionInDays"],
            json!({ "Ref": days }),
            "{group}"
        );
    }
    assert_eq!(
        template.at("/Globals/Function/LoggingConfig/LogGroup"),
        &json!({"Ref": "FunctionLogs"})
    );
    let to_topic =
        json!([{"Fn::If": ["HasAlarmTopic", {"Ref": "AlarmTopicArn"}, {"Ref": "AWS::NoValue"}]}]);
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
fn lambda_drops_no_line_that_the_level_of_the_logs_asks_for() {
    let template = Template::read();
    let level = template.at("/Globals/Function/LoggingConfig/ApplicationLogLevel");
    assert_eq!(
        level,
        &json!({"Fn::FindInMap": ["LambdaLogLevels", {"Ref": "LogLevel"}, "is"]})
    );
    for allowed in template
        .at("/Parameters/LogLevel/AllowedValues")
        .as_array()
        .unwrap()
    {
        let allowed = allowed.as_str().unwrap();
        let level = template.at(&format!("/Mappings/LambdaLogLevels/{allowed}/is"));
        assert_eq!(level, &allowed.to_uppercase());
    }
}

#[test]
fn an_issuer_that_does_not_answer_fails_the_deployment() {
    assert_eq!(Template::read().property("Api", "FailOnWarnings"), true);
}

#[test]
fn whom_tokens_are_for_must_be_said_and_is_not_azure() {
    let template = Template::read();
    let defaults = template.at("/Parameters").as_object().unwrap();
    let required = defaults
        .iter()
        .filter(|(_, parameter)| parameter.get("Default").is_none());
    let required: BTreeSet<_> = required.map(|(name, _)| name.as_str()).collect();
    assert_eq!(
        required,
        BTreeSet::from(["LakeBucket", "TokenAudience", "TokenIssuer"])
    );
    let group = template.at("/Metadata/AWS::CloudFormation::Interface/ParameterGroups/0");
    assert_eq!(group["Label"]["default"], "Must be given");
    let shown = group["Parameters"]
        .as_array()
        .unwrap()
        .iter()
        .map(|name| name.as_str().unwrap());
    assert_eq!(shown.collect::<BTreeSet<_>>(), required);
    let operations = include_str!("../../docs/OPERATIONS.md");
    assert!(
        operations.contains("have no default: `LakeBucket`, `TokenIssuer` and `TokenAudience`.")
    );
    assert_eq!(
        template.property("Api", "Auth/Authorizers/Token/JwtConfiguration/audience"),
        &json!({"Ref": "TokenAudience"})
    );
}

#[test]
fn what_is_stored_outlives_the_stack_but_not_a_creation_that_failed() {
    let template = Template::read();
    let kept = ["AWS::DynamoDB::Table", "AWS::KMS::Key"]
        .map(|kind| template.of_type(kind))
        .concat();
    assert_eq!(kept.len(), 3);
    let kept = kept.into_iter().map(|(resource, _)| resource);
    for resource in kept.chain(["AuditLogs"]) {
        let policy = |name: &str| {
            template
                .at(&format!("/Resources/{resource}/{name}"))
                .as_str()
                .unwrap()
        };
        assert_eq!(
            (policy("DeletionPolicy"), policy("UpdateReplacePolicy")),
            ("RetainExceptOnCreate", "Retain")
        );
    }
}

#[test]
fn chunks_leave_the_account_room_for_the_other_functions() {
    let template = Template::read();
    assert_eq!(template.at("/Parameters/ChunkConcurrency/Default"), 50);
    let said = template
        .at("/Parameters/ChunkConcurrency/Description")
        .as_str()
        .unwrap();
    assert!(
        said.contains("at most the account's limit of concurrent executions less 20"),
        "{said}"
    );
    let runbook = include_str!("../../docs/OPERATIONS.md");
    let row = runbook
        .lines()
        .find(|line| line.starts_with("| `ChunkConcurrency` |"))
        .unwrap();
    assert!(
        row.contains("50 chunks") && row.contains("less 20"),
        "{row}"
    );
}
