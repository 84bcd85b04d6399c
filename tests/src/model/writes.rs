//! What a call does to the table and to the container.

use domain::chunk::{Chunk, ChunkKey, ChunkMove, ChunkState};
use domain::container::BlobName;
use domain::job::{Job, Outcome, Phase};
use domain::tally::DRAINED;
use domain::tally::{Tally, TallyChange};
use fakes::container::Blocks;
use ports::container::ContainerError;

use super::calls::{Answer, Call, Failure};
use super::noted::Noted;
use super::ports::job_written;
use super::process::Message;
use super::signature;
use super::state::State;
use crate::world::deliveries::{Kind, message_of};

impl State {
    /// Does what a call asks.
    pub(crate) fn perform(&mut self, call: &Call) -> Answer {
        match call {
            Call::ReadJob => Answer::Job(Some(self.job.clone())),
            Call::ReadChunk(key) => {
                let number = usize::try_from(key.number).unwrap();
                Answer::Chunk(self.chunks.get(number).cloned())
            }
            Call::ReadChunks { shard, after } => {
                let first = after.map_or(0, |after| after + 1);
                let listed =
                    |chunk: &&Noted<Chunk>| chunk.key.shard == *shard && chunk.key.number >= first;
                Answer::Chunks(self.chunks.iter().filter(listed).cloned().collect())
            }
            Call::ReadTally { shard } => Answer::Tally(self.tallies[usize::from(*shard)]),
            Call::ReadWaiting { after } => {
                let listed = (self.waits && !after).then(|| self.job.key.clone());
                Answer::Waiting(listed.into_iter().collect())
            }
            Call::PutJob(job) => {
                self.if_read(job.revision, |state| state.store_job(job.as_ref().clone()))
            }
            Call::PutPage(job, chunks, moves) => self.put_page(job, chunks, moves),
            Call::Reopen { revision, steps } => self.reopen(*revision, steps),
            Call::Apply(step) => self.apply(step),
            Call::Unlist => {
                if matches!(self.job.phase, Phase::AwaitingCredential { .. }) {
                    return Answer::Failed(Failure::Conflict);
                }
                self.waits = false;
                Answer::Done
            }
            Call::Stage {
                signature,
                blob,
                block,
                data,
            } => self.store(signature, blob, |blocks| blocks.stage(*block, data.clone())),
            Call::Commit {
                signature,
                blob,
                blocks: list,
                content_type,
            } => self.store(signature, blob, |blocks: &mut Blocks| {
                blocks.commit(list, content_type)
            }),
        }
    }

    fn chunk(&self, number: u32) -> Option<&Chunk> {
        self.chunks
            .get(usize::try_from(number).ok()?)
            .map(|chunk| &**chunk)
    }

    /// Writes on condition that the job is the one that was read.
    fn if_read(&mut self, revision: u64, write: impl FnOnce(&mut Self)) -> Answer {
        if self.job.revision != revision {
            return Answer::Failed(Failure::Conflict);
        }
        write(self);
        Answer::Done
    }

    pub(crate) fn store_job(&mut self, job: Job) {
        if matches!(
            self.job.phase,
            Phase::Ended {
                outcome: Outcome::Succeeded,
                ..
            }
        ) {
            self.harm = Some("a job that had succeeded was written again");
        }
        self.waits |= matches!(job.phase, Phase::AwaitingCredential { .. });
        self.publish("job", job.phase.name(), "", None);
        self.job = Noted::job(job_written(job));
    }

    fn put_page(&mut self, job: &Job, chunks: &[Chunk], moves: &[ChunkMove]) -> Answer {
        let is_new = |chunk: &Chunk| self.chunk(chunk.key.number).is_none();
        if !chunks.iter().all(is_new) || !moves.iter().all(|step| self.is_present(&step.chunk)) {
            return Answer::Failed(Failure::Conflict);
        }
        self.if_read(job.revision, |state| {
            state.store_job(job.clone());
            for chunk in chunks {
                state.count(
                    chunk,
                    TallyChange {
                        planned: 1,
                        open: 1,
                        ..TallyChange::default()
                    },
                );
                state.store_chunk(chunk.clone());
            }
            for step in moves {
                state.make(step);
            }
        })
    }

    fn reopen(&mut self, revision: u64, steps: &[ChunkMove]) -> Answer {
        if steps.iter().any(|step| !self.is_present(&step.chunk)) {
            return Answer::Failed(Failure::Conflict);
        }
        self.if_read(revision, |state| {
            for step in steps {
                state.make(step);
            }
        })
    }

    fn apply(&mut self, step: &ChunkMove) -> Answer {
        if !self.is_present(&step.chunk) {
            return Answer::Failed(Failure::Conflict);
        }
        self.make(step);
        Answer::Done
    }

    /// Whether the stored chunk is the one that was read.
    fn is_present(&self, chunk: &Chunk) -> bool {
        let stored = self.chunk(chunk.key.number);
        stored.is_some_and(|stored| self.forgets_revisions || stored.revision == chunk.revision)
    }

    fn make(&mut self, step: &ChunkMove) {
        self.store_chunk(step.chunk.clone());
        if step.tally != TallyChange::default() {
            self.count(&step.chunk, step.tally);
        }
    }

    fn store_chunk(&mut self, chunk: Chunk) {
        let number = usize::try_from(chunk.key.number).unwrap();
        self.publish("chunk", "", chunk.state.name(), Some(&chunk.key));
        let next = Noted::chunk(chunk.written());
        match self.chunks.get_mut(number) {
            Some(stored) => {
                if matches!(stored.state, ChunkState::Recorded { .. }) {
                    self.harm = Some("a chunk that was recorded was written again");
                }
                *stored = next;
            }
            None => self.chunks.push(next),
        }
    }

    fn count(&mut self, chunk: &Chunk, change: TallyChange) {
        let tally = &mut self.tallies[usize::from(chunk.key.shard)];
        let add = |count: u64, change: i64| count.saturating_add_signed(change);
        *tally = Tally {
            planned: add(tally.planned, change.planned),
            open: add(tally.open, change.open),
            recorded: add(tally.recorded, change.recorded),
            failed: add(tally.failed, change.failed),
            partial: add(tally.partial, change.partial),
            counts: tally.counts + change.counts,
        };
        let open = tally.open.to_string();
        self.publish("tally", DRAINED, &open, None);
    }

    /// What the pipes let through of an item that was written; `state` is what it counts by.
    fn publish(&mut self, kind: &str, phase: &str, state: &str, chunk: Option<&ChunkKey>) {
        let text = |name: &str| match name {
            "kind" => kind.to_owned(),
            "phase" => phase.to_owned(),
            "state" | "open" => state.to_owned(),
            _ => String::new(),
        };
        let message = match (message_of(&text), chunk) {
            (Some(Kind::Job(event)), _)
                if matches!(event.phase.as_str(), "queued" | "resuming") =>
            {
                Message::Plan
            }
            (Some(Kind::Job(_)), _) => Message::Finish,
            (Some(Kind::Chunk(_)), Some(key)) => Message::Chunk {
                shard: key.shard,
                number: key.number,
            },
            (Some(Kind::Chunk(_)) | None, _) => return,
        };
        self.queue.insert(message);
    }

    fn store(
        &mut self,
        given: &str,
        blob: &BlobName,
        change: impl FnOnce(&mut Blocks) -> Result<(), ContainerError>,
    ) -> Answer {
        if !self.accepts(given) {
            return Answer::Failed(Failure::Denied);
        }
        let stored = self.blobs.get(blob);
        let mut blocks = stored.map_or_else(Blocks::default, |stored| Blocks::clone(stored));
        let changed = change(&mut blocks);
        self.blobs.insert(blob.clone(), Noted::blocks(blocks));
        match changed {
            Ok(()) => Answer::Done,
            Err(ContainerError::BlocksGone) => Answer::Failed(Failure::BlocksGone),
            Err(_) => Answer::Failed(Failure::Refused),
        }
    }

    /// Whether storage accepts a signature.
    pub(crate) fn accepts(&self, given: &str) -> bool {
        let (first, last) = self.signatures;
        (first..=last).any(|number| signature(number) == given)
    }

    /// The week of uncommitted blocks is over.
    pub(crate) fn drop_blocks(&mut self) {
        for stored in self.blobs.values_mut() {
            let mut blocks = Blocks::clone(stored);
            blocks.drop_uncommitted();
            *stored = Noted::blocks(blocks);
        }
    }
}
