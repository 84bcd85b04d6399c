//! Every phase of a job and every state of a chunk, with every move: which are allowed, and where
//! they lead. `docs/STATES.md` is what this finds; `make states` writes it anew.

use crate::adapters::rules;
use std::collections::BTreeSet;
use std::fmt::Write;

use domain::app::AppScope;
use domain::chunk::{
    Chunk, ChunkKey, ChunkMove, ChunkSource, ChunkState, ChunkStateName, Claim, Lease,
    MissingParts, Output,
};
use domain::container::{BlobName, ContainerAddress, PreparedFile};
use domain::job::{
    Asking, Cancellation, Credential, IllegalMove, Job, JobId, JobKey, Outcome, Phase, PhaseName,
    Plan, PlanCursor, SealedCredential, Wait,
};
use domain::listing::Listing;
use domain::manifest::{ManifestWriter, Written};
use domain::selection::{DeviceType, Snapshot};
use domain::tally::Tally;
use fakes::chunks::{nothing, one_file};
use fakes::jobs::{altered, in_phase};
use fakes::requests::request;
use regex::Regex;
use time::macros::datetime;
use time::{Duration, OffsetDateTime};
use uuid::Uuid;

use crate::documents::root;

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

fn queued() -> Job {
    let request = request(Snapshot::Devices(DeviceType::Tag));
    let destination = ContainerAddress::new("https://a");
    let days = Duration::days(90);
    Job::queued(key(), request, destination, credential(), NOW, days)
}

fn details() -> String {
    "told".to_owned()
}

fn ended(outcome: Outcome) -> Phase {
    Phase::Ended {
        at: NOW,
        outcome,
        has_manifest: true,
    }
}

/// Every phase, and those apart in which a move is allowed for one job and not for another.
fn job_places() -> Vec<Place<Job>> {
    let complete = altered(queued(), |job| {
        job.plan = Plan::Complete { read_up_to: NOW };
    });
    let place = |label, phase| Place {
        label,
        item: in_phase(complete.clone(), phase),
    };
    let finishing = |cancelled, manifest| Phase::Finishing {
        cancelled,
        manifest,
    };
    let asked = Cancellation::Asked;
    let (since, reason) = (NOW, details());
    let why = Wait::Refused { reason };
    vec![
        Place {
            label: "queued",
            item: queued(),
        },
        Place {
            label: "planning",
            item: in_phase(queued(), Phase::Planning),
        },
        place("planning, plan complete", Phase::Planning),
        place("running", Phase::Running),
        place(
            "awaiting-credential",
            Phase::AwaitingCredential { since, why },
        ),
        place("resuming", Phase::Resuming),
        place("cancelling", Phase::Cancelling { why: asked }),
        place("finishing", finishing(None, None)),
        place("finishing, cancelled", finishing(Some(asked), None)),
        place(
            "finishing, manifest prepared",
            finishing(None, Some((file(), Outcome::Succeeded))),
        ),
        place("succeeded", ended(Outcome::Succeeded)),
        place(
            "incomplete",
            ended(Outcome::Incomplete { details: details() }),
        ),
        place("failed", ended(Outcome::Failed { details: details() })),
        place(
            "cancelled",
            ended(Outcome::Cancelled { details: details() }),
        ),
    ]
}

/// The place of a phase in the order of its declaration: a phase that is added is missed at once.
/// The moves that a phase may refuse.
const JOB_MOVES: [Step<Job, Result<Job, IllegalMove>>; 17] = [
    Step {
        name: "begin_planning",
        lead: Job::begin_planning,
    },
    Step {
        name: "spread",
        lead: |job| job.spread(8),
    },
    Step {
        name: "plan_page",
        lead: |job| job.plan_page(1, PlanCursor("c".to_owned())),
    },
    Step {
        name: "hand_over_planning",
        lead: Job::hand_over_planning,
    },
    Step {
        name: "complete_plan",
        lead: |job| job.complete_plan(1, NOW),
    },
    Step {
        name: "fail_delivery",
        lead: Job::fail_delivery,
    },
    Step {
        name: "fail_plan",
        lead: |job| job.fail_plan(details()),
    },
    Step {
        name: "resume_running",
        lead: Job::resume_running,
    },
    Step {
        name: "await_credential",
        lead: |job| job.await_credential(NOW, details()),
    },
    Step {
        name: "replace_credential",
        lead: |job| job.replace_credential(credential()),
    },
    Step {
        name: "resume",
        lead: Job::resume,
    },
    Step {
        name: "give_up_resuming",
        lead: |job| job.give_up_resuming(NOW),
    },
    Step {
        name: "add_chunks",
        lead: |job| job.add_chunks(1),
    },
    Step {
        name: "cancel",
        lead: |job| job.cancel(Cancellation::Asked),
    },
    Step {
        name: "begin_finishing",
        lead: Job::begin_finishing,
    },
    Step {
        name: "prepare_manifest",
        lead: |job| {
            let (written, tally) = (job.clone(), Tally::default());
            let manifest =
                ManifestWriter::begin(&written, &tally, &file(), &mut Vec::new()).unwrap();
            let Written::Whole(stated) = manifest.end_list(&mut Vec::new()).unwrap() else {
                panic!("a manifest of no chunks has lists of them")
            };
            job.prepare_manifest(file(), stated)
        },
    },
    Step {
        name: "restage_manifest",
        lead: Job::restage_manifest,
    },
];

/// The moves by which a job ends.
const JOB_ENDS: [Step<Job, Result<Job, IllegalMove>>; 2] = [
    Step {
        name: "end",
        lead: |job| job.end(NOW),
    },
    Step {
        name: "end_without_manifest",
        lead: |job| job.end_without_manifest(NOW, "storage refuses it"),
    },
];

/// What adds to a job in whatever phase and leads nowhere.
const JOB_NOTES: [Step<Job, Job>; 7] = [
    Step {
        name: "asked",
        lead: |job| job.asked(Asking::default()),
    },
    Step {
        name: "total",
        lead: |job| job.total(Tally::default()),
    },
    Step {
        name: "warn",
        lead: |job| job.warn([]),
    },
    Step {
        name: "keep_to",
        lead: |job| job.keep_to(rules()),
    },
    Step {
        name: "list_page",
        lead: |job| job.list_page(NOW, Listing::default()),
    },
    Step {
        name: "miss_days",
        lead: |job| job.miss_days(Vec::new()),
    },
    Step {
        name: "warn_of_rows",
        lead: |job| job.warn_of_rows(&Tally::default()),
    },
];

fn job_moves() -> impl Iterator<Item = &'static Step<Job, Result<Job, IllegalMove>>> {
    JOB_MOVES.iter().chain(&JOB_ENDS)
}

fn chunk_places() -> Vec<Place<Chunk>> {
    let output = || one_file(file(), 1, 0);
    let (held, over) = (NOW + Duration::HOUR, NOW);
    let running = |until| ChunkState::Running {
        until,
        missing: MissingParts::new(),
    };
    let partial = || Output {
        missing: MissingParts::from([(0, details())]),
        ..output()
    };
    let states = [
        ("pending", ChunkState::Pending { prepared: None }),
        (
            "pending, file prepared",
            ChunkState::Pending {
                prepared: Some(output()),
            },
        ),
        ("running, held", running(held)),
        ("running, lease over", running(over)),
        (
            "prepared, held",
            ChunkState::Prepared {
                until: held,
                output: output(),
            },
        ),
        (
            "prepared, lease over",
            ChunkState::Prepared {
                until: over,
                output: output(),
            },
        ),
        ("recorded", ChunkState::Recorded { output: output() }),
        (
            "recorded, objects missing",
            ChunkState::Recorded { output: partial() },
        ),
        ("parked", ChunkState::Parked { prepared: None }),
        (
            "parked, file prepared",
            ChunkState::Parked {
                prepared: Some(output()),
            },
        ),
        ("cancelled", ChunkState::Cancelled),
        ("failed", ChunkState::Failed { reason: details() }),
    ];
    let key = ChunkKey {
        job: key(),
        shard: 0,
        number: 0,
    };
    states
        .map(|(label, state)| {
            let source = ChunkSource::Partitions(vec![details()]);
            let item = Chunk {
                state,
                ..Chunk::planned(key.clone(), source, NOW)
            };
            Place { label, item }
        })
        .into()
}

fn free(claim: Claim) -> Option<ChunkMove> {
    match claim {
        Claim::Free(step) => Some(*step),
        Claim::Held { .. } | Claim::Closed => None,
    }
}

fn leased(chunk: Chunk, step: impl FnOnce(Lease) -> Option<ChunkMove>) -> Option<ChunkMove> {
    step(Lease::of(chunk).ok()?)
}

/// The moves of whoever comes to a chunk, and those of the run that holds its lease.
const CHUNK_MOVES: [Step<Chunk, Option<ChunkMove>>; 14] = [
    Step {
        name: "claim",
        lead: |chunk| free(chunk.claim(NOW, Duration::HOUR)),
    },
    Step {
        name: "park",
        lead: |chunk| free(chunk.park(NOW)),
    },
    Step {
        name: "abandon",
        lead: |chunk| free(chunk.abandon(NOW, "crashed")),
    },
    Step {
        name: "cancel",
        lead: Chunk::cancel,
    },
    Step {
        name: "reopen",
        lead: Chunk::reopen,
    },
    Step {
        name: "hand_over",
        lead: |chunk| {
            let to = chunk.key.clone();
            chunk.hand_over(to).map(|(step, _)| step)
        },
    },
    Step {
        name: "record",
        lead: |chunk| chunk.record().ok(),
    },
    Step {
        name: "lease.prepare",
        lead: |chunk| leased(chunk, |lease| lease.prepare(nothing()).ok()),
    },
    Step {
        name: "lease.leave_out",
        lead: |chunk| leased(chunk, |lease| lease.leave_out(MissingParts::new()).ok()),
    },
    Step {
        name: "lease.restage",
        lead: |chunk| leased(chunk, |lease| lease.restage().ok()),
    },
    Step {
        name: "lease.record",
        lead: |chunk| leased(chunk, |lease| lease.record().ok()),
    },
    Step {
        name: "lease.park",
        lead: |chunk| leased(chunk, |lease| Some(lease.park())),
    },
    Step {
        name: "lease.release",
        lead: |chunk| leased(chunk, |lease| Some(lease.release(NOW))),
    },
    Step {
        name: "lease.fail",
        lead: |chunk| leased(chunk, |lease| Some(lease.fail("damaged"))),
    },
];

/// The public methods of an `impl` block that consume what they are called on.
fn moves_in(path: &str, of: &str) -> BTreeSet<String> {
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
         anew.\nThe moves are in `shared/domain/src/job/moves.rs` and `shared/domain/src/chunk.rs`, which say what each \
         is for.\n\n\
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
    moves.extend(moves_in("shared/domain/src/job/warnings.rs", "Job"));
    let walked = job_moves()
        .map(|step| step.name)
        .chain(JOB_NOTES.iter().map(|step| step.name));
    assert_eq!(moves, walked.map(str::to_owned).collect());

    let chunk = "shared/domain/src/chunk.rs";
    let mut moves = moves_in(chunk, "Chunk");
    let of_leases = moves_in(chunk, "Lease");
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
