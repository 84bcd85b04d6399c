//! What a chunk should add to the tallies, counted anew.

use domain::chunk::{Chunk, ChunkState};
use domain::tally::Tally;

/// The tally of one chunk.
pub(crate) fn counted(chunk: &Chunk) -> Tally {
    let planned = Tally {
        planned: 1,
        ..Tally::default()
    };
    match &chunk.state {
        ChunkState::Recorded { output } => Tally {
            recorded: 1,
            rows: output.rows,
            bad_records: output.bad_records,
            bytes: output.file.as_ref().map_or(0, |file| file.size_bytes),
            ..planned
        },
        ChunkState::Failed { .. } | ChunkState::Cancelled => Tally {
            failed: 1,
            ..planned
        },
        ChunkState::Pending { .. }
        | ChunkState::Running { .. }
        | ChunkState::Prepared { .. }
        | ChunkState::Parked { .. } => Tally { open: 1, ..planned },
    }
}
