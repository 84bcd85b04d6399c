//! The page as `make serve` serves it, the one library that it brings, its states and its words.

mod browser;
mod words;

use std::path::Path;

use local::dynamodb::scratch_dir;
use local::stack::{Stack, StackSettings};
use serde_json::Value;

/// The library, and the package of npm that it comes from, whose hash stands in the lock file: `npm ci`
/// installs no other.
const VENDORED: &str = "../web/vendor/oauth4webapi.js";
const PACKAGE: &str = "browser/node_modules/oauth4webapi";

fn read(path: &str) -> String {
    std::fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join(path)).unwrap()
}

#[test]
fn the_library_is_the_one_of_the_lock_file_with_its_licence_before_it() {
    let of_package = |file: &str| read(&format!("{PACKAGE}/{file}"));
    let package: Value = serde_json::from_str(&of_package("package.json")).unwrap();
    let code = of_package("build/index.js");
    // The map of its source is not served.
    let (code, map) = code.rsplit_once("//# sourceMappingURL=").unwrap();
    assert_eq!(map.lines().count(), 1, "{map}");
    let version = package["version"].as_str().unwrap();
    let licence = of_package("LICENSE.md");
    let expected = format!(
        "/*! oauth4webapi {version}, https://github.com/panva/oauth4webapi\n\n{licence}*/\n{code}"
    );
    assert!(
        read(VENDORED) == expected,
        "copy it again, of version {version}"
    );
    let lock: Value = serde_json::from_str(&read("browser/package-lock.json")).unwrap();
    let locked = &lock["packages"]["node_modules/oauth4webapi"];
    assert_eq!(locked["version"], version);
    assert!(locked["integrity"].as_str().unwrap().starts_with("sha512-"));
}

#[tokio::test]
async fn one_machine_serves_the_page_to_anybody_and_lets_it_sign_in_at_its_issuer() {
    let state = scratch_dir().unwrap();
    let settings = StackSettings {
        chunk_target_bytes: 1 << 20,
        ..StackSettings::in_folder(state.path())
    };
    let stack = Stack::start(&settings).await.unwrap();
    let http = reqwest::Client::builder().no_proxy().build().unwrap();
    let page = http
        .get(stack.page_url().trim_end_matches('/'))
        .send()
        .await
        .unwrap();
    assert_eq!(page.url().as_str(), stack.page_url(), "sent there");
    let policy = page.headers()["content-security-policy"].to_str().unwrap();
    let issuer = stack.issuer_url();
    assert!(
        policy.contains(&format!("connect-src 'self' {issuer};")),
        "{policy}"
    );
    let text = page.text().await.unwrap();
    assert!(text.starts_with("<!doctype html>"));

    let head = http.head(stack.page_url()).send().await.unwrap();
    assert_eq!(head.status(), 200);
    assert_eq!(head.headers()["content-length"], text.len().to_string());
    let by_name = format!("{}index.html", stack.page_url());
    let page = http.get(&by_name).send().await.unwrap();
    assert_eq!(page.url().as_str(), stack.page_url(), "sent there");
    let doubled = format!("{}/", stack.page_url());
    assert_eq!(http.get(&doubled).send().await.unwrap().status(), 404);
    let config = http
        .get(format!("{}config.json", stack.page_url()))
        .send()
        .await
        .unwrap();
    let config: Value = serde_json::from_slice(&config.bytes().await.unwrap()).unwrap();
    assert_eq!(
        (&config["issuer"], &config["clientId"]),
        (&issuer.into(), &"page".into())
    );
    let app = config["app"].as_str().unwrap();

    // Beside the page nothing is public, and a token of the issuer opens it.
    let list = format!(
        "{}{app}/devices/exportTasks?api-version=2014-12-01",
        stack.api_url()
    );
    assert_eq!(http.get(&list).send().await.unwrap().status(), 401);
    let token = stack.token(std::time::Duration::from_mins(1)).unwrap();
    let listed = http
        .get(&list)
        .bearer_auth(token.reveal())
        .send()
        .await
        .unwrap();
    assert_eq!(listed.status(), 200);
}
