//! Planning and reopening, step by step as `plan-export` takes them: a page holds one chunk.

use shared::chunk::Chunk;
use shared::job::{Job, Phase, Plan, PlanCursor};
use shared::store::StoreError;

use super::run::Next;
use super::stored::Stored;
use super::world::{Actor, Fate, World, next_chunk};

/// A planner at work, with the job as it last read or wrote it.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(super) struct Planner {
    pub(super) job: Stored<Job>,
    pub(super) at: At,
}

/// Its next step.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(super) enum At {
    /// Reads the job again, which somebody else has changed.
    ReadJob,
    /// Lists the chunks of a job that is resumed.
    List,
    /// Reopens the first of these.
    Reopen(Vec<Stored<Chunk>>),
    /// Writes a job that is being cancelled again, to wake the finisher.
    WakeFinisher,
    /// Writes the next page, or that there is none.
    Page,
}

impl Planner {
    /// A delivery, which begins by reading the job; `None` when there is nothing to plan.
    pub(super) fn delivered(world: &World) -> Option<Self> {
        let job = world.job.clone();
        let at = match job.phase {
            Phase::Resuming => At::List,
            Phase::Queued | Phase::Planning => At::Page,
            Phase::Cancelling { .. } => At::WakeFinisher,
            Phase::Running | Phase::AwaitingCredential { .. } | Phase::Finishing { .. } | Phase::Ended { .. } => {
                return None;
            }
        };
        Some(Self { job, at })
    }

    pub(super) fn is_write(&self) -> bool {
        matches!(self.at, At::Reopen(_) | At::WakeFinisher | At::Page)
    }

    pub(super) fn step(self, world: &mut World, fate: Fate) -> Next<Actor> {
        match self.at.clone() {
            At::ReadJob => Self::delivered(world).map_or(Next::Done, |planner| Next::Go(Actor::Planner(planner))),
            At::List => self.go(reopen_next(world.chunks.clone())),
            At::Reopen(chunks) => {
                let step = chunks[0].take().reopen();
                match step.map(|step| world.apply(step, fate)) {
                    Some(Err(StoreError::Unavailable { .. } | StoreError::Corrupt { .. })) => Next::Again,
                    Some(Ok(_) | Err(StoreError::Conflict { .. })) | None => {
                        self.go(reopen_next(chunks.into_iter().skip(1).collect()))
                    }
                }
            }
            At::WakeFinisher => match world.put_job(self.job.take(), fate) {
                Ok(_) => Next::Done,
                Err(StoreError::Conflict { .. }) => self.go(At::ReadJob),
                Err(StoreError::Unavailable { .. } | StoreError::Corrupt { .. }) => Next::Again,
            },
            At::Page => self.page(world, fate),
        }
    }

    fn page(mut self, world: &mut World, fate: Fate) -> Next<Actor> {
        match put_page(&self.job, world, fate) {
            Ok(job) if matches!(job.plan, Plan::Complete { .. }) => Next::Done,
            Ok(job) => {
                self.job = job;
                self.go(At::Page)
            }
            Err(StoreError::Conflict { .. }) => self.go(At::ReadJob),
            Err(StoreError::Unavailable { .. } | StoreError::Corrupt { .. }) => Next::Again,
        }
    }

    fn go(self, at: At) -> Next<Actor> {
        Next::Go(Actor::Planner(Self { at, ..self }))
    }
}

fn put_page(job: &Stored<Job>, world: &mut World, fate: Fate) -> Result<Stored<Job>, StoreError> {
    let job = job.take().begin_planning().unwrap();
    if matches!(job.plan, Plan::Complete { .. }) {
        return world.put_job(job.resume_running().unwrap(), fate);
    }
    let chunk = next_chunk(&job);
    let is_last = job.chunks as usize + 1 == world.messages.len();
    let cursor = PlanCursor(String::new());
    let job = if is_last { job.complete_plan(1, world.now()) } else { job.plan_page(1, cursor) };
    world.put_page(job.unwrap(), chunk, fate)
}

/// Chunks that are not to be reopened are passed by.
fn reopen_next(chunks: Vec<Stored<Chunk>>) -> At {
    let left: Vec<_> = chunks.into_iter().skip_while(|chunk| chunk.take().reopen().is_none()).collect();
    if left.is_empty() { At::Page } else { At::Reopen(left) }
}
