//! A deployment that is named by its stack, on ministack: a small template with the parameters, outputs
//! and parts that the command looks at.

use std::time::Duration;

use aws_sdk_cloudformation::Client;
use aws_sdk_cloudformation::types::{Parameter, StackStatus};
use local::dynamodb::REGION;
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

pub(crate) async fn deploy(server: &Ministack, name: &str, template: String, bucket: Option<&str>) {
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
    let said = desk.run(&["doctor"]).await.ends(2);
    for line in [
        "✓ settings: each fits, as the functions read them\n",
        "✓ exports table: it answers",
        "? API: http://127.0.0.1:9/openapi.json does not answer",
        "? issuer of tokens: http://127.0.0.1:9: ",
        "concurrency: ",
        "✓ queue ChunkQueue: it is empty\n",
        "✓ queue StrandedMessages: it is empty\n",
        "! alarms: 0 are there, and notify nobody: set AlarmTopicArn\n",
    ] {
        assert!(said.stdout.contains(line), "{line}: {}", said.stdout);
    }
    // What is tried is the stack's own API: by default, and no other.
    desk.set("ENGAGEMENT_EXPORT_APP", super::desk::APP);
    desk.set("ENGAGEMENT_EXPORT_TOKEN", "a-token");
    let url = "https://account.blob.core.windows.net/exports?sv=2024-11-04&sr=c&sp=w&sig=eA%3D%3D";
    let url = desk.file("url.txt", url);
    let smoke = ["smoke", "--container-url-file", &url];
    desk.run(&smoke)
        .await
        .ends(2)
        .says("a wrong token: the service does not answer");
    desk.set("ENGAGEMENT_EXPORT_API", "http://127.0.0.1:90");
    desk.run(&smoke)
        .await
        .ends(64)
        .says("the API of the stack is http://127.0.0.1:9, and http://127.0.0.1:90/");
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

/// A stack with a function as the real one's are: by a role of its own, fed by a queue, with an alarm.
fn of_a_function() -> String {
    let arn = |of: &str| json!({"Fn::GetAtt": [of, "Arn"]});
    let statement = json!({
        "Effect": "Allow", "Action": ["sqs:ReceiveMessage", "sqs:DeleteMessage", "sqs:GetQueueAttributes"],
        "Resource": arn("Queue"),
    });
    let trust = json!({
        "Version": "2012-10-17",
        "Statement": [{"Effect": "Allow", "Principal": {"Service": "lambda.amazonaws.com"}, "Action": "sts:AssumeRole"}],
    });
    let policy = json!({"PolicyName": "own", "PolicyDocument": {"Version": "2012-10-17", "Statement": [statement]}});
    json!({
        "AWSTemplateFormatVersion": "2010-09-09",
        "Parameters": {"ChunkConcurrency": {"Type": "String", "Default": "50"}},
        "Resources": {
            "Queue": {"Type": "AWS::SQS::Queue", "Properties": {"QueueName": "a-watched-queue"}},
            "WorkerRole": {"Type": "AWS::IAM::Role", "Properties": {
                "RoleName": "a-watched-worker", "AssumeRolePolicyDocument": trust, "Policies": [policy],
            }},
            "Worker": {"Type": "AWS::Lambda::Function", "Properties": {
                "FunctionName": "a-watched-worker", "Runtime": "python3.12", "Handler": "index.handler",
                "Role": arn("WorkerRole"), "Code": {"ZipFile": "def handler(event, context): pass"},
            }},
            "Runs": {"Type": "AWS::Lambda::EventSourceMapping", "Properties": {
                "EventSourceArn": arn("Queue"), "FunctionName": {"Ref": "Worker"}, "ScalingConfig": {"MaximumConcurrency": 2},
            }},
            "QueueAlarm": {"Type": "AWS::CloudWatch::Alarm", "Properties": {
                "AlarmName": "a-watched-alarm", "Namespace": "AWS/SQS", "MetricName": "ApproximateNumberOfMessagesVisible",
                "Statistic": "Maximum", "Period": 60, "EvaluationPeriods": 1, "Threshold": 0,
                "ComparisonOperator": "GreaterThanThreshold", "TreatMissingData": "notBreaching",
                "Dimensions": [{"Name": "QueueName", "Value": "a-watched-queue"}],
            }},
        },
        "Outputs": {
            "ExportsTableName": {"Value": "exports"}, "RegistryTableName": {"Value": "registry"},
            "LakeUrl": {"Value": "file:///nowhere"},
        },
    })
    .to_string()
}

/// Asks the emulator for what no SDK of this workspace does.
async fn ask(server: &Ministack, method: &str, path: &str, target: &str, body: serde_json::Value) {
    let http = reqwest::Client::builder().no_proxy().build().unwrap();
    let url = format!("{}{path}", server.endpoint());
    let method = reqwest::Method::from_bytes(method.as_bytes()).unwrap();
    let service = if target.is_empty() {
        "lambda"
    } else {
        "monitoring"
    };
    let signed =
        format!("AWS4-HMAC-SHA256 Credential=local/20260101/{REGION}/{service}/aws4_request");
    let mut request = http.request(method, url).body(body.to_string());
    request = request
        .header("content-type", "application/x-amz-json-1.0")
        .header("authorization", signed);
    if !target.is_empty() {
        request = request.header("x-amz-target", target);
    }
    let answer = request.send().await.unwrap();
    assert!(answer.status().is_success(), "{:?}", answer.text().await);
}

#[tokio::test]
async fn what_somebody_changed_by_hand_the_doctor_sees() {
    const NAME: &str = "watched-by-a-doctor";
    let server = Ministack::shared().await;
    let mut desk = Desk::new().await;
    deploy(&server, NAME, of_a_function(), None).await;
    desk.set("AWS_ENDPOINT_URL", server.endpoint());
    let doctor = ["doctor", "--stack", NAME];
    let said = desk.run(&doctor).await;
    for line in [
        "✓ concurrency: ChunkConcurrency is 50, and the account lets ",
        "✓ mapping Runs: it is enabled\n",
        "✓ reserved concurrency: no function has any, as the template says\n",
        "✓ permissions of Worker: its role may do what 1 statement of the template grants it\n",
        "✓ ringing alarms: none rings\n",
    ] {
        assert!(said.stdout.contains(line), "{line}: {}", said.stdout);
    }

    let sdk = server.sdk_config().await;
    let parts = Client::new(&sdk).list_stack_resources().stack_name(NAME);
    let parts = parts.send().await.unwrap();
    let mut parts = parts.stack_resource_summaries().iter();
    let mapping = parts.find(|it| it.logical_resource_id() == Some("Runs"));
    let mapping = mapping.unwrap().physical_resource_id().unwrap();
    let iam = aws_sdk_iam::Client::new(&sdk);
    let delete = iam.delete_role_policy();
    let delete = delete.role_name("a-watched-worker").policy_name("own");
    delete.send().await.unwrap();
    let path = "/2017-10-31/functions/a-watched-worker/concurrency";
    ask(
        &server,
        "PUT",
        path,
        "",
        json!({"ReservedConcurrentExecutions": 1}),
    )
    .await;
    let path = format!("/2015-03-31/event-source-mappings/{mapping}");
    ask(&server, "PUT", &path, "", json!({"Enabled": false})).await;
    let rings = json!({"AlarmName": "a-watched-alarm", "StateValue": "ALARM", "StateReason": "it was said"});
    ask(
        &server,
        "POST",
        "/",
        "GraniteServiceVersion20100801.SetAlarmState",
        rings,
    )
    .await;
    let said = desk.run(&doctor).await.ends(1);
    for line in [
        "✗ mapping Runs: it is Disabled (",
        "✗ reserved concurrency: Worker has 1 and needs 2: `aws lambda delete-function-concurrency --function-name a-watched-worker`",
        "✗ permissions of Worker: its role may not sqs:ReceiveMessage on arn:aws:sqs:",
        "✗ alarm QueueAlarm: it rings (it was said): OPERATIONS, QueueAlarm\n",
    ] {
        assert!(said.stdout.contains(line), "{line}: {}", said.stdout);
    }
}
