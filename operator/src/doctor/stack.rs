//! What a stack is made of: concurrency, queues, pipes, alarms, and the functions' permissions.
#![expect(
    clippy::disallowed_types,
    reason = "looks at the queues, of which the port only sends to one"
)]

mod alarms;
mod functions;
mod permissions;
mod template;

use std::error::Error;

use aws_config::SdkConfig;
use aws_errors::{AwsError, Kind};
use aws_sdk_cloudformation::config::http::HttpResponse;
use aws_sdk_cloudformation::error::{ProvideErrorMetadata, SdkError};
use aws_sdk_pipes::types::PipeState;
use aws_sdk_sqs::types::QueueAttributeName;
use client::console::Output;
use client::failure::Failure;

use super::signed::{Signed, not_allowed};
use crate::checks::{Check, Light};
use crate::deployment::{Deployment, Resource, StackView};
use crate::failures::brief_of_aws;

/// Looks at all of them, and tells of each as it is found.
///
/// # Errors
/// When this machine cannot speak TLS.
pub(super) async fn checks(
    stack: &StackView,
    deployment: &Deployment,
    output: Output,
) -> Result<Vec<Check>, Failure> {
    let sdk = deployment.wiring().sdk();
    let signed = Signed::new(sdk)?;
    let mut checks = Vec::new();
    let mut add = |found: Vec<Check>| {
        for check in &found {
            check.tell(output);
        }
        checks.extend(found);
    };
    add(vec![functions::concurrency(stack, &signed).await]);
    let parts = match deployment.resources(&stack.name).await {
        Ok(parts) => Parts(parts),
        Err(failure) => {
            add(vec![Check::unknown("resources", failure.message)]);
            return Ok(checks);
        }
    };
    let mut all_fed = Vec::new();
    for part in parts.of("AWS::Lambda::EventSourceMapping") {
        let (check, fed) = functions::mapping(part, &signed).await;
        add(vec![check]);
        all_fed.extend(fed);
    }
    add(vec![functions::reserved(&parts, &all_fed, &signed).await]);
    for part in parts.of("AWS::SQS::Queue") {
        add(vec![queue(sdk, part).await]);
    }
    for part in parts.of("AWS::Pipes::Pipe") {
        add(vec![pipe(sdk, part).await]);
    }
    add(alarms::checks(stack, &parts, &signed).await);
    add(permissions::checks(stack, &parts, deployment).await);
    Ok(checks)
}

/// The parts of a stack, by their types.
struct Parts(Vec<Resource>);

impl Parts {
    fn of(&self, kind: &str) -> impl Iterator<Item = &Resource> {
        self.0.iter().filter(move |it| it.kind == kind)
    }

    fn named(&self, logical: &str) -> Option<&Resource> {
        self.0.iter().find(|it| it.logical == logical)
    }
}

async fn queue(sdk: &SdkConfig, part: &Resource) -> Check {
    let (logical, name) = (part.logical.as_str(), format!("queue {}", part.logical));
    let asked = aws_sdk_sqs::Client::new(sdk)
        .get_queue_attributes()
        .queue_url(&part.physical)
        .attribute_names(QueueAttributeName::ApproximateNumberOfMessages)
        .send()
        .await;
    let answer = match asked {
        Ok(answer) => answer,
        Err(error) => return unasked(name, "sqs:GetQueueAttributes", error),
    };
    let attributes = answer.attributes.unwrap_or_default();
    let messages = attributes
        .get(&QueueAttributeName::ApproximateNumberOfMessages)
        .and_then(|text| text.parse::<u64>().ok());
    match messages {
        None => Check::unknown(name, "AWS does not say how many messages it has"),
        Some(0) => Check::green(name, "it is empty"),
        Some(messages) if logical == "StrandedMessages" => Check::red(
            name,
            format!("{messages} messages wait for a person: OPERATIONS, StrandedMessagesAlarm"),
        ),
        Some(messages) if logical.ends_with("DeadLetters") => Check::new(
            Light::Note,
            name,
            format!(
                "{messages} messages, which fail-chunk is to handle: OPERATIONS, DeadLettersAlarm"
            ),
        ),
        Some(messages) => Check::green(name, format!("{messages} messages wait")),
    }
}

async fn pipe(sdk: &SdkConfig, part: &Resource) -> Check {
    let name = format!("pipe {}", part.logical);
    let asked = aws_sdk_pipes::Client::new(sdk)
        .describe_pipe()
        .name(&part.physical)
        .send()
        .await;
    match asked {
        Ok(answer) if answer.current_state() == Some(&PipeState::Running) => {
            Check::green(name, "it runs")
        }
        Ok(answer) => {
            let state = answer.current_state().map_or("unknown", PipeState::as_str);
            let reason = answer.state_reason().unwrap_or("no reason is said");
            Check::red(
                name,
                format!("it is {state} ({reason}): OPERATIONS, PipesAlarm"),
            )
        }
        Err(error) => unasked(name, "pipes:DescribePipe", error),
    }
}

/// A question that was not answered: for lack of a permission, mostly.
fn unasked<E>(name: impl Into<String>, permission: &str, error: SdkError<E, HttpResponse>) -> Check
where
    E: ProvideErrorMetadata + Error + Send + Sync + 'static,
{
    let error = AwsError::of(error);
    let message = match &error {
        // Services whose answers are XML leave the ending away.
        AwsError::Answered { code, .. }
            if code == "AccessDenied" || error.kind() == Kind::Denied =>
        {
            not_allowed(code, permission)
        }
        AwsError::Answered { code, .. } => format!("AWS does not say it ({code})"),
        AwsError::NotAnswered { .. } => format!("AWS does not answer: {}", brief_of_aws(&error)),
    };
    Check::unknown(name, message)
}
