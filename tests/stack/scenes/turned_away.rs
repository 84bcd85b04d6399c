//! Callers whom the gateway or a function turns away.

use std::sync::Arc;

use local::sample::DAYS;
use local::token::TokenIssuer;
use reqwest::Method;
use serde_json::Value;

use super::Stage;
use crate::caller::Claims;
use crate::run::CONTAINER;

pub(super) async fn callers_without_a_right(stage: Arc<Stage>) {
    let sign = |claims: Claims<'_>| claims.sign(&stage.emulator.issuer);
    let folder = tempfile::tempdir().unwrap();
    let stranger = TokenIssuer::open(&folder.path().join("key"), stage.emulator.issuer.issuer());
    let stranger = stranger.unwrap();
    let good = sign(Claims::GOOD);
    for (what, token, expected) in [
        ("a good one", good.clone(), 200),
        ("none", String::new(), 401),
        ("no token", "abc".to_owned(), 401),
        ("another's key", Claims::GOOD.sign(&stranger), 401),
        (
            "another issuer",
            sign(Claims {
                issuer: Some("https://localhost/other"),
                ..Claims::GOOD
            }),
            401,
        ),
        ("tampered with", good.replacen('.', ".e30", 1), 401),
        (
            "expired",
            sign(Claims {
                seconds: -30,
                ..Claims::GOOD
            }),
            401,
        ),
        (
            "for others",
            sign(Claims {
                audience: "others",
                ..Claims::GOOD
            }),
            401,
        ),
        (
            "no grant",
            sign(Claims {
                subject: "nobody",
                ..Claims::GOOD
            }),
            403,
        ),
    ] {
        let caller = stage.caller.with_token(&token);
        assert_eq!(
            status(&stage, &caller, expected).await,
            [expected; 4],
            "{what}"
        );
    }
    let anybody = stage.caller.with_token("");
    let path = "/openapi.json";
    let (status, described) = anybody.ask_path(Method::GET, path, None, &[]).await;
    assert_eq!((status, &described["openapi"].is_string()), (200, &true));
    // To the page, which asks for no token either.
    let (status, _) = anybody.ask_path(Method::GET, "/ui", None, &[]).await;
    assert!((300..400).contains(&status), "{status}");
}

/// The statuses by which every function behind the gateway answers a caller; what a caller with all
/// rights would change is not asked for.
async fn status(stage: &Stage, caller: &crate::caller::Caller, expected: u16) -> [u16; 4] {
    let day = DAYS[0].to_string();
    let body = stage.days(CONTAINER, "JsonBlob", [&day, &day]);
    let list = caller.ask(Method::GET, "", None).await.0;
    if expected == 200 {
        return [list; 4];
    }
    let id = "/0198f7a4-0000-7000-8000-000000000000";
    let create = caller.ask(Method::POST, "/events", Some(&body)).await.0;
    let resume = caller
        .ask(
            Method::PATCH,
            id,
            Some(&Value::Object(serde_json::Map::new())),
        )
        .await
        .0;
    let cancel = caller.ask(Method::DELETE, id, None).await.0;
    [list, create, resume, cancel]
}
