//! The functions' policies over the exports table, judged by what the functions ask of it in whole
//! exports.
//!
//! `dynamodb:LeadingKeys` holds the partition keys of a request
//! (<https://docs.aws.amazon.com/service-authorization/latest/reference/list_amazondynamodb.html>). Whether that is, in a
//! transaction, the key of each item in turn or the keys of all, no page of AWS says. So both must
//! do.
#![expect(
    clippy::disallowed_types,
    reason = "gives each function a client of its own, to see what it asks"
)]

use std::collections::BTreeSet;
use std::fmt;
use std::sync::{Arc, Mutex};

use aws_sdk_dynamodb::Client;
use aws_smithy_runtime_api::client::http::{
    HttpClient, HttpConnector, HttpConnectorFuture, HttpConnectorSettings, SharedHttpConnector,
};
use aws_smithy_runtime_api::client::orchestrator::HttpRequest;
use aws_smithy_runtime_api::client::runtime_components::RuntimeComponents;
use aws_smithy_types::body::SdkBody;
use exports_table::DynamoStore;
use local::dynamodb::{EXPORTS_TABLE, aws_config};
use ports::clock::Clock;
use serde_json::{Value, json};
use tokio::sync::OnceCell;
use wiring::config::EXPORTS_TABLE as EXPORTS_TABLE_SETTING;

use super::document::Template;
use crate::stories::lives::Life;
use crate::table::Table;
use crate::world::World;

/// A request of a function: every item's action and partition key.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
struct Request {
    function: &'static str,
    items: Vec<(String, String)>,
}

/// What was asked so far.
type Requests = Arc<Mutex<BTreeSet<Request>>>;

/// The table as one function reaches it. The answer to every write is lost and the write repeated,
/// so that the function looks whether the item is its own.
#[derive(Clone)]
struct Observed {
    function: &'static str,
    table: Table,
    requests: Requests,
}

impl fmt::Debug for Observed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "the table of {}", self.function)
    }
}

impl HttpClient for Observed {
    fn http_connector(
        &self,
        _: &HttpConnectorSettings,
        _: &RuntimeComponents,
    ) -> SharedHttpConnector {
        SharedHttpConnector::new(self.clone())
    }
}

impl HttpConnector for Observed {
    fn call(&self, request: HttpRequest) -> HttpConnectorFuture {
        let operation = request
            .headers()
            .get("x-amz-target")
            .and_then(|target| target.rsplit('.').next());
        let operation = operation.unwrap().to_owned();
        let mut body: Value = serde_json::from_slice(request.body().bytes().unwrap()).unwrap();
        let items = items(&operation, &body);
        self.requests.lock().unwrap().insert(Request {
            function: self.function,
            items,
        });
        if matches!(operation.as_str(), "PutItem" | "TransactWriteItems") {
            let mut first = request.try_clone().unwrap();
            // Another try of the store has another token; one with the same is answered from
            // memory.
            body.as_object_mut().unwrap().remove("ClientRequestToken");
            *first.body_mut() = SdkBody::from(body.to_string());
            drop(HttpConnector::call(&self.table, first));
        }
        HttpConnector::call(&self.table, request)
    }
}

/// A request's items. A transaction asks for the action of each item
/// (<https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/transaction-apis-iam.html>).
fn items(operation: &str, body: &Value) -> Vec<(String, String)> {
    let Some(items) = body["TransactItems"].as_array() else {
        return vec![(operation.to_owned(), partition(body))];
    };
    let item = |item: &Value| {
        let (kind, item) = item
            .as_object()
            .unwrap()
            .iter()
            .next()
            .map(|(kind, item)| (kind.clone(), item))
            .unwrap();
        let action = if kind == "ConditionCheck" {
            "ConditionCheckItem".to_owned()
        } else {
            format!("{kind}Item")
        };
        (action, partition(item))
    };
    items.iter().map(item).collect()
}

/// The partition key of an item, of a key, or of a query.
fn partition(request: &Value) -> String {
    let condition = request["KeyConditionExpression"]
        .as_str()
        .and_then(|text| text.strip_prefix("pk = "));
    let variable = condition.map(|text| text.split(' ').next().unwrap());
    let of_query = variable.map(|name| &request["ExpressionAttributeValues"][name]["S"]);
    let of_item = [&request["Key"]["pk"]["S"], &request["Item"]["pk"]["S"]];
    of_query
        .into_iter()
        .chain(of_item)
        .find_map(Value::as_str)
        .unwrap()
        .to_owned()
}

/// Gives each handler of the world a table of its own, and sees what goes over it.
async fn observe(world: &mut World) -> Requests {
    let requests = Requests::default();
    let sdk = aws_config("http://table.invalid").await;
    let of = |function: &'static str| {
        let http = Observed {
            function,
            table: world.table.clone(),
            requests: Arc::clone(&requests),
        };
        let client = Client::new(&sdk.to_builder().http_client(http).build());
        Arc::new(DynamoStore::new(
            client,
            EXPORTS_TABLE,
            Arc::clone(&world.clock) as Arc<dyn Clock>,
        ))
    };
    let (create, status, resume) = (of("CreateJob"), of("GetStatus"), of("ResumeJob"));
    let (cancel, expire, plan) = (of("CancelJob"), of("ExpireJobs"), of("PlanExport"));
    let (run, finish, fail) = (of("RunExportChunk"), of("FinishExport"), of("FailChunk"));
    (world.create.grants, world.create.intake, world.create.jobs) =
        (create.clone(), create.clone(), create);
    (world.status.grants, world.status.jobs) = (status.clone(), status.clone());
    (world.status.lists, world.status.chunks) = (status.clone(), status);
    (world.resume.grants, world.resume.jobs) = (resume.clone(), resume);
    (world.cancel.grants, world.cancel.jobs) = (cancel.clone(), cancel);
    world.expire.jobs = expire;
    (world.plan.plans, world.plan.lists) = (plan.clone(), plan);
    world.run.chunks = run;
    (world.finish.chunks, world.finish.lists) = (finish.clone(), finish);
    world.fail.chunks = fail;
    requests
}

/// What every function asked of the table in the lives of jobs, which are played once for all tests.
async fn asked() -> &'static BTreeSet<Request> {
    static ASKED: OnceCell<BTreeSet<Request>> = OnceCell::const_new();
    ASKED.get_or_init(play_lives).await
}

async fn play_lives() -> BTreeSet<Request> {
    let mut asked = BTreeSet::new();
    for life in Life::ALL {
        let mut world = World::new().await;
        let requests = observe(&mut world).await;
        life.play(&world).await;
        asked.append(&mut requests.lock().unwrap());
    }
    asked
}

/// Texts that stand alone or in a list.
fn texts(value: &Value) -> Vec<&str> {
    let all = value
        .as_array()
        .map_or_else(|| std::slice::from_ref(value), Vec::as_slice);
    all.iter().map(|text| text.as_str().unwrap()).collect()
}

/// A statement over the exports table.
struct Statement<'a> {
    actions: Vec<&'a str>,
    families: Vec<&'a str>,
}

fn is_of_family(key: &str, family: &str) -> bool {
    family
        .strip_suffix('*')
        .map_or(key == family, |prefix| key.starts_with(prefix))
}

impl Statement<'_> {
    fn allows(&self, action: &str, keys: &[&str]) -> bool {
        let in_reach = |key: &&str| self.families.iter().any(|family| is_of_family(key, family));
        self.actions
            .iter()
            .any(|allowed| *allowed == format!("dynamodb:{action}"))
            && keys.iter().all(in_reach)
    }
}

/// What a function may do; nothing, when it has no policy.
fn all_statements<'a>(template: &'a Template, function: &str) -> &'a [Value] {
    let all = template.property(function, "Policies/0/Statement");
    all.as_array().map(Vec::as_slice).unwrap_or_default()
}

/// What a function may do to the exports table.
fn statements<'a>(template: &'a Template, function: &str) -> Vec<Statement<'a>> {
    let all = all_statements(template, function).iter();
    let table = json!({"Fn::GetAtt": "ExportsTable.Arn"});
    let of_table = all.filter(|statement| statement["Resource"] == table);
    let keys = |statement: &'a Value| {
        texts(&statement["Condition"]["ForAllValues:StringLike"]["dynamodb:LeadingKeys"])
    };
    of_table
        .map(|one| Statement {
            actions: texts(&one["Action"]),
            families: keys(one),
        })
        .collect()
}

#[tokio::test]
async fn every_request_is_allowed_whether_it_is_judged_by_item_or_as_a_whole() {
    let template = Template::read();
    let asked = asked().await;
    let known = asked
        .iter()
        .map(|request| request.function)
        .collect::<BTreeSet<_>>();
    let told_of_the_table = template.functions().into_iter().filter(|(function, _)| {
        let env = template.environment(function);
        env.contains_key(EXPORTS_TABLE_SETTING.name)
    });
    assert_eq!(
        known,
        told_of_the_table.map(|(function, _)| function).collect()
    );
    for Request { function, items } in asked {
        let statements = statements(&template, function);
        let keys: Vec<_> = items.iter().map(|(_, key)| key.as_str()).collect();
        for (action, key) in items {
            let may = |keys: &[&str]| {
                statements
                    .iter()
                    .any(|statement| statement.allows(action, keys))
            };
            assert!(may(&[key]), "{function} may not {action} {key}");
            assert!(
                may(&keys),
                "{function} may not {action} in a request over {keys:?}"
            );
        }
    }
}

#[tokio::test]
async fn no_function_is_allowed_what_it_never_asks_for() {
    let template = Template::read();
    let asked = asked().await;
    for (function, _) in template.functions() {
        for Statement { actions, families } in statements(&template, function) {
            for (action, family) in actions
                .iter()
                .flat_map(|action| families.iter().map(move |family| (action, family)))
            {
                let is_used = asked
                    .iter()
                    .filter(|request| request.function == function)
                    .any(|request| {
                        let acts = request
                            .items
                            .iter()
                            .any(|(asked, _)| *action == format!("dynamodb:{asked}"));
                        acts && request
                            .items
                            .iter()
                            .any(|(_, key)| is_of_family(key, family))
                    });
                assert!(is_used, "{function} never needs {action} on {family}");
            }
        }
    }
}

#[test]
fn no_function_may_write_a_grant_or_call_anything_on_everything() {
    let template = Template::read();
    for (function, _) in template.functions() {
        for statement in all_statements(&template, function) {
            let text = statement.to_string();
            assert_ne!(statement["Resource"], "*", "{function}: {text}");
            let writes = ["PutItem", "UpdateItem", "DeleteItem"]
                .iter()
                .any(|action| text.contains(action));
            assert!(
                !writes || !text.contains("PRINCIPAL#") && text.contains("dynamodb:LeadingKeys"),
                "{text}"
            );
        }
    }
}

#[test]
fn what_is_kept_of_callers_is_written_by_those_that_they_call_and_deleted_by_nobody() {
    let template = Template::read();
    let reaches = |families: &[&str]| {
        families
            .iter()
            .any(|family| is_of_family("AUDIT#x", family))
    };
    let mut writers = Vec::new();
    for (function, _) in template.functions() {
        for Statement { actions, families } in statements(&template, function) {
            assert!(!families.is_empty(), "{function}: {actions:?} on every key");
            if reaches(&families) {
                assert_eq!(actions, ["dynamodb:PutItem"], "{function}");
                writers.push(function);
            }
        }
    }
    assert_eq!(writers, ["CancelJob", "CreateJob", "ResumeJob"]);
}

/// The functions that have a statement with both words.
fn functions_allowed(template: &Template, action: &str, condition: &str) -> Vec<String> {
    let is_allowed = |function: &str| {
        all_statements(template, function)
            .iter()
            .map(Value::to_string)
            .any(|text| text.contains(action) && text.contains(condition))
    };
    let functions = template
        .functions()
        .into_iter()
        .map(|(function, _)| function);
    functions
        .filter(|function| is_allowed(function))
        .map(str::to_owned)
        .collect()
}

#[test]
fn only_who_seals_may_encrypt_and_only_who_opens_may_decrypt() {
    let template = Template::read();
    let allowed = |action| functions_allowed(&template, action, "\"kms:EncryptionContext:job-id\"");
    assert_eq!(allowed("\"kms:Encrypt\""), ["CreateJob", "ResumeJob"]);
    assert_eq!(
        allowed("\"kms:Decrypt\""),
        ["FinishExport", "ResumeJob", "RunExportChunk"]
    );
}
