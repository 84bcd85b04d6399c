//! A deployment that is named by its stack, on ministack: a small template with the parameters, outputs
//! and parts that the command looks at.

use std::time::Duration;

use aws_sdk_cloudformation::Client;
use aws_sdk_cloudformation::types::{Parameter, StackStatus};
use serde_json::json;

use super::desk::Desk;
use crate::ministack::Ministack;

const STACK: &str = "exports-of-a-test";

/// Of the real template, what the command reads, under the same names.
fn template(lake: &str) -> String {
    let parameter = |default: &str| json!({"Type": "String", "Default": default});
    let output = |value: &str| json!({"Value": value});
    json!({
        "AWSTemplateFormatVersion": "2010-09-09",
        "Parameters": {
            "TokenIssuer": parameter("http://127.0.0.1:9"), "ChunkConcurrency": parameter("50"),
            "AlarmTopicArn": parameter(""), "RegistrySegments": parameter("8"), "LakeLateDays": parameter("1"),
        },
        "Resources": {
            "ChunkQueue": {"Type": "AWS::SQS::Queue", "Properties": {"QueueName": "a-test-chunks"}},
            "StrandedMessages": {"Type": "AWS::SQS::Queue", "Properties": {"QueueName": "a-test-stranded"}},
        },
        "Outputs": {
            "ExportsTableName": output("exports"), "RegistryTableName": output("registry"), "LakeUrl": output(lake),
            "ApiUrl": output("http://127.0.0.1:9"),
        },
    })
    .to_string()
}

async fn deploy(server: &Ministack, name: &str, template: String, bucket: Option<&str>) {
    let client = Client::new(&server.sdk_config().await);
    let bucket = bucket.map(|bucket| {
        let parameter = Parameter::builder().parameter_key("LakeBucket");
        parameter.parameter_value(bucket).build()
    });
    let create = client
        .create_stack()
        .stack_name(name)
        .template_body(template)
        .set_parameters(bucket.map(|bucket| vec![bucket]));
    create.send().await.unwrap();
    loop {
        let described = client.describe_stacks().stack_name(name).send().await;
        match described.unwrap().stacks()[0].stack_status() {
            Some(StackStatus::CreateComplete) => return,
            Some(StackStatus::CreateInProgress) => {
                tokio::time::sleep(Duration::from_millis(50)).await;
            }
            other => panic!("{other:?}"),
        }
    }
}

/// The emulator takes it; what it delivers, the emulator does not do.
#[tokio::test]
async fn the_example_of_a_stream_is_a_stack() {
    let server = Ministack::shared().await;
    let template = include_str!("../../../examples/firehose.yaml");
    deploy(&server, "a-stream", template.to_owned(), Some("lake")).await;
    let client = Client::new(&server.sdk_config().await);
    let parts = client
        .list_stack_resources()
        .stack_name("a-stream")
        .send()
        .await
        .unwrap();
    let kinds = parts
        .stack_resource_summaries()
        .iter()
        .filter_map(|it| it.resource_type());
    assert!(
        kinds
            .into_iter()
            .any(|kind| kind == "AWS::KinesisFirehose::DeliveryStream")
    );
}

#[tokio::test]
async fn a_stack_is_known_by_its_parameters_outputs_and_parts() {
    let server = Ministack::shared().await;
    let mut desk = Desk::new().await;
    let lake = format!("file://{}", desk.folder.path().join("lake").display());
    deploy(&server, STACK, template(&lake), None).await;
    for name in [
        "AWS_ENDPOINT_URL_DYNAMODB",
        "EXPORTS_TABLE",
        "REGISTRY_TABLE",
        "LAKE_URL",
    ] {
        desk.unset(name);
    }
    desk.set("AWS_ENDPOINT_URL", server.endpoint());
    let add = [
        "grant",
        "add",
        "--stack",
        STACK,
        "--subject",
        "ann",
        "--role",
        "reader",
        "--path",
        "/",
    ];
    desk.run(&add)
        .await
        .ends(0)
        .says("· ann may see and list the exports of every app (Reader)");
    desk.set("ENGAGEMENT_EXPORT_STACK", STACK);
    let said = desk.run(&["doctor"]).await.ends(1);
    for line in [
        "✓ settings: each fits, as the functions read them\n",
        "✓ exports table: it answers",
        "✗ API: http://127.0.0.1:9/openapi.json does not answer",
        "✗ issuer of tokens: http://127.0.0.1:9: ",
        "concurrency: ",
        "✓ queue ChunkQueue: it is empty\n",
        "✓ queue StrandedMessages: it is empty\n",
        "! alarms: 0 are there, and notify nobody: set AlarmTopicArn\n",
    ] {
        assert!(said.stdout.contains(line), "{line}: {}", said.stdout);
    }
    // The stack's own number of segments, not the default.
    let file = desk.file(
        "devices",
        "{\"deviceId\":\"0123456789abcdef0123456789abcdef\"}",
    );
    let load = [
        "registry",
        "load",
        "devices",
        "--app",
        super::desk::APP,
        &file,
    ];
    desk.run(&load).await.ends(0);
    desk.run(&["registry", "check", "--app", super::desk::APP])
        .await
        .ends(0);
    desk.run(&["doctor", "--stack", "elsewhere"])
        .await
        .ends(6)
        .says("there is no stack elsewhere in this region and account");
}
