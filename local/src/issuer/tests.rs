use std::sync::Mutex;

use aws_lc_rs::digest;
use base64::Engine;
use base64::prelude::BASE64_URL_SAFE_NO_PAD;
use jsonwebtoken::{DecodingKey, Validation, decode};
use time::OffsetDateTime;
use uuid::Uuid;
use wiring::SystemClock;

use super::*;
use crate::dynamodb::scratch_dir;
use crate::token::AUDIENCE;

const PAGE: &str = "http://127.0.0.1:8080/ui/";
const VERIFIER: &str = "a-verifier-of-at-least-forty-three-characters";

/// A clock that a test moves.
struct Moved(Mutex<OffsetDateTime>);

impl Clock for Moved {
    fn now(&self) -> OffsetDateTime {
        *self.0.lock().unwrap()
    }

    fn fresh_id(&self) -> Uuid {
        SystemClock.fresh_id()
    }
}

struct Bench {
    issuer: Issuer,
    tokens: Arc<TokenIssuer>,
    clock: Arc<Moved>,
    http: reqwest::Client,
}

impl Bench {
    async fn new() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        let folder = scratch_dir().unwrap();
        let tokens = TokenIssuer::open(&folder.path().join("key"), &url);
        let tokens = Arc::new(tokens.unwrap());
        let clock = Arc::new(Moved(Mutex::new(SystemClock.now())));
        let client = PublicClient {
            id: "page",
            redirects: vec![PAGE.parse().unwrap()],
            subject: "operator",
        };
        let issuer = Issuer::start(
            listener,
            Arc::clone(&tokens),
            client,
            Arc::clone(&clock) as _,
        )
        .unwrap();
        assert_eq!(issuer.url(), url);
        let http = reqwest::Client::builder()
            .no_proxy()
            .redirect(reqwest::redirect::Policy::none())
            .build()
            .unwrap();
        Self {
            issuer,
            tokens,
            clock,
            http,
        }
    }

    /// The address at which a code is asked for, with some parameters set to another value, or left
    /// out.
    fn asking(&self, changes: &[(&str, Option<&str>)]) -> Url {
        let challenge = challenge();
        let usual = [
            ("response_type", "code"),
            ("client_id", "page"),
            ("redirect_uri", PAGE),
            ("scope", "openid"),
            ("state", "a state & more"),
            ("nonce", "a nonce"),
            ("code_challenge", challenge.as_str()),
            ("code_challenge_method", "S256"),
        ];
        let is_changed = |name| changes.iter().any(|(changed, _)| *changed == name);
        let kept = usual.into_iter().filter(|(name, _)| !is_changed(*name));
        let new = changes
            .iter()
            .filter_map(|(name, value)| Some((*name, (*value)?)));
        let base = format!("{}{AUTHORIZE}", self.issuer.url());
        Url::parse_with_params(&base, kept.chain(new)).unwrap()
    }

    /// A code, as a person gets one who presses the button.
    async fn code(&self) -> String {
        let answer = self.http.post(self.asking(&[])).send().await.unwrap();
        said(&sent_to(&answer), "code").unwrap()
    }

    /// What is answered to a request for tokens, with some fields changed.
    async fn redeem(&self, code: &str, changes: &[(&str, &str)]) -> (StatusCode, Value) {
        let mut fields = vec![
            ("grant_type", "authorization_code"),
            ("client_id", "page"),
            ("redirect_uri", PAGE),
            ("code_verifier", VERIFIER),
            ("code", code),
        ];
        for (name, value) in changes {
            fields.retain(|(known, _)| known != name);
            fields.push((name, value));
        }
        let form = url::form_urlencoded::Serializer::new(String::new())
            .extend_pairs(fields)
            .finish();
        let request = self.http.post(format!("{}{TOKEN}", self.issuer.url()));
        let request = request.header(CONTENT_TYPE, "application/x-www-form-urlencoded");
        let answer = request
            .header(ORIGIN, "http://127.0.0.1:8080")
            .body(form)
            .send()
            .await
            .unwrap();
        assert_eq!(answer.headers()[CACHE_CONTROL], "no-store");
        assert_eq!(
            answer.headers()[ACCESS_CONTROL_ALLOW_ORIGIN],
            "http://127.0.0.1:8080"
        );
        let status = answer.status();
        (
            status,
            serde_json::from_slice(&answer.bytes().await.unwrap()).unwrap(),
        )
    }

    /// What a token says, if the issuer has signed it for this audience.
    fn claims(&self, token: &Value, audience: &str) -> Value {
        let key = DecodingKey::from_jwk(&self.tokens.keys().keys[0]).unwrap();
        let mut validation = Validation::new(jsonwebtoken::Algorithm::RS256);
        validation.set_audience(&[audience]);
        validation.set_issuer(&[self.issuer.url()]);
        decode::<Value>(token.as_str().unwrap(), &key, &validation)
            .unwrap()
            .claims
    }
}

fn challenge() -> String {
    BASE64_URL_SAFE_NO_PAD.encode(digest::digest(&digest::SHA256, VERIFIER.as_bytes()))
}

fn sent_to(answer: &reqwest::Response) -> Url {
    assert_eq!(answer.status(), StatusCode::SEE_OTHER);
    answer.headers()[LOCATION]
        .to_str()
        .unwrap()
        .parse()
        .unwrap()
}

fn said(url: &Url, name: &str) -> Option<String> {
    let mut pairs = url.query_pairs();
    pairs
        .find(|(said, _)| said == name)
        .map(|(_, value)| value.into_owned())
}

#[tokio::test]
async fn it_says_of_itself_what_a_client_looks_for() {
    let bench = Bench::new().await;
    let url = bench.issuer.url();
    let answer = bench
        .http
        .get(format!("{url}{DISCOVERY}"))
        .send()
        .await
        .unwrap();
    assert_eq!(answer.headers()[ACCESS_CONTROL_ALLOW_ORIGIN], "*");
    let said: Value = serde_json::from_slice(&answer.bytes().await.unwrap()).unwrap();
    assert_eq!(said["issuer"], url);
    assert_eq!(said["code_challenge_methods_supported"], json!(["S256"]));
    let keys = bench
        .http
        .get(said["jwks_uri"].as_str().unwrap())
        .send()
        .await
        .unwrap();
    let keys: Value = serde_json::from_slice(&keys.bytes().await.unwrap()).unwrap();
    assert_eq!(keys, json!(bench.tokens.keys()));
}

#[tokio::test]
async fn a_person_who_presses_the_button_is_sent_back_with_a_code_for_tokens() {
    let bench = Bench::new().await;
    let question = bench.http.get(bench.asking(&[])).send().await.unwrap();
    let policy = question.headers()[CONTENT_SECURITY_POLICY]
        .to_str()
        .unwrap();
    assert!(
        policy.contains("form-action 'self' http://127.0.0.1:8080;"),
        "{policy}"
    );
    let html = question.text().await.unwrap();
    assert!(
        html.contains("asks for no password") && html.contains("Sign in as operator"),
        "{html}"
    );
    // What the button of the form sends.
    let (_, action) = html.split_once("action=\"").unwrap();
    let action = action.split('"').next().unwrap().replace("&amp;", "&");
    let answer = bench
        .http
        .post(format!("{}{action}", bench.issuer.url()))
        .send()
        .await
        .unwrap();
    let back = sent_to(&answer);
    assert!(back.as_str().starts_with(PAGE), "{back}");
    assert_eq!(said(&back, "state").as_deref(), Some("a state & more"));
    assert_eq!(said(&back, "iss"), Some(bench.issuer.url()));

    let (status, tokens) = bench.redeem(&said(&back, "code").unwrap(), &[]).await;
    assert_eq!(status, StatusCode::OK, "{tokens}");
    assert_eq!(
        (&tokens["token_type"], &tokens["expires_in"]),
        (&json!("Bearer"), &json!(3600))
    );
    assert_eq!(
        bench.claims(&tokens["access_token"], AUDIENCE)["sub"],
        "operator"
    );
    let id = bench.claims(&tokens["id_token"], "page");
    assert_eq!(
        (&id["sub"], &id["nonce"]),
        (&json!("operator"), &json!("a nonce"))
    );
}

#[tokio::test]
async fn a_code_is_good_once_and_for_a_minute() {
    let bench = Bench::new().await;
    let code = bench.code().await;
    assert_eq!(bench.redeem(&code, &[]).await.0, StatusCode::OK);
    let (status, said) = bench.redeem(&code, &[]).await;
    assert_eq!(
        (status, &said["error"]),
        (StatusCode::BAD_REQUEST, &json!("invalid_grant"))
    );

    let (kept, late) = (bench.code().await, bench.code().await);
    *bench.clock.0.lock().unwrap() += codes::LIFE - time::Duration::SECOND;
    assert_eq!(bench.redeem(&kept, &[]).await.0, StatusCode::OK);
    *bench.clock.0.lock().unwrap() += time::Duration::SECOND;
    assert_eq!(bench.redeem(&late, &[]).await.1["error"], "invalid_grant");
}

#[tokio::test]
async fn whoever_did_not_ask_for_the_code_gets_no_token_and_the_code_is_spent() {
    let bench = Bench::new().await;
    for (changes, error) in [
        (
            (
                "code_verifier",
                "another-verifier-of-at-least-forty-three-chars",
            ),
            "invalid_grant",
        ),
        (("code_verifier", "short"), "invalid_grant"),
        (("redirect_uri", "http://127.0.0.1:8080/"), "invalid_grant"),
    ] {
        let code = bench.code().await;
        assert_eq!(
            bench.redeem(&code, &[changes]).await.1["error"],
            error,
            "{changes:?}"
        );
        assert_eq!(bench.redeem(&code, &[]).await.1["error"], "invalid_grant");
    }
    let code = bench.code().await;
    for (changes, error) in [
        (("client_id", "other"), "invalid_client"),
        (("grant_type", "password"), "unsupported_grant_type"),
        (("code_verifier", ""), "invalid_request"),
        (("code", ""), "invalid_request"),
    ] {
        assert_eq!(
            bench.redeem(&code, &[changes]).await.1["error"],
            error,
            "{changes:?}"
        );
    }
}

#[tokio::test]
async fn a_client_that_asks_wrongly_is_told_so_at_its_own_address() {
    let bench = Bench::new().await;
    for (change, error) in [
        (
            ("response_type", Some("token")),
            "unsupported_response_type",
        ),
        (("code_challenge", None), "invalid_request"),
        (("code_challenge_method", Some("plain")), "invalid_request"),
        (("code_challenge_method", None), "invalid_request"),
        (("state", None), "invalid_request"),
    ] {
        for request in [
            bench.http.get(bench.asking(&[change])),
            bench.http.post(bench.asking(&[change])),
        ] {
            let back = sent_to(&request.send().await.unwrap());
            assert!(back.as_str().starts_with(PAGE), "{back}");
            assert_eq!(said(&back, "error").as_deref(), Some(error), "{change:?}");
            assert_eq!(said(&back, "code"), None);
        }
    }
}

#[tokio::test]
async fn nobody_is_sent_to_an_address_that_is_not_the_pages() {
    let bench = Bench::new().await;
    for change in [
        ("client_id", Some("other")),
        ("client_id", None),
        ("redirect_uri", Some("https://elsewhere.example.com/")),
        ("redirect_uri", Some("http://127.0.0.1:8080/ui/../")),
        ("redirect_uri", Some("http://127.0.0.1:8080/ui/#")),
        ("redirect_uri", None),
    ] {
        for request in [
            bench.http.get(bench.asking(&[change])),
            bench.http.post(bench.asking(&[change])),
        ] {
            let answer = request.send().await.unwrap();
            assert_eq!(answer.status(), StatusCode::BAD_REQUEST, "{change:?}");
            assert!(!answer.headers().contains_key(LOCATION));
        }
    }
}

#[tokio::test]
async fn what_a_client_says_is_not_taken_for_html() {
    let bench = Bench::new().await;
    let change = ("state", Some("\"><script>alert(1)</script>"));
    let html = bench
        .http
        .get(bench.asking(&[change]))
        .send()
        .await
        .unwrap()
        .text()
        .await
        .unwrap();
    assert!(!html.contains("<script"), "{html}");
}

#[tokio::test]
async fn a_page_of_another_origin_cannot_read_a_token() {
    let bench = Bench::new().await;
    let request = bench.http.post(format!("{}{TOKEN}", bench.issuer.url()));
    let answer = request
        .header(ORIGIN, "https://elsewhere.example.com")
        .send()
        .await
        .unwrap();
    assert!(!answer.headers().contains_key(ACCESS_CONTROL_ALLOW_ORIGIN));
}
