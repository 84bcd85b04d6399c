//! A stand-in for EventBridge Pipes, which the emulator lacks: it reads the table's stream as they
//! do, and takes filters, input templates, targets and roles from the template as it was deployed.

use std::fs::File;
use std::io::Write;
use std::path::Path;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use local::pump::{Pattern, StreamReader, pipe_event};
use serde_json::{Value, json};
use tokio::sync::watch;
use tokio_util::task::AbortOnDropHandle;

use crate::aws::Aws;
use crate::deployment::Deployment;

const POLL: Duration = Duration::from_millis(50);

/// A pipe of the template.
#[derive(Clone)]
pub(crate) struct Pipe {
    pub(crate) name: String,
    role: String,
    pub(crate) filters: Vec<Value>,
    pub(crate) template: String,
    target: Target,
}

#[derive(Clone)]
enum Target {
    Bus { name: String, parameters: Value },
    Queue { url: String },
}

/// What an intrinsic function names.
pub(crate) fn referred(value: &Value) -> &str {
    let name = value.get("Ref").or_else(|| value["Fn::GetAtt"].get(0));
    let name = name.or_else(|| value.get("Fn::GetAtt"));
    let name = name.and_then(Value::as_str).unwrap();
    name.split('.').next().unwrap()
}

impl Pipe {
    /// All pipes of the template.
    pub(crate) fn all(deployed: &Deployment) -> Vec<Self> {
        let pipes = deployed.of_type("AWS::Pipes::Pipe");
        assert!(!pipes.is_empty());
        pipes
            .into_iter()
            .map(|(name, properties)| Self::read(name, properties, deployed))
            .collect()
    }

    fn read(name: &str, properties: &Value, deployed: &Deployment) -> Self {
        let filters = &properties["SourceParameters"]["FilterCriteria"]["Filters"];
        let filters = filters.as_array().unwrap().iter();
        let filters = filters.map(|filter| filter["Pattern"].as_str().unwrap());
        let parameters = &properties["TargetParameters"];
        let target = referred(&properties["Target"]);
        let id = deployed.id(target).to_owned();
        let kind = &deployed.template["Resources"][target]["Type"];
        let target = match kind.as_str().unwrap() {
            "AWS::Events::EventBus" => Target::Bus {
                name: id,
                parameters: parameters["EventBridgeEventBusParameters"].clone(),
            },
            "AWS::SQS::Queue" => Target::Queue { url: id },
            other => panic!("{name} leads to {other}, which this stand-in does not know"),
        };
        Self {
            name: name.to_owned(),
            role: deployed.id(referred(&properties["RoleArn"])).to_owned(),
            filters: filters
                .map(|pattern| serde_json::from_str(pattern).unwrap())
                .collect(),
            template: parameters["InputTemplate"].as_str().unwrap().to_owned(),
            target,
        }
    }

    /// Whether it leads to the bus, and not to a queue.
    pub(crate) fn is_to_bus(&self) -> bool {
        matches!(self.target, Target::Bus { .. })
    }

    /// What becomes of a record: `None` when no filter lets it through.
    pub(crate) fn make(&self, event: &Value) -> Option<String> {
        let mut filters = self.filters.iter().cloned().map(Pattern::from);
        let is_let = filters.any(|filter| filter.matches(event));
        is_let.then(|| fill(&self.template, event))
    }

    async fn deliver(&self, aws: &Aws, message: String) -> Result<Value, String> {
        match &self.target {
            Target::Bus { name, parameters } => {
                let entry = json!({
                    "EventBusName": name, "Detail": message,
                    "Source": parameters["Source"], "DetailType": parameters["DetailType"],
                });
                let call = ("events", "put_events");
                let put = aws.call_as(&self.role, call, json!({"Entries": [entry]}));
                let put = put.await?;
                assert_eq!(put["FailedEntryCount"], 0, "{put}");
                Ok(put)
            }
            Target::Queue { url } => {
                let sent = json!({"QueueUrl": url, "MessageBody": message});
                aws.call_as(&self.role, ("sqs", "send_message"), sent).await
            }
        }
    }
}

/// Puts what the paths of an input template lead to into it
/// (<https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-pipes-input-transformation.html>).
fn fill(template: &str, event: &Value) -> String {
    let mut parts = template.split("<$.");
    let mut made = parts.next().unwrap().to_owned();
    for part in parts {
        let (path, rest) = part.split_once('>').unwrap();
        let found = event.pointer(&format!("/{}", path.replace('.', "/")));
        match found {
            // Within quotes of the template: without its own.
            Some(Value::String(text)) => {
                let quoted = Value::from(text.as_str()).to_string();
                made.push_str(&quoted[1..quoted.len() - 1]);
            }
            Some(other) => made.push_str(&other.to_string()),
            None => {}
        }
        made.push_str(rest);
    }
    made
}

/// The pipes at work; they end when this is dropped.
pub(crate) struct StandIn {
    paused: watch::Sender<Option<String>>,
    running: Vec<AbortOnDropHandle<()>>,
}

impl StandIn {
    /// Starts all pipes of the template, and writes every record that they see, and what they make
    /// of it, into a file.
    pub(crate) async fn start(aws: &Aws, deployed: &Deployment, records: &Path) -> Self {
        let table = json!({"TableName": deployed.output("ExportsTableName")});
        let table = aws.call("dynamodb", "describe_table", table).await;
        let stream = table["Table"]["LatestStreamArn"].as_str().unwrap();
        let log = Arc::new(Mutex::new(File::create(records).unwrap()));
        let (paused, is_paused) = watch::channel(None);
        let mut running = Vec::new();
        for pipe in Pipe::all(deployed) {
            let sdk = aws.sdk(Some(&pipe.role)).await;
            let reader = StreamReader::at_the_end_of(&sdk, stream).await.unwrap();
            let flow = flow(
                pipe,
                reader,
                aws.clone(),
                Arc::clone(&log),
                is_paused.clone(),
            );
            running.push(AbortOnDropHandle::new(tokio::spawn(flow)));
        }
        Self { paused, running }
    }

    /// Whether no pipe has failed.
    pub(crate) fn is_whole(&self) -> bool {
        !self.running.iter().any(AbortOnDropHandle::is_finished)
    }

    /// Lets the pipe of this name wait, until another is named, or none.
    pub(crate) fn pause(&self, pipe: Option<&str>) {
        self.paused.send(pipe.map(str::to_owned)).unwrap();
    }
}

/// A pipe retries without end, so that nothing is lost.
async fn flow(
    pipe: Pipe,
    mut reader: StreamReader,
    aws: Aws,
    log: Arc<Mutex<File>>,
    mut paused: watch::Receiver<Option<String>>,
) {
    loop {
        let records = reader.wait(POLL).await.unwrap();
        for event in records.iter().filter_map(pipe_event) {
            let is_on = |paused: &Option<String>| paused.as_deref() != Some(&*pipe.name);
            paused.wait_for(is_on).await.unwrap();
            let made = pipe.make(&event);
            let line = json!({"pipe": pipe.name, "event": event, "sent": made});
            writeln!(log.lock().unwrap(), "{line}").unwrap();
            if let Some(message) = made {
                pipe.deliver(&aws, message).await.unwrap();
            }
        }
    }
}
