//! What a chunk run came to, as a test needs it.

use domain::chunk::{FileKind, MissingParts, Output, OutputFile};
use domain::container::PreparedFile;
use domain::counts::Counts;

/// Nothing at all: no record, no file.
pub fn nothing() -> Output {
    Output {
        counts: Counts::default(),
        files: Vec::new(),
        missing: MissingParts::new(),
    }
}

/// One file of so many rows, and records that were rejected beside them; its rows do not say when.
pub fn one_file(prepared: PreparedFile, rows: u64, rejected: u64) -> Output {
    let counts = Counts {
        read: rows + rejected,
        rows,
        bytes: prepared.size_bytes,
        rejected,
        ..Counts::default()
    };
    let file = OutputFile {
        kind: FileKind::Rows,
        prepared,
        counts,
        earliest: None,
        latest: None,
    };
    Output {
        counts,
        files: vec![file],
        missing: MissingParts::new(),
    }
}
