//! What a process asks of the world, as a value, and what it is answered.

use std::cell::RefCell;
use std::collections::VecDeque;
use std::sync::Arc;

use bytes::Bytes;
use shared::chunk::{Chunk, ChunkKey, ChunkMove};
use shared::container::{BlobName, BlockId};
use shared::job::{Job, JobKey};
use shared::tally::Tally;
use time::OffsetDateTime;

use super::noted::{fingerprint_of_job, hash};

/// A call to the exports table or to the client's container.
#[derive(Debug, Clone)]
pub(crate) enum Call {
    ReadJob,
    ReadChunk(ChunkKey),
    ReadChunks { shard: u16, after: Option<u32> },
    ReadTally { shard: u16 },
    ReadWaiting { after: bool },
    PutJob(Box<Job>),
    PutPage(Box<Job>, Vec<Chunk>),
    Reopen { revision: u64, steps: Vec<ChunkMove> },
    Apply(Box<ChunkMove>),
    Strike,
    Stage { signature: String, blob: BlobName, block: BlockId, data: Bytes },
    Commit { signature: String, blob: BlobName, blocks: Vec<BlockId>, content_type: String },
}

impl Call {
    /// Whether it changes something.
    pub(crate) fn writes(&self) -> bool {
        match self {
            Self::ReadJob
            | Self::ReadChunk(_)
            | Self::ReadChunks { .. }
            | Self::ReadTally { .. }
            | Self::ReadWaiting { .. } => false,
            Self::PutJob(_)
            | Self::PutPage(..)
            | Self::Reopen { .. }
            | Self::Apply(_)
            | Self::Strike
            | Self::Stage { .. }
            | Self::Commit { .. } => true,
        }
    }
}

/// What the world answers to a call.
#[derive(Debug, Clone)]
pub(crate) enum Answer {
    Job(Option<Box<Job>>),
    Chunk(Option<Box<Chunk>>),
    Chunks(Vec<Chunk>),
    Tally(Tally),
    Waiting(Vec<JobKey>),
    Done,
    Failed(Failure),
}

/// Why a call did not do its work, as far as its caller knows.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Failure {
    Conflict,
    Denied,
    BlocksGone,
    Refused,
    /// Whether the call did its work is not known.
    NoAnswer,
}

impl Answer {
    /// Stands for the answer; no two that differ have the same.
    pub(crate) fn fingerprint(&self) -> u64 {
        if let Self::Job(Some(job)) = self { fingerprint_of_job(job) } else { hash(&format!("{self:?}")) }
    }
}

/// What a process has lived through so far, and what it asks next.
pub(crate) struct Replay {
    /// The time when the last answer came.
    pub(crate) now: OffsetDateTime,
    /// The answers to come, each with the time when it does.
    pub(crate) answers: VecDeque<(Arc<Answer>, OffsetDateTime)>,
    /// The first call that is not answered.
    pub(crate) call: Option<Call>,
    /// The attempt at a chunk that it wrote last.
    pub(crate) attempt: u32,
}

thread_local! {
    /// The process that this thread replays.
    pub(crate) static REPLAY: RefCell<Replay> = const {
        RefCell::new(Replay { now: OffsetDateTime::UNIX_EPOCH, answers: VecDeque::new(), call: None, attempt: 0 })
    };
}

/// Answers from the process's past; a call that was never made before is noted, and waits.
pub(crate) async fn ask(call: Call) -> Answer {
    let answer = REPLAY.with_borrow_mut(|replay| {
        if let Some((answer, now)) = replay.answers.pop_front() {
            replay.now = now;
            if let Call::Apply(step) = &call {
                replay.attempt = step.chunk.attempt;
            }
            return Some(answer);
        }
        assert!(replay.call.is_none(), "a process asks two things at once: {:?} and {call:?}", replay.call);
        replay.call = Some(call);
        None
    });
    match answer {
        Some(answer) => answer.as_ref().clone(),
        None => std::future::pending().await,
    }
}
