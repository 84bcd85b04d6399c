//! A process of the model: one invocation of a real handler. It cannot be copied as a future, so it
//! is its past: what it was told to do and every answer that it got. Run again over these, the
//! handler comes to its next call.

use std::collections::HashMap;
use std::fmt;
use std::hash::{Hash, Hasher};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use domain::job::JobKey;
use domain::tally::DRAINED;
use edge::event::{ChunkMessage, JobEvent};
use serde_json::{Value, json};
use time::OffsetDateTime;
use tokio::runtime::Runtime;

use super::Handlers;
use super::calls::{Answer, Call, REPLAY, Replay};
use super::noted::hash;
use super::{JOB_ID, signature};
use crate::world::events::{bus_event, envelope, sqs_event};
use crate::world::{APP_PATH, World, url_with};

/// What a process is told to do.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(crate) enum Message {
    /// Run a chunk.
    Chunk { shard: u16, number: u32 },
    /// Plan the job, or reopen its chunks.
    Plan,
    /// Finish the job, or close its chunks. Which event says so makes no difference to the handler.
    Finish,
    /// Deal with a dead letter.
    Dead(Box<Message>),
    /// Answer a PATCH, with the signature of this number or without.
    Patch(Option<u8>),
    /// Answer a DELETE.
    Delete,
    /// Look for jobs that have waited too long.
    Expire,
}

impl Message {
    /// Whether it comes again when it was not dealt with.
    pub(crate) fn comes_again(&self) -> bool {
        matches!(
            self,
            Self::Chunk { .. } | Self::Plan | Self::Finish | Self::Dead(_)
        )
    }

    /// The message that a dead letter was.
    pub(crate) fn alive(self) -> Self {
        if let Self::Dead(message) = self {
            *message
        } else {
            self
        }
    }

    fn body(&self, key: &JobKey) -> Value {
        let (scope, job) = (key.scope.as_str().to_owned(), key.id.to_string());
        match self {
            Self::Chunk { shard, number } => {
                json!(ChunkMessage {
                    scope,
                    job,
                    shard: shard.to_string(),
                    chunk: number.to_string()
                })
            }
            Self::Plan => envelope(&job_event(key, "queued")),
            Self::Finish => envelope(&job_event(key, DRAINED)),
            Self::Dead(message) => message.body(key),
            Self::Patch(_) | Self::Delete | Self::Expire => Value::Null,
        }
    }
}

fn job_event(key: &JobKey, phase: &str) -> JobEvent {
    let (scope, job) = (key.scope.as_str().to_owned(), key.id.to_string());
    JobEvent {
        kind: "job".to_owned(),
        scope,
        job,
        phase: phase.to_owned(),
    }
}

/// What a process comes to.
#[derive(Debug)]
pub(crate) enum Next {
    /// It waits for the answers to these calls; each has its place among all that it made.
    Calls(Vec<(usize, Call)>),
    /// It ends; whether its message is done with.
    End(bool),
}

/// An answer that a process got.
#[derive(Clone)]
struct Answered {
    /// The place of its call.
    call: usize,
    answer: Answer,
    /// When it came.
    now: OffsetDateTime,
}

/// A process, by its past.
#[derive(Clone)]
pub(crate) struct Process {
    pub(crate) message: Message,
    began: OffsetDateTime,
    past: Arc<Vec<Answered>>,
    /// Stands for the message and the past.
    id: u64,
    pub(crate) next: Arc<Next>,
}

impl Process {
    /// The calls that it waits for.
    pub(crate) fn calls(&self) -> impl Iterator<Item = &Call> {
        let calls = if let Next::Calls(calls) = self.next.as_ref() {
            calls.as_slice()
        } else {
            &[]
        };
        calls.iter().map(|(_, call)| call)
    }
}

impl PartialEq for Process {
    fn eq(&self, other: &Self) -> bool {
        self.id == other.id
    }
}

impl Eq for Process {}

impl Hash for Process {
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.id.hash(state);
    }
}

impl PartialOrd for Process {
    fn partial_cmp(&self, other: &Self) -> Option<std::cmp::Ordering> {
        Some(self.cmp(other))
    }
}

impl Ord for Process {
    fn cmp(&self, other: &Self) -> std::cmp::Ordering {
        (&self.message, self.id).cmp(&(&other.message, other.id))
    }
}

impl fmt::Debug for Process {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:?} after {} answers", self.message, self.past.len())
    }
}

/// Runs processes, and remembers what each past comes to.
pub(crate) struct Processes {
    handlers: Handlers,
    key: JobKey,
    known: Mutex<HashMap<u64, Arc<Next>>>,
}

thread_local! {
    static RUNTIME: Runtime =
        tokio::runtime::Builder::new_current_thread().enable_time().start_paused(true).build().unwrap();
}

impl Processes {
    pub(crate) fn new(handlers: Handlers) -> Self {
        let key = JobKey {
            scope: World::scope(),
            id: JOB_ID,
        };
        Self {
            handlers,
            key,
            known: Mutex::default(),
        }
    }

    /// How many pasts were run.
    pub(crate) fn known(&self) -> usize {
        self.known.lock().unwrap().len()
    }

    /// A process that was just told what to do.
    pub(crate) fn begin(&self, message: Message, now: OffsetDateTime) -> Process {
        let id = hash(&(&message, now));
        let next = Arc::new(Next::End(false));
        self.at_next_call(Process {
            message,
            began: now,
            past: Arc::default(),
            id,
            next,
        })
    }

    /// The process when one of the calls that it waits for was answered.
    pub(crate) fn go_on(
        &self,
        process: Process,
        which: usize,
        answer: Answer,
        now: OffsetDateTime,
    ) -> Process {
        let Next::Calls(calls) = process.next.as_ref() else {
            panic!("{process:?} waits for nothing")
        };
        let call = calls[which].0;
        let id = hash(&(process.id, call, &answer, now));
        let mut past = process.past;
        Arc::make_mut(&mut past).push(Answered { call, answer, now });
        self.at_next_call(Process {
            past,
            id,
            ..process
        })
    }

    fn at_next_call(&self, process: Process) -> Process {
        if let Some(next) = self.known.lock().unwrap().get(&process.id) {
            return Process {
                next: Arc::clone(next),
                ..process
            };
        }
        let next = Arc::new(self.replay(&process));
        self.known
            .lock()
            .unwrap()
            .insert(process.id, Arc::clone(&next));
        Process { next, ..process }
    }

    /// Runs the process again: each answer comes when it can do nothing more without.
    fn replay(&self, process: &Process) -> Next {
        REPLAY.with_borrow_mut(|replay| replay.begin(process.began));
        RUNTIME.with(|runtime| {
            runtime.block_on(async {
                let mut handler = Box::pin(self.handle(&process.message));
                for Answered { call, answer, now } in process.past.as_ref() {
                    let end = until_it_waits(&mut handler).await;
                    assert!(end.is_none(), "{process:?} ends before its time");
                    REPLAY.with_borrow_mut(|replay| replay.answer(*call, answer.clone(), *now));
                }
                match until_it_waits(&mut handler).await {
                    Some(done) => Next::End(done),
                    None => Next::Calls(REPLAY.with_borrow(Replay::open_calls)),
                }
            })
        })
    }

    /// Runs the handler; whether the message is done with.
    async fn handle(&self, message: &Message) -> bool {
        let handlers = &self.handlers;
        match message {
            Message::Chunk { .. } => {
                let event = sqs_event(&message.body(&self.key));
                run_export_chunk::handle(event, &handlers.run)
                    .await
                    .batch_item_failures
                    .is_empty()
            }
            Message::Plan => {
                plan_export::handle(bus_event(&job_event(&self.key, "queued")), &handlers.plan)
                    .await
                    .is_ok()
            }
            Message::Finish => {
                finish_export::handle(bus_event(&job_event(&self.key, DRAINED)), &handlers.finish)
                    .await
                    .is_ok()
            }
            Message::Dead(message) => {
                let event = sqs_event(&message.body(&self.key));
                fail_chunk::handle(event, &handlers.fail)
                    .await
                    .batch_item_failures
                    .is_empty()
            }
            Message::Patch(given) => {
                let body = given.map_or_else(
                    || json!({}),
                    |given| json!({ "containerUrl": url_with(&signature(given)) }),
                );
                let event =
                    World::http("PATCH", &format!("{APP_PATH}/{}", self.key.id), Some(&body));
                crate::described::resume(event, &handlers.resume)
                    .await
                    .status_code
                    == 202
            }
            Message::Delete => {
                let event = World::http("DELETE", &format!("{APP_PATH}/{}", self.key.id), None);
                crate::described::cancel(event, &handlers.cancel)
                    .await
                    .status_code
                    == 202
            }
            Message::Expire => expire_jobs::handle(Value::Null, &handlers.expire)
                .await
                .is_ok(),
        }
    }
}

/// Runs a handler until it ends or waits. The runtime's clock is paused and jumps when no task can
/// go on: so a moment's sleep ends only then.
async fn until_it_waits(handler: &mut (impl Future<Output = bool> + Unpin)) -> Option<bool> {
    tokio::select! {
        biased;
        done = handler => Some(done),
        () = tokio::time::sleep(Duration::from_millis(1)) => None,
    }
}
