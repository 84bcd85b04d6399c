//! Items of a layout that only a newer version of the service reads: two versions run side by side
//! during a deployment, and after a rollback. Every function leaves them to that version, and nothing
//! fails.

use std::collections::HashMap;
use std::sync::Arc;

use aws_lambda_events::apigw::ApiGatewayV2httpResponse;
use aws_sdk_dynamodb::types::AttributeValue;
use domain::job::{JobKey, Phase};
use fakes::queue::MemoryQueue;
use local::dynamodb::EXPORTS_TABLE;
use serde_json::{Value, json};

use super::days;
use super::rows::{exported_events, small_lake};
use super::scenes::{grant, planned, posted, waiting};
use crate::world::{APP_PATH, SIGNATURE, World, body_of};

/// A layout that this version does not know.
const NEWER: u32 = 99;

/// The layout that this version writes.
const OURS: u32 = 3;

/// Gives the items whose sort key begins so a layout.
async fn lay_out(world: &World, sort: &str, layout: u32) {
    let all = world.client.scan().table_name(EXPORTS_TABLE).send().await;
    let items = all.unwrap().items.unwrap().into_iter();
    let mut changed = 0;
    for item in items.filter(|item| item["sk"].as_s().unwrap().starts_with(sort)) {
        let update = world.client.update_item().table_name(EXPORTS_TABLE);
        let update = update.key("pk", item["pk"].clone());
        let update = update.key("sk", item["sk"].clone());
        let update = update.update_expression("SET v = :v");
        let layout = AttributeValue::N(layout.to_string());
        let update = update.expression_attribute_values(":v", layout);
        update.send().await.unwrap();
        changed += 1;
    }
    assert!(changed > 0, "no item {sort}");
}

/// All items as they are.
async fn items(world: &World) -> Vec<HashMap<String, AttributeValue>> {
    let all = world.client.scan().table_name(EXPORTS_TABLE).send().await;
    let mut items = all.unwrap().items.unwrap();
    items.sort_by_key(|item| ["pk", "sk"].map(|name| item[name].as_s().unwrap().clone()));
    items
}

/// That the client is asked to come again.
fn assert_comes_again(answer: &ApiGatewayV2httpResponse) {
    assert_eq!(answer.status_code, 503, "{answer:?}");
    assert!(answer.headers.contains_key("retry-after"), "{answer:?}");
    assert_eq!(body_of(answer)["error"]["code"], "ServiceUnavailable");
}

async fn create(world: &World) -> ApiGatewayV2httpResponse {
    let body = days("JsonBlob", "2026-01-05", "2026-01-07");
    let mut event = World::http("POST", &format!("{APP_PATH}/events"), Some(&body));
    let headers = &mut event.headers;
    headers.insert("x-ms-client-request-id", "request-1".parse().unwrap());
    crate::described::create(event, &world.create).await
}

async fn get(world: &World, path: &str) -> ApiGatewayV2httpResponse {
    let event = World::http("GET", &format!("{APP_PATH}{path}"), None);
    crate::described::status(event, &world.status).await
}

async fn exports_everything(world: &World, key: &JobKey, rows: &[String]) {
    let job = world.drive(key).await;
    assert_eq!(job.phase.name(), "succeeded");
    assert_eq!(exported_events(&world.files(&job)), rows);
}

#[tokio::test]
async fn a_newer_job_is_retried_by_every_function_and_changed_by_none() {
    let world = World::new().await;
    let rows = small_lake(&world).await;
    let key = planned(&world).await;
    lay_out(&world, "JOB#", NEWER).await;
    let before = items(&world).await;

    assert_comes_again(&get(&world, &format!("/{}", key.id)).await);
    assert_comes_again(&get(&world, "").await);
    assert_comes_again(&world.patch(&key, &json!({})).await);
    assert_comes_again(&world.delete(&key).await);
    let planning = plan_export::handle(World::event_of(&key, "queued"), &world.plan);
    let error = planning.await.unwrap_err().to_string();
    assert!(error.contains("has layout 99"), "{error}");
    let finishing = finish_export::handle(World::event_of(&key, "running"), &world.finish);
    let error = finishing.await.unwrap_err().to_string();
    assert!(error.contains("has layout 99"), "{error}");
    let run = run_export_chunk::handle(World::message_of(&key, 0, 0), &world.run);
    assert_eq!(run.await.batch_item_failures.len(), 1);
    assert!(!world.bury_event(&key, "queued").await);

    assert_eq!(items(&world).await, before);
    lay_out(&world, "JOB#", OURS).await;
    exports_everything(&world, &key, &rows).await;
}

#[tokio::test]
async fn a_newer_chunk_is_retried_and_changed_by_none() {
    let world = World::new().await;
    let rows = small_lake(&world).await;
    let key = planned(&world).await;
    lay_out(&world, "CHUNK#", NEWER).await;
    let before = items(&world).await;
    let run = run_export_chunk::handle(World::message_of(&key, 0, 0), &world.run);
    assert_eq!(run.await.batch_item_failures.len(), 1);
    assert_eq!(items(&world).await, before);
    lay_out(&world, "CHUNK#", OURS).await;
    exports_everything(&world, &key, &rows).await;
}

#[tokio::test]
async fn the_dead_letter_of_a_newer_chunk_goes_back_on_the_chunk_queue() {
    let mut world = World::new().await;
    small_lake(&world).await;
    let key = planned(&world).await;
    lay_out(&world, "CHUNK#", NEWER).await;
    let before = items(&world).await;
    assert!(!world.buried(&key, 0, 0).await, "without a queue it stays");

    let queue = Arc::new(MemoryQueue::default());
    world.fail.queue = Some(Arc::clone(&queue) as _);
    assert!(world.buried(&key, 0, 0).await);
    let sent = queue.take();
    let [(body, delay)] = sent.as_slice() else {
        panic!("{sent:?}")
    };
    let message = World::message_of(&key, 0, 0).records.remove(0).body;
    let read = |text: &str| serde_json::from_str::<Value>(text).unwrap();
    assert_eq!(read(body), read(&message.unwrap()));
    assert!(!delay.is_zero());
    assert_eq!(items(&world).await, before);
}

#[tokio::test]
async fn a_newer_job_that_waits_keeps_no_other_from_its_end() {
    let world = World::new().await;
    small_lake(&world).await;
    let newer = waiting(&world).await;
    lay_out(&world, "JOB#", NEWER).await;
    grant(&world, SIGNATURE);
    world.clock.advance(time::Duration::minutes(11));
    let ours = waiting(&world).await;
    world.clock.advance(time::Duration::days(8));
    let expired = expire_jobs::handle(Value::Null, &world.expire).await;
    assert_eq!(
        expired.unwrap_err().to_string(),
        "1 waiting jobs could not be dealt with"
    );
    assert!(matches!(
        world.job(&ours).await.phase,
        Phase::Cancelling { .. }
    ));
    lay_out(&world, "JOB#", OURS).await;
    assert!(matches!(
        world.job(&newer).await.phase,
        Phase::AwaitingCredential { .. }
    ));
}

#[tokio::test]
async fn a_newer_request_or_grant_makes_the_client_come_again() {
    let world = World::new().await;
    small_lake(&world).await;
    posted(&world).await;
    for sort in ["CLIENT#", "SCOPE#"] {
        lay_out(&world, sort, NEWER).await;
        assert_comes_again(&create(&world).await);
        lay_out(&world, sort, OURS).await;
        assert_eq!(create(&world).await.status_code, 202);
    }
}
