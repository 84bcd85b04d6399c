//! Grants: given, listed and taken away, as the service then sees them.
#![expect(clippy::disallowed_types, reason = "writes what people wrote by hand")]

use api::route::Route;
use aws_sdk_dynamodb::Client;
use aws_sdk_dynamodb::types::AttributeValue;
use domain::app::{AppPath, AppScope};
use domain::cause::in_one_line;
use exports_table::DynamoStore;
use ports::store::{Grant, Grants, Role};
use serde_json::json;
use std::sync::Arc;
use wiring::Wiring;
use wiring::config::{EXPORTS_TABLE, Environment};

use super::desk::{APP, Desk, SCOPE};

/// The table as the functions have it.
fn service(desk: &Desk) -> Arc<DynamoStore> {
    let env = Environment::from_pairs([(EXPORTS_TABLE.name, local::dynamodb::EXPORTS_TABLE)]);
    exports_table::wire(&Wiring::new(env, desk.sdk.clone())).unwrap()
}

async fn role(desk: &Desk, subject: &str) -> Option<Role> {
    let scope = AppScope::from_canonical(SCOPE);
    service(desk).role(subject, &scope).await.unwrap()
}

#[tokio::test]
async fn a_grant_holds_from_the_moment_it_is_given_until_it_is_taken_away() {
    let desk = Desk::new().await;
    let (add, remove) = (["grant", "add"], ["grant", "remove"]);
    let at = ["--subject", "reporting", "--path"];
    let line = [&add[..], &at, &["/Subscriptions/S1/", "--role", "reader"]].concat();
    let said = desk.run(&line).await.ends(0);
    let expected = "✓ reporting has the role Reader at /subscriptions/s1\n\
                    · reporting may see and list the exports of every app at or below /subscriptions/s1 (Reader)\n";
    assert_eq!(said.stdout, expected);
    assert_eq!(role(&desk, "reporting").await, Some(Role::Reader));

    let line = [&add[..], &at, &[APP, "--role", "Contributor", "--json"]].concat();
    let said = desk.run(&line).await.ends(0).json();
    let expected = json!({"grants": [
        {"subject": "reporting", "path": "/subscriptions/s1", "role": "Reader", "holds": true},
        {"subject": "reporting", "path": SCOPE, "role": "Contributor", "holds": true},
    ], "unreadable": []});
    assert_eq!(said, expected);
    assert_eq!(role(&desk, "reporting").await, Some(Role::Contributor));

    let line = [&remove[..], &at, &[APP]].concat();
    let said = desk.run(&line).await.ends(0);
    assert!(
        said.stdout
            .starts_with("✓ 1 grant at /subscriptions/s1/resourcegroups/games/")
    );
    assert!(
        said.stdout
            .ends_with("every app at or below /subscriptions/s1 (Reader)\n")
    );
    assert_eq!(role(&desk, "reporting").await, Some(Role::Reader));
    let line = [&remove[..], &at, &["/subscriptions/s1"]].concat();
    let said = desk.run(&line).await.ends(0);
    assert!(
        said.stdout.ends_with("· reporting may do nothing\n"),
        "{}",
        said.stdout
    );
    assert_eq!(role(&desk, "reporting").await, None);
    let said = desk.run(&line).await.ends(6);
    assert_eq!(said.stdout, "");
    assert!(
        said.stderr.starts_with(
            "✗ reporting has no grant at /subscriptions/s1, and nothing was taken away"
        )
    );
}

#[tokio::test]
async fn grants_that_somebody_wrote_by_hand_and_that_allow_nothing_are_named_and_can_be_taken_away()
{
    let desk = Desk::new().await;
    for (subject, path) in [("ann", "/subscriptions/S1"), ("bob", "/")] {
        let grant = Grant {
            subject: subject.to_owned(),
            path: path.to_owned(),
            role: Role::Contributor,
        };
        service(&desk).put_grant(&grant).await.unwrap();
    }
    let said = desk.run(&["grant", "list", "--all"]).await.ends(1);
    let expected = "✗ ann: the role Contributor at /subscriptions/S1 allows nothing, because the path is not canonical: take it \
                    away by `grant remove`, and give it anew by `grant add --path '/subscriptions/s1'`\n\
                    · bob may create, see, list, renew, retry and cancel the exports of every app (Contributor)\n";
    assert_eq!(said.stdout, expected);
    assert_eq!(role(&desk, "ann").await, None);
    let line = [
        "grant",
        "remove",
        "--subject",
        "ann",
        "--path",
        "/subscriptions/s1",
    ];
    desk.run(&line).await.ends(0);
    let said = desk.run(&["grant", "list", "--all"]).await.ends(0);
    assert!(!said.stdout.contains("ann"), "{}", said.stdout);
}

/// An item that somebody wrote by hand, with these attributes beside its keys.
async fn write_by_hand(desk: &Desk, keys: [&str; 2], attributes: &[(&str, AttributeValue)]) {
    let [pk, sk] = keys.map(|key| AttributeValue::S(key.to_owned()));
    let put = Client::new(&desk.sdk).put_item();
    let put = put.table_name(local::dynamodb::EXPORTS_TABLE);
    let put = attributes
        .iter()
        .fold(put.item("pk", pk).item("sk", sk), |put, (name, value)| {
            put.item(*name, value.clone())
        });
    put.send().await.unwrap();
}

#[tokio::test]
async fn an_item_that_is_no_grant_is_named_and_hides_no_other() {
    let desk = Desk::new().await;
    let text = |text: &str| AttributeValue::S(text.to_owned());
    let role = ("role", text("Reader"));
    let path = ("path", text("/"));
    write_by_hand(
        &desk,
        ["PRINCIPAL#ann", "SCOPE#/"],
        &[role.clone(), path.clone()],
    )
    .await;
    let number = ("path", AttributeValue::N("1".to_owned()));
    let grant = ("kind", text("grant"));
    write_by_hand(
        &desk,
        ["PRINCIPAL#ann", "by hand"],
        &[grant.clone(), role.clone(), number],
    )
    .await;
    // One that holds although its key is none of ours.
    write_by_hand(&desk, ["PRINCIPAL#cid", "/"], &[grant, role, path]).await;
    let add = [
        "grant",
        "add",
        "--subject",
        "bob",
        "--role",
        "reader",
        "--path",
        "/",
    ];
    desk.run(&add).await.ends(0);
    let said = desk.run(&["grant", "list", "--all"]).await.ends(1);
    let expected = "✗ ann: the grant under the key SCOPE#/ cannot be read, because its attribute `kind` is missing; until it is mended, \
                    every call of ann is answered with 500: take it away by `grant remove --subject 'ann' --path '/'`, and give \
                    the right one by `grant add`\n\
                    ✗ ann: the grant under the key by hand cannot be read, because its attribute `path` is no text; until it is \
                    mended, every call of ann is answered with 500: no app has such a path; delete the item by hand, and give \
                    the right one by `grant add`\n\
                    · bob may see and list the exports of every app (Reader)\n\
                    · cid may see and list the exports of every app (Reader)\n";
    assert_eq!(said.stdout, expected);
    let said = desk
        .run(&["grant", "list", "--subject", "ann", "--json"])
        .await
        .ends(1)
        .json();
    let first =
        json!({"subject": "ann", "key": "SCOPE#/", "reason": "its attribute `kind` is missing"});
    assert_eq!(
        (&said["grants"], &said["unreadable"][0]),
        (&json!([]), &first)
    );
    // What the API's log says of it.
    let scope = AppScope::from_canonical(SCOPE);
    let error = service(&desk).role("ann", &scope).await.unwrap_err();
    assert_eq!(
        in_one_line(&error),
        "item PRINCIPAL#ann SCOPE#/ cannot be used: its attribute `kind` is missing"
    );
    for subject in ["ann", "cid"] {
        let remove = ["grant", "remove", "--subject", subject, "--path", "/"];
        desk.run(&remove).await.says("1 grant at / is taken away");
    }
    let said = desk
        .run(&["grant", "list", "--all", "--json"])
        .await
        .ends(1)
        .json();
    assert_eq!(said["unreadable"].as_array().unwrap().len(), 1, "{said}");
    assert_eq!(said["grants"].as_array().unwrap().len(), 1, "{said}");
}

#[tokio::test]
async fn a_subject_that_no_token_may_have_is_no_subject() {
    let desk = Desk::new().await;
    let add = [
        "grant",
        "add",
        "--role",
        "reader",
        "--path",
        "/",
        "--subject",
    ];
    let (longest, longer) = ("é".repeat(128), "x".repeat(257));
    desk.run(&[&add[..], &[&longest]].concat()).await.ends(0);
    desk.run(&[&add[..], &[&longer]].concat())
        .await
        .ends(64)
        .says("a subject has at most 256 bytes");
}

/// A script that asks for JSON has it, whatever is wrong with its line.
#[tokio::test]
async fn a_line_that_cannot_be_understood_is_answered_in_json_when_it_asks_for_that() {
    let desk = Desk::new().await;
    for (line, said) in [
        (
            &["grant", "add", "--json", "--subject", "ann"][..],
            "the following required arguments were not provided: --path <PATH> --role <ROLE>",
        ),
        (
            &["nonsense", "--json"],
            "unrecognized subcommand 'nonsense'",
        ),
        (
            &["doctor", "--api", "https://a/b?sig=abc", "--json"],
            "the command line holds a signature",
        ),
    ] {
        let ran = desk.run(line).await.ends(64);
        let json = ran.json();
        let message = json["error"]["message"].as_str().unwrap();
        assert!(
            message.starts_with(said) && !message.contains("abc"),
            "{message}"
        );
        assert_eq!(
            (&json["exitCode"], &json["error"]["code"]),
            (&64.into(), &"Usage".into())
        );
        assert!(!ran.stderr.is_empty());
    }
    let ran = desk.run(&["nonsense", "--", "--json"]).await.ends(64);
    assert_eq!(ran.stdout, "");
    let ran = desk.run(&["completions", "bash"]).await.ends(0);
    assert!(ran.stdout.contains("engagement-export-admin"));
    let pages = desk.folder.path().join("man");
    desk.run(&["man", pages.to_str().unwrap()]).await.ends(0);
    let page = std::fs::read_to_string(pages.join("engagement-export-admin-grant.1")).unwrap();
    assert!(page.contains("Exit codes:"), "{page}");
}

#[tokio::test]
async fn what_cannot_be_a_grant_is_refused_in_one_line_that_says_what_to_give() {
    let desk = Desk::new().await;
    let add = ["grant", "add", "--subject", "ann", "--role"];
    for (rest, said) in [
        (
            &["Reader", "--path", "/subscription/s1"][..],
            "segment 1 of the path, `subscription`, should be `subscriptions`",
        ),
        (
            &["Owner", "--path", "/"],
            "[possible values: reader, contributor]",
        ),
        (&["Reader"], "--path"),
    ] {
        let ran = desk.run(&[&add[..], rest].concat()).await.ends(64);
        assert!(ran.stderr.contains(said), "{}", ran.stderr);
    }
    let ran = desk.run(&["grant", "list"]).await.ends(64);
    assert!(ran.stderr.contains("--subject"), "{}", ran.stderr);
    assert_eq!(role(&desk, "ann").await, None);
}

#[tokio::test]
async fn without_settings_without_a_region_or_with_another_table_the_message_says_what_to_set() {
    let mut desk = Desk::new().await;
    let list = ["grant", "list", "--subject", "ann", "--json"];
    desk.set("EXPORTS_TABLE", "elsewhere");
    let said = desk.run(&list).await.ends(6).json();
    let message = said["error"]["message"].as_str().unwrap();
    assert!(
        message.starts_with("there is no table elsewhere (ResourceNotFoundException); name the deployment by --stack"),
        "{message}"
    );
    desk.unset("EXPORTS_TABLE");
    let said = desk.run(&list).await.ends(64).json();
    let message = said["error"]["message"].as_str().unwrap();
    assert!(
        message.starts_with("set EXPORTS_TABLE: ")
            && message.ends_with("or name the deployment by --stack"),
        "{message}"
    );
    desk.unset("AWS_REGION");
    desk.set("AWS_EC2_METADATA_DISABLED", "true");
    desk.run(&list).await.ends(64).says("set AWS_REGION");
    desk.set("AWS_REGION", "eu-west-1");
    desk.unset("AWS_ACCESS_KEY_ID");
    let said = desk
        .run(&list)
        .await
        .ends(64)
        .says("no AWS credentials are found: set AWS_PROFILE");
    assert_eq!(said.stderr.lines().count(), 1, "{}", said.stderr);
}

/// One reader of paths, and another for what clients send: they agree.
#[test]
fn a_path_of_a_grant_is_the_app_that_the_api_reads_there() {
    for name in [
        "Chess", "my app", "größe", "a%2Fb", "100%25", "ΑΣ", "x.y-z_~",
    ] {
        let app = APP.replace("Chess", name);
        let route = Route::parse(&format!("{app}/devices/exportTasks")).unwrap();
        assert_eq!(
            AppPath::parse(&app).unwrap().app(),
            Some(route.scope),
            "{name}"
        );
    }
}

#[tokio::test]
async fn no_path_is_not_every_app() {
    let desk = Desk::new().await;
    for path in [
        "",
        " ",
        "?",
        "https://exports.example.com/",
        "/subscriptions/s?x",
    ] {
        let add = [
            "grant",
            "add",
            "--subject",
            "x",
            "--role",
            "contributor",
            "--path",
            path,
        ];
        desk.run(&add)
            .await
            .ends(64)
            .says("or the beginning of such a path, or /");
    }
    let listed = desk.run(&["grant", "list", "--all", "--json"]).await.json();
    assert_eq!(listed["grants"], serde_json::json!([]), "{listed}");
}
