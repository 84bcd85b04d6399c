//! Who is told when an alarm rings, and which rings now.

use serde_json::{Value, json};

use super::Parts;
use crate::checks::{Check, Light};
use crate::deployment::{Resource, StackView};
use crate::doctor::signed::{CLOUDWATCH, Question, Signed};

/// The most alarms that are asked for at once
/// (<https://docs.aws.amazon.com/AmazonCloudWatch/latest/APIReference/API_DescribeAlarms.html>).
const MOST: usize = 100;

/// A check of who is told, one of whether any rings, and one for each that is not quiet.
pub(super) async fn checks(stack: &StackView, parts: &Parts, signed: &Signed<'_>) -> Vec<Check> {
    let known: Vec<&Resource> = parts.of("AWS::CloudWatch::Alarm").collect();
    let mut checks = vec![told(stack, known.len())];
    let name = "ringing alarms";
    match states(&known, signed).await {
        Err(problem) => checks.push(Check::unknown(name, problem)),
        Ok(states) => {
            let loud: Vec<Check> = known.iter().filter_map(|it| loud(it, &states)).collect();
            if loud.iter().all(|check| check.light != Light::Red) {
                checks.push(Check::green(name, "none rings"));
            }
            checks.extend(loud);
        }
    }
    checks
}

fn told(stack: &StackView, alarms: usize) -> Check {
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

/// What their own service says of them.
async fn states(known: &[&Resource], signed: &Signed<'_>) -> Result<Vec<Value>, String> {
    let mut states = Vec::new();
    for some in known.chunks(MOST) {
        let names: Vec<&str> = some.iter().map(|it| it.physical.as_str()).collect();
        let body = json!({"AlarmNames": names, "MaxRecords": MOST});
        let question = Question {
            service: CLOUDWATCH,
            path: "/",
            call: Some(("GraniteServiceVersion20100801.DescribeAlarms", body)),
            permission: "cloudwatch:DescribeAlarms",
        };
        let answer = signed.ask(question).await?;
        let alarms = answer.get("MetricAlarms").and_then(Value::as_array);
        states.extend(alarms.cloned().unwrap_or_default());
    }
    Ok(states)
}

/// What there is to say of an alarm, unless it is quiet.
fn loud(alarm: &Resource, states: &[Value]) -> Option<Check> {
    let (logical, name) = (&alarm.logical, format!("alarm {}", alarm.logical));
    let text = |state: &Value, of: &str| {
        let text = state.get(of).and_then(Value::as_str);
        text.unwrap_or_default().to_owned()
    };
    let mut states = states.iter();
    let Some(state) = states.find(|it| text(it, "AlarmName") == alarm.physical) else {
        let message = "it is not there: somebody deleted it; deploy again";
        return Some(Check::red(name, message));
    };
    let reason = text(state, "StateReason");
    match text(state, "StateValue").as_str() {
        "OK" => None,
        "ALARM" => {
            let message = format!("it rings ({reason}): OPERATIONS, {logical}");
            Some(Check::red(name, message))
        }
        other => Some(Check::new(
            Light::Note,
            name,
            format!("it is in {other} ({reason}): nobody knows whether it should ring"),
        )),
    }
}
