//! What the documents tell people to type: it exists, and a deployment's own answers stay out of
//! the repository.

use std::path::{Path, PathBuf};
use std::process::Command;

const MINE: &str = "samconfig.mine.toml";

fn workspace() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("..")
}

fn read(file: &str) -> String {
    std::fs::read_to_string(workspace().join(file)).unwrap()
}

/// What make would run for a target that is out of date.
fn recipe(arguments: &[&str]) -> String {
    let make = Command::new("make")
        .args(["--dry-run", "--no-print-directory"])
        .args(arguments)
        .current_dir(workspace())
        .output()
        .unwrap();
    assert!(
        make.status.success(),
        "{}",
        String::from_utf8_lossy(&make.stderr)
    );
    String::from_utf8(make.stdout).unwrap()
}

/// The documents at the root and under docs, with their names.
fn documents() -> Vec<(String, String)> {
    let folders = [workspace(), workspace().join("docs")];
    let files = folders
        .iter()
        .flat_map(|folder| std::fs::read_dir(folder).unwrap())
        .map(|file| file.unwrap().path());
    let pages = files.filter(|file| file.extension().is_some_and(|ending| ending == "md"));
    pages
        .map(|page| {
            (
                page.display().to_string(),
                std::fs::read_to_string(page).unwrap(),
            )
        })
        .collect()
}

/// The targets of make that a text names, in code.
fn named_targets(text: &str) -> Vec<&str> {
    let lines = text
        .split(['`', '\n'])
        .filter_map(|piece| piece.strip_prefix("make "));
    let targets = lines.filter_map(|rest| rest.split([' ', ':', '#']).next());
    targets
        .filter(|target| {
            target
                .chars()
                .all(|letter| letter.is_ascii_lowercase() || letter == '-')
        })
        .collect()
}

#[test]
fn every_target_of_make_that_the_documents_name_exists() {
    let makefile = read("Makefile");
    let documents = documents();
    let named: Vec<_> = documents
        .iter()
        .flat_map(|(name, text)| named_targets(text).into_iter().map(move |it| (name, it)))
        .collect();
    assert!(
        named.iter().any(|(_, target)| *target == "deploy"),
        "{named:?}"
    );
    for (document, target) in named {
        assert!(
            makefile.contains(&format!("\n{target}: ")),
            "{document} says make {target}"
        );
    }
}

#[test]
fn a_deployment_begins_with_a_copy_of_the_settings_and_keeps_its_answers_there() {
    assert_eq!(
        recipe(&["--always-make", MINE]),
        format!("cp samconfig.toml {MINE}\n")
    );
    let deployment = recipe(&["deploy"]);
    let last = deployment.trim_end().lines().next_back().unwrap();
    assert!(
        last.ends_with(&format!(
            ".tools/sam/bin/sam deploy --guided --config-file {MINE}"
        )),
        "{last}"
    );
    assert!(
        deployment.contains(".tools/sam/bin/sam build"),
        "{deployment}"
    );
    assert!(
        read(".gitignore")
            .lines()
            .any(|line| line == format!("/{MINE}"))
    );
}

#[test]
fn what_is_copied_names_the_stack_and_what_it_may_do() {
    let settings = read("samconfig.toml");
    let (_, deployment) = settings
        .split_once("[default.deploy.parameters]\n")
        .unwrap();
    for line in [
        "stack_name = \"engagement-export\"",
        "capabilities = \"CAPABILITY_IAM\"",
        "resolve_s3 = true",
        "tags = \"service=engagement-export\"",
    ] {
        assert!(deployment.lines().any(|there| there == line), "{line}");
    }
}

#[test]
fn every_file_of_settings_that_the_documents_give_to_sam_is_made_by_make() {
    for (document, text) in documents() {
        for file in text
            .split("--config-file ")
            .skip(1)
            .filter_map(|rest| rest.split(['\n', '`', ' ']).next())
        {
            assert_eq!(file, MINE, "{document}");
        }
    }
}
