//! What no engine ever answers, but DynamoDB does: injected below the SDK.
#![expect(
    clippy::disallowed_types,
    reason = "builds the store over injected answers"
)]

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use aws_sdk_dynamodb::config::retry::RetryConfig;
use aws_smithy_runtime_api::client::http::{
    HttpClient, HttpConnector, HttpConnectorFuture, HttpConnectorSettings, SharedHttpClient,
    SharedHttpConnector,
};
use aws_smithy_runtime_api::client::orchestrator::{HttpRequest, HttpResponse};
use aws_smithy_runtime_api::client::runtime_components::RuntimeComponents;
use aws_smithy_runtime_api::http::StatusCode;
use aws_smithy_types::body::SdkBody;
use domain::cause::in_one_line;
use domain::job::Job;
use exports_table::DynamoStore;
use local::dynamodb::{EXPORTS_TABLE, aws_config};
use ports::store::{Created, Intake, Jobs, StoreError};
use serde_json::{Value, json};
use wiring::SystemClock;

use super::engine::World;
use super::samples::{NOW, creation};

/// Answers in place of DynamoDB: so many times the first answer, then the second.
#[derive(Debug, Clone)]
struct Answers {
    first: (usize, u16, Value),
    then: Value,
    calls: Arc<AtomicUsize>,
    /// Whether queries find nothing, and do not count.
    past_queries: bool,
}

impl Answers {
    fn new(times: usize, status: u16, body: Value) -> Self {
        Self {
            first: (times, status, body),
            then: json!({}),
            calls: Arc::default(),
            past_queries: false,
        }
    }

    fn always(status: u16, code: &str) -> Self {
        Self::new(
            usize::MAX,
            status,
            json!({ "__type": format!("x#{code}"), "message": "so it is" }),
        )
    }

    fn calls(&self) -> usize {
        self.calls.load(Ordering::SeqCst)
    }

    /// A store that hears these answers.
    async fn store(&self) -> DynamoStore {
        let sdk = aws_config("http://127.0.0.1:9").await.to_builder();
        let sdk = sdk
            .http_client(SharedHttpClient::new(self.clone()))
            .retry_config(RetryConfig::disabled())
            .build();
        DynamoStore::new(
            aws_sdk_dynamodb::Client::new(&sdk),
            EXPORTS_TABLE,
            Arc::new(SystemClock),
        )
    }
}

impl HttpClient for Answers {
    fn http_connector(
        &self,
        _: &HttpConnectorSettings,
        _: &RuntimeComponents,
    ) -> SharedHttpConnector {
        SharedHttpConnector::new(self.clone())
    }
}

impl HttpConnector for Answers {
    fn call(&self, request: HttpRequest) -> HttpConnectorFuture {
        let target = request.headers().get("x-amz-target").unwrap();
        let (times, status, body) = &self.first;
        let (status, body) = if self.past_queries && target.ends_with(".Query") {
            (200, &json!({ "Items": [] }))
        } else if self.calls.fetch_add(1, Ordering::SeqCst) < *times {
            (*status, body)
        } else {
            (200, &self.then)
        };
        let body = SdkBody::from(body.to_string());
        HttpConnectorFuture::ready(Ok(HttpResponse::new(
            StatusCode::try_from(status).unwrap(),
            body,
        )))
    }
}

/// A cancelled transaction, with a reason for each of its items.
fn cancelled(reasons: &[&str]) -> Value {
    let reasons: Vec<Value> = reasons.iter().map(|code| json!({ "Code": code })).collect();
    json!({ "__type": "x#TransactionCanceledException", "message": "cancelled", "CancellationReasons": reasons })
}

fn a_job() -> Job {
    World::in_memory().job()
}

/// A creation, whose looks at what the app has find nothing.
async fn create(answers: &Answers) -> Result<Created, StoreError> {
    let answers = Answers {
        past_queries: true,
        ..answers.clone()
    };
    answers
        .store()
        .await
        .create(a_job(), None, creation(NOW))
        .await
}

#[tokio::test]
async fn a_transaction_that_met_another_one_or_a_throttle_is_tried_again() {
    for passing in [
        "TransactionConflict",
        "ThrottlingError",
        "ProvisionedThroughputExceeded",
    ] {
        let answers = Answers::new(3, 400, cancelled(&["None", passing]));
        assert!(
            matches!(create(&answers).await, Ok(Created::New(_))),
            "{passing}"
        );
        assert_eq!(answers.calls(), 4);
    }
}

#[tokio::test]
async fn a_transaction_that_meets_others_again_and_again_is_given_up() {
    let answers = Answers::new(usize::MAX, 400, cancelled(&["TransactionConflict"]));
    let given_up = create(&answers).await.unwrap_err();
    assert_eq!(
        in_one_line(&given_up),
        "the exports table does not answer: transaction cancelled: TransactionConflict"
    );
    assert_eq!(answers.calls(), 8);
}

#[tokio::test]
async fn a_failed_condition_beside_a_passing_reason_is_a_conflict() {
    let answers = Answers::new(
        1,
        400,
        cancelled(&["TransactionConflict", "ConditionalCheckFailed"]),
    );
    let conflict = create(&answers).await;
    assert!(
        matches!(conflict, Err(StoreError::Conflict { .. })),
        "{conflict:?}"
    );
    assert_eq!(
        answers.calls(),
        2,
        "and one look whether the write was its own"
    );
}

#[tokio::test]
async fn a_transaction_cancelled_for_good_says_why() {
    let answers = Answers::new(
        usize::MAX,
        400,
        cancelled(&["None", "ItemCollectionSizeLimitExceeded"]),
    );
    let refused = create(&answers).await.unwrap_err();
    assert!(matches!(refused, StoreError::Corrupt { .. }), "{refused:?}");
    assert!(
        in_one_line(&refused).ends_with(
            "cannot be used: transaction cancelled: None, ItemCollectionSizeLimitExceeded"
        ),
        "{refused}"
    );
    assert_eq!(answers.calls(), 1);
}

#[tokio::test]
async fn what_a_repeat_may_fix_is_unavailable() {
    for (status, code) in [
        (400, "ProvisionedThroughputExceededException"),
        (400, "ThrottlingException"),
        (400, "RequestLimitExceeded"),
        (400, "TransactionConflictException"),
        (400, "TransactionInProgressException"),
        (500, "InternalServerError"),
        (503, "ServiceUnavailable"),
        (500, "SomethingNew"),
    ] {
        let error = Answers::always(status, code)
            .store()
            .await
            .put_job(a_job())
            .await
            .unwrap_err();
        assert_eq!(
            in_one_line(&error),
            format!("the exports table does not answer: {code}: so it is")
        );
    }
}

#[tokio::test]
async fn what_no_repeat_fixes_is_corrupt_and_says_the_code() {
    for code in [
        "ValidationException",
        "AccessDeniedException",
        "ResourceNotFoundException",
    ] {
        let error = Answers::always(400, code)
            .store()
            .await
            .put_job(a_job())
            .await
            .unwrap_err();
        assert!(matches!(error, StoreError::Corrupt { .. }), "{error:?}");
        assert!(
            in_one_line(&error).ends_with(&format!("cannot be used: {code}: so it is")),
            "{error}"
        );
    }
}
