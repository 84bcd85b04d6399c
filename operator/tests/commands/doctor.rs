//! The doctor: what is as it should be is green, and what is not is named.

use std::sync::Arc;

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpListener;
use tokio::task::JoinHandle;

use super::desk::Desk;

/// A server that answers these paths with these texts, and with the time that it is told.
struct Server {
    url: String,
    task: JoinHandle<()>,
}

impl Drop for Server {
    fn drop(&mut self) {
        self.task.abort();
    }
}

async fn server(
    date: String,
    answers: impl Fn(&str, &str) -> Option<String> + Send + Sync + 'static,
) -> Server {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    let (own, answers) = (url.clone(), Arc::new(answers));
    let task = tokio::spawn(async move {
        while let Ok((mut stream, _)) = listener.accept().await {
            let mut request = Vec::new();
            while !request.windows(4).any(|end| end == b"\r\n\r\n") {
                if stream.read_buf(&mut request).await.unwrap_or(0) == 0 {
                    break;
                }
            }
            let request = String::from_utf8_lossy(&request).into_owned();
            let path = request.split(' ').nth(1).unwrap_or_default();
            let (status, body) = match answers(&own, path) {
                Some(body) => ("200 OK", body),
                None => ("404 Not Found", String::new()),
            };
            let answer = format!(
                "HTTP/1.1 {status}\r\ndate: {date}\r\nconnection: close\r\ncontent-length: {}\r\n\r\n{body}",
                body.len()
            );
            drop(stream.write_all(answer.as_bytes()).await);
        }
    });
    Server { url, task }
}

/// As HTTP writes moments (<https://www.rfc-editor.org/rfc/rfc9110#section-5.6.7>).
fn http_date(ahead: time::Duration) -> String {
    use ports::clock::Clock;
    let format = time::macros::format_description!(
        "[weekday repr:short], [day] [month repr:short] [year] [hour]:[minute]:[second] GMT"
    );
    (wiring::SystemClock.now() + ahead).format(format).unwrap()
}

/// An issuer and an API in one, with keys of these types.
async fn world(ahead: time::Duration, keys: &'static str) -> Server {
    server(http_date(ahead), move |own, path| match path {
        "/openapi.json" => Some("{}".to_owned()),
        "/.well-known/openid-configuration" => Some(format!(
            "{{\"issuer\":\"{own}\",\"jwks_uri\":\"{own}/keys\"}}"
        )),
        "/keys" => Some(keys.to_owned()),
        _ => None,
    })
    .await
}

#[tokio::test]
async fn what_is_as_it_should_be_is_green() {
    let desk = Desk::new().await;
    let world = world(
        time::Duration::ZERO,
        "{\"keys\":[{\"kty\":\"RSA\",\"use\":\"sig\"},{\"kty\":\"EC\"}]}",
    )
    .await;
    let line = ["doctor", "--api", &world.url, "--issuer", &world.url];
    let said = desk.run(&line).await.ends(0);
    for check in [
        "✓ settings: each fits, as the functions read them\n",
        "✓ exports table: it answers; no job waits for a signature\n",
        "✓ registry: it answers\n",
        "✓ API: it answers, with its description\n",
        "s from the API's\n",
        "has 1 key of RSA\n",
        "✓ green: all 7 checks are as they should be\n",
    ] {
        assert!(said.stdout.contains(check), "{check}: {}", said.stdout);
    }
    let said = desk.run(&["doctor"]).await.ends(2);
    assert!(
        said.stdout
            .contains("? issuer of tokens: it is not known: give --issuer, or --stack\n"),
        "{}",
        said.stdout
    );
    assert!(
        said.stdout
            .ends_with("? 2 of 6 checks are open, and none is red\n"),
        "{}",
        said.stdout
    );
}

#[tokio::test]
async fn what_is_not_is_red_with_what_to_do() {
    let mut desk = Desk::new().await;
    let world = world(
        time::Duration::minutes(7),
        "{\"keys\":[{\"kty\":\"EC\"},{\"kty\":\"RSA\",\"use\":\"enc\"}]}",
    )
    .await;
    desk.set("LAKE_LATE_DAYS", "99");
    desk.set("EXPORTS_TABLE", "elsewhere");
    desk.set("CREDENTIAL_WAIT_DAYS", "100");
    let issuer = format!("{}/", world.url);
    let said = desk
        .run(&[
            "doctor", "--api", &world.url, "--issuer", &world.url, "--json",
        ])
        .await
        .ends(1)
        .json();
    let red = |name: &str| {
        let check = said["checks"]
            .as_array()
            .unwrap()
            .iter()
            .find(|it| it["name"] == name);
        let check = check.unwrap_or_else(|| panic!("{name}: {said}"));
        assert_eq!(check["outcome"], "red", "{said}");
        check["message"].as_str().unwrap().to_owned()
    };
    assert!(red("settings of the planner").starts_with("LAKE_LATE_DAYS=99 does not fit"));
    assert!(red("settings of the retention").contains("CREDENTIAL_WAIT_DAYS"));
    assert!(red("exports table").starts_with("there is no table elsewhere"));
    assert!(red("clock").contains("s from the API's: set it right"));
    assert!(red("issuer of tokens").contains("has no key of RSA among 2"));
    let said = desk.run(&["doctor", "--issuer", &issuer]).await.ends(1);
    assert!(
        said.stdout
            .contains("its discovery document says that it is"),
        "{}",
        said.stdout
    );
}
