//! The dashboard shows what the functions log as metrics, and nothing that nobody makes.

use std::collections::BTreeSet;

use edge::lines::METRICS;
use serde_json::{Value, json};

use super::document::Template;

/// A metric of the stack's own, with the field that it is kept apart by.
type Own = (String, Option<String>);

fn body(template: &Template) -> Value {
    let text = template.property("Dashboard", "DashboardBody")["Fn::Sub"].clone();
    serde_json::from_str(text.as_str().unwrap()).unwrap()
}

/// What a search of a widget looks for: `SEARCH('{namespace,"dimension"} MetricName="name"', …)`.
fn searched(expression: &str) -> Option<Own> {
    let rest = expression.strip_prefix("SEARCH('{${AWS::StackName},\"")?;
    let (by, rest) = rest.split_once("\"} MetricName=\"").unwrap();
    let (name, _) = rest.split_once('"').unwrap();
    Some((name.to_owned(), Some(by.to_owned())))
}

/// The stack's own metrics that the dashboard shows.
fn shown(template: &Template) -> BTreeSet<Own> {
    let body = body(template);
    let widgets = body["widgets"].as_array().unwrap();
    let metrics = widgets
        .iter()
        .flat_map(|widget| widget["properties"]["metrics"].as_array().unwrap());
    metrics
        .filter_map(|metric| {
            let namespace = &metric[0];
            match namespace["expression"].as_str() {
                Some(expression) => searched(expression),
                None if namespace == "${AWS::StackName}" => {
                    Some((metric[1].as_str().unwrap().to_owned(), None))
                }
                None => None,
            }
        })
        .collect()
}

#[test]
fn the_dashboard_shows_every_metric_of_the_logs_and_no_other() {
    let template = Template::read();
    let logged = METRICS
        .iter()
        .map(|metric| (metric.field.to_owned(), metric.by.map(str::to_owned)));
    let filter = template.property("Jobs", "MetricTransformations/0");
    let by = filter["Dimensions"][0]["Key"].as_str().unwrap();
    let jobs = (
        filter["MetricName"].as_str().unwrap().to_owned(),
        Some(by.to_owned()),
    );
    assert_eq!(shown(&template), logged.chain([jobs]).collect());
}

#[test]
fn the_metrics_are_in_the_namespace_of_the_stack() {
    let template = Template::read();
    let stack = json!({"Ref": "AWS::StackName"});
    let namespace = template.at("/Globals/Function/Environment/Variables/METRICS_NAMESPACE");
    assert_eq!(namespace, &stack);
    for (filter, properties) in template.of_type("AWS::Logs::MetricFilter") {
        for made in properties["MetricTransformations"].as_array().unwrap() {
            assert_eq!(made["MetricNamespace"], stack, "{filter}");
        }
    }
}

#[test]
fn no_widget_lies_on_another_and_each_has_a_title() {
    let body = body(&Template::read());
    let mut places = BTreeSet::new();
    for widget in body["widgets"].as_array().unwrap() {
        assert!(!widget["properties"]["title"].as_str().unwrap().is_empty());
        let place = (widget["x"].as_u64().unwrap(), widget["y"].as_u64().unwrap());
        assert!(place.0 % 12 == 0 && place.1 % 6 == 0, "{place:?}");
        assert!(places.insert(place), "{place:?}");
    }
    assert!(places.len() > 5);
}
