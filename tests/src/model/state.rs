//! A state of the model's world: the exports table, the client's container, what is under way and
//! who works.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use domain::chunk::{Chunk, ChunkState};
use domain::container::BlobName;
use domain::job::Job;
use domain::tally::Tally;
use fakes::container::Blocks;
use time::macros::datetime;
use time::{Duration, OffsetDateTime};

use super::calls::{Answer, Call};
use super::noted::Noted;
use super::process::{Message, Next, Process, Processes};

/// When the job is made.
pub(crate) const BEGINNING: OffsetDateTime = datetime!(2026-02-01 00:00 UTC);

/// How far time jumps: longer than a lease lasts, and than a job may wait for a credential.
const JUMP: Duration = Duration::minutes(20);

/// A call that a process waits for: the place of the process, and of the call among those.
pub(crate) type CallOf = (usize, usize);

#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(crate) struct State {
    pub(crate) now: OffsetDateTime,
    pub(crate) job: Noted<Job>,
    /// Whether the job is on the list of those that wait.
    pub(crate) waits: bool,
    /// The chunks, by number.
    pub(crate) chunks: Vec<Noted<Chunk>>,
    /// The tallies, by shard.
    pub(crate) tallies: Vec<Tally>,
    pub(crate) blobs: BTreeMap<BlobName, Noted<Blocks>>,
    /// The signatures that storage accepts, by number: from the first to the last.
    pub(crate) signatures: (u8, u8),
    /// Events and messages that nobody works on.
    pub(crate) queue: BTreeSet<Message>,
    pub(crate) processes: Vec<Process>,
    /// Writes whose callers wait no longer.
    pub(crate) late: Vec<Noted<Call>>,
    /// How much may still go wrong.
    pub(crate) faults: u8,
    /// How often the job's owner may still do something.
    pub(crate) acts: u8,
    /// What must never happen to what is settled, and has.
    pub(crate) harm: Option<&'static str>,
    /// Whether the table is broken on purpose, and writes chunks whatever their revision is.
    pub(crate) forgets_revisions: bool,
}

impl State {
    /// A job that was just made.
    pub(crate) fn begin(job: Job, shards: u16, faults: u8, acts: u8) -> Self {
        let mut state = Self {
            now: BEGINNING,
            job: Noted::job(job.clone()),
            waits: false,
            chunks: Vec::new(),
            tallies: vec![Tally::default(); usize::from(shards)],
            blobs: BTreeMap::new(),
            signatures: (0, 0),
            queue: BTreeSet::new(),
            processes: Vec::new(),
            late: Vec::new(),
            faults,
            acts,
            harm: None,
            forgets_revisions: false,
        };
        state.store_job(job);
        state
    }

    /// Whether nobody works and nothing is under way.
    pub(crate) fn is_at_rest(&self) -> bool {
        self.queue.is_empty() && self.processes.is_empty() && self.late.is_empty()
    }

    /// Whether some lease is held.
    pub(crate) fn holds_leases(&self) -> bool {
        self.chunks.iter().any(|chunk| match chunk.state {
            ChunkState::Running { until, .. } | ChunkState::Prepared { until, .. } => {
                self.now < until
            }
            ChunkState::Pending { .. }
            | ChunkState::Recorded { .. }
            | ChunkState::Parked { .. }
            | ChunkState::Cancelled
            | ChunkState::Failed { .. } => false,
        })
    }

    /// Time passes, over every lease.
    pub(crate) fn wait(&mut self) {
        self.now += JUMP;
    }

    /// Somebody begins to work, and makes the first call at once: before it, nothing of the process
    /// can be seen.
    pub(crate) fn begin_process(&mut self, message: &Message, processes: &Processes) {
        self.queue.remove(message);
        let process = processes.begin(message.clone(), self.now);
        self.processes.push(process);
        self.call((self.processes.len() - 1, 0), processes);
    }

    /// A process makes one of its calls and goes on until it waits again, or ends.
    pub(crate) fn call(&mut self, call: CallOf, processes: &Processes) {
        let answer = self.perform_call_of(call);
        self.answer(call, answer, processes);
    }

    /// Does what a process asks.
    pub(crate) fn perform_call_of(&mut self, (at, which): CallOf) -> Answer {
        let next = Arc::clone(&self.processes[at].next);
        let Next::Calls(calls) = next.as_ref() else {
            panic!("a process without a call")
        };
        self.perform(&calls[which].1)
    }

    /// A process gets an answer.
    pub(crate) fn answer(&mut self, (at, which): CallOf, answer: Answer, processes: &Processes) {
        let process = processes.go_on(self.processes.remove(at), which, answer, self.now);
        match process.next.as_ref() {
            Next::End(true) => {}
            Next::End(false) => self.give_back(process.message),
            Next::Calls(_) => self.processes.push(process),
        }
        self.processes.sort_unstable();
    }

    /// A process is no more; its message comes again.
    pub(crate) fn die(&mut self, at: usize) {
        let process = self.processes.remove(at);
        self.give_back(process.message);
    }

    /// A message comes (again). A dead letter that stays in its queue is put back by an operator.
    pub(crate) fn give_back(&mut self, message: Message) {
        if message.comes_again() {
            self.queue.insert(message.alive());
        }
    }

    /// The caller of a write waits no longer; it may still arrive.
    pub(crate) fn make_late(&mut self, (at, which): CallOf) {
        let call = self.processes[at].calls().nth(which).cloned();
        self.late.extend(call.map(Noted::call));
    }
}
