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
    let checker = export.checker().finish_when(HasDiscoveries::AnyFailures).target_state_count(1_000_000).spawn_bfs().join();
    let states = checker.unique_state_count();
    println!("{name}: {states} states, {} deep, {:?}", checker.max_depth(), begun.elapsed());
    let ways = checker.discoveries().into_iter().map(|(property, path)| {
        (property, path.into_actions().iter().map(|action| format!("{action:?}")).collect())
    });
    (states, ways.collect())
}

fn holds(name: &str, at_least: usize, export: Export) {
    let (states, discoveries) = check(name, export);
    assert!(discoveries.is_empty(), "{discoveries:#?}");
    assert!(states >= at_least, "the model has shrunk to {states} states");
}

#[test]
fn explore() {
    let b = NOTHING;
    let all: Vec<(&str, Export)> = vec![
        ("2 nothing", export(2, b)),
        ("1 crash2 exp1", export(1, Budget { crashes: 2, expiries: 1, ..b })),
        ("1 exp2 loss", export(1, Budget { expiries: 2, losses: 1, ..b })),
        ("1 timeouts2", export(1, Budget { timeouts: 2, ..b })),
        ("1 cancel retry", export(1, Budget { cancels: 1, retries: 1, ..b })),
        ("1 cancel2 retry", export(1, Budget { cancels: 2, retries: 1, ..b })),
        ("1 cancel2 retry2", export(1, Budget { cancels: 2, retries: 2, ..b })),
        ("1 revoke cred", export(1, Budget { revocations: 1, credentials: 1, ..b })),
        ("1 revoke cred cancel", export(1, Budget { revocations: 1, credentials: 1, cancels: 1, ..b })),
        ("1 revoke cred cancel retry", export(1, Budget { revocations: 1, credentials: 1, cancels: 1, retries: 1, ..b })),
        ("1 dead", export(1, Budget { dead_events: 1, retries: 1, ..b })),
        ("1 dead cancel", export(1, Budget { dead_events: 1, cancels: 1, retries: 1, ..b })),
        ("1 dead chunks", export(1, Budget { dead_chunks: 1, crashes: 1, retries: 1, ..b })),
        ("2 crash exp", export(2, Budget { crashes: 1, expiries: 1, ..b })),
        ("2 revoke cred", export(2, Budget { revocations: 1, credentials: 1, ..b })),
        ("2 cancel retry", export(2, Budget { cancels: 1, retries: 1, ..b })),
    ];
    for (name, export) in all {
        let (_, d) = check(name, export);
        if !d.is_empty() { println!("   FOUND {d:#?}"); }
    }
}
