//! What must be true of every state.

use shared::chunk::{Chunk, ChunkState};
use shared::job::{Outcome, Phase, Plan};
use shared::tally::Tally;
use stateright::Property;

use super::Export;
use super::storage::Block;
use super::stored::staging_of;
use super::world::World;

/// A job that succeeded has every row once.
pub(super) const EXACT: &str = "a job that succeeded has every row, once, in the files that its manifest lists";
/// A recorded file stays as it is.
pub(super) const UNCHANGED: &str = "a recorded file is whole and never changed";
/// The tally is what the chunks come to.
pub(super) const COUNTED: &str = "the tally is what the chunks come to";
/// No job is left alone.
pub(super) const NO_DEAD_END: &str = "when nothing is left to happen, the job has ended or waits for its owner";
/// What a cancelled job has written is listed.
pub(super) const LISTED: &str = "a cancelled job lists the files that are visible, and no others";

pub(super) fn all() -> Vec<Property<Export>> {
    vec![
        Property::always(EXACT, |_, world: &World| !succeeded(world) || is_exact(world)),
        Property::always(UNCHANGED, |_, world: &World| recorded_files_are_unchanged(world)),
        Property::always(COUNTED, |_, world: &World| tally_is_right(world)),
        Property::always(NO_DEAD_END, |_, world: &World| !world.is_quiet() || rests(world)),
        Property::always(LISTED, |export, world: &World| {
            export.budget.cancels > 1 || !was_cancelled(world) || lists_what_is_visible(world)
        }),
    ]
}

fn succeeded(world: &World) -> bool {
    matches!(world.job.phase, Phase::Ended { outcome: Outcome::Succeeded, .. })
}

/// A cancelled job whose credential was never refused; without one, what is visible cannot be told.
fn was_cancelled(world: &World) -> bool {
    matches!(world.job.phase, Phase::Ended { outcome: Outcome::Cancelled { .. }, .. }) && world.revoked == 0
}

fn rests(world: &World) -> bool {
    matches!(world.job.phase, Phase::Ended { .. } | Phase::AwaitingCredential { .. })
}

fn is_exact(world: &World) -> bool {
    let planned = matches!(world.job.plan, Plan::Complete { .. }) && world.chunks.len() == world.messages.len();
    let recorded: Option<Vec<_>> = world.chunks.iter().map(|chunk| recorded_staging(chunk)).collect();
    let Some(recorded) = recorded.filter(|_| planned) else { return false };
    let files_are_whole = (0..).zip(&recorded).all(|(chunk, staging)| is_whole_file(world, chunk, *staging));
    files_are_whole && manifest(world) == Some(recorded.into_iter().map(Some).collect())
}

fn recorded_staging(chunk: &Chunk) -> Option<u8> {
    if let ChunkState::Recorded { output } = &chunk.state { staging_of(output) } else { None }
}

/// Whether the chunk's blob consists of all rows of that staging, in order, and nothing else.
fn is_whole_file(world: &World, chunk: usize, staging: u8) -> bool {
    world.blobs[chunk].visible().cloned().eq((0..world.blocks).map(|index| Block::Rows { staging, index }))
}

fn manifest(world: &World) -> Option<Vec<Option<u8>>> {
    world.blobs.last()?.visible().next().and_then(|block| match block {
        Block::Listing(listing) => Some(listing.clone()),
        Block::Rows { .. } => None,
    })
}

fn recorded_files_are_unchanged(world: &World) -> bool {
    world.chunks.iter().enumerate().all(|(number, chunk)| match world.witnessed[number] {
        None => recorded_staging(chunk).is_none(),
        Some(staging) => recorded_staging(chunk) == Some(staging) && is_whole_file(world, number, staging),
    })
}

fn tally_is_right(world: &World) -> bool {
    let chunks = world.chunks.iter().map(|chunk| match &chunk.state {
        ChunkState::Recorded { output } => {
            let bytes = output.file.as_ref().map_or(0, |file| file.size_bytes);
            Tally { planned: 1, recorded: 1, rows: output.rows, bytes, ..Tally::default() }
        }
        ChunkState::Failed { .. } | ChunkState::Cancelled => Tally { planned: 1, failed: 1, ..Tally::default() },
        ChunkState::Pending { .. }
        | ChunkState::Running { .. }
        | ChunkState::Prepared { .. }
        | ChunkState::Parked { .. } => Tally { planned: 1, open: 1, ..Tally::default() },
    });
    chunks.sum::<Tally>() == *world.tally
}

fn lists_what_is_visible(world: &World) -> bool {
    let visible = (0..world.chunks.len()).map(|chunk| {
        world.blobs[chunk].visible().next().and_then(|block| match block {
            Block::Rows { staging, .. } => Some(*staging),
            Block::Listing(_) => None,
        })
    });
    manifest(world) == Some(visible.collect())
}
