//! What must hold of whatever arrives: the bodies of the fuzz targets.
//!
//! A target takes any bytes and asserts what must be true of them. It is an ordinary function, so
//! that it serves twice: `make fuzz` drives it by libFuzzer (`libfuzzer/`, a few lines a target),
//! and `make test` replays the committed corpus (`corpus/`) through it, so that a finding stays
//! found. How to work with them stands in `docs/PROOF.md`.

#![expect(
    clippy::missing_panics_doc,
    clippy::expect_used,
    clippy::panic,
    reason = "a target panics when what it is about does not hold"
)]

mod container_url;
mod events;
mod lake_folder;
mod lake_lines;
mod lake_streams;
mod manifest;
pub mod parquet_rows;
mod record_walk;
mod request_body;
mod request_path;
mod signature;
mod world;

pub use container_url::container_url;
pub use events::events;
pub use lake_folder::lake_folder;
pub use lake_lines::lake_lines;
pub use lake_streams::lake_streams;
pub use manifest::manifest;
pub use record_walk::record_walk;
pub use request_body::request_body;
pub use request_path::request_path;

/// A target: its name, which is that of its binary and its corpus, and its body, which says whether
/// the input was accepted: a corpus of which nothing is shows little.
pub type Target = (&'static str, fn(&[u8]) -> bool);

/// Every target.
pub const TARGETS: [Target; 9] = [
    ("container_url", container_url),
    ("events", events),
    ("lake_folder", lake_folder),
    ("lake_lines", lake_lines),
    ("lake_streams", lake_streams),
    ("manifest", manifest),
    ("record_walk", record_walk),
    ("request_body", request_body),
    ("request_path", request_path),
];
