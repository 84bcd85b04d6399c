//! Child processes that listen where they are told to: they cannot choose an address and tell it.

use std::net::TcpListener;

/// How often a child is started.
const TRIES: usize = 3;

/// An address of this machine that nobody listens on just now; somebody may be quicker.
pub(crate) fn free_address() -> String {
    let listener = TcpListener::bind(("127.0.0.1", 0)).unwrap();
    listener.local_addr().unwrap().to_string()
}

/// The child, which is started again when it ends at its start, as when somebody else has taken its
/// address meanwhile. A start that fails says what the child has logged.
pub(crate) async fn started<T>(what: &str, start: impl AsyncFn() -> Result<T, String>) -> T {
    let mut log = String::new();
    for _ in 0..TRIES {
        match start().await {
            Ok(child) => return child,
            Err(ended) => log = ended,
        }
    }
    panic!("{what} ended at its start, {TRIES} times; its last log: {log}");
}
