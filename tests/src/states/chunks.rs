//! A chunk in every state, and its moves.

use domain::chunk::{
    Chunk, ChunkKey, ChunkMove, ChunkSource, ChunkState, Claim, Lease, MissingParts, Output,
};
use fakes::chunks::{nothing, one_file};
use time::Duration;

use super::{NOW, Place, Step, details, file, key};

pub(super) fn chunk_places() -> Vec<Place<Chunk>> {
    let output = || one_file(file(), 1, 0);
    let (held, over) = (NOW + Duration::HOUR, NOW);
    let running = |until| ChunkState::Running {
        until,
        missing: MissingParts::new(),
    };
    let partial = || Output {
        missing: MissingParts::from([(0, details())]),
        ..output()
    };
    let states = [
        ("pending", ChunkState::Pending { prepared: None }),
        (
            "pending, file prepared",
            ChunkState::Pending {
                prepared: Some(output()),
            },
        ),
        ("running, held", running(held)),
        ("running, lease over", running(over)),
        (
            "prepared, held",
            ChunkState::Prepared {
                until: held,
                output: output(),
            },
        ),
        (
            "prepared, lease over",
            ChunkState::Prepared {
                until: over,
                output: output(),
            },
        ),
        ("recorded", ChunkState::Recorded { output: output() }),
        (
            "recorded, objects missing",
            ChunkState::Recorded { output: partial() },
        ),
        ("parked", ChunkState::Parked { prepared: None }),
        (
            "parked, file prepared",
            ChunkState::Parked {
                prepared: Some(output()),
            },
        ),
        ("cancelled", ChunkState::Cancelled),
        ("failed", ChunkState::Failed { reason: details() }),
    ];
    let key = ChunkKey {
        job: key(),
        shard: 0,
        number: 0,
    };
    states
        .map(|(label, state)| {
            let source = ChunkSource::Partitions(vec![details()]);
            let item = Chunk {
                state,
                ..Chunk::planned(key.clone(), source, NOW)
            };
            Place { label, item }
        })
        .into()
}

fn free(claim: Claim) -> Option<ChunkMove> {
    match claim {
        Claim::Free(step) => Some(*step),
        Claim::Held { .. } | Claim::Closed => None,
    }
}

fn leased(chunk: Chunk, step: impl FnOnce(Lease) -> Option<ChunkMove>) -> Option<ChunkMove> {
    step(Lease::of(chunk).ok()?)
}

/// The moves of whoever comes to a chunk, and those of the run that holds its lease.
pub(super) const CHUNK_MOVES: [Step<Chunk, Option<ChunkMove>>; 14] = [
    Step {
        name: "claim",
        lead: |chunk| free(chunk.claim(NOW, Duration::HOUR)),
    },
    Step {
        name: "park",
        lead: |chunk| free(chunk.park(NOW)),
    },
    Step {
        name: "abandon",
        lead: |chunk| free(chunk.abandon(NOW, "crashed")),
    },
    Step {
        name: "cancel",
        lead: Chunk::cancel,
    },
    Step {
        name: "reopen",
        lead: Chunk::reopen,
    },
    Step {
        name: "hand_over",
        lead: |chunk| {
            let to = chunk.key.clone();
            chunk.hand_over(to).map(|(step, _)| step)
        },
    },
    Step {
        name: "record",
        lead: |chunk| chunk.record().ok(),
    },
    Step {
        name: "lease.prepare",
        lead: |chunk| leased(chunk, |lease| lease.prepare(nothing()).ok()),
    },
    Step {
        name: "lease.leave_out",
        lead: |chunk| leased(chunk, |lease| lease.leave_out(MissingParts::new()).ok()),
    },
    Step {
        name: "lease.restage",
        lead: |chunk| leased(chunk, |lease| lease.restage().ok()),
    },
    Step {
        name: "lease.record",
        lead: |chunk| leased(chunk, |lease| lease.record().ok()),
    },
    Step {
        name: "lease.park",
        lead: |chunk| leased(chunk, |lease| Some(lease.park())),
    },
    Step {
        name: "lease.release",
        lead: |chunk| leased(chunk, |lease| Some(lease.release(NOW))),
    },
    Step {
        name: "lease.fail",
        lead: |chunk| leased(chunk, |lease| Some(lease.fail("damaged"))),
    },
];
