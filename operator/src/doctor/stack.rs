//! What a stack is made of: concurrency, queues, pipes, and who is told of alarms.
#![expect(
    clippy::disallowed_types,
    reason = "looks at the queues, of which the port only sends to one"
)]

use std::error::Error;

use aws_config::SdkConfig;
use aws_sdk_cloudformation::error::{ProvideErrorMetadata, SdkError};
use aws_sdk_pipes::types::PipeState;
use aws_sdk_sqs::types::QueueAttributeName;
use domain::cause::in_one_line;

use crate::checks::{Check, Light};
use crate::deployment::{Deployment, StackView};

/// The quota of concurrent executions
/// (<https://docs.aws.amazon.com/general/latest/gr/lambda-service.html#limits_lambda>).
const CONCURRENT_EXECUTIONS: &str = "L-B99A9384";

/// What the API, the planner and the finisher need beside the runs of chunks (template.yaml,
/// `ChunkConcurrency`).
const OTHER_EXECUTIONS: f64 = 20.0;

/// Looks at all of them.
pub(super) async fn checks(stack: &StackView, deployment: &Deployment) -> Vec<Check> {
    let sdk = deployment.wiring().sdk();
    let mut checks = vec![concurrency(stack, sdk).await];
    let resources = match deployment.resources(&stack.name).await {
        Ok(resources) => resources,
        Err(failure) => {
            checks.push(Check::unknown("resources", failure.message));
            return checks;
        }
    };
    let of = |kind: &str| -> Vec<(String, String)> {
        let of_kind = resources.iter().filter(|it| it.kind == kind);
        of_kind
            .map(|it| (it.logical.clone(), it.physical.clone()))
            .collect()
    };
    for (name, url) in of("AWS::SQS::Queue") {
        checks.push(queue(sdk, &name, &url).await);
    }
    for (name, pipe) in of("AWS::Pipes::Pipe") {
        checks.push(self::pipe(sdk, &name, &pipe).await);
    }
    checks.push(alarms(stack, of("AWS::CloudWatch::Alarm").len()));
    checks
}

async fn concurrency(stack: &StackView, sdk: &SdkConfig) -> Check {
    let name = "concurrency";
    let Some(wanted) = stack
        .parameter("ChunkConcurrency")
        .and_then(|text| text.parse::<f64>().ok())
    else {
        return Check::unknown(name, "the stack has no parameter ChunkConcurrency");
    };
    let asked = aws_sdk_servicequotas::Client::new(sdk)
        .get_service_quota()
        .service_code("lambda")
        .quota_code(CONCURRENT_EXECUTIONS)
        .send()
        .await;
    let limit = match asked {
        Ok(answer) => answer.quota.and_then(|quota| quota.value),
        Err(error) => return unasked(name, "servicequotas:GetServiceQuota", &error),
    };
    match limit {
        None => Check::unknown(name, "AWS says no limit of concurrent executions"),
        Some(limit) if wanted <= limit - OTHER_EXECUTIONS => Check::green(
            name,
            format!("ChunkConcurrency is {wanted}, the account's limit {limit}"),
        ),
        Some(limit) => Check::red(
            name,
            format!(
                "ChunkConcurrency is {wanted}, and the account's limit {limit}: set it to at most {}, or ask for more under \
                 Service Quotas, Lambda, {CONCURRENT_EXECUTIONS}",
                (limit - OTHER_EXECUTIONS).max(2.0)
            ),
        ),
    }
}

async fn queue(sdk: &SdkConfig, logical: &str, url: &str) -> Check {
    let name = format!("queue {logical}");
    let asked = aws_sdk_sqs::Client::new(sdk)
        .get_queue_attributes()
        .queue_url(url)
        .attribute_names(QueueAttributeName::ApproximateNumberOfMessages)
        .send()
        .await;
    let answer = match asked {
        Ok(answer) => answer,
        Err(error) => return unasked(name, "sqs:GetQueueAttributes", &error),
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

async fn pipe(sdk: &SdkConfig, logical: &str, pipe: &str) -> Check {
    let name = format!("pipe {logical}");
    let asked = aws_sdk_pipes::Client::new(sdk)
        .describe_pipe()
        .name(pipe)
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
        Err(error) => unasked(name, "pipes:DescribePipe", &error),
    }
}

/// Whether anybody is told when an alarm rings. Whether one rings now, its own service says:
/// `docs/OPERATE.md` has the command.
fn alarms(stack: &StackView, alarms: usize) -> Check {
    let name = "alarms";
    match stack.parameter("AlarmTopicArn").unwrap_or_default() {
        "" => Check::new(
            Light::Note,
            name,
            format!("{alarms} are there, and notify nobody: set AlarmTopicArn"),
        ),
        topic => Check::green(name, format!("{alarms} are there, and notify {topic}")),
    }
}

/// A question that was not answered: for lack of a permission, mostly.
fn unasked<E: ProvideErrorMetadata + Error + 'static>(
    name: impl Into<String>,
    permission: &str,
    error: &SdkError<E>,
) -> Check {
    let message = match error.code() {
        Some(code) => {
            format!("it may not be looked at ({code}): your credentials need {permission}")
        }
        None => format!("AWS does not answer: {}", in_one_line(error)),
    };
    Check::unknown(name, message)
}
