//! `engagement-export` as a person uses it, against the whole service on one machine: a first use,
//! profiles, refusals, downloads that are gone on with.
#![cfg(test)]

mod export {
    pub(crate) mod downloads;
    pub(crate) mod person;
}

use std::time::Duration;

use client::ending::Ending;
use domain::secret::Secret;
use local::dynamodb::scratch_dir;
use local::sample::APPS;
use local::sas::SasTerms;
use serde_json::Value;

use export::person::{Person, WEEK, exported, line, start};

/// A transcript whose ids are all the same, and whose sizes are left open: they change with the
/// crates that compress.
fn same(transcript: &str, id: &str) -> String {
    let same_id = transcript.replace(id, "0198a2f4-…");
    let lines = same_id
        .lines()
        .map(|line| match line.split_once(" rows, ") {
            Some((rows, rest)) => {
                let end = rest.split_once(':').map_or("", |(_, end)| end);
                let colon = if end.is_empty() { "" } else { ":" };
                format!("{rows} rows, … kB{colon}{end}\n")
            }
            None => format!("{line}\n"),
        });
    lines.collect()
}

#[tokio::test]
async fn a_first_use_is_the_readmes_and_ends_with_verified_files() {
    let state = scratch_dir().unwrap();
    let stack = start(state.path()).await;
    let person = Person::of(&stack);
    let mut transcript = String::new();
    let mut id = String::new();
    for text in [
        "create events --from 2026-01-05 --to 2026-01-07 --format parquet",
        "watch ID",
        "verify --job ID",
    ] {
        let text = text.replace("ID", &id);
        let words: Vec<&str> = text.split(' ').collect();
        let ran = person.run(&words).await.ends(0);
        assert_eq!(
            ran.stderr, "",
            "nobody sees progress where there is no terminal"
        );
        transcript.extend(["$ engagement-export ", &text, "\n", &ran.stdout]);
        if id.is_empty() {
            let mut words = ran.stdout.split([' ', ':']);
            id = words.find(|word| word.len() == 36).unwrap().to_owned();
        }
    }
    let transcript = same(&transcript, &id);
    let readme = include_str!("../../README.md");
    assert!(readme.contains(&transcript), "{transcript}");
}

#[tokio::test]
async fn an_export_is_created_once_shown_listed_and_not_cancelled_after_its_end() {
    let state = scratch_dir().unwrap();
    let stack = start(state.path()).await;
    let person = Person::of(&stack);
    let create = [
        "create",
        "devices",
        "--format",
        "csv",
        "--request-id",
        "mine",
    ];
    let first = person.run(&line(&[&create, &["--json"]])).await.ends(0);
    let again = person.run(&line(&[&create, &["--quiet"]])).await.ends(0);
    assert_eq!(again.stdout.trim(), first.id());
    let id = first.id();
    let watched = person.run(&["watch", &id, "--json"]).await.ends(0).json();
    assert_eq!(watched["state"], "Succeeded");

    let shown = person.run(&["show", &id]).await.ends(0).stdout;
    for said in [id.as_str(), "Device", "succeeded", "manifest.json", "100 %"] {
        assert!(shown.contains(said), "{shown}");
    }
    let shown = person.run(&["show", &id, "--json"]).await.ends(0).json();
    assert_eq!(shown["id"], id.as_str());

    let tokens = person.run(&["create", "tokens", "--format", "jsonl", "--watch", "--json"]);
    let tokens = tokens.await.ends(0).id();
    let listed = person.run(&["list", "--json"]).await.ends(0).json();
    let ids = |list: &Value| -> Vec<String> {
        let tasks = list["value"].as_array().unwrap().iter();
        tasks
            .map(|task| task["id"].as_str().unwrap().to_owned())
            .collect()
    };
    assert_eq!(ids(&listed), [tokens.clone(), id.clone()]);
    for (filter, expected) in [
        (vec!["--type", "device"], vec![id.clone()]),
        (vec!["--state", "failed"], vec![]),
        (vec!["--limit", "1", "--ascending"], vec![id.clone()]),
        (vec!["--created-after", "2999-01-01T00:00:00Z"], vec![]),
        (
            vec!["--all", "--sort", "completed"],
            vec![tokens, id.clone()],
        ),
    ] {
        let list = person.run(&line(&[&["list", "--json"], &filter])).await;
        assert_eq!(ids(&list.ends(0).json()), expected, "{filter:?}");
    }
    let table = person.run(&["list"]).await.ends(0).stdout;
    let mut lines = table.lines();
    assert!(lines.next().unwrap().starts_with("ID  "), "{table}");
    assert_eq!(lines.count(), 2, "{table}");

    let cancelled = person.run(&["cancel", &id]).await.ends(6);
    assert_eq!(cancelled.stderr.lines().count(), 1, "{}", cancelled.stderr);
    let retried = person.run(&["retry", &id, "--json"]).await.ends(6).json();
    assert_eq!(retried["error"]["code"], "TaskSucceeded");
    assert_eq!(retried["exitCode"], 6);
}

#[tokio::test]
async fn a_refusal_is_one_line_and_says_what_to_do() {
    let state = scratch_dir().unwrap();
    let stack = start(state.path()).await;
    let mut person = Person::of(&stack);
    let reversed = [
        "create",
        "events",
        "--format",
        "csv",
        "--from",
        "2026-01-11",
        "--to",
        "2026-01-05",
    ];
    let refused = person.run(&reversed).await.ends(6);
    assert_eq!(
        (refused.stdout.as_str(), refused.stderr.lines().count()),
        ("", 1)
    );
    assert!(
        refused.stderr.contains("StartDateAfterEndDate"),
        "{}",
        refused.stderr
    );

    let other = "01890a5d-ac96-774b-bcce-b302099a8057";
    let unknown = person.run(&["watch", other]).await.ends(6);
    assert!(
        unknown.stderr.contains("TaskNotFound"),
        "{}",
        unknown.stderr
    );

    let check = line(&[&["check", "events", "--format", "csv"], &WEEK]);
    let checked = person.run(&check).await;
    match checked.code {
        0 => assert!(checked.stdout.starts_with("✓ "), "{}", checked.stdout),
        code => {
            assert_eq!(code, 6, "{}", checked.stderr);
            assert!(
                checked.stderr.contains("older than `check`"),
                "{}",
                checked.stderr
            );
        }
    }

    person.set("TOKEN", "nonsense");
    let refused = person.run(&["list"]).await.ends(6);
    assert!(refused.stderr.contains("401"), "{}", refused.stderr);
    person.unset("TOKEN");
    let refused = person.run(&["list"]).await.ends(64);
    assert!(
        refused.stderr.contains("--token-command"),
        "{}",
        refused.stderr
    );
    let port = {
        let free = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
        free.local_addr().unwrap().port()
    };
    person.set("TOKEN", "abc");
    person.set("API", &format!("http://127.0.0.1:{port}"));
    let lost = person.run(&["list", "--json"]).await.ends(2);
    assert!(
        lost.stderr.contains("the service does not answer"),
        "{}",
        lost.stderr
    );
    assert_eq!(lost.json()["exitCode"], 2);
}

#[tokio::test]
async fn a_profile_says_the_service_and_the_command_that_prints_the_token() {
    let state = scratch_dir().unwrap();
    let stack = start(state.path()).await;
    let mut person = Person::of(&stack);
    let token = stack.token(Duration::from_mins(5)).unwrap();
    let file = person.home.path().join("token");
    std::fs::write(&file, token.reveal()).unwrap();
    let config = person.home.path().join("engagement-export");
    std::fs::create_dir(&config).unwrap();
    let text = format!(
        "default-profile = \"here\"\n[profiles.here]\napi = \"{}\"\napp = \"{}\"\ntoken-command = \"cat '{}'\"\n",
        stack.api_url(),
        APPS[0].exports_path(),
        file.display()
    );
    std::fs::write(config.join("config.toml"), text).unwrap();
    for name in ["API", "APP", "TOKEN", "CONTAINER_URL"] {
        person.unset(name);
    }
    person.run(&["list"]).await.ends(0);
    let url = stack.container_url("w");
    let create = [
        "create",
        "tags",
        "--format",
        "json",
        "--container-url-file",
        "-",
        "--watch",
        "--json",
    ];
    let created = person.run_with(&create, url.reveal()).await.ends(0);
    assert_eq!(created.json()["exportType"], "Tag");
    let none = person
        .run(&["create", "tags", "--format", "json"])
        .await
        .ends(64);
    assert!(
        none.stderr.contains("ENGAGEMENT_EXPORT_CONTAINER_URL"),
        "{}",
        none.stderr
    );
    let unknown = person.run(&["list", "--profile", "there"]).await.ends(64);
    assert!(
        unknown
            .stderr
            .contains("has no profile `there`: it has here"),
        "{}",
        unknown.stderr
    );
}

#[tokio::test]
async fn a_signature_that_is_revoked_under_way_ends_the_watch_and_a_new_one_ends_the_export() {
    let state = scratch_dir().unwrap();
    let stack = start(state.path()).await;
    let mut person = Person::of(&stack);
    let terms = SasTerms::for_a_day("w");
    stack.keep_policies(&[("desk", &terms)]).await.unwrap();
    person.set("CONTAINER_URL", stack.policy_url("desk").reveal());
    let create = line(&[&["create", "events", "--format", "csv", "--json"], &WEEK]);
    let id = person.run(&create).await.ends(0).id();

    stack.keep_policies(&[]).await.unwrap();
    let code = i32::from(Ending::SignatureNeeded.code());
    let waits = person.run(&["watch", &id]).await.ends(code);
    let said = format!("{}{}", waits.stdout, waits.stderr);
    assert!(
        said.contains(&format!("engagement-export renew {id} --watch")),
        "{said}"
    );

    person.set("CONTAINER_URL", stack.container_url("w").reveal());
    person.run(&["renew", &id, "--watch"]).await.ends(0);
    person.run(&["verify", "--job", &id]).await.ends(0);
}

#[tokio::test]
async fn several_exports_are_verified_and_the_worst_says_how_it_ends() {
    let state = scratch_dir().unwrap();
    let stack = start(state.path()).await;
    let mut person = Person::of(&stack);
    let (one, two) = (exported(&person).await, exported(&person).await);
    let all = person
        .run(&["verify", "--all", "--json"])
        .await
        .ends(0)
        .json();
    assert_eq!(all["exports"].as_array().unwrap().len(), 2);
    let (_, documented) = include_str!("../../docs/COMMAND.md")
        .split_once("```json\n")
        .unwrap();
    let documented: Value = serde_json::from_str(documented.split("```").next().unwrap()).unwrap();
    let members = |of: &Value| -> Vec<String> {
        of["exports"][0]
            .as_object()
            .unwrap()
            .keys()
            .cloned()
            .collect()
    };
    assert_eq!(members(&all), members(&documented));
    let other = "01890a5d-ac96-774b-bcce-b302099a8057";
    let named = [
        "verify",
        "--job",
        one.as_str(),
        "--job",
        other,
        "--job",
        two.as_str(),
    ];
    let ran = person.run(&named).await.ends(2);
    assert_eq!(
        ran.stdout
            .matches(": exactly as the manifest says\n")
            .count(),
        2,
        "{}",
        ran.stdout
    );
    assert!(
        ran.stdout.contains("✗ the container has no manifest"),
        "{}",
        ran.stdout
    );
    let writes: Secret = stack.container_url("w");
    person.set("READ_URL", writes.reveal());
    let denied = person.run(&["verify", "--all"]).await.ends(2);
    assert!(
        denied.stderr.contains("refuses the signature"),
        "{}",
        denied.stderr
    );
}
