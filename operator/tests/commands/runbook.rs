//! docs/OPERATIONS.md: its commands are such that AWS's own command takes, and those of the nights that
//! matter do what the page says.
#![expect(
    clippy::disallowed_types,
    reason = "looks at queues and tables as the runbook's own commands do"
)]

use std::collections::BTreeMap;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;

use aws_sdk_cloudformation::Client;
use aws_sdk_dynamodb::types::{AttributeValue, StreamViewType};
use futures::StreamExt;
use local::dynamodb::REGION;
use ports::clock::Clock;
use serde_json::{Value, json};
use tempfile::TempDir;
use tokio::process::Command;
use wiring::SystemClock;

use super::stack::deploy;
use crate::ministack::{Ministack, python};

const PAGE: &str = include_str!("../../../docs/OPERATIONS.md");

/// What stands for a name, a URL or an ARN where commands are only checked; `aws.py` answers it, too.
const SOMETHING: &str = "SOMETHING_OF_THE_TESTS";

const TEMPLATE: &str = include_str!("../../../template.yaml");

/// A shell in which `aws` is the tests' own.
struct Shell {
    folder: TempDir,
    variables: Vec<(&'static str, String)>,
}

impl Shell {
    fn new(endpoint: Option<&str>) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let program = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/runbook/aws.py");
        let (python, program) = (
            python().display().to_string(),
            program.display().to_string(),
        );
        let line = format!("#!/bin/sh\nexec '{python}' '{program}' \"$@\"\n");
        let shell = Self {
            folder,
            variables: vec![
                ("AWS_DEFAULT_REGION", REGION.to_owned()),
                ("AWS_ACCESS_KEY_ID", "local".to_owned()),
                ("AWS_SECRET_ACCESS_KEY", "local".to_owned()),
                match endpoint {
                    Some(url) => ("AWS_ENDPOINT_URL", url.to_owned()),
                    None => ("AWS_ONLY_CHECKED", "1".to_owned()),
                },
            ],
        };
        shell.program("aws", &line);
        shell
    }

    /// Puts a program in front of all others.
    fn program(&self, name: &str, content: &str) {
        let path = self.folder.path().join(name);
        std::fs::write(&path, content).unwrap();
        std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o755)).unwrap();
    }

    /// What a script says, which must succeed.
    async fn run(&self, script: &str) -> String {
        let own = self.folder.path().display();
        let done = Command::new("bash")
            .args(["-eu", "-o", "pipefail", "-c", script])
            .current_dir(self.folder.path())
            .env_clear()
            .env("PATH", format!("{own}:/usr/bin:/bin"))
            .envs(self.variables.iter().map(|(name, value)| (name, value)))
            .output()
            .await
            .unwrap();
        let said = String::from_utf8(done.stdout).unwrap();
        let complained = String::from_utf8(done.stderr).unwrap();
        assert!(done.status.success(), "{script}\n{said}{complained}");
        said
    }
}

/// The page's blocks of commands, in their order, without the indentation of lists.
fn blocks(of: &str) -> Vec<String> {
    let (mut blocks, mut open) = (Vec::new(), None::<Vec<&str>>);
    for line in of.lines() {
        let is_fence = line.trim_start().starts_with("```");
        match &mut open {
            None if is_fence => open = Some(Vec::new()),
            None => {}
            Some(lines) if is_fence => {
                blocks.push(lines.join("\n"));
                open = None;
            }
            Some(lines) => lines.push(line.trim_start_matches("   ")),
        }
    }
    blocks
}

/// A section, by its heading.
fn section(heading: &str) -> &'static str {
    let (_, rest) = PAGE.split_once(&format!("\n{heading}\n")).unwrap();
    let level = heading.split(' ').next().unwrap();
    let ends = ["\n## ", "\n### "].map(|end| rest.find(end));
    let end = if level == "##" {
        ends[0]
    } else {
        ends.into_iter().flatten().min()
    };
    &rest[..end.unwrap_or(rest.len())]
}

/// Commands that stand amid a text or in a table.
fn inline() -> impl Iterator<Item = String> {
    let lines = PAGE.lines().filter(|line| !line.contains("```"));
    let pieces = lines.flat_map(|line| line.split('`').skip(1).step_by(2));
    let commands = pieces.filter(|piece| piece.starts_with("aws ") && piece.contains("--"));
    // As they are without the table around them, and with something where the page leaves it open.
    commands.map(|it| it.replace("\\|", "|").replace('…', SOMETHING))
}

/// The outputs of the template, as a deployment would say them.
fn outputs() -> BTreeMap<String, String> {
    let (_, outputs) = TEMPLATE.split_once("\nOutputs:\n").unwrap();
    let names = outputs
        .lines()
        .filter(|line| line.starts_with("  ") && !line.starts_with("   "));
    let names = names.map(|line| line.trim().trim_end_matches(':').to_owned());
    names
        .map(|name| (name.clone(), format!("the {name}")))
        .collect()
}

#[tokio::test]
async fn every_command_of_the_page_is_one_that_aws_takes() {
    let shell = Shell::new(None);
    let others = ["STACK", "APP", "TASK", "RESTORED", "STREAM"];
    let others = others.map(|name| format!("{name}={SOMETHING}")).join(" ");
    let others = format!("{others} MOMENT=2026-01-05T08:00:00Z");
    let of_outputs = outputs();
    let variable = |name: &String| {
        let snake = name.chars().fold(String::new(), |mut so_far, letter| {
            if letter.is_ascii_uppercase() && !so_far.is_empty() {
                so_far.push('_');
            }
            so_far.push(letter.to_ascii_uppercase());
            so_far
        });
        format!("export {snake}={SOMETHING}\n")
    };
    let set: String = of_outputs.keys().map(variable).collect();
    let set = format!("export {others}\n{set}");
    let of_aws = blocks(PAGE)
        .into_iter()
        .filter(|block| block.contains("aws "));
    let commands: Vec<String> = of_aws.chain(inline()).collect();
    assert!(commands.len() > 20, "{commands:?}");
    let checked = futures::stream::iter(commands).map(|command| {
        let (shell, script) = (&shell, format!("{set}\n{command}\n"));
        async move { shell.run(&script).await }
    });
    drop(checked.buffer_unordered(4).collect::<Vec<_>>().await);
}

#[tokio::test]
async fn the_variables_are_the_outputs_of_the_stack() {
    let shell = Shell::new(None);
    let said = outputs().into_iter();
    let said: Vec<String> = said
        .map(|(name, value)| format!("{name}\t{value}"))
        .collect();
    let said = said.join("\n");
    shell.program("aws", &format!("#!/bin/sh\ncat <<'SAID'\n{said}\nSAID\n"));
    let block = &blocks(section("## Variables"))[0];
    let said = shell.run(&format!("{block}\nenv")).await;
    for (name, value) in [
        ("STACK", "engagement-export"),
        ("ENGAGEMENT_EXPORT_STACK", "engagement-export"),
        ("EXPORTS_TABLE_NAME", "the ExportsTableName"),
        ("STRANDED_MESSAGES_ARN", "the StrandedMessagesArn"),
        ("API_ID", "the ApiId"),
    ] {
        let line = format!("{name}={value}");
        assert!(said.lines().any(|it| it == line), "{line}: {said}");
    }
}

#[tokio::test]
async fn a_job_is_woken_by_an_event_as_the_pipe_makes_it() {
    let shell = Shell::new(None);
    shell.program("aws", "#!/bin/sh\nprintf '%s' \"$4\"\n");
    let block = &blocks(section("### Wake a job"))[0];
    let said = shell
        .run(&format!("BUS_NAME=b APP=/apps/a TASK=id\n{block}"))
        .await;
    let entries: Value = serde_json::from_str(&said).unwrap();
    assert_eq!(entries[0]["EventBusName"], "b");
    let detail: Value = serde_json::from_str(entries[0]["Detail"].as_str().unwrap()).unwrap();
    let expected = json!({"kind": "job", "scope": "/apps/a", "job": "id", "phase": "queued"});
    assert_eq!(detail, expected);
}

#[tokio::test]
async fn of_a_queue_that_holds_both_the_chunks_go_back_and_the_events_stay() {
    let server = Ministack::shared().await;
    let shell = Shell::new(Some(server.endpoint()));
    let sqs = aws_sdk_sqs::Client::new(&server.sdk_config().await);
    let mut urls = Vec::new();
    for name in ["redriven-stranded", "redriven-chunks"] {
        let made = sqs.create_queue().queue_name(name).send().await.unwrap();
        urls.push(made.queue_url.unwrap());
    }
    let chunk = "{\"scope\": \"/apps/a\", \"job\": \"j\", \"shard\": \"0\", \"chunk\": \"0\"}";
    let event = "{\"detail-type\":\"Export Job Changed\",\"detail\":{\"kind\":\"job\",\"phase\":\"running\"}}";
    for body in [chunk, event, chunk] {
        let send = sqs.send_message().queue_url(&urls[0]).message_body(body);
        send.send().await.unwrap();
    }
    let block = &blocks(section("### Redrive"))[1];
    let set = format!(
        "STRANDED_MESSAGES_URL='{}' CHUNK_QUEUE_URL='{}'",
        urls[0], urls[1]
    );
    let said = shell.run(&format!("export {set}\n{block}")).await;
    assert!(said.lines().any(|line| line == event), "{said}");
    let got = sqs
        .receive_message()
        .queue_url(&urls[1])
        .max_number_of_messages(10);
    let got = got.send().await.unwrap().messages.unwrap_or_default();
    let bodies: Vec<_> = got.iter().filter_map(|it| it.body()).collect();
    assert_eq!(bodies, [chunk, chunk]);
}

/// Of the real template, what a restore has to do with.
fn of_a_table(parameter: &str) -> String {
    let key = |name: &str, kind: &str| json!({"AttributeName": name, "KeyType": kind});
    let table = json!({"Type": "AWS::DynamoDB::Table", "DeletionPolicy": "Retain", "Properties": {
        "AttributeDefinitions": [
            {"AttributeName": "pk", "AttributeType": "S"}, {"AttributeName": "sk", "AttributeType": "S"},
        ],
        "KeySchema": [key("pk", "HASH"), key("sk", "RANGE")], "BillingMode": "PAY_PER_REQUEST",
        "StreamSpecification": {"StreamViewType": "NEW_IMAGE"},
        "PointInTimeRecoverySpecification": {"PointInTimeRecoveryEnabled": true},
    }});
    let split = json!({"Fn::Split": ["/", {"Ref": parameter}]});
    let name =
        json!({"Fn::If": ["IsRestored", {"Fn::Select": [1, split]}, {"Ref": "ExportsTable"}]});
    json!({
        "AWSTemplateFormatVersion": "2010-09-09",
        "Parameters": {
            parameter: {"Type": "String", "Default": ""},
            "DeploymentShift": {"Type": "String", "Default": "Canary10Percent10Minutes"},
            "LogLevel": {"Type": "String", "Default": "info"},
        },
        "Conditions": {"IsRestored": {"Fn::Not": [{"Fn::Equals": [{"Ref": parameter}, ""]}]}},
        "Resources": {"ExportsTable": table},
        "Outputs": {
            "ExportsTableName": {"Value": name}, "Shift": {"Value": {"Ref": "DeploymentShift"}},
            "Level": {"Value": {"Ref": "LogLevel"}},
        },
    })
    .to_string()
}

#[tokio::test]
async fn a_table_is_restored_and_taken_by_the_stack_as_the_page_says() {
    const NAME: &str = "engagement-export";
    let server = Ministack::shared().await;
    let sdk = server.sdk_config().await;
    deploy(&server, NAME, of_a_table("RestoredExportsStreamArn"), None).await;
    let outputs = async || -> BTreeMap<String, String> {
        let described = Client::new(&sdk)
            .describe_stacks()
            .stack_name(NAME)
            .send()
            .await;
        let described = described.unwrap();
        let outputs = described.stacks()[0].outputs().iter();
        let pair = |it: &aws_sdk_cloudformation::types::Output| {
            Some((it.output_key()?.to_owned(), it.output_value()?.to_owned()))
        };
        outputs.filter_map(pair).collect()
    };
    let own = outputs().await["ExportsTableName"].clone();
    let dynamodb = aws_sdk_dynamodb::Client::new(&sdk);
    let text = |text: &str| AttributeValue::S(text.to_owned());
    let put = dynamodb.put_item().table_name(&own);
    let put = put
        .item("pk", text("PRINCIPAL#ann"))
        .item("sk", text("SCOPE#/"));
    put.send().await.unwrap();

    let shell = Shell::new(Some(server.endpoint()));
    let now = SystemClock.now();
    let moment = format!(
        "{}T{:02}:{:02}:{:02}Z",
        now.date(),
        now.hour(),
        now.minute(),
        now.second()
    );
    let variables = blocks(section("## Variables"))[0].replace("eu-west-1", REGION);
    let restore = blocks(section("### Restore")).join("\n");
    let restore = restore.replace("2026-01-05T08:00:00Z", &moment);
    shell.run(&format!("{variables}\n{restore}")).await;

    let after = outputs().await;
    let restored = &after["ExportsTableName"];
    assert_eq!(restored, "engagement-export-exports-restored-1");
    assert_eq!(
        (after["Shift"].as_str(), after["Level"].as_str()),
        ("AllAtOnce", "info")
    );
    let described = dynamodb
        .describe_table()
        .table_name(restored)
        .send()
        .await
        .unwrap();
    let stream = described.table.unwrap().stream_specification.unwrap();
    assert_eq!(stream.stream_view_type, Some(StreamViewType::NewImage));
    let ttl = dynamodb
        .describe_time_to_live()
        .table_name(restored)
        .send()
        .await
        .unwrap();
    let ttl = ttl.time_to_live_description.unwrap();
    assert_eq!(ttl.attribute_name.as_deref(), Some("ttl"));
    for table in [restored, &own] {
        let scan = dynamodb.scan().table_name(table).send().await.unwrap();
        assert_eq!(scan.count, 1, "{table}");
    }
}
