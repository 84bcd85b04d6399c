//! The checks: within which bounds every state is visited, and that a wrong protocol is found out.

use std::collections::BTreeSet;
use std::time::Instant;

use stateright::{Checker, DiscoveryClassification, Expectation, HasDiscoveries, Model, Path};

use super::bounds::{Act, Bounds, LARGE, SMALL};
use super::calls::Call;
use super::properties;
use super::state::State;
use super::steps::Step;
use super::{Broken, Export};

/// Visits every state within bounds; what was found possible.
fn check(name: &str, bounds: &Bounds) -> BTreeSet<&'static str> {
    let begun = Instant::now();
    let threads = std::thread::available_parallelism().map_or(1, usize::from);
    let checker = Export::new(bounds.clone(), None)
        .checker()
        .threads(threads)
        .spawn_bfs()
        .join();
    eprintln!(
        "{name}: {} states, {} transitions, {} steps deep, {} pasts of processes, {:.1?}",
        checker.unique_state_count(),
        checker.state_count(),
        checker.max_depth(),
        checker.model().processes.known(),
        begun.elapsed(),
    );
    let (mut found, mut broken) = (BTreeSet::new(), Vec::new());
    for (property, path) in checker.discoveries() {
        match checker.discovery_classification(property) {
            DiscoveryClassification::Example => drop(found.insert(property)),
            DiscoveryClassification::Counterexample => broken.push(tell(property, path)),
        }
    }
    assert!(broken.is_empty(), "{name}: {}", broken.join("\n\n"));
    found
}

/// How a property came to be broken, step by step.
fn tell(property: &str, path: Path<State, Step>) -> String {
    let mut lines = vec![format!("not always so: {property}")];
    for (state, step) in path.into_vec() {
        let Some(step) = step else { continue };
        let at = match &step {
            Step::Call((at, _)) => Some(*at),
            Step::Fault(fault) => fault.process(),
            Step::Deliver(_) | Step::Arrive(_) | Step::Wait | Step::Act(_) => None,
        };
        let at = at.and_then(|at| state.processes.get(at));
        let joined = |calls: Vec<String>| calls.join(" | ");
        let who = at.map(|process| {
            format!(
                "{:?}: {}",
                process.message,
                joined(process.calls().map(Call::in_words).collect())
            )
        });
        lines.push(format!("  {step:?} {}", who.unwrap_or_default()));
    }
    lines.join("\n")
}

/// What was asked for by `bounds=large`, or `bounds=3` for one of the large bounds; else the small
/// ones.
fn bounds() -> &'static [(&'static str, Bounds)] {
    let Some(given) =
        std::env::args().find_map(|given| given.strip_prefix("bounds=").map(str::to_owned))
    else {
        return &SMALL;
    };
    given
        .parse()
        .map_or(&LARGE, |only: usize| &LARGE[only..=only])
}

#[test]
fn an_export_is_exact_or_honest_in_every_order_of_its_calls() {
    let found: BTreeSet<_> = bounds()
        .iter()
        .flat_map(|(name, bounds)| check(name, bounds))
        .collect();
    if bounds().len() > 1 {
        for property in properties::all() {
            let is_expected = property.expectation == Expectation::Sometimes;
            assert!(
                !is_expected || found.contains(property.name),
                "never so: {}",
                property.name
            );
        }
    }
}

/// Whether a wrong protocol is caught by what it does to a property.
fn is_found_out(protocol: Broken, bounds: Bounds, property: &'static str) -> bool {
    let wanted = HasDiscoveries::AnyOf(BTreeSet::from([property]));
    let checker = Export::new(bounds, Some(protocol))
        .checker()
        .finish_when(wanted)
        .spawn_bfs()
        .join();
    checker.discovery(property).is_some()
}

const TWO_FAULTS: Bounds = Bounds {
    chunks: 1,
    faults: 2,
    ..Bounds::PLAIN
};

#[test]
fn a_file_that_is_committed_before_it_is_prepared_is_found_out() {
    let broken = Broken::CommitsBeforePrepare;
    assert!(is_found_out(
        broken,
        TWO_FAULTS,
        "a recorded file holds exactly its chunk's rows"
    ));
    let revoked = Bounds {
        chunks: 1,
        acts: 1,
        allowed: &[Act::Revoke],
        ..Bounds::PLAIN
    };
    assert!(is_found_out(
        broken,
        revoked,
        "if everything dies now, the job still ends, and can succeed"
    ));
}

#[test]
fn a_table_that_forgets_revisions_is_found_out() {
    assert!(is_found_out(
        Broken::ForgetsRevisions,
        TWO_FAULTS,
        "what is settled is never written again"
    ));
    assert!(is_found_out(
        Broken::ForgetsRevisions,
        TWO_FAULTS,
        "the tallies are the sum of the chunks"
    ));
}

#[test]
fn the_proof_names_every_property() {
    let proof = include_str!("../../../docs/PROOF.md")
        .split_whitespace()
        .collect::<Vec<_>>()
        .join(" ");
    for property in properties::all() {
        assert!(
            proof.contains(property.name),
            "PROOF.md does not say: {}",
            property.name
        );
    }
}
