//! An exhaustive model of a job and its chunks, over the moves that the functions make.
//!
//! The moves are the domain's own ([`shared::chunk`], [`shared::job`]); what is modelled is the world around them: the
//! steps of each function in their order, the table's conditional writes, storage's blocks, deliveries that repeat, and
//! all that may go wrong between any two steps. `docs/PROOF.md` says what is covered and what is not.

mod actions;
mod finisher;
mod planner;
mod properties;
mod run;
mod storage;
mod stored;
mod world;

use std::collections::HashMap;

use stateright::{Checker, HasDiscoveries, Model};

use world::Budget;

/// Runs of one chunk at once.
const RUNS_PER_CHUNK: usize = 2;

/// The protocol as it is, or broken on purpose.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Variant {
    AsBuilt,
    CommitBeforePrepare,
    SealWithOpenChunks,
    RecordWithoutRevision,
}

/// One configuration of the model.
#[derive(Debug, Clone, Copy)]
struct Export {
    chunks: usize,
    /// Blocks of each chunk's file.
    blocks: u32,
    /// Whether the plan is complete before anything else happens.
    planned: bool,
    finishers: usize,
    planners: usize,
    budget: Budget,
    variant: Variant,
}

const NOTHING: Budget = Budget {
    crashes: 0,
    timeouts: 0,
    expiries: 0,
    duplicates: 0,
    revocations: 0,
    credentials: 0,
    retries: 0,
    cancels: 0,
    losses: 0,
    dead_chunks: 0,
    dead_events: 0,
};

fn export(chunks: usize, budget: Budget) -> Export {
    Export { chunks, blocks: 1, planned: true, finishers: 1, planners: 1, budget, variant: Variant::AsBuilt }
}

/// Checks every state; answers how many there are and, of each property that does not hold, the way to a
/// counterexample.
fn check(name: &str, export: Export) -> (usize, HashMap<&'static str, Vec<String>>) {
    let begun = std::time::Instant::now();
    let checker = export.checker().finish_when(HasDiscoveries::AnyFailures).spawn_bfs().join();
    let states = checker.unique_state_count();
    println!("{name}: {states} states, {} deep, {:?}", checker.max_depth(), begun.elapsed());
    let ways = checker
        .discoveries()
        .into_iter()
        .map(|(property, path)| (property, path.into_actions().iter().map(|action| format!("{action:?}")).collect()));
    (states, ways.collect())
}

fn holds(name: &str, at_least: usize, export: Export) {
    let (states, discoveries) = check(name, export);
    assert!(discoveries.is_empty(), "{discoveries:#?}");
    assert!(states >= at_least, "the model has shrunk to {states} states");
}

/// What the checker finds wrong with a protocol that is broken on purpose.
fn caught(variant: Variant) -> Vec<&'static str> {
    let budget = Budget { expiries: 1, duplicates: 1, ..NOTHING };
    check("broken", Export { variant, ..export(1, budget) }).1.into_keys().collect()
}

#[test]
fn three_chunks_are_exported_while_they_are_planned() {
    holds("plan", 10_000, Export { planned: false, blocks: 2, ..export(3, NOTHING) });
}

#[test]
fn a_crash_and_a_zombie_lose_nothing() {
    holds("crash and zombie", 120_000, export(3, Budget { crashes: 1, expiries: 1, ..NOTHING }));
}

#[test]
fn lost_answers_and_a_zombie_lose_nothing() {
    holds("time-out and zombie", 10_000, export(2, Budget { timeouts: 1, expiries: 1, ..NOTHING }));
}

#[test]
fn a_job_outlives_its_credential() {
    holds("credential", 9_900, export(1, Budget { revocations: 1, credentials: 1, ..NOTHING }));
}

#[test]
fn a_job_is_cancelled_whatever_crashes() {
    holds("cancel and crash", 63_000, export(2, Budget { cancels: 1, crashes: 1, ..NOTHING }));
}

#[test]
fn a_cancelled_job_is_retried() {
    holds("cancel and retry", 4_900, export(1, Budget { cancels: 1, retries: 1, ..NOTHING }));
}

#[test]
fn two_finishers_write_one_manifest() {
    let budget = Budget { duplicates: 1, losses: 1, ..NOTHING };
    holds("finishers", 26_000, Export { finishers: 2, ..export(2, budget) });
}

#[test]
fn dead_letters_leave_no_job_behind() {
    let budget = Budget { dead_events: 1, cancels: 1, retries: 1, ..NOTHING };
    holds("dead letters", 74_000, export(1, budget));
}

#[test]
fn a_commit_before_prepare_is_caught() {
    assert!(caught(Variant::CommitBeforePrepare).contains(&properties::UNCHANGED));
}

#[test]
fn a_seal_over_open_chunks_is_caught() {
    assert!(caught(Variant::SealWithOpenChunks).contains(&properties::EXACT));
}

#[test]
fn a_record_without_its_revision_is_caught() {
    assert!(caught(Variant::RecordWithoutRevision).contains(&properties::COUNTED));
}
