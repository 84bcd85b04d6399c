//! Whole exports under a scheduler that a seed drives: events come twice, late and in any order,
//! processes die or stand still at any call, answers get lost, signatures are revoked, owners
//! cancel and resume. One process, the real handlers, no socket, no thread of chance: a seed
//! replays exactly.
//!
//! `make simulate RUNS=2000` plays many seeds, `make simulate SEED=7` tells one step by step. Both
//! give their numbers to the test binary as filters that match no test (`runs=2000`, `seed=7`,
//! `base=1000`).

mod chance;
mod checks;
mod control;
mod data;
mod plan;
mod run;
mod turnstile;
mod work;

use std::collections::BTreeMap;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Mutex;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Instant;

use anyhow::{Result, anyhow};

use crate::stories::secrets::Log;
use checks::clean;
use plan::{BrokenProtocol, Figures};
use run::Run;

/// The runs of a plain `cargo test`.
const RUNS: u64 = 100;

/// Every so many runs, all that is logged is searched for secrets.
const LOGGED: u64 = 50;

/// Plays one seed.
fn play(seed: u64, broken: Option<BrokenProtocol>, verbose: bool) -> (Figures, Result<()>) {
    let log = Log::default();
    let subscriber = tracing_subscriber::fmt()
        .with_max_level(tracing::Level::TRACE)
        .with_writer(log.clone())
        .finish();
    let _guard = seed
        .is_multiple_of(LOGGED)
        .then(|| tracing::subscriber::set_default(subscriber));
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_time()
        .start_paused(true)
        .build()
        .unwrap();
    let played = catch_unwind(AssertUnwindSafe(|| {
        runtime.block_on(Run::play(seed, broken, verbose))
    }));
    let (figures, result) =
        played.unwrap_or_else(|_| (Figures::default(), Err(anyhow!("a panic"))));
    let log = String::from_utf8_lossy(&log.0.lock().unwrap()).into_owned();
    (figures, result.and_then(|()| clean("the log", &log)))
}

/// What many runs came to.
#[derive(Default)]
struct Summary {
    runs: u64,
    calls: usize,
    steps: usize,
    played: BTreeMap<String, usize>,
    rests: BTreeMap<&'static str, usize>,
    ends: BTreeMap<&'static str, usize>,
    failed: Vec<u64>,
}

impl Summary {
    fn add(&mut self, seed: u64, figures: Figures, result: Result<()>) {
        self.runs += 1;
        self.calls += figures.calls;
        self.steps += figures.steps;
        for (what, count) in figures.played {
            *self.played.entry(what).or_default() += count;
        }
        *self
            .rests
            .entry(figures.rest.unwrap_or("never"))
            .or_default() += 1;
        *self.ends.entry(figures.end.unwrap_or("never")).or_default() += 1;
        if let Err(error) = result {
            eprintln!("seed {seed}: {error:#}");
            self.failed.push(seed);
        }
    }
}

/// Plays seeds on all processors; each run is on one thread.
fn play_all(base: u64, runs: u64) -> Summary {
    let (next, summary) = (AtomicU64::new(base), Mutex::new(Summary::default()));
    let work = || {
        loop {
            let seed = next.fetch_add(1, Ordering::Relaxed);
            if seed >= base + runs {
                return;
            }
            let (figures, result) = play(seed, None, false);
            summary.lock().unwrap().add(seed, figures, result);
        }
    };
    std::thread::scope(|scope| {
        for _ in 0..std::thread::available_parallelism().map_or(1, usize::from) {
            scope.spawn(work);
        }
    });
    summary.into_inner().unwrap()
}

/// A number that was given to the test binary as `name=number`.
fn given(name: &str) -> Option<u64> {
    std::env::args()
        .find_map(|argument| argument.strip_prefix(name)?.strip_prefix('=')?.parse().ok())
}

#[test]
fn exports_are_exact_or_honest_whatever_the_seeds_bring() {
    if let Some(seed) = given("seed") {
        let (figures, result) = play(seed, None, true);
        eprintln!("{figures:?}");
        return result.unwrap();
    }
    let begun = Instant::now();
    let summary = play_all(given("base").unwrap_or(0), given("runs").unwrap_or(RUNS));
    eprintln!(
        "{} runs, {} calls, {} steps in {:.1?}; at rest first {:?}, in the end {:?}; played {:?}",
        summary.runs,
        summary.calls,
        summary.steps,
        begun.elapsed(),
        summary.rests,
        summary.ends,
        summary.played,
    );
    assert!(
        summary.failed.is_empty(),
        "make simulate SEED=… replays each of {:?}",
        summary.failed
    );
}

#[test]
fn a_seed_replays_exactly() {
    for seed in 0..10 {
        let hash = || {
            let (figures, result) = play(seed, None, false);
            result.unwrap();
            figures.hash
        };
        assert_eq!(hash(), hash(), "seed {seed}");
    }
}

/// Plays seeds with a broken protocol until one is caught in what only such a protocol does to
/// data.
fn caught_by(broken: BrokenProtocol, harm: &[&str]) -> Option<(u64, String)> {
    (0..400).find_map(|seed| {
        let error = format!("{:#}", play(seed, Some(broken), false).1.err()?);
        harm.iter()
            .any(|harm| error.contains(harm))
            .then_some((seed, error))
    })
}

#[test]
fn a_table_that_forgets_revisions_is_found_out() {
    let harm = ["was recorded and is written again", "the tallies say"];
    let (seed, error) = caught_by(BrokenProtocol::ForgetsRevisions, &harm).unwrap();
    eprintln!("seed {seed}: {error}");
}

#[test]
fn a_file_that_is_committed_before_it_is_prepared_is_found_out() {
    let harm = ["has changed", "is not as listed", "is not in the manifest"];
    let (seed, error) = caught_by(BrokenProtocol::CommitsBeforePrepare, &harm).unwrap();
    eprintln!("seed {seed}: {error}");
}
