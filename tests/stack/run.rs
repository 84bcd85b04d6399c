//! The one run of all scenes, and what it left.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};
use std::sync::{Arc, LazyLock};

use domain::selection::HistoryType;
use exports_table::DynamoStore;
use local::sample::{APPS, DAYS, Sample, folder as layout};
use ports::store::{Grant, Grants, Role};
use serde_json::{Value, json};
use sources::registry::Registry;
use wiring::SystemClock;
use wiring::config::REGISTRY_SEGMENTS;

use crate::caller::{Caller, Claims, SUBJECT};
use crate::deployment::{BUCKET, Deployment};
use crate::emulator::Emulator;
use crate::pipes::{Pipe, StandIn};
use crate::scenes::{Stage, play};

pub(crate) const SAMPLE: Sample = Sample {
    seed: 7,
    rows: 3_000,
};

/// The container that storage takes everything into.
pub(crate) const CONTAINER: &str = "exports";

/// Those that it holds at first.
pub(crate) const HELD: [&str; 3] = ["renewed", "cancelled", "expired"];

/// What is left of a run.
pub(crate) struct Run {
    /// Where the recording lies.
    pub(crate) folder: PathBuf,
    /// What went wrong in each scene.
    pub(crate) scenes: BTreeMap<&'static str, Result<(), String>>,
    /// The emulator's gaps: why each is one, how often it was met, whether it has closed.
    pub(crate) gaps: Value,
    /// What `sam deploy` said.
    pub(crate) deployed: [String; 2],
    pub(crate) pipes: Vec<Pipe>,
    /// The logical ids of the template's resources, and of those that were made.
    pub(crate) resources: [BTreeSet<String>; 2],
    /// The lines of the jobs' history.
    pub(crate) history: Vec<Value>,
    /// Those of who did what.
    pub(crate) audit: Vec<Value>,
}

/// It is played once for all tests.
static PLAYED: LazyLock<Option<Run>> = LazyLock::new(|| {
    let playing = std::thread::spawn(|| {
        let runtime = tokio::runtime::Builder::new_multi_thread()
            .worker_threads(2)
            .enable_all()
            .build();
        runtime.unwrap().block_on(play_all())
    });
    // Why it broke off is printed by the thread.
    playing.join().ok()
});

/// What is left of the run, which this waits for.
pub(crate) fn run() -> &'static Run {
    let run = PLAYED.as_ref();
    run.expect("the run broke off: the first test says why")
}

async fn play_all() -> Run {
    let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join("stack");
    if folder.exists() {
        std::fs::remove_dir_all(&folder).unwrap();
    }
    std::fs::create_dir_all(folder.join("deployment")).unwrap();
    let emulator = Emulator::start(&folder).await;
    let deployed = Deployment::make(&emulator, &folder.join("deployment")).await;
    fill(&emulator, &deployed, &folder).await;
    let pipes = StandIn::start(&emulator.aws, &deployed, &folder.join("records.jsonl")).await;
    let token = Claims::GOOD.sign(&emulator.issuer);
    let api = deployed.output("ApiUrl");
    let caller = Caller::new(&emulator.aws.endpoint, api, token, &APPS[0]);
    let stage = Arc::new(Stage {
        emulator,
        deployed,
        pipes,
        caller,
    });
    let scenes = play(&stage).await;
    assert!(
        stage.pipes.is_whole(),
        "a pipe has failed, and says why above"
    );
    let aws = &stage.emulator.aws;
    write_rights(&stage, &folder).await;
    let pipes = Pipe::all(&stage.deployed);
    let filters: Value = pipes
        .iter()
        .map(|pipe| (pipe.name.clone(), json!(pipe.filters)))
        .collect();
    std::fs::write(folder.join("pipes.json"), filters.to_string()).unwrap();
    Run {
        scenes,
        gaps: aws.ask("gaps", &Value::Null).await.unwrap(),
        deployed: stage.deployed.said.clone(),
        pipes,
        resources: [
            &stage.deployed.template["Resources"],
            &stage.deployed.resources,
        ]
        .map(|all| all.as_object().unwrap().keys().cloned().collect()),
        history: logged(&stage, "JobHistoryLogGroup").await,
        audit: logged(&stage, "AuditLogGroup").await,
        folder,
    }
}

/// Fills lake and registry, makes the containers, and grants the caller everything.
async fn fill(emulator: &Emulator, deployed: &Deployment, folder: &Path) {
    for container in [CONTAINER].iter().chain(&HELD) {
        emulator.azurite.create_container(container).await.unwrap();
    }
    emulator.aws.hold(&HELD).await;
    let aws = &emulator.aws;
    let bucket = json!({"Bucket": BUCKET, "CreateBucketConfiguration": {"LocationConstraint": crate::aws::REGION}});
    aws.call("s3", "create_bucket", bucket).await;
    let lake = folder.join("lake");
    SAMPLE.write_lake(&lake).unwrap();
    let of_events = layout(HistoryType::Event, &APPS[0], DAYS[0]);
    let events = lake.join(of_events.split('/').next().unwrap());
    for file in files(&events) {
        let key = file.strip_prefix(folder).unwrap().display().to_string();
        let put = json!({"Bucket": BUCKET, "Key": key, "Body": {"file": file}});
        aws.call("s3", "put_object", put).await;
    }
    let sdk = aws.sdk(None).await;
    let registry = Registry::new(
        client(&sdk),
        deployed.output("RegistryTableName"),
        REGISTRY_SEGMENTS.default,
    );
    SAMPLE.load_registry(&registry).await.unwrap();
    let table = deployed.output("ExportsTableName");
    let store = DynamoStore::new(client(&sdk), table, Arc::new(SystemClock));
    let grant = Grant {
        subject: SUBJECT.to_owned(),
        path: "/".to_owned(),
        role: Role::Contributor,
    };
    store.put_grant(&grant).await.unwrap();
}

#[expect(
    clippy::disallowed_types,
    reason = "the adapters are made here as the functions make them"
)]
fn client(sdk: &aws_config::SdkConfig) -> aws_sdk_dynamodb::Client {
    aws_sdk_dynamodb::Client::new(sdk)
}

/// The files in a folder and below.
fn files(folder: &Path) -> Vec<PathBuf> {
    let entries = std::fs::read_dir(folder).unwrap();
    let paths = entries.map(|entry| entry.unwrap().path());
    paths
        .flat_map(|path| {
            if path.is_dir() {
                files(&path)
            } else {
                vec![path]
            }
        })
        .collect()
}

/// Writes down what every role may, as it was deployed, and what AWS does by the roles for the
/// functions: for the judge.
async fn write_rights(stage: &Stage, folder: &Path) {
    let aws = &stage.emulator.aws;
    let mut rights = serde_json::Map::new();
    for (logical, _) in stage.deployed.of_type("AWS::IAM::Role") {
        let role = stage.deployed.id(logical);
        let named = json!({"RoleName": role});
        let inline = aws.call("iam", "list_role_policies", named).await;
        let mut statements = Vec::new();
        for name in inline["PolicyNames"].as_array().unwrap() {
            let named = json!({"RoleName": role, "PolicyName": name});
            let policy = aws.call("iam", "get_role_policy", named).await;
            let document = &policy["PolicyDocument"];
            statements.extend(document["Statement"].as_array().unwrap().iter().cloned());
        }
        rights.insert(
            role.to_owned(),
            json!({"name": logical, "statements": statements}),
        );
    }
    let text = serde_json::to_string_pretty(&rights).unwrap();
    std::fs::write(folder.join("rights.json"), text).unwrap();
    let lines: Vec<_> = by_aws(stage).await.iter().map(Value::to_string).collect();
    std::fs::write(folder.join("by-aws.jsonl"), lines.join("\n")).unwrap();
}

/// What Lambda itself does by the roles of the functions: it reads the queues that they are fed by
/// (<https://docs.aws.amazon.com/lambda/latest/dg/services-sqs-configure.html>), and sends the events
/// that failed to the queue of dead letters
/// (<https://docs.aws.amazon.com/lambda/latest/dg/invocation-async-retain-records.html>).
async fn by_aws(stage: &Stage) -> Vec<Value> {
    const READS: [&str; 3] = [
        "sqs:ReceiveMessage",
        "sqs:DeleteMessage",
        "sqs:GetQueueAttributes",
    ];
    let deployed = &stage.deployed;
    let role_of = |function: &str| deployed.role_of(function).to_owned();
    let mut calls = Vec::new();
    for (_, mapping) in deployed.of_type("AWS::Lambda::EventSourceMapping") {
        let role = role_of(crate::pipes::referred(&mapping["FunctionName"]));
        let queue = arn_of_queue(stage, &mapping["EventSourceArn"]).await;
        calls.extend(READS.map(|action| call(&role, action, &queue)));
    }
    for (function, properties) in deployed.of_type("AWS::Lambda::Function") {
        let letters = &properties["DeadLetterConfig"]["TargetArn"];
        if !letters.is_null() {
            let queue = arn_of_queue(stage, letters).await;
            calls.push(call(&role_of(function), "sqs:SendMessage", &queue));
        }
    }
    calls
}

fn call(role: &str, action: &str, resource: &str) -> Value {
    json!({"role": role, "action": action, "resource": resource, "context": {}, "denied": false})
}

async fn arn_of_queue(stage: &Stage, value: &Value) -> String {
    let url = stage.deployed.id(crate::pipes::referred(value));
    let asked = json!({"QueueUrl": url, "AttributeNames": ["QueueArn"]});
    let aws = &stage.emulator.aws;
    let said = aws.call("sqs", "get_queue_attributes", asked).await;
    said["Attributes"]["QueueArn"].as_str().unwrap().to_owned()
}

/// What a log group of the stack holds.
async fn logged(stage: &Stage, output: &str) -> Vec<Value> {
    let group = json!({"logGroupName": stage.deployed.output(output)});
    let aws = &stage.emulator.aws;
    let found = aws.call("logs", "filter_log_events", group).await;
    let events = found["events"].as_array().unwrap().iter();
    let lines = events.map(|event| event["message"].as_str().unwrap());
    lines
        .map(|line| serde_json::from_str(line).unwrap())
        .collect()
}
