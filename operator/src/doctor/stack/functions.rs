//! How many of the functions may run at once, and whether their queues feed them.

use serde_json::Value;

use super::Parts;
use crate::checks::Check;
use crate::deployment::{Resource, StackView};
use crate::doctor::signed::{LAMBDA, Question, Signed};

/// What the API, the planner and the finisher need beside the runs of chunks (template.yaml,
/// `ChunkConcurrency`).
const OTHER_EXECUTIONS: u64 = 20;

/// Where the account's limit is raised
/// (<https://docs.aws.amazon.com/general/latest/gr/lambda-service.html#limits_lambda>).
const QUOTA: &str = "Service Quotas, Lambda, L-B99A9384";

/// A queue that feeds a function.
pub(super) struct Fed {
    /// The function's name.
    function: String,
    /// How many messages of it may be at work at once.
    most: u64,
}

async fn lambda(
    path: &str,
    permission: &'static str,
    signed: &Signed<'_>,
) -> Result<Value, String> {
    let question = Question {
        service: LAMBDA,
        path,
        call: None,
        permission,
    };
    signed.ask(question).await
}

/// Whether the account lets as many chunks run as are wanted. What other functions of the account have
/// reserved is not there for ours
/// (<https://docs.aws.amazon.com/lambda/latest/api/API_AccountLimit.html>).
pub(super) async fn concurrency(stack: &StackView, signed: &Signed<'_>) -> Check {
    let name = "concurrency";
    let wanted = stack.parameter("ChunkConcurrency");
    let Some(wanted) = wanted.and_then(|text| text.parse::<u64>().ok()) else {
        return Check::unknown(name, "the stack has no parameter ChunkConcurrency");
    };
    let path = "/2016-08-19/account-settings/";
    let answer = match lambda(path, "lambda:GetAccountSettings", signed).await {
        Ok(answer) => answer,
        Err(problem) => return Check::unknown(name, problem),
    };
    let number = |of: &str| answer.pointer(&format!("/AccountLimit/{of}"))?.as_u64();
    let limit = number("UnreservedConcurrentExecutions");
    let Some(limit) = limit.or_else(|| number("ConcurrentExecutions")) else {
        return Check::unknown(name, "AWS says no limit of concurrent executions");
    };
    let message =
        format!("ChunkConcurrency is {wanted}, and the account lets {limit} functions run at once");
    if wanted + OTHER_EXECUTIONS <= limit {
        return Check::green(name, message);
    }
    let most = limit.saturating_sub(OTHER_EXECUTIONS).max(2);
    Check::red(
        name,
        format!("{message}: set it to at most {most}, or ask for more under {QUOTA}"),
    )
}

/// Whether a queue feeds its function, and how it does.
pub(super) async fn mapping(part: &Resource, signed: &Signed<'_>) -> (Check, Option<Fed>) {
    let name = format!("mapping {}", part.logical);
    let path = format!("/2015-03-31/event-source-mappings/{}", part.physical);
    let answer = match lambda(&path, "lambda:GetEventSourceMapping", signed).await {
        Ok(answer) => answer,
        Err(problem) => return (Check::unknown(name, problem), None),
    };
    let text = |of: &str| answer.get(of).and_then(Value::as_str);
    // arn:aws:lambda:{region}:{account}:function:{name}:{alias}
    let function = text("FunctionArn").and_then(|arn| arn.split(':').nth(6));
    let most = answer.pointer("/ScalingConfig/MaximumConcurrency");
    let fed = function.zip(most.and_then(Value::as_u64));
    let fed = fed.map(|(function, most)| Fed {
        function: function.to_owned(),
        most,
    });
    let check = match text("State").unwrap_or("unknown") {
        "Enabled" => Check::green(name, "it is enabled"),
        state => {
            let reason = text("StateTransitionReason").unwrap_or("no reason is said");
            let message = format!(
                "it is {state} ({reason}), and its messages wait: `aws lambda update-event-source-mapping --enabled --uuid {}`",
                part.physical
            );
            Check::red(name, message)
        }
    };
    (check, fed)
}

/// Whether a function has less reserved than its queues may start. What it turns away counts as
/// received, and ends as dead letters
/// (<https://docs.aws.amazon.com/lambda/latest/dg/services-sqs-scaling.html>).
pub(super) async fn reserved(parts: &Parts, fed: &[Fed], signed: &Signed<'_>) -> Check {
    let name = "reserved concurrency";
    let (mut found, mut narrow) = (Vec::new(), Vec::new());
    for function in parts.of("AWS::Lambda::Function") {
        let path = format!("/2019-09-30/functions/{}/concurrency", function.physical);
        let answer = match lambda(&path, "lambda:GetFunctionConcurrency", signed).await {
            Ok(answer) => answer,
            Err(problem) => {
                return Check::unknown(name, format!("{}: {problem}", function.logical));
            }
        };
        let reserved = answer.get("ReservedConcurrentExecutions");
        let Some(reserved) = reserved.and_then(Value::as_u64) else {
            continue;
        };
        let of_function = fed.iter().filter(|it| it.function == function.physical);
        let needed = of_function.map(|it| it.most).sum::<u64>().max(1);
        let said = format!("{} has {reserved}", function.logical);
        if reserved < needed {
            let take = format!(
                "aws lambda delete-function-concurrency --function-name {}",
                function.physical
            );
            narrow.push(format!("{said} and needs {needed}: `{take}` takes it away"));
        } else {
            found.push(said);
        }
    }
    match (narrow.is_empty(), found.is_empty()) {
        (true, true) => Check::green(name, "no function has any, as the template says"),
        (true, false) => {
            let said = found.join(", ");
            Check::green(
                name,
                format!("{said}: enough, though the template reserves none"),
            )
        }
        (false, _) => Check::red(name, narrow.join("; ")),
    }
}
