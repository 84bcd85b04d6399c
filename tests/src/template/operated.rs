//! What who operates the service relies on: versions that can be turned back, TLS, traces, what the
//! runbook names.

use std::collections::BTreeSet;

use regex::Regex;
use serde_json::{Value, json};

use super::document::Template;
use crate::documents::root;

const RUNBOOK: &str = include_str!("../../../docs/OPERATIONS.md");
const LOGGING: &str = include_str!("../../../docs/LOGGING.md");

#[test]
fn a_new_version_takes_over_bit_by_bit_and_alarms_turn_it_back() {
    let template = Template::read();
    let shared = template.at("/Globals/Function");
    assert_eq!(shared["AutoPublishAlias"], "live");
    let shift = &shared["DeploymentPreference"];
    assert_eq!(shift["Type"], json!({"Ref": "DeploymentShift"}));
    assert_eq!(shift["PassthroughCondition"], true);
    let alarms = shift["Alarms"].as_array().unwrap();
    let known: BTreeSet<_> = template
        .of_type("AWS::CloudWatch::Alarm")
        .into_iter()
        .map(|(alarm, properties)| {
            // The API names the aliases, which wait for the alarms.
            let of_api = properties.to_string().contains(r#"{"Ref":"Api"}"#);
            (alarm.to_owned(), of_api)
        })
        .collect();
    assert!(!alarms.is_empty());
    for alarm in alarms {
        let name = alarm["Ref"].as_str().unwrap().to_owned();
        assert!(known.contains(&(name, false)), "{alarm}");
    }
    let default = template.at("/Parameters/DeploymentShift/Default");
    assert!(default.as_str().unwrap().starts_with("Canary"), "{default}");
    for (function, properties) in template.of_type("AWS::Serverless::Function") {
        for own in ["AutoPublishAlias", "DeploymentPreference", "Tracing"] {
            assert!(properties.get(own).is_none(), "{function}: {own}");
        }
        // Else a deployment that changes a setting alone would leave the alias at the version before.
        assert_eq!(
            properties["AutoPublishAliasAllProperties"], true,
            "{function}"
        );
    }
}

/// The parameters that a value is made of.
fn parameters(template: &Template, value: &Value, found: &mut BTreeSet<String>) {
    let known = template.at("/Parameters").as_object().unwrap();
    match value {
        Value::Object(members) => {
            let named = members.get("Ref").and_then(Value::as_str);
            found.extend(
                named
                    .filter(|it| known.contains_key(*it))
                    .map(str::to_owned),
            );
            let filled = members.get("Fn::Sub").and_then(Value::as_str);
            let is_filled_in =
                |it: &&String| filled.is_some_and(|text| text.contains(&format!("${{{it}}}")));
            found.extend(known.keys().filter(is_filled_in).cloned());
            for member in members.values() {
                parameters(template, member, found);
            }
        }
        Value::Array(values) => {
            for value in values {
                parameters(template, value, found);
            }
        }
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => {}
    }
}

/// The most characters that a parameter's value has in a description, if that is known.
fn most_characters(parameter: &Value) -> Option<usize> {
    if let Some(most) = parameter["MaxLength"].as_u64() {
        return usize::try_from(most).ok();
    }
    if let Some(most) = parameter["MaxValue"].as_u64() {
        return Some(most.to_string().len());
    }
    if let Some(allowed) = parameter["AllowedValues"].as_array() {
        let text = |value: &Value| value.as_str().map_or(value.to_string(), str::to_owned);
        return allowed.iter().map(|value| text(value).len()).max();
    }
    // Of a stream's ARN, its label is said.
    let label = Regex::new(r"/stream/[^/]*\{\d+,(\d+)\}").unwrap();
    let pattern = parameter["AllowedPattern"].as_str().unwrap_or_default();
    label.captures(pattern)?[1].parse().ok()
}

/// How many characters the description of a version may have
/// (<https://docs.aws.amazon.com/lambda/latest/api/API_PublishVersion.html>).
const DESCRIPTION: usize = 256;

/// What one parameter changes reaches the alias: SAM makes a new version of another template alone, and
/// `CloudFormation` of another description.
#[test]
fn a_function_has_a_new_version_when_a_parameter_of_it_has_another_value() {
    // As of restored tables, so that these are parameters, too.
    let template = Template::restored();
    let most = |name: &String| most_characters(template.at(&format!("/Parameters/{name}")));
    let mut left_out = BTreeSet::new();
    for (function, properties) in template.of_type("AWS::Serverless::Function") {
        let (mut made_of, mut said) = (BTreeSet::new(), BTreeSet::new());
        let shared = template.at("/Globals/Function");
        for of in [
            &shared["Environment"],
            &shared["LoggingConfig"]["ApplicationLogLevel"],
            &properties["Environment"],
            &properties["MemorySize"],
            &properties["Timeout"],
        ] {
            parameters(&template, of, &mut made_of);
        }
        parameters(&template, &properties["VersionDescription"], &mut said);
        let (bounded, unbounded) = made_of.into_iter().partition(|it| most(it).is_some());
        assert_eq!(said, bounded, "{function}");
        left_out.extend::<BTreeSet<_>>(unbounded);
        let characters = said.iter().filter_map(most).sum::<usize>() + said.len() - 1;
        assert!(characters <= DESCRIPTION, "{function}: {characters}");
        let kept = template.at(&format!("/Resources/{function}/UpdateReplacePolicy"));
        assert_eq!(kept, "Retain", "{function}: nobody could turn back");
    }
    let names: Vec<_> = left_out.iter().map(|name| format!("`{name}`")).collect();
    let (last, others) = names.split_last().unwrap();
    let said = format!("A change of {} or {last} alone", others.join(", "));
    let page = std::fs::read_to_string(root().join("docs/OPERATIONS.md")).unwrap();
    assert!(page.contains(&said), "OPERATIONS does not say: {said}");
}

#[test]
fn what_starts_a_function_names_its_alias() {
    let template = Template::read();
    let mappings = template.of_type("AWS::Lambda::EventSourceMapping");
    assert_eq!(mappings.len(), 3);
    for (mapping, properties) in mappings {
        let function = properties["FunctionName"]["Ref"].as_str().unwrap();
        let (function, alias) = function.split_once('.').unwrap();
        assert_eq!(alias, "Alias", "{mapping}");
        assert!(
            template
                .functions()
                .iter()
                .any(|(known, _)| *known == function)
        );
    }
    // SAM names the alias in what it makes of a function's events; no rule stands alone and calls one.
    for (rule, properties) in template.of_type("AWS::Events::Rule") {
        let target = properties["Targets"][0]["Arn"].to_string();
        assert!(
            !target.contains("lambda") && !target.contains(".Arn"),
            "{rule}: {target}"
        );
    }
}

#[test]
fn every_call_is_traced() {
    assert_eq!(Template::read().at("/Globals/Function/Tracing"), "Active");
}

#[test]
fn no_queue_or_topic_takes_anything_without_tls() {
    let template = Template::read();
    for (kind, policy_kind, list, action) in [
        (
            "AWS::SQS::Queue",
            "AWS::SQS::QueuePolicy",
            "Queues",
            "sqs:*",
        ),
        (
            "AWS::SNS::Topic",
            "AWS::SNS::TopicPolicy",
            "Topics",
            "sns:Publish",
        ),
    ] {
        let policies = template.of_type(policy_kind);
        let places = template.of_type(kind);
        assert!(!places.is_empty());
        for (place, _) in places {
            let own = policies
                .iter()
                .filter(|(_, policy)| policy[list] == json!([{"Ref": place}]));
            // A queue has one policy: of two the later would win.
            let [(_, policy)] = own.collect::<Vec<_>>()[..] else {
                panic!("{place} has not one policy")
            };
            let statements = policy["PolicyDocument"]["Statement"].as_array().unwrap();
            let refuses = statements.iter().any(|statement| {
                statement["Effect"] == "Deny"
                    && statement["Principal"] == "*"
                    && statement["Action"] == action
                    && statement["Resource"].to_string().contains(place)
                    && statement["Condition"] == json!({"Bool": {"aws:SecureTransport": "false"}})
            });
            assert!(refuses, "{place}");
        }
    }
}

/// What is wrong with how many chunks may run at once. Messages that a function with less room turns
/// away are seen again, count as received, and end as dead letters
/// (<https://docs.aws.amazon.com/lambda/latest/dg/services-sqs-scaling.html>).
fn too_narrow(reserved: &Value, most: u64) -> Option<String> {
    let reserved = reserved.as_u64()?;
    (reserved < most).then(|| format!("{reserved} are reserved for {most} chunks at once"))
}

#[test]
fn no_function_is_narrower_than_what_its_queue_may_start() {
    let template = Template::read();
    for (mapping, properties) in template.of_type("AWS::Lambda::EventSourceMapping") {
        let function = properties["FunctionName"]["Ref"].as_str().unwrap();
        let function = function.trim_end_matches(".Alias");
        let most = template.deployed(&properties["ScalingConfig"]["MaximumConcurrency"]);
        let reserved = template.property(function, "ReservedConcurrentExecutions");
        // A parameter could be set to less than the other: the two are one, or none is reserved.
        let is_same = reserved == &properties["ScalingConfig"]["MaximumConcurrency"];
        assert!(is_same || !reserved.is_object(), "{function}: {reserved}");
        assert_eq!(
            too_narrow(reserved, most.parse().unwrap()),
            None,
            "{mapping}"
        );
    }
    assert_eq!(too_narrow(&Value::Null, 50), None);
    assert_eq!(too_narrow(&json!(50), 50), None);
    assert!(too_narrow(&json!(49), 50).is_some());
}

/// The output that a variable of the runbook stands for.
fn output(variable: &str) -> String {
    let of_words = |word: &str| {
        let (first, rest) = word.split_at(1);
        format!("{first}{}", rest.to_lowercase())
    };
    variable.split('_').map(of_words).collect()
}

#[test]
fn every_variable_of_the_runbook_is_an_output_or_the_callers_own() {
    let template = Template::read();
    let outputs = template.at("/Outputs").as_object().unwrap();
    let variables = RUNBOOK.split("\"$").skip(1);
    let variables = variables.filter_map(|rest| rest.split_once('"').map(|(name, _)| name));
    let variables: BTreeSet<_> = variables
        .filter(|name| name.chars().all(|it| it.is_ascii_uppercase() || it == '_'))
        .collect();
    assert!(variables.len() > 4, "{variables:?}");
    for variable in variables {
        let is_set = |line: &str| {
            let mut words = line.split_whitespace();
            words.any(|word| word.starts_with(&format!("{variable}=")))
                || line.contains("read -r") && line.contains(variable)
        };
        let is_callers = ["APP", "TASK"].contains(&variable) || RUNBOOK.lines().any(is_set);
        let name = output(variable);
        assert!(
            is_callers || outputs.contains_key(&name),
            "{variable}: {name}"
        );
    }
}

#[test]
fn the_saved_query_is_that_of_the_page_of_logs() {
    let template = Template::read();
    let query = template.property("OneJob", "QueryString").as_str().unwrap();
    assert!(LOGGING.contains(&format!("```\n{query}```\n")), "{query}");
    assert_eq!(
        template.property("OneJob", "LogGroupNames"),
        &json!([{"Ref": "FunctionLogs"}])
    );
}
