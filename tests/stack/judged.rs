//! What must be true of the run.

use std::collections::BTreeSet;

use edge::event::JobEvent;
use local::pump::{Pipes, Sent};
use serde_json::{Value, json};
use time::OffsetDateTime;

use crate::deployment::built_by_sam;
use crate::emulator::program;
use crate::pipes::Pipe;
use crate::run::{Run, run};

/// Fails as the scene did.
fn assert_played(scene: &str) {
    if let Err(why) = &run().scenes[scene] {
        panic!("{scene}: {why}");
    }
}

#[test]
fn the_line_that_make_deploy_runs_deploys_the_stack_and_the_next_finds_nothing_to_do() {
    let [first, again] = &run().deployed;
    assert!(
        first.contains("Successfully created/updated stack"),
        "{first}"
    );
    assert!(again.contains("No changes to deploy"), "{again}");
}

/// What `e_machine` is for `AArch64` (<https://gabi.xinuos.com/elf/a-emachine.html>), at byte 18 of a file.
const ARM64: [u8; 2] = [183, 0];

#[test]
fn sam_builds_a_function_for_lambda() {
    let built = std::fs::read(built_by_sam().join("ExpireJobs/bootstrap")).unwrap();
    assert_eq!((&built[..4], &built[18..20]), (&b"\x7fELF"[..], &ARM64[..]));
}

#[test]
fn every_resource_of_the_template_is_made() {
    let [told, made] = &run().resources;
    assert!(told.len() > 60, "{told:?}");
    assert_eq!(told, made);
}

#[test]
fn every_gap_of_the_emulator_is_still_there() {
    for (name, gap) in run().gaps.as_object().unwrap() {
        assert_eq!(gap["closed"], false, "ministack does it itself now: {name}");
        assert_ne!(gap["met"], 0, "nothing meets this gap any more: {name}");
    }
}

#[test]
fn every_kind_of_source_is_exported_in_every_format() {
    assert_played("exports");
}

#[test]
fn a_repeated_request_makes_one_task_and_everything_is_listed() {
    assert_played("lists");
}

#[test]
fn a_job_that_awaits_a_credential_succeeds_with_a_new_one() {
    assert_played("renewed");
}

#[test]
fn a_deleted_job_ends_cancelled() {
    assert_played("cancelled");
}

#[test]
fn a_job_that_waits_too_long_ends_failed() {
    assert_played("expired");
}

#[test]
fn callers_without_a_right_are_turned_away() {
    assert_played("turned away");
}

#[test]
fn an_object_that_is_gone_is_missing_by_name() {
    assert_played("gone");
}

#[test]
fn a_chunk_that_fails_at_every_delivery_is_exported_when_the_job_is_asked_for_again() {
    assert_played("dead letters");
}

#[test]
fn a_job_whose_event_fails_at_every_delivery_ends_failed() {
    assert_played("dead events");
}

#[test]
fn items_of_a_newer_version_are_left_to_it() {
    assert_played("newer");
}

#[test]
fn the_jobs_history_has_every_phase_that_is_announced() {
    let told = run().history.iter().map(|line| &line["detail"]["phase"]);
    let told: BTreeSet<_> = told.map(|phase| phase.as_str().unwrap()).collect();
    let filters = edge::event::jobs_filters();
    let of_jobs = filters.iter().find(|filter| kind(filter) == "job");
    let phases = &of_jobs.unwrap()["dynamodb"]["NewImage"]["phase"]["S"];
    let phases = phases.as_array().unwrap().iter();
    assert_eq!(told, phases.map(|phase| phase.as_str().unwrap()).collect());
}

#[test]
fn who_created_changed_and_cancelled_jobs_is_kept_in_a_log_of_its_own() {
    let lines = &run().audit;
    let said: Vec<_> = lines
        .iter()
        .map(|line| line["detail"]["phase"].to_string())
        .collect();
    for act in ["create", "renew", "resume", "cancel"] {
        assert!(
            said.iter().any(|line| line.contains(act)),
            "{act}: {said:?}"
        );
    }
    assert!(said.iter().all(|line| !line.contains("sig=")), "{said:?}");
}

/// Policies, by an evaluator that is not ours, and filters, by a matcher that is not ours.
#[test]
fn every_call_is_allowed_every_statement_is_needed_and_every_filter_means_the_same_to_another() {
    let judged = program("judge.py").arg(&run().folder).output().unwrap();
    let said = String::from_utf8_lossy(&judged.stdout);
    let fault = String::from_utf8_lossy(&judged.stderr);
    assert!(judged.status.success(), "{said}{fault}");
}

/// A record as a pipe saw it, and what it made of it.
struct Seen {
    event: Value,
    sent: Option<String>,
}

fn seen(played: &Run, pipe: &Pipe) -> Vec<Seen> {
    let text = std::fs::read_to_string(played.folder.join("records.jsonl")).unwrap();
    let lines = text.lines().map(|line| serde_json::from_str(line).unwrap());
    let of_pipe = lines.filter(|line: &Value| line["pipe"] == *pipe.name);
    of_pipe
        .map(|line| Seen {
            event: line["event"].clone(),
            sent: line["sent"].as_str().map(str::to_owned),
        })
        .collect()
}

/// What the code says that a pipe makes of a record.
fn expected(pipe: &Pipe, event: &Value) -> Option<Value> {
    let sent = Pipes::default().send(event, OffsetDateTime::UNIX_EPOCH);
    let mut messages = sent.unwrap().into_iter().filter_map(|sent| match sent {
        Sent::Chunk(message) => (!pipe.is_to_bus()).then(|| json!(message)),
        Sent::Job(event) => pipe.is_to_bus().then(|| event["detail"].clone()),
    });
    messages.next_back()
}

/// The first record of which the pipe makes something else than the code says.
fn fault(pipe: &Pipe, seen: &[Seen]) -> Option<String> {
    let wrong = |seen: &&Seen| {
        let made = pipe.make(&seen.event);
        let made = made.map(|text| serde_json::from_str(&text).unwrap_or(Value::from(text)));
        made != expected(pipe, &seen.event)
    };
    let wrong = seen.iter().find(wrong);
    wrong.map(|seen| format!("{}: {}", pipe.name, seen.event))
}

#[test]
fn the_pipes_send_exactly_what_the_code_says_of_every_record() {
    for pipe in &run().pipes {
        let seen = seen(run(), pipe);
        assert_eq!(fault(pipe, &seen), None);
        assert!(seen.iter().any(|seen| seen.sent.is_some()), "{}", pipe.name);
        assert!(seen.iter().any(|seen| seen.sent.is_none()), "{}", pipe.name);
        for Seen { event, sent } in &seen {
            assert_eq!(&pipe.make(event), sent, "what it sent then, it sends now");
        }
    }
}

/// The pointers to the texts of all lists below a value.
fn texts(value: &Value, at: &str) -> Vec<String> {
    match value {
        Value::Object(fields) => fields
            .iter()
            .flat_map(|(name, value)| texts(value, &format!("{at}/{name}")))
            .collect(),
        Value::Array(list) => (0..list.len())
            .map(|place| format!("{at}/{place}"))
            .collect(),
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => Vec::new(),
    }
}

/// The filter without the text at a pointer.
fn without(filter: &Value, pointer: &str) -> Value {
    let (list, place) = pointer.rsplit_once('/').unwrap();
    let mut changed = filter.clone();
    let list = changed.pointer_mut(list).and_then(Value::as_array_mut);
    list.unwrap().remove(place.parse().unwrap());
    changed
}

/// The kind of items that a filter is about.
fn kind(filter: &Value) -> &str {
    let kind = filter.pointer("/dynamodb/NewImage/kind/S/0");
    kind.and_then(Value::as_str).unwrap()
}

/// Changes of which no record can be: a shard has open chunks when it is inserted, and nobody changes
/// who did what.
const NEVER_SEEN: [(&str, &str); 2] = [("tally", "INSERT"), ("audit", "MODIFY")];

#[test]
fn a_text_that_is_missing_from_a_filter_is_noticed() {
    let mut tried = 0;
    for pipe in &run().pipes {
        let seen = seen(run(), pipe);
        for (place, filter) in pipe.filters.iter().enumerate() {
            for pointer in texts(filter, "") {
                let mut changed = pipe.clone();
                changed.filters[place] = without(filter, &pointer);
                let text = filter.pointer(&pointer).and_then(Value::as_str);
                let is_known = NEVER_SEEN.contains(&(kind(filter), text.unwrap()));
                assert_ne!(
                    fault(&changed, &seen).is_some(),
                    is_known,
                    "{} {pointer}",
                    pipe.name
                );
                tried += 1;
            }
        }
    }
    assert!(tried > 9, "{tried}");
}

#[test]
fn a_field_that_is_missing_from_an_input_template_is_noticed() {
    let mut tried = 0;
    for pipe in &run().pipes {
        let seen = seen(run(), pipe);
        // Its paths stand in quotes, so that it is JSON itself.
        let template: Value = serde_json::from_str(&pipe.template).unwrap();
        for field in template.as_object().unwrap().keys() {
            let mut changed = pipe.clone();
            let mut without = template.clone();
            without.as_object_mut().unwrap().remove(field);
            changed.template = without.to_string();
            assert!(
                fault(&changed, &seen).is_some(),
                "{} without {field}",
                pipe.name
            );
            tried += 1;
        }
    }
    assert!(tried > 5, "{tried}");
}

#[test]
fn what_is_sent_to_the_bus_is_what_the_functions_read() {
    for pipe in run().pipes.iter().filter(|pipe| pipe.is_to_bus()) {
        for text in seen(run(), pipe).into_iter().filter_map(|seen| seen.sent) {
            let event: JobEvent = serde_json::from_str(&text).unwrap();
            assert!(event.key().is_ok(), "{text}");
        }
    }
}
