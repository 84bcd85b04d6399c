//! The scenes of the run: what clients and an operator do, and what comes of it.

mod alone;
mod control;
mod exports;
mod turned_away;

use std::collections::BTreeMap;
use std::sync::Arc;

use futures::FutureExt;
use futures::future::BoxFuture;
use serde_json::{Value, json};

use crate::caller::Caller;
use crate::deployment::Deployment;
use crate::emulator::Emulator;
use crate::pipes::StandIn;

/// What the scenes play on.
pub(crate) struct Stage {
    pub(crate) emulator: Emulator,
    pub(crate) deployed: Deployment,
    pub(crate) pipes: StandIn,
    pub(crate) caller: Caller,
}

type Scene = (&'static str, BoxFuture<'static, ()>);

/// Those that may play at the same time.
fn together(stage: &Arc<Stage>) -> Vec<Scene> {
    let stage = || Arc::clone(stage);
    vec![
        (
            "exports",
            exports::every_kind_in_every_format(stage()).boxed(),
        ),
        ("lists", exports::lists_and_repeats(stage()).boxed()),
        ("renewed", control::a_new_credential(stage()).boxed()),
        ("cancelled", control::a_cancellation(stage()).boxed()),
        ("expired", control::too_long_a_wait(stage()).boxed()),
        (
            "turned away",
            turned_away::callers_without_a_right(stage()).boxed(),
        ),
    ]
}

/// Those that need a pipe, a function or a queue for themselves.
fn alone(stage: &Arc<Stage>) -> Vec<Scene> {
    let stage = || Arc::clone(stage);
    vec![
        ("gone", alone::an_object_that_goes(stage()).boxed()),
        (
            "dead letters",
            alone::a_chunk_that_always_fails(stage()).boxed(),
        ),
        (
            "dead events",
            alone::an_event_that_always_fails(stage()).boxed(),
        ),
        ("newer", alone::items_of_a_newer_version(stage()).boxed()),
    ]
}

/// Plays all; what went wrong in each.
pub(crate) async fn play(stage: &Arc<Stage>) -> BTreeMap<&'static str, Result<(), String>> {
    let mut played = BTreeMap::new();
    let begun: Vec<_> = together(stage)
        .into_iter()
        .map(|(name, scene)| (name, tokio::spawn(scene)))
        .collect();
    for (name, scene) in begun {
        played.insert(name, scene.await.map_err(|error| error.to_string()));
    }
    for (name, scene) in alone(stage) {
        let ended = tokio::spawn(scene).await;
        played.insert(name, ended.map_err(|error| error.to_string()));
    }
    played
}

impl Stage {
    /// The body of an export of some days into a container.
    pub(crate) fn days(&self, container: &str, format: &str, days: [&str; 2]) -> Value {
        json!({
            "containerUrl": self.emulator.container_url(container, "cw"), "exportFormat": format,
            "startDate": days[0], "endDate": days[1],
        })
    }

    /// The items of a job in the exports table, of one kind.
    pub(crate) async fn items(&self, job: &str, kind: &str) -> Vec<Value> {
        let scan = json!({
            "TableName": self.deployed.output("ExportsTableName"),
            "FilterExpression": "job = :job AND kind = :kind",
            "ExpressionAttributeValues": {":job": {"S": job}, ":kind": {"S": kind}},
        });
        let found = self.emulator.aws.call("dynamodb", "scan", scan).await;
        found["Items"].as_array().unwrap().clone()
    }

    /// Changes one attribute of an item by hand.
    pub(crate) async fn alter(&self, item: &Value, path: &str, value: &Value) {
        let update = json!({
            "TableName": self.deployed.output("ExportsTableName"),
            "Key": {"pk": item["pk"], "sk": item["sk"]},
            "UpdateExpression": format!("SET {path} = :value"),
            "ExpressionAttributeValues": {":value": value},
        });
        let aws = &self.emulator.aws;
        aws.call("dynamodb", "update_item", update).await;
    }
}
