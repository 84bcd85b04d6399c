//! What the page knows by heart is what the service knows.

use std::collections::BTreeSet;
use std::process::Command;

use api::container_url::ContainerUrlProblem;
use domain::filter::FilterPart;
use domain::job::PhaseName;
use domain::operation::{OPERATIONS, Operation, SelectionKind};
use domain::selection::{CampaignType, ExportFormat};
use domain::warning::WarningCode;
use ports::container::ContainerError;
use ports::source::SourceError;
use serde_json::{Value, json};
use strum::VariantArray;

/// What a module of the page exports.
fn exported(module: &str, names: &str) -> Value {
    let script = format!(
        "import {{ {names} }} from './{module}'; console.log(JSON.stringify({{ {names} }}))"
    );
    serde_json::from_str(&run(&["--input-type=module", "--eval", &script])).unwrap()
}

/// What the page says is to be done about a reason.
fn fix(reason: &str) -> String {
    let script = "import { fix } from './reasons.js'; console.log(fix(process.argv[1], true))";
    run(&["--input-type=module", "--eval", script, reason])
}

/// What node prints in the folder of the page.
fn run(arguments: &[&str]) -> String {
    let done = Command::new("node")
        .args(arguments)
        .current_dir(concat!(env!("CARGO_MANIFEST_DIR"), "/../web"))
        .output()
        .unwrap();
    let fault = String::from_utf8_lossy(&done.stderr);
    assert!(done.status.success(), "{fault}");
    String::from_utf8(done.stdout).unwrap()
}

fn keys(of: &Value) -> BTreeSet<&str> {
    of.as_object().unwrap().keys().map(String::as_str).collect()
}

fn selects_by(operation: &Operation) -> &'static str {
    match operation.selection {
        SelectionKind::Days(_) => "days",
        SelectionKind::Devices(_) => "now",
        SelectionKind::Campaigns => "campaigns",
        SelectionKind::ActiveCampaigns => "window",
    }
}

#[test]
fn the_form_has_every_operation_with_its_columns_and_its_filter() {
    let kinds = &exported("kinds.js", "KINDS")["KINDS"];
    let offers = &exported("offers.js", "OFFERS")["OFFERS"];
    let mut seen = Vec::new();
    for operation in &OPERATIONS {
        // The second path of one and the same is for old clients.
        if seen.contains(&operation.selection) {
            continue;
        }
        seen.push(operation.selection);
        let (kind, offer) = (&kinds[operation.name], &offers[operation.name]);
        let of = operation.export_type();
        let parts: Vec<_> = FilterPart::of(of).map(FilterPart::name).collect();
        assert_eq!(kind["type"], of.name(), "{}", operation.name);
        assert_eq!(kind["of"], selects_by(operation), "{}", operation.name);
        assert_eq!(
            offer["columns"],
            json!(of.columns(true)),
            "{}",
            operation.name
        );
        assert_eq!(offer["filter"], json!(parts), "{}", operation.name);
    }
    assert_eq!(keys(kinds).len(), seen.len());
    assert_eq!(keys(kinds), keys(offers));
}

#[test]
fn the_form_has_every_format_and_campaign_type() {
    let formats = &exported("kinds.js", "FORMATS")["FORMATS"];
    let known = exported("offers.js", "OFFERED_FORMATS, CAMPAIGNS, COMPRESSIONS");
    let names: BTreeSet<_> = ExportFormat::ALL.iter().map(|it| it.name()).collect();
    assert_eq!(
        (keys(formats), keys(&known["OFFERED_FORMATS"])),
        (names.clone(), names)
    );
    let types = CampaignType::ALL.iter().map(|of| of.name());
    assert_eq!(keys(&known["CAMPAIGNS"]), types.collect());
    for format in ExportFormat::ALL {
        let said = &known["OFFERED_FORMATS"][format.name()];
        assert_eq!(formats[format.name()]["ending"], format.extension());
        let mut names: Vec<_> = format.compressions().iter().map(|it| it.name()).collect();
        let [first, ..] = names[..] else { panic!() };
        if let Some(first) = said["compressions"].get(0) {
            // The usual one stands first.
            assert_eq!(first, format.usual_compression().name());
        } else {
            assert_eq!((first, names.len()), ("none", 1));
            names.clear();
        }
        let offered = said["compressions"].as_array().unwrap().iter();
        let offered: BTreeSet<_> = offered.map(|name| name.as_str().unwrap()).collect();
        assert_eq!(offered, names.into_iter().collect());
        assert!(
            offered
                .iter()
                .all(|name| known["COMPRESSIONS"].get(name).is_some())
        );
    }
}

#[test]
fn how_much_smaller_a_format_is_stands_in_the_docs() {
    let formats = &exported("offers.js", "OFFERED_FORMATS")["OFFERED_FORMATS"];
    let docs = include_str!("../../../docs/PERFORMANCE.md");
    let gigabytes = |format: &str, compression: &str| -> u64 {
        let begin = format!("| `{format}` | {compression} | ");
        let row = docs.lines().find(|line| line.starts_with(&begin)).unwrap();
        let out = row.split('|').nth(4).unwrap();
        out.trim().replace(',', "").parse().unwrap()
    };
    for format in ["JsonBlob", "JsonLinesBlob", "CsvBlob"] {
        for (compression, name) in [("none", "size"), ("gzip", "gzip"), ("zstd", "zstd")] {
            assert_eq!(
                formats[format][name],
                gigabytes(format, compression),
                "{format}"
            );
        }
    }
    assert_eq!(
        formats["ParquetBlob"]["size"],
        gigabytes("ParquetBlob", "Zstandard within")
    );
}

#[test]
fn every_phase_has_its_words_and_no_other_has() {
    let words = exported("words.js", "PHASES, WARNINGS");
    let phases = PhaseName::VARIANTS
        .iter()
        .map(|phase| -> &str { phase.into() });
    assert_eq!(keys(&words["PHASES"]), phases.collect());
    let codes: BTreeSet<_> = WarningCode::ALL.iter().map(|code| code.name()).collect();
    assert!(keys(&words["WARNINGS"]).is_subset(&codes));
}

#[test]
fn what_the_page_says_of_a_refused_url_is_said_of_codes_that_there_are() {
    let words = include_str!("../../../web/explained.js");
    let (_, wrong) = words.split_once("const WRONG = {").unwrap();
    let (wrong, _) = wrong.split_once("};").unwrap();
    let named = wrong.lines().filter_map(|line| line.trim().split_once(':'));
    let named: BTreeSet<_> = named.map(|(code, _)| code).collect();
    let known: BTreeSet<_> = ContainerUrlProblem::CODES.iter().copied().collect();
    assert!(named.len() > 10 && named.is_subset(&known), "{named:?}");
}

#[test]
fn the_page_knows_what_to_do_about_every_reason_why_an_object_is_missing() {
    let object = || "events/part-0.ndjson".to_owned();
    let reasons = [
        (
            SourceError::Changed { object: object() },
            "Put the planned version back",
        ),
        (
            SourceError::Archived { object: object() },
            "Restore the object",
        ),
        (
            SourceError::Denied { object: object() },
            "Let the service read the object",
        ),
        (
            SourceError::Corrupt {
                object: object(),
                cause: "it is cut short".into(),
            },
            "Correct the object",
        ),
    ];
    for (error, expected) in reasons {
        let said = fix(&error.problem());
        assert!(said.contains(expected), "{error}: {said}");
    }
    assert!(fix("every attempt at it failed").starts_with("Wait a little"));
}

#[test]
fn the_page_knows_what_to_do_about_every_refusal_of_storage_in_the_order_that_works() {
    let code = |code: &str| code.to_owned();
    let missing = |of: &str| ContainerError::Missing { code: code(of) };
    let again = "again under the same name, and then retry. Only if that is refused because of the signature";
    for (error, expected) in [
        (
            missing("ContainerNotFound"),
            format!("Make the container {again}"),
        ),
        (
            missing("ContainerBeingDeleted"),
            format!(
                "Wait until storage has deleted the container; then make the container {again}"
            ),
        ),
        (
            missing("AccountNotFound"),
            format!("Make the storage account and the container {again}"),
        ),
        (
            ContainerError::Refused {
                code: code("AccountIsDisabled"),
            },
            "Put right in the storage account".to_owned(),
        ),
        (
            ContainerError::Denied {
                code: code("SignatureExpired"),
            },
            "Give the export a signature that may write, then retry".to_owned(),
        ),
        (ContainerError::BlocksGone, "Wait a little".to_owned()),
    ] {
        let said = fix(&error.to_string());
        assert!(said.starts_with(&expected), "{error}: {said}");
    }
}

#[test]
fn the_sentences_by_which_the_page_knows_why_an_export_waits_are_the_services() {
    let service = include_str!("../../../shared/api/src/task/signature.rs");
    let page = include_str!("../../../web/words.js");
    for (of_service, of_page) in [
        ("to be resumed again", "/to be resumed again/"),
        (
            ": send PATCH to this task with a new `containerUrl` of the same \\
         container.",
            "/: send PATCH to this task with a new `containerUrl` of the same container\\./",
        ),
        (
            "because {reason}. Nothing is lost: send PATCH",
            r"/because (.*?)\. Nothing is lost: send PATCH/s",
        ),
    ] {
        assert!(service.contains(of_service), "{of_service}");
        assert!(page.contains(of_page), "{of_page}");
    }
}

#[test]
fn the_command_that_grants_is_the_operators() {
    let command = "engagement-export-admin grant add --subject ";
    assert!(include_str!("../../../docs/OPERATE.md").contains(command));
    assert!(include_str!("../../../web/parts.js").contains(command));
}
