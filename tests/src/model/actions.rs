//! What can happen next: a delivery, a step of somebody at work, a wish of the owner, or a mishap.

use shared::chunk::{ChunkState, Claim};
use shared::job::{Cancellation, Job, Outcome, Phase};
use stateright::{Model, Property};

use super::finisher::Finisher;
use super::planner::Planner;
use super::properties;
use super::run::{Next, Run};
use super::world::{Actor, Fate, World, credential};
use super::{Export, RUNS_PER_CHUNK};

/// Something that happens in one instant.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Action {
    /// A message of this chunk is delivered; `duplicate`: and stays in the queue all the same.
    Run { chunk: usize, duplicate: bool },
    /// An event about the job wakes plan-export.
    Plan { duplicate: bool },
    /// An event about the job wakes finish-export.
    Finish { duplicate: bool },
    /// Who works in this slot takes the next step.
    Step { slot: usize, fate: Fate },
    /// Who works in this slot dies.
    Crash { slot: usize },
    /// Every lease runs out.
    Expire,
    /// Storage refuses the credentials given so far.
    Revoke,
    /// The owner gives a new credential.
    GiveCredential,
    /// The owner retries what ended without success.
    Retry,
    /// The owner cancels.
    Cancel,
    /// A week passes: uncommitted blocks are gone.
    LoseBlocks,
    /// A message of this chunk was received too often: fail-chunk ends the chunk.
    DeadChunk { chunk: usize },
    /// An event that was to wake plan-export failed too often: fail-chunk ends the job.
    DeadPlan,
    /// An event that was to wake finish-export failed too often: fail-chunk ends the job.
    DeadFinish,
}

impl Model for Export {
    type State = World;
    type Action = Action;

    fn init_states(&self) -> Vec<World> {
        let mut world = World::queued(self.chunks, self.blocks, self.slots(), self.budget);
        if self.planned {
            self.plan_undisturbed(&mut world);
        }
        vec![world]
    }

    fn actions(&self, world: &World, actions: &mut Vec<Action>) {
        deliveries(world, actions);
        for slot in 0..world.actors.len() {
            self.of_slot(slot, world, actions);
        }
        mishaps(world, actions);
    }

    fn next_state(&self, world: &World, action: Action) -> Option<World> {
        let mut next = world.clone();
        self.act(action, &mut next)?;
        (next != *world).then_some(next)
    }

    fn properties(&self) -> Vec<Property<Self>> {
        properties::all()
    }
}

fn deliveries(world: &World, actions: &mut Vec<Action>) {
    let mut offer = |waiting: u8, make: &dyn Fn(bool) -> Action| {
        if waiting > 0 {
            actions.push(make(false));
        }
        if waiting > 0 && world.left.duplicates > 0 {
            actions.push(make(true));
        }
    };
    for (chunk, waiting) in world.messages.iter().enumerate() {
        offer(*waiting, &|duplicate| Action::Run { chunk, duplicate });
    }
    offer(world.plan_wakes, &|duplicate| Action::Plan { duplicate });
    offer(world.finish_wakes, &|duplicate| Action::Finish { duplicate });
}

fn mishaps(world: &World, actions: &mut Vec<Action>) {
    let left = &world.left;
    let somebody_works = world.actors.iter().any(Option::is_some);
    let offers = [
        (!somebody_works || left.expiries > 0, Action::Expire),
        (left.revocations > 0, Action::Revoke),
        (left.credentials > 0, Action::GiveCredential),
        (left.retries > 0, Action::Retry),
        (left.cancels > 0, Action::Cancel),
        (left.losses > 0, Action::LoseBlocks),
        (left.dead_events > 0 && world.plan_wakes > 0, Action::DeadPlan),
        (left.dead_events > 0 && world.finish_wakes > 0, Action::DeadFinish),
    ];
    actions.extend(offers.into_iter().filter_map(|(offered, action)| offered.then_some(action)));
    let dead = (0..world.chunks.len()).filter(|chunk| left.dead_chunks > 0 && world.messages[*chunk] > 0);
    actions.extend(dead.map(|chunk| Action::DeadChunk { chunk }));
}

impl Export {
    /// Two runs a chunk, then finishers, then planners.
    fn slots(&self) -> usize {
        self.chunks * RUNS_PER_CHUNK + self.finishers + self.planners
    }

    /// Writes the whole plan before anything else happens.
    fn plan_undisturbed(&self, world: &mut World) {
        self.act(Action::Plan { duplicate: false }, world);
        let slot = self.slots() - self.planners;
        while world.actors[slot].is_some() {
            self.act(Action::Step { slot, fate: Fate::Answered }, world);
        }
    }

    fn of_slot(&self, slot: usize, world: &World, actions: &mut Vec<Action>) {
        let Some(actor) = &world.actors[slot] else { return };
        let is_write = match actor {
            Actor::Run(run) => run.is_write(),
            Actor::Finisher(finisher) => finisher.is_write(),
            Actor::Planner(planner) => planner.is_write(),
        };
        actions.push(Action::Step { slot, fate: Fate::Answered });
        if is_write && world.left.timeouts > 0 {
            actions.push(Action::Step { slot, fate: Fate::AnswerLost });
            actions.push(Action::Step { slot, fate: Fate::RequestLost });
        }
        if world.left.crashes > 0 {
            actions.push(Action::Crash { slot });
        }
    }

    /// Does it, or says that it cannot happen now.
    fn act(&self, action: Action, world: &mut World) -> Option<()> {
        match action {
            Action::Run { chunk, duplicate } => self.deliver_run(chunk, duplicate, world),
            Action::Plan { duplicate } => self.deliver_plan(duplicate, world),
            Action::Finish { duplicate } => self.deliver_finish(duplicate, world),
            Action::Step { slot, fate } => self.step(slot, fate, world),
            Action::Crash { slot } => {
                world.left.crashes -= 1;
                let actor = world.actors[slot].take()?;
                send_again(&actor, world);
                Some(())
            }
            Action::Expire => expire(world),
            Action::Revoke => {
                world.left.revocations -= 1;
                world.revoked = world.job.credentials_given;
                Some(())
            }
            Action::GiveCredential => give_credential(world),
            Action::Retry => retry(world),
            Action::Cancel => {
                world.left.cancels -= 1;
                put(world, world.job.take().cancel(Cancellation::Asked).ok()?)
            }
            Action::LoseBlocks => {
                world.left.losses -= 1;
                let losers: Vec<_> = world.blobs.iter_mut().filter(|blob| blob.has_uncommitted()).collect();
                (!losers.is_empty()).then_some(())?;
                losers.into_iter().for_each(super::storage::Blob::drop_uncommitted);
                Some(())
            }
            Action::DeadChunk { chunk } => end_chunk(chunk, world),
            Action::DeadPlan => {
                world.plan_wakes -= 1;
                end_job(world)
            }
            Action::DeadFinish => {
                world.finish_wakes -= 1;
                end_job(world)
            }
        }
    }

    fn deliver_run(&self, chunk: usize, duplicate: bool, world: &mut World) -> Option<()> {
        let slots = chunk * RUNS_PER_CHUNK..(chunk + 1) * RUNS_PER_CHUNK;
        let slot = free_slot(world, slots)?;
        world.actors[slot] = Run::delivered(u32::try_from(chunk).ok()?, world).map(Actor::Run);
        take_one(|world| &mut world.messages[chunk], duplicate, world);
        Some(())
    }

    fn deliver_finish(&self, duplicate: bool, world: &mut World) -> Option<()> {
        let first = self.chunks * RUNS_PER_CHUNK;
        let slot = free_slot(world, first..first + self.finishers)?;
        world.actors[slot] = Finisher::delivered(world).map(Actor::Finisher);
        take_one(|world| &mut world.finish_wakes, duplicate, world);
        Some(())
    }

    fn deliver_plan(&self, duplicate: bool, world: &mut World) -> Option<()> {
        let slot = free_slot(world, self.slots() - self.planners..self.slots())?;
        world.actors[slot] = Planner::delivered(world).map(Actor::Planner);
        take_one(|world| &mut world.plan_wakes, duplicate, world);
        Some(())
    }

    fn step(&self, slot: usize, fate: Fate, world: &mut World) -> Option<()> {
        if fate != Fate::Answered {
            world.left.timeouts -= 1;
        }
        let actor = world.actors[slot].take()?;
        let next = match actor.clone() {
            Actor::Run(run) => run.step(world, fate, self.variant),
            Actor::Finisher(finisher) => finisher.step(world, fate, self.variant),
            Actor::Planner(planner) => planner.step(world, fate),
        };
        match next {
            Next::Go(next) => world.actors[slot] = Some(next),
            Next::Done => {}
            Next::Again => send_again(&actor, world),
        }
        Some(())
    }
}

fn free_slot(world: &World, mut slots: std::ops::Range<usize>) -> Option<usize> {
    slots.find(|slot| world.actors[*slot].is_none())
}

fn take_one(waiting: impl FnOnce(&mut World) -> &mut u8, duplicate: bool, world: &mut World) {
    if duplicate {
        world.left.duplicates -= 1;
    } else {
        *waiting(world) -= 1;
    }
}

fn send_again(actor: &Actor, world: &mut World) {
    match actor {
        Actor::Run(run) => world.send(run.chunk as usize),
        Actor::Finisher(_) => world.wake_finisher(),
        Actor::Planner(_) => world.wake_planner(),
    }
}

/// Time passes at will when nobody is at work; otherwise whoever is becomes a zombie, which is a mishap.
fn expire(world: &mut World) -> Option<()> {
    let somebody_works = world.actors.iter().any(Option::is_some);
    let now = world.now();
    let held = world.chunks.iter().any(|chunk| match chunk.state {
        ChunkState::Running { until } | ChunkState::Prepared { until, .. } => now < until,
        ChunkState::Pending { .. }
        | ChunkState::Recorded { .. }
        | ChunkState::Parked { .. }
        | ChunkState::Cancelled
        | ChunkState::Failed { .. } => false,
    });
    held.then_some(())?;
    world.left.expiries -= u8::from(somebody_works);
    world.jumps += 1;
    Some(())
}

fn put(world: &mut World, job: Job) -> Option<()> {
    world.put_job(job, Fate::Answered).ok().map(|_| ())
}

/// A new credential is taken at any time before success, and resumes the job when it waits.
fn give_credential(world: &mut World) -> Option<()> {
    if matches!(world.job.phase, Phase::Ended { .. }) {
        return None;
    }
    world.left.credentials -= 1;
    let job = world.job.take().replace_credential(credential());
    let resumed = job.clone().resume();
    put(world, resumed.unwrap_or(job))
}

/// With a new credential when the old one is refused.
fn retry(world: &mut World) -> Option<()> {
    if !matches!(world.job.phase, Phase::Ended { .. }) {
        return None;
    }
    world.left.retries -= 1;
    let job = world.job.take().resume().ok()?;
    let is_refused = job.credentials_given <= world.revoked;
    put(world, if is_refused { job.replace_credential(credential()) } else { job })
}

/// What fail-chunk does with a chunk's message; one that is held comes again.
fn end_chunk(chunk: usize, world: &mut World) -> Option<()> {
    world.left.dead_chunks -= 1;
    let now = world.now();
    match world.chunks[chunk].take().abandon(now, "") {
        Claim::Held { .. } => return None,
        Claim::Closed => {}
        Claim::Free(step) => {
            world.apply(*step, Fate::Answered).ok()?;
        }
    }
    world.messages[chunk] -= 1;
    Some(())
}

/// What fail-chunk does with a job's event; one about a prepared manifest stays for a person to send it again.
fn end_job(world: &mut World) -> Option<()> {
    world.left.dead_events -= 1;
    let (job, now) = (world.job.take(), world.now());
    let ended = match &job.phase {
        Phase::Queued | Phase::Planning => job.begin_planning().ok()?.fail_plan(String::new()).ok()?,
        Phase::Resuming => job.give_up_resuming(now, String::new()).ok()?,
        Phase::Running if world.tally.open > 0 => return Some(()),
        Phase::Running | Phase::Cancelling { .. } | Phase::Finishing { manifest: None, .. } => {
            job.end(now, Outcome::Failed { details: String::new() }).ok()?
        }
        Phase::Finishing { manifest: Some(_), .. } => return None,
        Phase::AwaitingCredential { .. } | Phase::Ended { .. } => return Some(()),
    };
    put(world, ended)
}
