//! What a process asks of the world, as a value, and what it is answered.

use std::cell::RefCell;

use bytes::Bytes;
use domain::chunk::{Chunk, ChunkKey, ChunkMove};
use domain::container::{BlobName, BlockId};
use domain::job::{Job, JobKey};
use domain::tally::Tally;
use time::OffsetDateTime;
use tokio::sync::oneshot;

use super::noted::Noted;

/// A call to the exports table or to the client's container.
#[derive(Debug, Clone)]
pub(crate) enum Call {
    ReadJob,
    ReadChunk(ChunkKey),
    ReadChunks {
        shard: u16,
        after: Option<u32>,
    },
    ReadTally {
        shard: u16,
    },
    ReadWaiting {
        after: bool,
    },
    PutJob(Box<Job>),
    PutPage(Box<Job>, Vec<Chunk>, Vec<ChunkMove>),
    Reopen {
        revision: u64,
        steps: Vec<ChunkMove>,
    },
    Apply(Box<ChunkMove>),
    Unlist,
    Stage {
        signature: String,
        blob: BlobName,
        block: BlockId,
        data: Bytes,
    },
    Commit {
        signature: String,
        blob: BlobName,
        blocks: Vec<BlockId>,
        content_type: String,
    },
}

impl Call {
    /// In a few words.
    pub(crate) fn in_words(&self) -> String {
        let chunk = |step: &ChunkMove| {
            format!(
                "chunk {} {}",
                step.chunk.key.number,
                step.chunk.state.name()
            )
        };
        match self {
            Self::ReadJob => "read the job".to_owned(),
            Self::ReadChunk(key) => format!("read chunk {}", key.number),
            Self::ReadChunks { shard, .. } => format!("read the chunks of shard {shard}"),
            Self::ReadTally { shard } => format!("read the tally of shard {shard}"),
            Self::ReadWaiting { .. } => "read the list of those that wait".to_owned(),
            Self::PutJob(job) => format!("put the job, {}", job.phase.name()),
            Self::PutPage(job, chunks, _) => format!(
                "put the job, {}, and {} chunks",
                job.phase.name(),
                chunks.len()
            ),
            Self::Reopen { steps, .. } => format!(
                "put {}",
                steps.iter().map(chunk).collect::<Vec<_>>().join(", ")
            ),
            Self::Apply(step) => format!("put {}", chunk(step)),
            Self::Unlist => "unlist the job off the list of those that wait".to_owned(),
            Self::Stage { blob, block, .. } => {
                format!(
                    "stage block {} of attempt {} of {blob}",
                    block.index, block.attempt
                )
            }
            Self::Commit { blob, blocks, .. } => {
                format!(
                    "commit attempt {:?} of {blob}",
                    blocks.first().map(|block| block.attempt)
                )
            }
        }
    }

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
            | Self::Unlist
            | Self::Stage { .. }
            | Self::Commit { .. } => true,
        }
    }
}

/// What the world answers to a call. Jobs and chunks are those of the state, with their
/// fingerprints.
#[derive(Debug, Clone, Hash)]
pub(crate) enum Answer {
    Job(Option<Noted<Job>>),
    Chunk(Option<Noted<Chunk>>),
    Chunks(Vec<Noted<Chunk>>),
    Tally(Tally),
    Waiting(Vec<JobKey>),
    Done,
    Failed(Failure),
}

/// Why a call did not do its work, as far as its caller knows.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) enum Failure {
    Conflict,
    Denied,
    BlocksGone,
    Refused,
    /// Whether the call did its work is not known.
    NoAnswer,
}

/// A process that is run again over its past.
pub(crate) struct Replay {
    /// The time when the last answer came.
    pub(crate) now: OffsetDateTime,
    /// Every call so far.
    pub(crate) calls: Vec<Asked>,
    /// The attempt at a chunk that it wrote last.
    pub(crate) attempt: u32,
}

/// A call, and who waits for its answer, if it has not come.
pub(crate) struct Asked {
    pub(crate) call: Call,
    waits: Option<oneshot::Sender<Answer>>,
}

thread_local! {
    /// The process that this thread replays.
    pub(crate) static REPLAY: RefCell<Replay> = const {
        RefCell::new(Replay { now: OffsetDateTime::UNIX_EPOCH, calls: Vec::new(), attempt: 0 })
    };
}

impl Replay {
    /// Forgets the last process.
    pub(crate) fn begin(&mut self, now: OffsetDateTime) {
        *self = Self {
            now,
            calls: Vec::new(),
            attempt: 0,
        };
    }

    /// Answers a call, by its place.
    pub(crate) fn answer(&mut self, at: usize, answer: Answer, now: OffsetDateTime) {
        self.now = now;
        let asked = &mut self.calls[at];
        if let (Call::Apply(step), Answer::Done) = (&asked.call, &answer) {
            self.attempt = step.chunk.attempt;
        }
        let waits = asked.waits.take().unwrap();
        assert!(
            waits.send(answer).is_ok(),
            "nobody waits for {:?}",
            self.calls[at].call
        );
    }

    /// The calls that somebody waits for, by their places. There is one at least, or the process
    /// waits for nothing.
    pub(crate) fn open_calls(&self) -> Vec<(usize, Call)> {
        let calls = self.calls.iter().enumerate();
        let open =
            calls.filter(|(_, asked)| asked.waits.as_ref().is_some_and(|waits| !waits.is_closed()));
        let open: Vec<_> = open.map(|(at, asked)| (at, asked.call.clone())).collect();
        assert!(!open.is_empty(), "a process waits for nothing");
        open
    }
}

/// Waits for the answer to a call.
pub(crate) async fn ask(call: Call) -> Answer {
    let (waits, answer) = oneshot::channel();
    REPLAY.with_borrow_mut(|replay| {
        replay.calls.push(Asked {
            call,
            waits: Some(waits),
        });
    });
    match answer.await {
        Ok(answer) => answer,
        Err(_) => std::future::pending().await,
    }
}
