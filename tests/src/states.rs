//! Every phase of a job and every state of a chunk, with every move: which are allowed, and where
//! they lead. `docs/STATES.md` is what this finds; `make states` writes it anew.

mod chunks;
mod jobs;

use std::collections::BTreeSet;
use std::fmt::Write;
use std::path::Path;

use domain::app::AppScope;
use domain::chunk::{Chunk, ChunkState, ChunkStateName};
use domain::container::{BlobName, PreparedFile};
use domain::job::{Credential, Job, JobId, JobKey, PhaseName, SealedCredential};
use regex::Regex;
use time::OffsetDateTime;
use time::macros::datetime;
use uuid::Uuid;

use crate::documents::root;
use chunks::{CHUNK_MOVES, chunk_places};
use jobs::{JOB_NOTES, job_moves, job_places};

const KEPT: &str = include_str!("../../docs/STATES.md");

const NOW: OffsetDateTime = datetime!(2026-11-26 12:00 UTC);

/// Somewhere, with a name for readers.
struct Place<T> {
    label: &'static str,
    item: T,
}

/// A move: its name in the code, and where it leads.
struct Step<T, R> {
    name: &'static str,
    lead: fn(T) -> R,
}

fn key() -> JobKey {
    JobKey {
        scope: AppScope::from_canonical("/apps/a"),
        id: JobId::new(Uuid::nil()),
    }
}

fn credential() -> Credential {
    Credential {
        sealed: SealedCredential(vec![1]),
        expires: None,
    }
}

fn file() -> PreparedFile {
    PreparedFile {
        name: BlobName::from_stored("a"),
        attempt: 1,
        blocks: 1,
        size_bytes: 2,
        sha256: String::new(),
        crc64: String::new(),
    }
}

fn details() -> String {
    "told".to_owned()
}

/// The public methods of an `impl` block that consume what they are called on.
fn moves_in(path: impl AsRef<Path>, of: &str) -> BTreeSet<String> {
    let text = std::fs::read_to_string(root().join(path)).unwrap();
    let begin = text.find(&format!("impl {of} {{")).unwrap();
    let block = &text[begin..];
    let block = &block[..block.find("\n}\n").unwrap()];
    let method = Regex::new(r"(?m)^    pub fn (\w+)\(\s*(?:mut )?self\b").unwrap();
    method
        .captures_iter(block)
        .map(|found| found[1].to_owned())
        .collect()
}

/// A move's name, and the name of where it leads, if it is allowed.
type Lead<'a, T> = (&'a str, Box<dyn Fn(T) -> Option<&'static str>>);

/// Where one thing leads by every move: for each place a line of the table and the edges of the
/// picture.
fn table<T: Clone>(
    heading: &str,
    places: &[Place<T>],
    moves: &[Lead<'_, T>],
    name: fn(&T) -> &'static str,
) -> String {
    let mut text = format!("| {heading} | leads to | refuses |\n|---|---|---|\n");
    let mut edges: Vec<(&str, &str, Vec<&str>)> = Vec::new();
    for Place { label, item } in places {
        let (mut allowed, mut refused) = (Vec::new(), Vec::new());
        for (step, lead) in moves {
            match lead(item.clone()) {
                Some(next) => {
                    allowed.push(format!("`{step}` → {next}"));
                    let here = name(item);
                    match edges
                        .iter_mut()
                        .find(|edge| (edge.0, edge.1) == (here, next))
                    {
                        Some((_, _, steps)) if steps.contains(step) => {}
                        Some((_, _, steps)) => steps.push(step),
                        None => edges.push((here, next, vec![step])),
                    }
                }
                None => refused.push(format!("`{step}`")),
            }
        }
        let list = |words: Vec<String>, separator| {
            if words.is_empty() {
                "nothing".to_owned()
            } else {
                words.join(separator)
            }
        };
        let (allowed, refused) = (list(allowed, " · "), list(refused, " "));
        writeln!(text, "| {label} | {allowed} | {refused} |").unwrap();
    }
    text.push_str("\n```mermaid\nstateDiagram-v2\n");
    for (here, next, steps) in edges.iter().filter(|(here, next, _)| here != next) {
        let id = |name: &str| name.replace('-', "_");
        let steps = steps.join(", ");
        writeln!(text, "    {} --> {}: {steps}", id(here), id(next)).unwrap();
    }
    text.push_str("```\n");
    text
}

fn page() -> String {
    let jobs = table(
        "a job that is",
        &job_places(),
        &job_moves()
            .map(|step| {
                let lead = step.lead;
                let lead = move |job: Job| Some(lead(job).ok()?.phase.name());
                (step.name, Box::new(lead) as Box<dyn Fn(Job) -> _>)
            })
            .collect::<Vec<_>>(),
        |job| job.phase.name(),
    );
    let chunks = table(
        "a chunk that is",
        &chunk_places(),
        &CHUNK_MOVES
            .iter()
            .map(|step| {
                let lead = step.lead;
                let lead = move |chunk: Chunk| Some(lead(chunk)?.chunk.state.name());
                (step.name, Box::new(lead) as Box<dyn Fn(Chunk) -> _>)
            })
            .collect::<Vec<_>>(),
        |chunk| chunk.state.name(),
    );
    let notes = JOB_NOTES.map(|step| format!("`{}`", step.name)).join(", ");
    format!(
        "# States\n\n\
         What a test found that walks every phase with every move (`tests/src/states.rs`); `make states` writes this page \
         anew.\nThe moves are in `shared/domain/src/job/moves` and `shared/domain/src/chunk`, which say what each is for.\n\n\
         ## A job\n\n\
         A job ends by `end`, as the prepared manifest says (the one below says success), or without a manifest, \
         which is\nnever success. {notes} add to a job in any phase and lead nowhere.\n\n\
         {jobs}\n\
         ## A chunk\n\n\
         `lease.…` are the moves of the run that holds the chunk; the others are anybody's. A chunk that is held is left \
         alone,\nbut for the ends of its job.\n\n\
         {chunks}"
    )
}

#[test]
fn the_page_of_states_is_what_every_move_does_in_every_phase() {
    let found = page();
    if std::env::args().any(|argument| argument == "renew=states") {
        std::fs::write(root().join("docs/STATES.md"), found).unwrap();
        return;
    }
    assert!(
        found == KEPT,
        "docs/STATES.md differs: make states\n{found}"
    );
}

#[test]
fn every_phase_and_state_and_every_move_is_walked() {
    let phases: BTreeSet<_> = job_places()
        .iter()
        .map(|place| place.item.phase.kind())
        .collect();
    assert_eq!(phases, PhaseName::ALL.iter().copied().collect());
    let states: BTreeSet<_> = chunk_places()
        .iter()
        .map(|place| ChunkStateName::from(&place.item.state))
        .collect();
    assert_eq!(states, ChunkStateName::ALL.iter().copied().collect());

    let mut moves = moves_in("shared/domain/src/job/moves.rs", "Job");
    for file in std::fs::read_dir(root().join("shared/domain/src/job/moves")).unwrap() {
        moves.extend(moves_in(file.unwrap().path(), "Job"));
    }
    moves.extend(moves_in("shared/domain/src/job/warnings.rs", "Job"));
    let walked = job_moves()
        .map(|step| step.name)
        .chain(JOB_NOTES.iter().map(|step| step.name));
    assert_eq!(moves, walked.map(str::to_owned).collect());

    let mut moves = moves_in("shared/domain/src/chunk.rs", "Chunk");
    let of_leases = moves_in("shared/domain/src/chunk/lease.rs", "Lease");
    moves.extend(of_leases.iter().map(|name| format!("lease.{name}")));
    let walked = CHUNK_MOVES.iter().map(|step| step.name.to_owned());
    assert_eq!(moves, walked.collect());
}

#[test]
fn a_job_succeeds_only_by_the_end_of_one_whose_prepared_manifest_tells_it() {
    let (mut ways, mut places) = (Vec::new(), job_places());
    places.retain(|place| place.label != "succeeded");
    for Place { label, item } in &places {
        for step in job_moves() {
            let next = (step.lead)(item.clone());
            if next.is_ok_and(|job| job.phase.wire_state() == "Succeeded") {
                ways.push((*label, step.name));
            }
        }
        for note in &JOB_NOTES {
            let noted = (note.lead)(item.clone());
            assert_eq!(noted.phase, item.phase, "{}", note.name);
        }
    }
    assert_eq!(ways, [("finishing, manifest prepared", "end")]);
}

#[test]
fn a_chunk_is_recorded_only_with_a_file_that_was_prepared() {
    for Place { label, item } in chunk_places() {
        for step in &CHUNK_MOVES {
            let next = (step.lead)(item.clone()).map(|step| step.chunk.state);
            let was_recorded = matches!(item.state, ChunkState::Recorded { .. });
            if matches!(next, Some(ChunkState::Recorded { .. })) && !was_recorded {
                assert!(label.contains("prepared"), "{label}: {}", step.name);
            }
        }
    }
}
