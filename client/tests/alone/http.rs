//! A service that answers as a test says.

use std::sync::{Arc, Mutex};

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio_util::task::AbortOnDropHandle;

/// A request, whole.
#[derive(Debug, Clone)]
pub(crate) struct Request {
    /// `GET /path?query`.
    pub(crate) line: String,
    head: String,
    pub(crate) body: String,
}

impl Request {
    /// A header, by its name in lower case.
    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        let mut lines = self.head.lines().filter_map(|line| line.split_once(": "));
        let found = lines.find(|(known, _)| known.eq_ignore_ascii_case(name));
        found.map(|(_, value)| value)
    }
}

/// What is answered.
pub(crate) enum Reply {
    /// A status, headers and a body.
    Whole(u16, Vec<(&'static str, String)>, Vec<u8>),
    /// Nothing, as long as the other side waits.
    Silence,
}

impl Reply {
    pub(crate) fn json(body: &serde_json::Value) -> Self {
        Self::Whole(200, Vec::new(), body.to_string().into_bytes())
    }
}

type Answering = dyn Fn(&Request) -> Reply + Send + Sync;

/// The service; it ends when it is dropped.
pub(crate) struct Service {
    pub(crate) port: u16,
    asked: Arc<Mutex<Vec<Request>>>,
    _serving: AbortOnDropHandle<()>,
}

impl Service {
    pub(crate) async fn new(answer: impl Fn(&Request) -> Reply + Send + Sync + 'static) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let port = listener.local_addr().unwrap().port();
        let asked = Arc::new(Mutex::new(Vec::new()));
        let (answer, log) = (Arc::new(answer) as Arc<Answering>, Arc::clone(&asked));
        let serving = tokio::spawn(async move {
            loop {
                let (stream, _) = listener.accept().await.unwrap();
                tokio::spawn(converse(stream, Arc::clone(&answer), Arc::clone(&log)));
            }
        });
        Self {
            port,
            asked,
            _serving: AbortOnDropHandle::new(serving),
        }
    }

    pub(crate) fn asked(&self) -> Vec<Request> {
        self.asked.lock().unwrap().clone()
    }
}

async fn converse(mut stream: TcpStream, answer: Arc<Answering>, log: Arc<Mutex<Vec<Request>>>) {
    let mut bytes = Vec::new();
    loop {
        let request = loop {
            if let Some(request) = whole(&mut bytes) {
                break request;
            }
            match stream.read_buf(&mut bytes).await {
                Ok(0) | Err(_) => return,
                Ok(_) => {}
            }
        };
        log.lock().unwrap().push(request.clone());
        let Reply::Whole(status, headers, body) = answer(&request) else {
            std::future::pending::<()>().await;
            return;
        };
        let mut head = format!(
            "HTTP/1.1 {status} Said\r\ncontent-length: {}\r\n",
            body.len()
        );
        for (name, value) in headers {
            head.extend([name, ": ", value.as_str(), "\r\n"]);
        }
        head += "\r\n";
        let said = [head.into_bytes(), body].concat();
        if stream.write_all(&said).await.is_err() {
            return;
        }
    }
}

/// Takes a request off the front, if it is whole.
fn whole(bytes: &mut Vec<u8>) -> Option<Request> {
    let end = bytes.windows(4).position(|it| it == b"\r\n\r\n")?;
    let head = String::from_utf8(bytes[..end].to_vec()).unwrap();
    let (line, head) = head.split_once("\r\n").unwrap();
    let mut request = Request {
        line: line.trim_end_matches(" HTTP/1.1").to_owned(),
        head: head.to_owned(),
        body: String::new(),
    };
    let length: usize = request
        .header("content-length")
        .map_or(0, |length| length.parse().unwrap());
    if bytes.len() < end + 4 + length {
        return None;
    }
    request.body = String::from_utf8(bytes[end + 4..end + 4 + length].to_vec()).unwrap();
    bytes.drain(..end + 4 + length);
    Some(request)
}
