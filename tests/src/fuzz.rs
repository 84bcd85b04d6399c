//! The fuzz targets over their committed corpora, and that every target has all of its parts.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

use fuzz::TARGETS;

/// A corpus is a small thing: what every checkout carries and every test run replays.
const MOST_FILES: usize = 200;
const MOST_BYTES: usize = 200 << 10;

fn folder(below: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("../fuzz")
        .join(below)
}

fn corpus(target: &str) -> Vec<(PathBuf, Vec<u8>)> {
    let files = fs::read_dir(folder("corpus").join(target))
        .unwrap()
        .map(|entry| entry.unwrap().path());
    files
        .map(|path| (path.clone(), fs::read(path).unwrap()))
        .collect()
}

/// The names of a folder's files, without their endings.
fn stems(below: &str) -> BTreeSet<String> {
    let entries = fs::read_dir(folder(below))
        .unwrap()
        .map(|entry| entry.unwrap().path());
    entries
        .map(|path| path.file_stem().unwrap().to_str().unwrap().to_owned())
        .collect()
}

#[test]
fn what_fuzzing_found_once_is_found_no_more() {
    for (name, target) in TARGETS {
        let mut accepted = 0;
        let corpus = corpus(name);
        for (path, input) in &corpus {
            let holds = std::panic::catch_unwind(|| target(input));
            accepted += usize::from(
                holds.unwrap_or_else(|_| panic!("{name} does not hold of {}", path.display())),
            );
        }
        assert!(
            (3..corpus.len()).contains(&accepted),
            "{name}: {accepted} of {} inputs are accepted",
            corpus.len()
        );
    }
}

#[test]
fn every_target_has_a_binary_a_corpus_and_a_dictionary() {
    let names: BTreeSet<String> = TARGETS.iter().map(|(name, _)| (*name).to_owned()).collect();
    assert_eq!(stems("corpus"), names);
    assert_eq!(stems("libfuzzer/fuzz_targets"), names);
    assert_eq!(stems("dictionaries"), names);
    let manifest = fs::read_to_string(folder("libfuzzer/Cargo.toml")).unwrap();
    for name in &names {
        let binary =
            fs::read_to_string(folder(&format!("libfuzzer/fuzz_targets/{name}.rs"))).unwrap();
        assert!(
            binary.contains(&format!("\n    fuzz::{name}(input);\n")),
            "{name}: {binary}"
        );
        assert!(
            manifest.contains(&format!("path = \"fuzz_targets/{name}.rs\"")),
            "{name}"
        );
    }
}

#[test]
fn the_corpora_are_small() {
    for (name, _) in TARGETS {
        let corpus = corpus(name);
        let bytes: usize = corpus.iter().map(|(_, input)| input.len()).sum();
        assert!(
            (5..=MOST_FILES).contains(&corpus.len()) && bytes <= MOST_BYTES,
            "{name}: {bytes} bytes"
        );
    }
}

/// As many symbols of base64 in a row, behind the mark of a signature, look like a real one.
const SIGNATURE_SYMBOLS: usize = 32;

#[test]
fn no_corpus_holds_what_looks_like_a_signature() {
    let is_symbol = |symbol: &char| symbol.is_ascii_alphanumeric() || "+/%_=-".contains(*symbol);
    for (name, _) in TARGETS {
        for (path, input) in corpus(name) {
            let text = String::from_utf8_lossy(&input)
                .to_ascii_lowercase()
                .replace("sig%3d", "sig=");
            let longest = text
                .split("sig=")
                .skip(1)
                .map(|rest| rest.chars().take_while(is_symbol).count())
                .max();
            assert!(
                longest.is_none_or(|longest| longest < SIGNATURE_SYMBOLS),
                "{}: drop it",
                path.display()
            );
        }
    }
}
