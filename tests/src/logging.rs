//! The page of logs says what the code logs: each field with who logs it, and each line that warns.
//! Read out of the code, so that nobody has to think of the page.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};

const PAGE: &str = include_str!("../../docs/LOGGING.md");

const LEVELS: [&str; 5] = ["error", "warn", "info", "debug", "trace"];

/// A line of the code that logs.
#[derive(Debug)]
struct Line {
    /// The crate.
    by: String,
    level: &'static str,
    message: String,
    fields: Vec<String>,
}

/// The files of a folder that are compiled into what ships.
fn sources(folder: &Path, found: &mut Vec<PathBuf>) {
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        let name = path.file_name().unwrap().to_str().unwrap();
        if path.is_dir() && name != "tests" {
            sources(&path, found);
        } else if path.extension().is_some_and(|it| it == "rs") && name != "tests.rs" {
            found.push(path);
        }
    }
}

/// The text within a macro's parentheses, which `rest` begins behind.
fn arguments(rest: &str) -> &str {
    let (mut depth, mut is_in_text, mut is_escaped) = (1, false, false);
    for (at, character) in rest.char_indices() {
        match (is_in_text, character) {
            _ if is_escaped => is_escaped = false,
            (true, '\\') => is_escaped = true,
            (_, '"') => is_in_text = !is_in_text,
            (false, '(' | '[' | '{') => depth += 1,
            (false, ')' | ']' | '}') => depth -= 1,
            (true | false, _) => {}
        }
        if depth == 0 {
            return &rest[..at];
        }
    }
    panic!("a macro without its end: {rest}");
}

/// What stands between commas, but not within brackets or texts.
fn parts(arguments: &str) -> Vec<String> {
    let (mut parts, mut depth) = (vec![String::new()], 0);
    let (mut is_in_text, mut is_escaped) = (false, false);
    for character in arguments.chars() {
        match (is_in_text, character) {
            _ if is_escaped => is_escaped = false,
            (true, '\\') => is_escaped = true,
            (_, '"') => is_in_text = !is_in_text,
            (false, '(' | '[' | '{') => depth += 1,
            (false, ')' | ']' | '}') => depth -= 1,
            (false, ',') if depth == 0 => {
                parts.push(String::new());
                continue;
            }
            (true | false, _) => {}
        }
        parts.last_mut().unwrap().push(character);
    }
    let parts = parts.into_iter().map(|part| part.trim().to_owned());
    parts.filter(|part| !part.is_empty()).collect()
}

fn line(by: &str, level: &'static str, arguments: &str) -> Line {
    let mut parts = parts(arguments).into_iter().peekable();
    let mut fields = Vec::new();
    // A text without `=` behind it is the sentence, and what follows is for its gaps.
    let message = loop {
        let part = parts.next().expect("a line has a sentence");
        match part.strip_prefix('"').map(|rest| rest.split_once("\" = ")) {
            Some(Some((field, _))) => fields.push(field.to_owned()),
            Some(None) => break part[1..part.len() - 1].to_owned(),
            None => {
                let field = part
                    .split_once(" = ")
                    .map_or(part.as_str(), |(name, _)| name);
                fields.push(field.trim_start_matches(['%', '?']).to_owned());
            }
        }
    };
    let by = by.to_owned();
    Line {
        by,
        level,
        message,
        fields,
    }
}

/// Every line of the functions and of what they share that logs.
fn lines() -> Vec<Line> {
    let workspace = Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap();
    let mut found = Vec::new();
    for room in ["functions", "shared"] {
        for entry in fs::read_dir(workspace.join(room)).unwrap() {
            let folder = entry.unwrap().path();
            let by = folder.file_name().unwrap().to_str().unwrap();
            let mut files = Vec::new();
            sources(&folder.join("src"), &mut files);
            for file in files {
                let text = fs::read_to_string(file).unwrap();
                let text = text.split("#[cfg(test)]\nmod tests {").next().unwrap();
                for level in LEVELS {
                    let macro_call = format!("{level}!(");
                    let calls = text.split(&macro_call).skip(1);
                    found.extend(calls.map(|rest| line(by, level, arguments(rest))));
                }
            }
        }
    }
    found
}

/// The cells of the rows of the table below a heading.
fn table(heading: &str) -> Vec<Vec<&'static str>> {
    let (_, section) = PAGE.split_once(&format!("\n## {heading}\n")).unwrap();
    let section = section.split("\n## ").next().unwrap();
    let rows = section.lines().filter(|line| line.starts_with("| `"));
    rows.map(|row| row.trim_matches('|').split('|').map(str::trim).collect())
        .collect()
}

fn names(cell: &str) -> BTreeSet<String> {
    cell.split(", ").map(str::to_owned).collect()
}

#[test]
fn the_page_has_every_field_and_who_logs_it_and_no_other() {
    let mut logged: BTreeMap<String, BTreeSet<String>> = BTreeMap::new();
    for line in lines() {
        for field in line.fields {
            logged.entry(field).or_default().insert(line.by.clone());
        }
    }
    let page = table("Fields").into_iter().map(|row| {
        let [field, by, meaning] = row.try_into().unwrap();
        assert!(!meaning.is_empty(), "{field}");
        (field.trim_matches('`').to_owned(), names(by))
    });
    assert_eq!(page.collect::<BTreeMap<_, _>>(), logged);
}

#[test]
fn the_page_has_every_line_that_warns_and_what_to_do_about_it() {
    let mut logged: BTreeMap<(String, String), BTreeSet<String>> = BTreeMap::new();
    for line in lines() {
        if matches!(line.level, "error" | "warn") {
            let key = (line.level.to_uppercase(), line.message);
            logged.entry(key).or_default().insert(line.by);
        }
    }
    let page = table("Lines that ask for somebody").into_iter().map(|row| {
        let [level, message, by, what_to_do] = row.try_into().unwrap();
        assert!(!what_to_do.is_empty(), "{message}");
        let plain = |cell: &str| cell.trim_matches('`').to_owned();
        ((plain(level), plain(message)), names(by))
    });
    assert_eq!(page.collect::<BTreeMap<_, _>>(), logged);
}

#[test]
fn every_metric_is_a_field_that_is_logged_beside_what_it_is_kept_apart_by() {
    for metric in edge::lines::METRICS {
        let lines: Vec<_> = lines()
            .into_iter()
            .filter(|line| line.fields.iter().any(|field| field == metric.field))
            .collect();
        assert!(!lines.is_empty(), "{metric:?}");
        for line in lines {
            let has = |field: &str| line.fields.iter().any(|given| given == field);
            assert!(metric.by.is_none_or(has), "{line:?}");
        }
    }
}

/// Lines about a message that says of no job.
const OF_NO_JOB: [&str; 2] = [
    "a message of the chunk queue cannot be read",
    "a dead letter could not be dealt with; it stays in its queue",
];

#[test]
fn every_line_of_a_functions_work_says_of_which_job_and_chunk_it_is() {
    let (mut of_jobs, mut of_chunks) = (0, 0);
    for line in lines() {
        let is_work = [
            "plan-export",
            "run-export-chunk",
            "finish-export",
            "fail-chunk",
        ]
        .contains(&line.by.as_str());
        if !is_work || OF_NO_JOB.contains(&line.message.as_str()) {
            continue;
        }
        let has = |field: &str| line.fields.iter().any(|given| given == field);
        assert!(has("job.id"), "{line:?}");
        of_jobs += 1;
        if line.by == "run-export-chunk" {
            assert!(has("chunk.id"), "{line:?}");
            of_chunks += 1;
        }
    }
    assert!(of_jobs > 20 && of_chunks > 5, "{of_jobs}, {of_chunks}");
}

#[test]
fn a_line_is_read_with_its_fields_and_its_sentence() {
    let read = line(
        "c",
        "warn",
        arguments(r#"job.id = %f(a, "="), reason, %day, "a, \"b\"") and more"#),
    );
    assert_eq!(read.fields, ["job.id", "reason", "day"]);
    assert_eq!(read.message, r#"a, \"b\""#);
}
