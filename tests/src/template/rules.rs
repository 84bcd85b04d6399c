//! The rules of the bus and the schedule: what they let through, and that nothing is lost of what
//! they cannot deliver.

use std::collections::BTreeSet;

use edge::event;
use serde_json::{Value, json};

use super::document::Template;

/// A rule: its name, the bus that it reads, and where what it cannot deliver goes.
struct Rule {
    name: Value,
    bus: Value,
    letters: Value,
}

/// Every rule of the template: those of functions, and those that stand alone.
fn rules(template: &Template) -> Vec<Rule> {
    let letters = |target: &Value| target["DeadLetterConfig"]["Arn"].clone();
    let mut rules = Vec::new();
    for (_, properties) in template.of_type("AWS::Events::Rule") {
        let targets = properties["Targets"].as_array().unwrap();
        let rule = |target| Rule {
            name: properties["Name"].clone(),
            bus: properties["EventBusName"].clone(),
            letters: letters(target),
        };
        rules.extend(targets.iter().map(rule));
    }
    for (_, properties) in template.of_type("AWS::Serverless::Function") {
        for (_, event) in properties["Events"].as_object().into_iter().flatten() {
            let of_event = &event["Properties"];
            let name = match event["Type"].as_str().unwrap() {
                "EventBridgeRule" => &of_event["RuleName"],
                "Schedule" => &of_event["Name"],
                _ => continue,
            };
            rules.push(Rule {
                name: name.clone(),
                bus: of_event["EventBusName"].clone(),
                letters: letters(of_event),
            });
        }
    }
    rules
}

/// The metrics of `AWS/Events` that alarms look at, each with its bus and rule as JSON.
fn watched(template: &Template) -> BTreeSet<(String, String, String)> {
    let alarms = template.of_type("AWS::CloudWatch::Alarm");
    let metrics = alarms
        .iter()
        .flat_map(|(_, alarm)| alarm["Metrics"].as_array().into_iter().flatten());
    let metrics = metrics.map(|metric| &metric["MetricStat"]["Metric"]);
    let dimension = |metric: &Value, name: &str| {
        let dimensions = metric["Dimensions"].as_array().unwrap();
        let of_name = dimensions
            .iter()
            .find(|dimension| dimension["Name"] == name);
        of_name
            .map_or(Value::Null, |dimension| dimension["Value"].clone())
            .to_string()
    };
    let of_events = metrics.filter(|metric| metric["Namespace"] == "AWS/Events");
    let name = |metric: &Value| metric["MetricName"].as_str().unwrap().to_owned();
    of_events
        .map(|it| {
            (
                name(it),
                dimension(it, "EventBusName"),
                dimension(it, "RuleName"),
            )
        })
        .collect()
}

#[test]
fn the_events_on_the_bus_carry_the_name_that_the_rules_ask_for() {
    let template = Template::read();
    let named = template.property("JobsPipe", "TargetParameters/EventBridgeEventBusParameters");
    assert_eq!(
        named,
        &json!({"Source": event::EVENT_SOURCE, "DetailType": event::EVENT_DETAIL_TYPE})
    );
    let rule =
        |function, name| template.property(function, &format!("Events/{name}/Properties/Pattern"));
    assert_eq!(rule("PlanExport", "Queued"), &event::plan_rule());
    assert_eq!(rule("FinishExport", "Drained"), &event::finish_rule());
}

#[test]
fn the_notices_are_off_and_tell_of_phases_that_are_on_the_bus() {
    let template = Template::read();
    assert_eq!(template.at("/Parameters/PublishJobEvents/Default"), "no");
    for resource in ["JobNotices", "JobTopic", "JobTopicPolicy"] {
        assert_eq!(
            template.at(&format!("/Resources/{resource}/Condition")),
            "HasJobTopic"
        );
    }
    let pattern = template.property("JobNotices", "EventPattern");
    assert_eq!(pattern["source"], json!([event::EVENT_SOURCE]));
    for phase in pattern["detail"]["phase"].as_array().unwrap() {
        assert!(
            event::jobs_filters()[0]
                .to_string()
                .contains(&phase.to_string()),
            "{phase}"
        );
    }
}

#[test]
fn jobs_that_wait_are_looked_at_every_hour() {
    let template = Template::read();
    let event = template.property("ExpireJobs", "Events/Hourly");
    assert_eq!(
        (&event["Type"], &event["Properties"]["Schedule"]),
        (&json!("Schedule"), &json!("rate(1 hour)"))
    );
}

#[test]
fn every_rule_has_a_dead_letter_queue_and_an_alarm_on_what_it_could_not_deliver() {
    let template = Template::read();
    let rules = rules(&template);
    assert_eq!(rules.len(), 6);
    let queues = ["EventDeadLetters", "StrandedMessages"]
        .map(|queue| json!({"Fn::GetAtt": format!("{queue}.Arn")}));
    let watched = watched(&template);
    for Rule { name, bus, letters } in rules {
        assert!(queues.contains(&letters), "{name}: {letters}");
        for metric in [
            "FailedInvocations",
            "InvocationsSentToDlq",
            "InvocationsFailedToBeSentToDlq",
        ] {
            assert!(
                watched.contains(&(metric.to_owned(), bus.to_string(), name.to_string())),
                "{metric} of {name}"
            );
        }
    }
}

#[test]
fn a_metric_that_an_alarm_adds_up_is_one_that_it_names() {
    for (alarm, properties) in Template::read().of_type("AWS::CloudWatch::Alarm") {
        let metrics = properties["Metrics"]
            .as_array()
            .map(Vec::as_slice)
            .unwrap_or_default();
        assert!(
            metrics.len() <= 10,
            "{alarm}: CloudWatch adds up ten metrics at most"
        );
        let Some((sum, metrics)) = metrics.split_first() else {
            continue;
        };
        let terms = metrics
            .iter()
            .map(|metric| format!("FILL({}, 0)", metric["Id"].as_str().unwrap()));
        assert_eq!(
            sum["Expression"],
            terms.collect::<Vec<_>>().join(" + "),
            "{alarm}"
        );
    }
}

/// CloudWatch bills an alarm by the metrics that it looks at
/// (<https://aws.amazon.com/cloudwatch/pricing/>).
#[test]
fn what_the_alarms_cost_is_reckoned_by_the_metrics_that_they_look_at() {
    let template = Template::read();
    let (mut all, mut always) = (0, 0);
    for (alarm, properties) in template.of_type("AWS::CloudWatch::Alarm") {
        let metrics = properties["Metrics"].as_array();
        // The first is the sum of the others.
        let count = metrics.map_or(1, |metrics| metrics.len() - 1);
        all += count;
        let condition = template.at(&format!("/Resources/{alarm}/Condition"));
        always += if condition.is_null() { count } else { 0 };
    }
    let page = include_str!("../../../docs/PERFORMANCE.md");
    let row = format!("| {all} with `PublishJobEvents`, {always} without |");
    assert!(page.contains(&row), "{row}");
}

#[test]
fn only_what_fail_chunk_may_end_goes_to_the_queue_that_it_reads() {
    let template = Template::read();
    let letters = json!({"Fn::GetAtt": "EventDeadLetters.Arn"});
    let of_fail_chunk = rules(&template)
        .into_iter()
        .filter(|rule| rule.letters == letters);
    let names: Vec<_> = of_fail_chunk
        .map(|rule| rule.name["Fn::Sub"].as_str().unwrap().to_owned())
        .collect();
    assert_eq!(
        names,
        ["${AWS::StackName}-drained", "${AWS::StackName}-queued"]
    );
}

#[test]
fn events_may_put_what_they_cannot_deliver_into_the_queue() {
    let template = Template::read();
    let policy = template.property("StrandedMessagesPolicy", "PolicyDocument/Statement/1");
    assert_eq!(
        (&policy["Effect"], &policy["Action"]),
        (&json!("Allow"), &json!("sqs:SendMessage"))
    );
    let from = policy["Condition"]["ArnLike"]["aws:SourceArn"].to_string();
    assert!(
        from.contains(":rule/${Bus}/*") && from.contains(":rule/${AWS::StackName}-hourly"),
        "{from}"
    );
    assert_eq!(
        template.property("ExpireJobs", "Events/Hourly/Properties/Name"),
        &json!({"Fn::Sub": "${AWS::StackName}-hourly"})
    );
}

#[test]
fn a_log_is_named_to_its_rule_without_the_ending_of_its_arn_and_lets_it_write() {
    let template = Template::read();
    let policy = template.property("JobHistoryLogsPolicy", "PolicyDocument")["Fn::Sub"].clone();
    for (rule, log) in [("JobHistory", "JobHistoryLogs"), ("Audit", "AuditLogs")] {
        let target = template.property(rule, "Targets/0/Arn")["Fn::Sub"].clone();
        let target = target.as_str().unwrap();
        assert!(
            target.ends_with(&format!(":log-group:${{{log}}}")),
            "{target}"
        );
        assert!(
            policy
                .as_str()
                .unwrap()
                .contains(&format!("${{{log}.Arn}}")),
            "{policy}"
        );
        let name = template.property(log, "LogGroupName")["Fn::Sub"]
            .as_str()
            .unwrap();
        // https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-event-bus-target-cwlogs.html
        assert!(name.starts_with("/aws/events/"), "{name}");
    }
}

#[test]
fn the_audit_has_a_rule_of_its_own_and_wakes_no_function() {
    let template = Template::read();
    assert_eq!(
        template.property("Audit", "EventPattern"),
        &event::audit_rule()
    );
    let acts = event::jobs_filters()[2].to_string();
    assert!(acts.contains(event::AUDIT), "{acts}");
    for rule in [event::plan_rule(), event::finish_rule()] {
        for phase in rule["detail"]["phase"].as_array().unwrap() {
            assert!(!phase.as_str().unwrap().contains("act="), "{phase}");
        }
    }
    assert_eq!(
        template.property("JobHistory", "EventPattern/detail/kind"),
        &json!(["job"])
    );
}

#[test]
fn whatever_fails_for_good_ends_in_a_queue_that_somebody_reads() {
    let template = Template::read();
    let queue = |name: &str| json!({"Fn::GetAtt": format!("{name}.Arn")});
    for function in ["PlanExport", "FinishExport"] {
        assert_eq!(
            template.property(function, "DeadLetterQueue/TargetArn"),
            &queue("EventDeadLetters")
        );
    }
    let next = |name: &str| {
        template
            .property(name, "RedrivePolicy/deadLetterTargetArn")
            .clone()
    };
    assert_eq!(next("ChunkQueue"), queue("ChunkDeadLetters"));
    assert_eq!(next("ChunkDeadLetters"), queue("StrandedMessages"));
    assert_eq!(next("EventDeadLetters"), queue("StrandedMessages"));
    for (mapping, letters) in [
        ("FailedChunkRuns", "ChunkDeadLetters"),
        ("FailedEvents", "EventDeadLetters"),
    ] {
        assert_eq!(
            template.property(mapping, "EventSourceArn"),
            &queue(letters)
        );
        assert_eq!(
            template.property(mapping, "FunctionName"),
            &json!({"Ref": "FailChunk.Alias"})
        );
    }
}
