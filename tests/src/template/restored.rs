//! A stack that restored tables are given to: they take the place of its own wherever these are named,
//! and its own stay where they are.

use serde_json::{Value, json};

use super::document::Template;

const STREAM: &str = "arn:aws:dynamodb:eu-west-1:123456789012:table/restored.of-today/stream/2026-01-05T08:00:00.000";

/// The paths of a value at which a resource is named, by `Ref`, `GetAtt` or `Sub`.
fn named(value: &Value, resource: &str, at: &str, found: &mut Vec<String>) {
    let is_named = |text: &str| text == resource || text.starts_with(&format!("{resource}."));
    let is_meant = match value {
        Value::Object(call) => {
            let mut by_call = [call.get("Ref"), call.get("Fn::GetAtt")]
                .into_iter()
                .flatten()
                .filter_map(Value::as_str);
            by_call.any(is_named)
        }
        Value::String(text) => {
            text.contains(&format!("${{{resource}}}")) || text.contains(&format!("${{{resource}."))
        }
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::Array(_) => false,
    };
    if is_meant {
        found.push(at.to_owned());
    }
    match value {
        Value::Object(members) => {
            for (name, member) in members {
                named(member, resource, &format!("{at}/{name}"), found);
            }
        }
        Value::Array(values) => {
            for (number, value) in values.iter().enumerate() {
                named(value, resource, &format!("{at}/{number}"), found);
            }
        }
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => {}
    }
}

/// Where resources and outputs name something.
fn all_that_name(template: &Template, name: &str) -> Vec<String> {
    let mut found = Vec::new();
    for section in ["Resources", "Outputs"] {
        let value = template.at(&format!("/{section}"));
        named(value, name, &format!("/{section}"), &mut found);
    }
    // Which attribute is taken, and how, is another question; a version's description says what is restored.
    let is_use = |it: &&String| !it.contains("/VersionDescription/");
    let places = found
        .iter()
        .filter(is_use)
        .map(|it| it.split("/Fn::").next().unwrap().to_owned());
    places.collect()
}

#[test]
fn restored_tables_take_the_place_of_the_stacks_own_wherever_these_are_named() {
    let (own, restored) = (Template::read(), Template::restored());
    for (table, parameter, least) in [
        ("ExportsTable", "RestoredExportsStreamArn", 40),
        ("RegistryTable", "RestoredRegistryTable", 5),
    ] {
        let places = all_that_name(&own, table);
        assert!(places.len() >= least, "{places:?}");
        assert_eq!(all_that_name(&restored, parameter), places);
        assert_eq!(all_that_name(&restored, table), [""; 0]);
        assert_eq!(all_that_name(&own, parameter), [""; 0]);
        assert_eq!(own.at(&format!("/Parameters/{parameter}/Default")), "");
    }
}

/// As `CloudFormation` makes a text of it.
fn text_of(value: &Value) -> String {
    let texts = |value: &Value| -> Vec<String> {
        let [separator, text] = &value["Fn::Split"].as_array().unwrap()[..] else {
            panic!("{value}")
        };
        let parts = text_of(text);
        let parts = parts.split(separator.as_str().unwrap());
        parts.map(str::to_owned).collect()
    };
    if value["Ref"] == "RestoredExportsStreamArn" {
        return STREAM.to_owned();
    }
    let [number, list] = &value["Fn::Select"].as_array().unwrap()[..] else {
        panic!("{value}")
    };
    let number = usize::try_from(number.as_u64().unwrap()).unwrap();
    texts(list)[number].clone()
}

#[test]
fn the_arn_of_its_stream_says_which_table_is_meant() {
    let restored = Template::restored();
    let environment = restored.environment("CreateJob");
    assert_eq!(text_of(&environment["EXPORTS_TABLE"]), "restored.of-today");
    assert_eq!(
        text_of(restored.property("CreateJob", "Policies/0/Statement/0/Resource")),
        "arn:aws:dynamodb:eu-west-1:123456789012:table/restored.of-today"
    );
    for pipe in ["JobsPipe", "ChunksPipe"] {
        assert_eq!(text_of(restored.property(pipe, "Source")), STREAM);
    }
}

/// A condition would take the stack's own table away: out of the stack, where nobody sees it any more,
/// and the way back would make an empty one.
#[test]
fn the_stacks_own_tables_stay_in_it_whatever_is_restored() {
    let restored = Template::restored();
    for table in ["ExportsTable", "RegistryTable"] {
        let kept = restored.at(&format!("/Resources/{table}"));
        assert_eq!(
            (&kept["Type"], &kept["Condition"]),
            (&json!("AWS::DynamoDB::Table"), &Value::Null)
        );
    }
    // A pipe that is given another source is replaced, which a name of its own would not let it be.
    for (pipe, properties) in restored.of_type("AWS::Pipes::Pipe") {
        assert_eq!(properties["Name"], Value::Null, "{pipe}");
    }
}

/// What a restore does not carry over is made by hand, as the template makes it
/// (<https://docs.aws.amazon.com/amazondynamodb/latest/APIReference/API_RestoreTableToPointInTime.html>).
#[test]
fn the_runbook_makes_a_restored_table_what_the_template_makes_the_stacks_own() {
    let runbook = include_str!("../../../docs/OPERATIONS.md");
    let (_, restore) = runbook.split_once("\n### Restore\n").unwrap();
    let (restore, _) = restore.split_once("\n### ").unwrap();
    let template = Template::read();
    let of = |path: &str| template.property("ExportsTable", path).as_str().unwrap();
    let ttl = of("TimeToLiveSpecification/AttributeName");
    let view = of("StreamSpecification/StreamViewType");
    assert_eq!(of("BillingMode"), "PAY_PER_REQUEST");
    for said in [
        format!("StreamEnabled=true,StreamViewType={view}"),
        format!("Enabled=true,AttributeName={ttl}"),
        "PointInTimeRecoveryEnabled=true".to_owned(),
        "--tags Key=service,Value=engagement-export".to_owned(),
        "ParameterKey=RestoredExportsStreamArn,ParameterValue=".to_owned(),
        "ParameterKey=RestoredRegistryTable,ParameterValue=".to_owned(),
        "ParameterKey=DeploymentShift,ParameterValue=AllAtOnce".to_owned(),
    ] {
        assert!(restore.contains(&said), "{said}");
    }
}
