//! `exportOptions.filter`: what is kept of it with the job, and the refusal of each wrong part.

use std::collections::BTreeSet;

use domain::filter::{DeviceId, Filter, Names, Session};
use serde_json::{Value, json};
use time::macros::datetime;

use crate::api::{Request, World, days, with};
use crate::functions::create_job::{campaigns, refusal};

const ID: &str = "0123456789abcdef0123456789abcdef";

fn asking(filter: &Value) -> Value {
    with(campaigns(), "exportOptions", json!({"filter": filter}))
}

/// The filter that a job keeps.
async fn kept(operation: &str, filter: &Value) -> Filter {
    let world = World::new().await;
    let request = Request::create(operation, &asking(filter));
    let reply = world.send(&request).await;
    let warnings = reply.json().get("warnings").cloned();
    assert_eq!((reply.status, warnings), (202, None), "{filter}");
    let [job] = world.store.stored().try_into().unwrap();
    job.request.filter.clone()
}

fn names(names: &[&str]) -> BTreeSet<String> {
    names.iter().map(|&name| name.to_owned()).collect()
}

#[tokio::test]
async fn every_part_of_a_filter_is_kept_with_the_job() {
    let asked = json!({
        "names": {"in": ["é", "a, b", "é"]}, "DeviceIds": [ID, "01234567-89AB-CDEF-0123-456789ABCDEF"],
        "session": "PRESENT", "from": "2026-11-01T01:00:00+01:00", "to": "2026-11-21T00:00:00Z",
    });
    let expected = Filter {
        names: Some(Names::In(names(&["é", "a, b"]))),
        device_ids: Some([DeviceId::parse(ID).unwrap()].into()),
        session: Some(Session::Present),
        from: Some(datetime!(2026-11-01 0:00 UTC)),
        to: Some(datetime!(2026-11-21 0:00 UTC)),
    };
    assert_eq!(kept("events", &asked).await, expected);
    let unwanted = Filter {
        names: Some(Names::NotIn(names(&["a"]))),
        ..Filter::default()
    };
    let asked = json!({"names": {"notIn": ["a"]}, "from": null});
    assert_eq!(kept("jobs", &asked).await, unwanted);
    for nothing in [json!(null), json!({}), json!({"names": {}, "to": null})] {
        assert_eq!(kept("tokens", &nothing).await, Filter::default());
    }
}

#[tokio::test]
async fn a_form_has_the_parts_of_a_filter_as_fields_of_their_own() {
    let world = World::new().await;
    let mut form = url::form_urlencoded::Serializer::new(String::new());
    for field in ["containerUrl", "startDate", "endDate", "exportFormat"] {
        form.append_pair(field, days()[field].as_str().unwrap());
    }
    form.append_pair("exportOptions.filter.names.notIn", "a, b")
        .append_pair("exportOptions.filter.session", "absent");
    let request = Request::create("events", &json!({}))
        .body(form.finish())
        .header("content-type", "application/x-www-form-urlencoded");
    assert_eq!(world.send(&request).await.status, 202);
    let [job] = world.store.stored().try_into().unwrap();
    let expected = Filter {
        names: Some(Names::NotIn(names(&["a", "b"]))),
        session: Some(Session::Absent),
        ..Filter::default()
    };
    assert_eq!(job.request.filter, expected);
}

#[tokio::test]
async fn as_many_of_the_longest_names_as_are_allowed_are_taken() {
    let longest = |number: usize| format!("{number:04}{}", "\u{1f600}".repeat(60));
    let most: Vec<String> = (0..1_000).map(longest).collect();
    let filter = kept("events", &json!({"names": {"notIn": most}})).await;
    assert_eq!(filter.values(), 1_000);
    let ids: Vec<String> = (0..501).map(|number| format!("{number:032x}")).collect();
    let filter = json!({"names": {"in": most[..500]}, "deviceIds": ids});
    let (code, message) = refusal("events", &asking(&filter)).await;
    assert_eq!(code, "TooManyFilterValues");
    let expected =
        "`exportOptions.filter` has 1001 different names and device ids: send at most 1000";
    assert!(message.contains(expected), "{message}");
}

#[tokio::test]
async fn a_wrong_filter_is_named_with_the_problem_and_the_fix() {
    for (filter, code, expected) in [
        (
            json!([1]),
            "InvalidField",
            "`exportOptions.filter` is not an object: send",
        ),
        (
            json!({"names": ["a"]}),
            "InvalidField",
            "`exportOptions.filter.names` is not an object: send an object such as {\"in\":",
        ),
        (
            json!({"nmaes": {"in": ["a"]}}),
            "UnknownFilter",
            "`exportOptions.filter` has \"nmaes\", which is no part of a filter: \
             send names, deviceIds, session, from or to",
        ),
        (
            json!({"names": {"in": ["a"], "not_in": ["b"]}}),
            "UnknownFilter",
            "has \"names.not_in\", which is no part",
        ),
        (
            json!({"names": {"in": ["a"], "notIn": ["b"]}}),
            "InvalidField",
            "`exportOptions.filter.names` has both `in` and `notIn`: send one of them",
        ),
        (
            json!({"names": {"in": []}}),
            "NoFilterValues",
            "`exportOptions.filter.names.in` is empty: send an array of names",
        ),
        (
            json!({"names": {"in": ["x".repeat(65)]}}),
            "InvalidField",
            "send an array of names of at most 64 characters",
        ),
        (
            json!({"names": {"notIn": [7]}}),
            "InvalidField",
            "`exportOptions.filter.names.notIn` is \"7\": send",
        ),
        (
            json!({"deviceIds": [ID, "7"]}),
            "InvalidField",
            "`exportOptions.filter.deviceIds` is \"7\": send an array of ids of 32 hex digits",
        ),
        (
            json!({"session": "yes"}),
            "InvalidField",
            "`exportOptions.filter.session` is \"yes\", which is not known: send present or absent",
        ),
        (
            json!({"from": "2026-11-01"}),
            "InvalidField",
            "`exportOptions.filter.from` is \"2026-11-01\": send an RFC 3339 date-time",
        ),
        (
            json!({"from": "2026-11-02T00:00:00Z", "to": "2026-11-02T00:00:00Z"}),
            "FilterTimesReversed",
            "is 2026-11-02T00:00:00",
        ),
        (
            json!({"from": "2026-10-31T23:59:59Z"}),
            "FilterOutsideDays",
            "which is not within the days from 2026-11-01 to 2026-11-20 (UTC)",
        ),
        (
            json!({"to": "2026-11-21T00:00:00.001Z"}),
            "FilterOutsideDays",
            "`exportOptions.filter.to` is",
        ),
    ] {
        let (found, message) = refusal("events", &asking(&filter)).await;
        assert_eq!(found, code, "{filter}: {message}");
        assert!(message.contains(expected), "{message}");
    }
}

#[tokio::test]
async fn a_filter_that_the_type_cannot_have_is_refused_with_those_that_it_can() {
    let moment = json!("2026-11-02T00:00:00Z");
    for (operation, filter, field, parts) in [
        (
            "tokens",
            json!({"names": {"in": ["a"]}}),
            "names",
            "deviceIds",
        ),
        ("tags", json!({"from": moment}), "from", "deviceIds"),
        ("feedbackByDate", json!({"to": moment}), "to", "deviceIds"),
        (
            "sessions",
            json!({"session": "present"}),
            "session",
            "deviceIds, from or to",
        ),
        (
            "activities",
            json!({"session": "absent"}),
            "session",
            "names, deviceIds, from or to",
        ),
    ] {
        let (code, message) = refusal(operation, &asking(&filter)).await;
        assert_eq!(code, "FilterNotOfType", "{operation}: {message}");
        let begin = format!("`exportOptions.filter.{field}` is no filter that exports of type ");
        let fix = format!("can have: leave it out, or filter by {parts}");
        assert!(
            message.contains(&begin) && message.contains(&fix),
            "{message}"
        );
    }
}

#[tokio::test]
async fn a_part_that_stands_twice_is_refused() {
    let body = asking(&json!({"session": "present"})).to_string();
    let twice = body.replace(r#""session":"#, r#""Session":"absent","session":"#);
    let world = World::new().await;
    let request = Request::create("events", &days()).body(twice);
    let reply = world.send(&request).await;
    assert_eq!(reply.error(), (400, "DuplicateField".to_owned()));
}
