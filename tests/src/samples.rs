//! The sample events for `sam local invoke` (`tests/events/`) are what the functions are called
//! with.

use std::path::Path;

use api::route::{Route, Target};
use aws_lambda_events::apigw::ApiGatewayV2httpRequest;
use aws_lambda_events::eventbridge::EventBridgeEvent;
use aws_lambda_events::sqs::SqsEvent;
use domain::tally::DRAINED;
use edge::event::{ChunkMessage, EVENT_DETAIL_TYPE, EVENT_SOURCE, JobEvent};
use serde::de::DeserializeOwned;
use serde_json::Value;

/// A function's sample, as the event that it takes.
pub(crate) fn sample<T: DeserializeOwned>(function: &str) -> T {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join(format!("events/{function}.json"));
    serde_json::from_slice(&std::fs::read(path).unwrap()).unwrap()
}

/// The target of an API event's path.
fn target(event: &ApiGatewayV2httpRequest) -> Target {
    Route::parse(event.raw_path.as_deref().unwrap())
        .unwrap()
        .target
}

fn body(event: &ApiGatewayV2httpRequest) -> Value {
    serde_json::from_str(event.body.as_deref().unwrap()).unwrap()
}

#[test]
fn the_samples_of_the_api_name_an_operation_and_carry_a_subject() {
    let create: ApiGatewayV2httpRequest = sample("create-job");
    assert!(matches!(target(&create), Target::Create(operation) if operation.name == "events"));
    let of_a_task =
        ["get-status", "resume-job", "cancel-job"].map(sample::<ApiGatewayV2httpRequest>);
    assert!(
        of_a_task
            .iter()
            .all(|event| matches!(target(event), Target::Task(_)))
    );
    assert_eq!(body(&create)["exportFormat"], "JsonBlob");
    assert!(body(&of_a_task[1])["containerUrl"].is_string());
    for event in of_a_task.into_iter().chain([create]) {
        let claims = event
            .request_context
            .authorizer
            .unwrap()
            .jwt
            .unwrap()
            .claims;
        assert_eq!(claims["sub"], "reporting");
    }
}

#[test]
fn the_sample_of_the_page_names_a_file_of_it_and_carries_no_token() {
    let event: ApiGatewayV2httpRequest = sample("get-page");
    let path = event.raw_path.unwrap();
    let name = path.strip_prefix("/ui/").unwrap();
    assert!(get_page::Files::file(name).is_some(), "{name}");
    assert!(event.request_context.authorizer.is_none());
}

#[test]
fn the_samples_of_the_bus_are_what_its_rules_let_through() {
    for (function, phase) in [("plan-export", "queued"), ("finish-export", DRAINED)] {
        let event: EventBridgeEvent<JobEvent> = sample(function);
        assert_eq!(
            (event.source.as_str(), event.detail_type.as_str()),
            (EVENT_SOURCE, EVENT_DETAIL_TYPE)
        );
        assert_eq!(event.detail.phase, phase);
        assert!(event.detail.key().is_ok());
    }
}

#[test]
fn the_sample_of_the_schedule_is_one_of_eventbridge() {
    let event: EventBridgeEvent<Value> = sample("expire-jobs");
    assert_eq!(
        (event.source.as_str(), event.detail_type.as_str()),
        ("aws.events", "Scheduled Event")
    );
}

#[test]
fn the_samples_of_the_queues_name_a_chunk() {
    for function in ["run-export-chunk", "fail-chunk"] {
        let event: SqsEvent = sample(function);
        let body = event.records[0].body.as_deref().unwrap();
        assert!(ChunkMessage::parse(body).is_ok(), "{function}");
    }
}
