//! The page of errors says what the code says.

use std::collections::{BTreeMap, BTreeSet};

use api::code::ErrorCode;
use api::container_url::ContainerUrlProblem;
use domain::warning::WarningCode;
use ports::container::refusal::CAUSES;
use serde_json::Value;

const ERRORS: &str = include_str!("../../../docs/ERRORS.md");

/// The codes and statuses of the page's first table.
fn documented() -> BTreeMap<&'static str, u16> {
    let (_, table) = ERRORS.split_once("## Codes").unwrap();
    let (table, _) = table.split_once("\n## ").unwrap();
    let rows = table
        .lines()
        .filter_map(|line| line.strip_prefix("| `")?.split_once("` | "));
    rows.map(|(code, rest)| (code, rest[..3].parse().unwrap()))
        .collect()
}

#[test]
fn the_page_of_errors_lists_exactly_the_codes_that_there_are() {
    let known: BTreeMap<&str, u16> = ErrorCode::ALL
        .iter()
        .map(|code| (code.name(), code.status()))
        .collect();
    assert_eq!(documented(), known);
}

#[test]
fn the_page_lists_exactly_the_codes_of_warnings() {
    let known: BTreeSet<&str> = WarningCode::ALL.iter().map(|code| code.name()).collect();
    let (_, table) = ERRORS.split_once("\n## Warnings").unwrap();
    let (table, _) = table.split_once("\n## ").unwrap();
    let rows = table
        .lines()
        .filter_map(|line| line.strip_prefix("| `")?.split_once('`'));
    assert_eq!(rows.map(|(code, _)| code).collect::<BTreeSet<_>>(), known);
}

#[test]
fn the_pages_sample_has_the_shape_of_an_error() {
    let (_, sample) = ERRORS.split_once("```json\n").unwrap();
    let sample: Value = serde_json::from_str(sample.split_once("```").unwrap().0).unwrap();
    assert_eq!(documented()[sample["error"]["code"].as_str().unwrap()], 400);
}

#[test]
fn the_page_lists_exactly_the_codes_of_container_urls() {
    let known: BTreeSet<&str> = ContainerUrlProblem::CODES.iter().copied().collect();
    let (_, table) = ERRORS.split_once("## Container URLs").unwrap();
    let rows = table.lines().filter_map(|line| {
        let (code, _) = line.strip_prefix("| `")?.split_once('`')?;
        code.starts_with("ContainerUrl").then_some(code)
    });
    assert_eq!(rows.collect::<BTreeSet<_>>(), known);
}

#[test]
fn the_page_tells_of_storages_codes_what_the_messages_tell() {
    let (_, table) = ERRORS.split_once("## What storage says").unwrap();
    let (table, _) = table.split_once("\n## ").unwrap();
    let rows = table.lines().filter_map(|line| {
        line.strip_prefix("| `")?
            .strip_suffix(" |")?
            .split_once("` | ")
    });
    assert_eq!(rows.collect::<Vec<_>>(), CAUSES);
}
