//! The pages of the repository: their index is whole, and their links lead somewhere.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

/// The folder of the whole repository.
pub(crate) fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR"))
        .parent()
        .unwrap()
        .to_owned()
}

/// The files of a folder that are read: Markdown, the API's description, what machines begin with.
fn pages_of(folder: &str) -> BTreeSet<PathBuf> {
    let entries = std::fs::read_dir(root().join(folder))
        .unwrap()
        .map(|entry| entry.unwrap().path());
    let is_page = |path: &PathBuf| {
        let is_markdown = path.extension().is_some_and(|extension| extension == "md");
        is_markdown || path.ends_with("openapi.yaml") || path.ends_with("llms.txt")
    };
    entries.filter(is_page).collect()
}

fn pages() -> BTreeSet<PathBuf> {
    ["", "docs", "docs/adr", "examples"]
        .into_iter()
        .flat_map(pages_of)
        .collect()
}

/// A page's text without its fenced code.
fn prose(page: &Path) -> String {
    let text = std::fs::read_to_string(page).unwrap();
    text.split("```").step_by(2).collect()
}

/// Where the links of a page lead that are not to another site, each as a file and an anchor.
fn links(page: &Path) -> Vec<(PathBuf, Option<String>)> {
    let text = prose(page);
    let targets = text
        .split("](")
        .skip(1)
        .filter_map(|rest| rest.split_once(')'))
        .map(|(target, _)| target);
    let own = targets.filter(|target| !target.contains("://") && !target.starts_with("mailto:"));
    own.map(|target| {
        let (file, anchor) = target
            .split_once('#')
            .map_or((target, None), |(file, anchor)| (file, Some(anchor)));
        let file = if file.is_empty() {
            page.to_owned()
        } else {
            page.parent().unwrap().join(file)
        };
        (file, anchor.map(str::to_owned))
    })
    .collect()
}

/// The anchors of a page: its headings as GitHub spells them.
fn anchors(page: &Path) -> BTreeSet<String> {
    let slug = |heading: &str| {
        let kept = heading
            .trim()
            .chars()
            .filter(|c| c.is_alphanumeric() || matches!(c, ' ' | '-' | '_'));
        kept.collect::<String>().to_lowercase().replace(' ', "-")
    };
    prose(page)
        .lines()
        .filter(|line| line.starts_with('#'))
        .map(|line| slug(line.trim_start_matches('#')))
        .collect()
}

#[test]
fn every_link_leads_to_a_file_and_a_heading() {
    for page in pages() {
        for (file, anchor) in links(&page) {
            assert!(
                file.exists(),
                "{} links to {}",
                page.display(),
                file.display()
            );
            let is_there = anchor
                .as_ref()
                .is_none_or(|anchor| anchors(&file).contains(anchor));
            assert!(
                is_there,
                "{} links to {}#{}",
                page.display(),
                file.display(),
                anchor.unwrap()
            );
        }
    }
}

#[test]
fn the_index_lists_every_page() {
    let index = root().join("docs/README.md");
    let canonical = |path: PathBuf| path.canonicalize().unwrap();
    let listed: BTreeSet<PathBuf> = links(&index)
        .into_iter()
        .map(|(file, _)| canonical(file))
        .collect();
    let there: BTreeSet<PathBuf> = pages()
        .into_iter()
        .map(canonical)
        .filter(|page| *page != index)
        .collect();
    assert_eq!(listed, there);
}

#[test]
fn every_decision_says_whether_and_since_when_it_holds() {
    for page in pages_of("docs/adr") {
        let text = std::fs::read_to_string(&page).unwrap();
        let status = text
            .lines()
            .find_map(|line| line.strip_prefix("Status: "))
            .unwrap_or_default();
        let (state, date) = status.split_once(" · ").unwrap_or_default();
        let is_known = state == "accepted" || state.starts_with("superseded by ");
        assert!(
            is_known && date.len() == "2026-11-21".len(),
            "{}: {status:?}",
            page.display()
        );
    }
}
