//! The moves of a run that holds the lease of its chunk.

use time::OffsetDateTime;

use super::{Chunk, ChunkMove, ChunkState, MAX_FILES, MissingParts, Output};
use crate::job::IllegalMove;

/// A chunk whose lease this run holds: running or prepared. The store refuses the moves of a run
/// that lost it.
#[derive(Debug, Clone)]
pub struct Lease {
    chunk: Chunk,
}

impl Lease {
    /// Takes up the lease of a chunk that the store has just written for this run.
    ///
    /// # Errors
    /// [`IllegalMove`] when the chunk is neither running nor prepared.
    pub fn of(chunk: Chunk) -> Result<Self, IllegalMove> {
        if matches!(
            chunk.state,
            ChunkState::Running { .. } | ChunkState::Prepared { .. }
        ) {
            Ok(Self { chunk })
        } else {
            Err(chunk.illegal("hold the lease of"))
        }
    }

    /// The chunk, running or prepared, as the store wrote it for this run.
    pub fn chunk(&self) -> &Chunk {
        &self.chunk
    }

    /// What an earlier attempt found that cannot be exported.
    pub fn missing(&self) -> MissingParts {
        self.chunk.missing()
    }

    /// The prepared files, when an earlier attempt or this one came that far.
    pub fn prepared(&self) -> Option<&Output> {
        self.chunk.prepared()
    }

    /// Makes the files' block lists and figures durable, before anything becomes visible.
    ///
    /// # Errors
    /// [`IllegalMove`] when files are prepared already, or when there are more than an item holds.
    pub fn prepare(self, output: Output) -> Result<ChunkMove, IllegalMove> {
        if output.files.len() > MAX_FILES {
            return Err(self
                .chunk
                .illegal("prepare more files than its item holds of"));
        }
        let ChunkState::Running { until, .. } = self.chunk.state else {
            return Err(self.chunk.illegal("prepare"));
        };
        Ok(self.chunk.to(ChunkState::Prepared { until, output }))
    }

    /// Drops the prepared files when a block list of them no longer exists, to stage all anew under a
    /// new attempt.
    ///
    /// # Errors
    /// [`IllegalMove`] when no file is prepared.
    pub fn restage(self) -> Result<ChunkMove, IllegalMove> {
        let ChunkState::Prepared { until, .. } = self.chunk.state else {
            return Err(self.chunk.illegal("restage"));
        };
        Ok(self.again(until, MissingParts::new()))
    }

    /// What is staged turned out not to be the files, as it holds rows of parts that are not exported, or
    /// other bytes than are written of the rows: all is staged anew, without these parts, under a new
    /// attempt.
    ///
    /// # Errors
    /// [`IllegalMove`] when files are prepared already.
    pub fn leave_out(self, missing: MissingParts) -> Result<ChunkMove, IllegalMove> {
        let ChunkState::Running { until, .. } = self.chunk.state else {
            return Err(self.chunk.illegal("leave out parts of"));
        };
        Ok(self.again(until, missing))
    }

    fn again(self, until: OffsetDateTime, missing: MissingParts) -> ChunkMove {
        let next = Chunk {
            attempt: self.chunk.attempt + 1,
            ..self.chunk.give_up()
        };
        next.to(ChunkState::Running { until, missing })
    }

    /// Counts the committed files, for good.
    ///
    /// # Errors
    /// [`IllegalMove`] when no file is prepared.
    pub fn record(self) -> Result<ChunkMove, IllegalMove> {
        self.chunk.record()
    }

    /// Sets the chunk aside until its job has a new credential.
    pub fn park(self) -> ChunkMove {
        let prepared = self.prepared().cloned();
        self.chunk.to(ChunkState::Parked { prepared })
    }

    /// Gives the lease back early, so that a redelivery can go on at once.
    pub fn release(self, now: OffsetDateTime) -> ChunkMove {
        let state = match self.prepared().cloned() {
            Some(output) => ChunkState::Prepared { until: now, output },
            None => ChunkState::Running {
                until: now,
                missing: self.chunk.missing(),
            },
        };
        self.chunk.to(state)
    }

    /// Ends the chunk: its data or its container is beyond repair by a repeat.
    pub fn fail(self, reason: &str) -> ChunkMove {
        self.chunk.ended(ChunkState::Failed {
            reason: reason.to_owned(),
        })
    }
}
