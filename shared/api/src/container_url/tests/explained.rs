//! What the page says of a container URL while it is typed is what is said here of the same URL: one file
//! has URLs with what is to be said, for both.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::Value;
use time::format_description::well_known::Rfc3339;

use super::super::signature::parse_time;
use super::*;

const CASES: &str = include_str!("../../../../../tests/browser/signatures.json");

/// What only the API says: it is of the place, or of what no signature has.
const NOT_OF_SIGNATURES: [&str; 7] = [
    "ContainerUrlBadContainerName",
    "ContainerUrlBadFolder",
    "ContainerUrlForeignParameter",
    "ContainerUrlNotOneContainer",
    "ContainerUrlSurplus",
    "ContainerUrlTooLong",
    "ContainerUrlUnknownHost",
];

struct Explained {
    now: OffsetDateTime,
    rules: ContainerUrlRules,
    cases: Vec<Value>,
}

fn explained() -> Explained {
    let mut file: Value = serde_json::from_str(CASES).unwrap();
    let endpoints = file["endpoints"].as_array().unwrap().iter();
    let endpoints = endpoints.map(|text| ExtraEndpoint::parse(text.as_str().unwrap()).unwrap());
    Explained {
        now: moment(&file["now"]).unwrap(),
        rules: ContainerUrlRules {
            extra_endpoints: endpoints.collect(),
        },
        cases: file["cases"].as_array_mut().unwrap().drain(..).collect(),
    }
}

fn moment(value: &Value) -> Option<OffsetDateTime> {
    value
        .as_str()
        .map(|text| OffsetDateTime::parse(text, &Rfc3339).unwrap())
}

/// The parameters of a URL by lower-cased name; the first of several, and none that is empty.
fn parameters(url: &str) -> BTreeMap<String, String> {
    let query = url.split_once('?').map_or("", |(_, query)| query);
    let mut parameters = BTreeMap::new();
    for (name, value) in form_urlencoded::parse(query.as_bytes()) {
        if !value.is_empty() {
            parameters
                .entry(name.to_ascii_lowercase())
                .or_insert(value.into_owned());
        }
    }
    parameters
}

#[test]
fn the_verdicts_for_the_page_are_those_of_the_api() {
    let Explained { now, rules, cases } = explained();
    for case in cases {
        let (name, url) = (&case["name"], case["url"].as_str().unwrap());
        let verdict = match rules.check(url, now) {
            Ok(checked) => {
                assert_eq!(
                    checked.permissions.as_deref(),
                    case["permissions"].as_str(),
                    "{name}"
                );
                assert_eq!(checked.expires, moment(&case["until"]), "{name}");
                "accepted"
            }
            Err(problem) => problem.code(),
        };
        assert_eq!(verdict, case["verdict"], "{name}");
    }
}

#[test]
fn what_the_page_reads_from_a_signature_is_what_stands_in_it() {
    for case in explained().cases {
        let (name, given) = (&case["name"], parameters(case["url"].as_str().unwrap()));
        let text = |parameter: &str| given.get(parameter).map(String::as_str);
        let time = |parameter| text(parameter).and_then(parse_time);
        let times = |one, other| time(one).into_iter().chain(time(other));
        for (field, parameter) in [
            ("permissions", "sp"),
            ("policy", "si"),
            ("protocols", "spr"),
            ("addresses", "sip"),
        ] {
            assert_eq!(case[field].as_str(), text(parameter), "{field}: {name}");
        }
        assert_eq!(moment(&case["from"]), times("st", "skt").max(), "{name}");
        assert_eq!(moment(&case["until"]), times("se", "ske").min(), "{name}");
        let kind = match (text("sr"), text("ss").or(text("srt"))) {
            (Some("c"), _) => Some("container"),
            (Some("d"), _) => Some("folder"),
            (Some(_), _) | (None, None) => None,
            (None, Some(_)) => Some("account"),
        };
        assert_eq!(case["for"].as_str(), kind, "{name}");
    }
}

#[test]
fn every_verdict_over_a_signature_has_a_case_and_no_case_is_there_twice() {
    let Explained { cases, .. } = explained();
    let verdicts = cases.iter().map(|case| case["verdict"].as_str().unwrap());
    let known = ContainerUrlProblem::CODES
        .iter()
        .copied()
        .chain(["accepted"]);
    let of_signatures = known.filter(|code| !NOT_OF_SIGNATURES.contains(code));
    assert_eq!(verdicts.collect::<BTreeSet<_>>(), of_signatures.collect());
    let texts: BTreeSet<_> = cases
        .iter()
        .map(|case| case["name"].as_str().unwrap())
        .collect();
    assert_eq!(texts.len(), cases.len());
}
