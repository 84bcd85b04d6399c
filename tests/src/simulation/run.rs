//! One run: a scheduler that holds every call of every process, and by its seed lets one of them go, with a fault or
//! without, or lets something else happen in the world.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};
use std::time::Duration as Pause;

use anyhow::Result;
use shared::container::ContainerAddress;
use shared::container::memory::Permission;
use shared::job::JobKey;
use shared::secret::Secret;
use time::{Duration, OffsetDateTime};
use tokio::task::JoinHandle;

use super::chance::Chance;
use super::checks::{Journal, check_at_rest, check_in_the_end, clean};
use super::control::Control;
use super::data::Data;
use super::plan::{Broken, Character, Figures};
use super::turnstile::{Turnstile, Waiting};
use super::work::{Work, carry_out};
use crate::faults::{Call, Fault, PROCESS, Process};
use crate::world::{CONTAINER, Delivery, Kind, SIGNATURE, World, told_by};

/// How long a message that was received stays out of sight.
const OUT_OF_SIGHT: Duration = Duration::minutes(16);

/// How long a process may take.
const TIME_LIMIT: Duration = Duration::minutes(15);

/// A run that takes more steps than this never ends.
const MOST_STEPS: usize = 50_000;

/// Work that is repeated until it is done with.
struct Errand {
    work: Work,
    /// When it is in sight (again).
    at: OffsetDateTime,
    /// The process that took it up last. Only that one can be done with it, as only the last receipt deletes a message
    /// (<https://docs.aws.amazon.com/AWSSimpleQueueService/latest/APIReference/API_DeleteMessage.html>).
    receipt: u64,
}

/// A process that works on an errand.
struct Worker {
    errand: u64,
    task: JoinHandle<bool>,
    posts: bool,
    /// When Lambda ends the process: only a call that is on its way by then still arrives. Chunk runs are not ended,
    /// which is harder on the protocol than Lambda is.
    ends: Option<OffsetDateTime>,
    /// The step until which it stands still.
    stands_until: usize,
}

/// What the scheduler may do next.
#[derive(Debug, Clone, Copy)]
enum Step {
    LetGo,
    Wake,
    Begin,
    Tick,
    Jump,
    Disturb,
}

pub(crate) struct Run {
    chance: Chance,
    character: Character,
    world: Arc<World>,
    data: Data,
    turnstile: Arc<Turnstile>,
    errands: BTreeMap<u64, Errand>,
    workers: BTreeMap<u64, Worker>,
    dying: Vec<u64>,
    key: Arc<Mutex<Option<JobKey>>>,
    /// Counts the signatures that were given; the last one is the present one.
    signatures: usize,
    /// How often the job was helped up again after the faults had ended.
    helped: usize,
    next_id: u64,
    journal: Journal,
    pub(crate) figures: Figures,
    verbose: bool,
}

impl Run {
    /// Plays a seed to its end.
    pub(crate) async fn play(seed: u64, broken: Option<Broken>, verbose: bool) -> (Figures, Result<()>) {
        let mut run = Self::begin(seed, broken, verbose).await;
        let result = run.go_on().await;
        for worker in run.workers.values() {
            worker.task.abort();
        }
        (run.figures, result)
    }

    async fn begin(seed: u64, broken: Option<Broken>, verbose: bool) -> Self {
        let mut chance = Chance::new(seed);
        let character = Character::draw(&mut chance);
        let mut world = World::new().await;
        character.shape(&mut world);
        let data = Data::fill(&world, &mut chance).await;
        let turnstile = Arc::new(Turnstile::default());
        world.faults.direct(Arc::clone(&turnstile) as _);
        world.table.take_outbox();
        if let Some(broken) = broken {
            broken.apply(&mut world);
        }
        let mut run = Self {
            chance,
            character,
            world: Arc::new(world),
            data,
            turnstile,
            errands: BTreeMap::new(),
            workers: BTreeMap::new(),
            dying: Vec::new(),
            key: Arc::default(),
            signatures: 0,
            helped: 0,
            next_id: 0,
            journal: Journal::default(),
            figures: Figures::default(),
            verbose,
        };
        run.tell(|run| format!("seed {seed}: {:?}, {} objects", run.character, run.data.rows.len()));
        run.send(Work::Post);
        run
    }

    async fn go_on(&mut self) -> Result<()> {
        for _ in 0..MOST_STEPS {
            self.settle().await?;
            let Some(step) = self.choose() else {
                if self.workers.is_empty() {
                    if self.rest().await? {
                        return Ok(());
                    }
                } else {
                    tokio::time::sleep(Pause::from_millis(50)).await;
                }
                continue;
            };
            self.take(step);
            self.figures.steps += 1;
        }
        anyhow::bail!("the run does not end")
    }

    /// Waits until every process stands at the turnstile or sleeps, and takes in what has happened. The runtime's clock
    /// is paused: it moves only when no task can go on.
    async fn settle(&mut self) -> Result<()> {
        tokio::time::sleep(Pause::from_millis(1)).await;
        if !self.dying.is_empty() {
            for id in std::mem::take(&mut self.dying) {
                if let Some(worker) = self.workers.remove(&id) {
                    worker.task.abort();
                }
            }
            tokio::time::sleep(Pause::from_millis(1)).await;
        }
        let finished = self.workers.extract_if(.., |_, worker| worker.task.is_finished()).collect::<Vec<_>>();
        for (id, worker) in finished {
            let is_last = self.errands.get(&worker.errand).is_some_and(|errand| errand.receipt == id);
            if worker.task.await? && is_last {
                self.errands.remove(&worker.errand);
            }
        }
        self.take_in_images()?;
        self.journal.check_unchanged(&self.world)
    }

    fn take_in_images(&mut self) -> Result<()> {
        for image in self.world.table.take_outbox() {
            self.journal.note(&self.world, &image)?;
            let text = |name: &str| {
                ["S", "N"].iter().find_map(|kind| image[name][kind].as_str()).unwrap_or_default().to_owned()
            };
            let line = ["kind", "chunk", "phase", "state", "attempt", "revision"].map(&text).join(" ");
            self.tell(|_| format!("    written: {line}"));
            let Some(what) = told_by(&text) else { continue };
            clean("an event", &format!("{what:?}"))?;
            let copies = if self.chance.is(self.character.doubled_per_mille) { 2 } else { 1 };
            for _ in 0..copies {
                self.send(Work::Deliver(Delivery { what: what.clone(), receives: 0 }));
            }
        }
        Ok(())
    }

    fn send(&mut self, work: Work) {
        self.next_id += 1;
        self.errands.insert(self.next_id, Errand { work, at: self.now(), receipt: 0 });
    }

    fn now(&self) -> OffsetDateTime {
        use shared::clock::Clock;
        self.world.clock.now()
    }

    fn choose(&mut self) -> Option<Step> {
        let calls = self.turnstile.take();
        let (ready, standing): (Vec<_>, Vec<_>) = calls.iter().partition(|call| !self.stands(call));
        let (ready, standing) = (ready.len(), standing.len());
        self.turnstile.put_back(calls);
        let now = self.now();
        let in_sight =
            self.errands.values().any(|errand| errand.at <= now) && self.workers.len() < self.character.workers;
        let nothing_else = ready == 0 && !in_sight;
        let out_of_sight = self.errands.values().any(|errand| errand.at > now);
        let posts = self.errands.values().any(|errand| matches!(errand.work, Work::Post));
        let posted = !posts && !self.workers.values().any(|worker| worker.posts);
        let disturbs = self.character.disturbances > 0 && posted;
        let jump = if nothing_else { 40 } else { usize::from(self.character.faults > 0) };
        let may_sleep = nothing_else && self.workers.values().any(|worker| worker.stands_until == 0) && standing == 0;
        let weights = [
            (if ready > 0 { 120 } else { 0 }, Step::LetGo),
            (
                if standing == 0 {
                    0
                } else if nothing_else {
                    10
                } else {
                    1
                },
                Step::Wake,
            ),
            (if in_sight { 50 } else { 0 }, Step::Begin),
            (if nothing_else { 0 } else { 3 }, Step::Tick),
            (if out_of_sight && !may_sleep { jump } else { 0 }, Step::Jump),
            (if disturbs && (out_of_sight || !nothing_else) { 2 } else { 0 }, Step::Disturb),
        ];
        self.chance.weigh(&weights)
    }

    /// Whether the call's process stands still.
    fn stands(&self, call: &Waiting) -> bool {
        let worker = call.process.and_then(|id| self.workers.get(&id));
        worker.is_some_and(|worker| worker.stands_until > self.figures.steps)
    }

    fn take(&mut self, step: Step) {
        match step {
            Step::LetGo => self.let_go(),
            Step::Wake => self.wake(),
            Step::Begin => self.begin_errand(),
            Step::Tick => self.world.clock.advance(self.chance.millis(4_000)),
            Step::Jump => self.jump(),
            Step::Disturb => self.disturb(),
        }
    }

    fn let_go(&mut self) {
        let mut calls = self.turnstile.take();
        let ready: Vec<usize> = (0..calls.len()).filter(|&at| !self.stands(&calls[at])).collect();
        let at = self.chance.pick(&ready);
        let fault = self.draw_fault(&calls[at]);
        if fault == Some(Fault::Stall) {
            let until = self.figures.steps + 1 + self.chance.below(300);
            self.tell(|_| format!("process {:?} stands still before {:?}", calls[at].process, calls[at].what));
            if let Some(worker) = calls[at].process.and_then(|id| self.workers.get_mut(&id)) {
                worker.stands_until = until;
            }
            return self.turnstile.put_back(calls);
        }
        let call = calls.remove(at);
        self.turnstile.put_back(calls);
        self.tell(|_| format!("process {:?}: {:?} {fault:?}", call.process, call.what));
        self.figures.calls += 1;
        let ends = call.process.and_then(|id| self.workers.get(&id)?.ends);
        let is_over = ends.is_some_and(|ends| ends < self.now());
        if is_over || matches!(fault, Some(Fault::CrashBefore | Fault::CrashAfter)) {
            self.dying.extend(call.process);
        }
        call.go(fault);
    }

    fn draw_fault(&mut self, call: &Waiting) -> Option<Fault> {
        let is_late = call.what == Call::Late || call.process.is_none();
        if is_late || self.character.faults == 0 || !self.chance.is(self.character.fault_per_mille) {
            return None;
        }
        let mut faults = vec![Fault::CrashBefore, Fault::CrashAfter, Fault::Refused, Fault::AnswerLost, Fault::Stall];
        match call.what {
            Call::Table | Call::Commit => faults.push(Fault::Late),
            Call::Stage => faults.extend([Fault::Late, Fault::Damaged]),
            Call::Source => faults.push(Fault::Damaged),
            Call::Late => {}
        }
        let fault = self.chance.pick(&faults);
        self.character.faults -= 1;
        self.figures.count(format!("{fault:?}"));
        Some(fault)
    }

    fn wake(&mut self) {
        let steps = self.figures.steps;
        let standing = self.workers.iter().filter(|(_, worker)| worker.stands_until > steps).map(|(id, _)| *id);
        let id = self.chance.pick(&standing.collect::<Vec<_>>());
        self.tell(|_| format!("process {id} wakes"));
        if let Some(worker) = self.workers.get_mut(&id) {
            worker.stands_until = 0;
        }
    }

    /// A process takes up an errand that is in sight.
    fn begin_errand(&mut self) {
        let now = self.now();
        let in_sight = self.errands.iter().filter(|(_, errand)| errand.at <= now).map(|(id, _)| *id);
        let errand = self.chance.pick(&in_sight.collect::<Vec<_>>());
        let Some(Errand { work, at, receipt }) = self.errands.get_mut(&errand) else { return };
        *at = now + OUT_OF_SIGHT;
        let current = work.clone();
        if let Work::Deliver(delivery) = work {
            delivery.receives += 1;
            // An operator puts a dead letter back that could not be dealt with.
            if delivery.receives > self.world.max_receives + 2 {
                delivery.receives = 0;
            }
        }
        self.next_id += 1;
        let id = self.next_id;
        *receipt = id;
        let skew = self.chance.millis(4_000) - Duration::seconds(2);
        self.tell(|_| format!("process {id} begins to {}", current.told()));
        let posts = matches!(current, Work::Post);
        let runs_chunk = matches!(current, Work::Deliver(Delivery { what: Kind::Chunk(_), .. }));
        let ends = (!runs_chunk).then_some(now + TIME_LIMIT);
        let future =
            Box::pin(carry_out(Arc::clone(&self.world), Arc::clone(&self.key), self.data.request.clone(), current));
        let task = tokio::spawn(PROCESS.scope(Process { id, skew }, future));
        self.workers.insert(id, Worker { errand, task, posts, ends, stands_until: 0 });
    }

    /// Time passes until an errand comes in sight again. Processes that stand still outlive their leases.
    fn jump(&mut self) {
        let now = self.now();
        let next = self.errands.values().map(|errand| errand.at).filter(|at| *at > now).min();
        let Some(next) = next else { return };
        if !self.workers.is_empty() && self.character.faults > 0 {
            self.character.faults -= 1;
            self.figures.count("Jump".to_owned());
        }
        self.tell(|_| format!("{} pass", next - now));
        self.world.clock.advance(next - now);
    }

    /// Something happens from outside.
    fn disturb(&mut self) {
        self.character.disturbances -= 1;
        let what = self.chance.below(9);
        self.tell(|_| format!("disturbance {what}"));
        match what {
            0 | 1 => {
                self.figures.count("Revoked".to_owned());
                self.world.containers.revoke(&ContainerAddress::new(CONTAINER), &Secret::new(self.signature()));
            }
            2 | 3 => self.give_signature(),
            4 => self.ask(Control::Cancel),
            5 => self.ask(Control::Retry),
            6 => self.ask(Control::Overdue),
            7 => self.send(Work::Look),
            _ => {
                self.figures.count("BlocksDropped".to_owned());
                self.world.clock.advance(Duration::days(7));
                self.world.containers.drop_uncommitted(&ContainerAddress::new(CONTAINER));
            }
        }
    }

    fn ask(&mut self, control: Control) {
        self.figures.count(format!("{control:?}").split(' ').next().unwrap_or_default().to_owned());
        self.send(Work::Control(control));
    }

    fn signature(&self) -> String {
        if self.signatures == 0 {
            SIGNATURE.to_owned()
        } else {
            SIGNATURE.replace("%3D%3D", &self.signatures.to_string())
        }
    }

    /// The owner makes a new signature and gives it to the job.
    fn give_signature(&mut self) {
        self.signatures += 1;
        let signature = self.signature();
        let address = ContainerAddress::new(CONTAINER);
        self.world.containers.grant(&address, &Secret::new(signature.clone()), Permission::Write);
        self.ask(Control::Resume { signature });
    }

    /// Nothing is under way: all must be well. Then, without further faults, the job is helped to its end; answers
    /// whether it is there.
    async fn rest(&mut self) -> Result<bool> {
        let key = self.key.lock().unwrap().clone();
        let Some(key) = key else { anyhow::bail!("no job was made") };
        let job = self.world.job(&key).await;
        self.tell(|_| format!("at rest: {:?}", job.phase));
        self.figures.rest.get_or_insert(job.phase.name());
        check_at_rest(&self.world, &self.data, &job).await?;
        (self.character.faults, self.character.disturbances) = (0, 0);
        let in_the_end = check_in_the_end(&self.data, self.character.skips_bad_records, &job);
        if in_the_end.is_ok() {
            self.figures.end = Some(job.phase.name());
            return Ok(true);
        }
        self.helped += 1;
        if self.helped > 3 {
            return in_the_end.map(|()| true);
        }
        self.give_signature();
        Ok(false)
    }

    fn tell(&mut self, line: impl FnOnce(&Self) -> String) {
        let line = line(self);
        self.figures.trace(&line);
        if self.verbose {
            eprintln!("{:6} {} {line}", self.figures.steps, self.now());
        }
    }
}
