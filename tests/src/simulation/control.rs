//! What a job's owner asks for meanwhile, through the API, and what may be answered.

use aws_lambda_events::apigw::ApiGatewayV2httpResponse;
use domain::job::JobKey;
use serde_json::json;

use super::checks::clean;
use crate::world::{World, body_of, url_with};

/// A change that somebody asks for.
#[derive(Debug, Clone)]
pub(crate) enum Control {
    /// DELETE.
    Cancel,
    /// PATCH: here is a new signature, go on.
    Resume {
        /// The signature.
        signature: String,
    },
    /// PATCH: try the rest again.
    Retry,
}

/// What became of a request.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Answered {
    /// 202.
    Accepted,
    /// The job or the signature is not such that it could be done.
    Refused,
    /// A client repeats it.
    Failed,
}

/// Asks once.
pub(crate) async fn ask(world: &World, key: &JobKey, control: &Control) -> Answered {
    let answer = match control {
        Control::Cancel => world.delete(key).await,
        Control::Resume { signature } => {
            world
                .patch(key, &json!({"containerUrl": url_with(signature)}))
                .await
        }
        Control::Retry => world.patch(key, &json!({})).await,
    };
    read(&answer, control)
}

/// Only what the contract names may be answered, and an accepted change shows.
fn read(answer: &ApiGatewayV2httpResponse, control: &Control) -> Answered {
    clean("an answer", &format!("{answer:?}")).unwrap();
    let body = body_of(answer);
    let (code, phase) = (body["error"]["code"].as_str(), body["phase"].as_str());
    match (answer.status_code, control, code) {
        (202, Control::Cancel, _) => {
            assert!(
                matches!(phase, Some("cancelling" | "finishing" | "cancelled")),
                "{body}"
            );
            Answered::Accepted
        }
        (202, Control::Resume { .. } | Control::Retry, _) => {
            assert!(
                matches!(phase, Some("queued" | "planning" | "running" | "resuming")),
                "{body}"
            );
            Answered::Accepted
        }
        (409, Control::Cancel, Some("TaskFinished" | "TaskEnding"))
        | (409, Control::Resume { .. }, Some("TaskSucceeded" | "TaskEnding"))
        | (400, Control::Resume { .. }, Some("ContainerAccessDenied"))
        | (409, Control::Retry, Some("TaskSucceeded" | "TaskAtWork"))
        | (400, Control::Retry, Some("NewCredentialNeeded")) => Answered::Refused,
        (503, _, Some("StorageUnavailable" | "ServiceUnavailable")) => Answered::Failed,
        _ => panic!("{control:?} is answered {}: {body}", answer.status_code),
    }
}
