//! What a chunk run came to, as a test needs it.

use domain::chunk::{Output, OutputFile};
use domain::container::PreparedFile;
use domain::counts::Counts;

/// Nothing at all: no record, no file.
pub fn nothing() -> Output {
    Output {
        counts: Counts::default(),
        files: Vec::new(),
    }
}

/// One file of so many rows, and records that were skipped beside them; its rows do not say when.
pub fn one_file(prepared: PreparedFile, rows: u64, bad_records: u64) -> Output {
    let counts = Counts {
        read: rows + bad_records,
        rows,
        bytes: prepared.size_bytes,
        bad_records,
    };
    let file = OutputFile {
        prepared,
        counts,
        earliest: None,
        latest: None,
    };
    Output {
        counts,
        files: vec![file],
    }
}
