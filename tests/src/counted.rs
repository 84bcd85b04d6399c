//! What a chunk should add to the tallies, counted anew.

use domain::chunk::{Chunk, ChunkState};
use domain::counts::Counts;
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
            partial: (!output.missing.is_empty()).into(),
            counts: Counts {
                bytes: output
                    .files
                    .iter()
                    .map(|file| file.prepared.size_bytes)
                    .sum(),
                ..output.counts
            },
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
