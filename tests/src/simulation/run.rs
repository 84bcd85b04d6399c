//! One run: a scheduler that holds every call of every process, and by its seed lets one of them
//! go, with a fault or without, or lets something else happen in the world.

mod outside;
mod steps;

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};
use std::time::Duration as Pause;

use anyhow::Result;
use domain::job::Phase;
use time::{Duration, OffsetDateTime};
use tokio::task::JoinHandle;

use super::chance::Chance;
use super::checks::{Journal, check_at_rest, check_cancelled, check_in_the_end, check_wait, clean};
use super::data::Data;
use super::plan::{BrokenProtocol, Character, Figures};
use super::turnstile::Turnstile;
use super::work::{Owner, Work};
use crate::broken::Broken;
use crate::world::World;
use crate::world::deliveries::{Delivery, message_of};

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
    /// The process that took it up last. Only that one can be done with it, as only the last
    /// receipt deletes a message (<https://docs.aws.amazon.com/AWSSimpleQueueService/latest/APIReference/API_DeleteMessage.html>).
    receipt: u64,
}

/// A process that works on an errand.
struct Worker {
    errand: u64,
    task: JoinHandle<bool>,
    posts: bool,
    /// When Lambda ends the process: only a call that is on its way by then still arrives. Chunk
    /// runs are not ended, which is harder on the protocol than Lambda is.
    ends: Option<OffsetDateTime>,
    /// The step until which it stands still.
    stands_until: usize,
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
    owner: Arc<Mutex<Owner>>,
    /// The job's phase as it was written last.
    phase: String,
    /// When it was written last that the job waits: a run that stands still may write so late.
    waits_since: Option<OffsetDateTime>,
    /// Whether anything but a DELETE was sent to change the job.
    resumed_or_expired: bool,
    /// Counts the signatures that were given; the last one is the present one.
    signatures: usize,
    /// When the schedule came last.
    scheduled: Option<OffsetDateTime>,
    /// Whether the job was left waiting for too long when all stood still.
    left_waiting: bool,
    /// How often the job was helped up again after the faults had ended.
    helped: usize,
    next_id: u64,
    journal: Journal,
    pub(crate) figures: Figures,
    verbose: bool,
}

impl Run {
    /// Plays a seed to its end.
    pub(crate) async fn play(
        seed: u64,
        broken: Option<BrokenProtocol>,
        verbose: bool,
    ) -> (Figures, Result<()>) {
        let mut run = Self::begin(seed, broken, verbose).await;
        let result = run.go_on().await;
        for worker in run.workers.values() {
            worker.task.abort();
        }
        (run.figures, result)
    }

    async fn begin(seed: u64, broken: Option<BrokenProtocol>, verbose: bool) -> Self {
        let mut chance = Chance::new(seed);
        let mut character = Character::draw(&mut chance);
        if broken.is_some() {
            character = character.harsh();
        }
        let mut world = World::new().await;
        let lake = Arc::new(Broken::over(&world.lake));
        character.shape(&mut world, &lake);
        let data = Data::fill(&world, lake, character.late_days, &mut chance).await;
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
            owner: Arc::default(),
            phase: String::new(),
            waits_since: None,
            resumed_or_expired: false,
            signatures: 0,
            scheduled: None,
            left_waiting: false,
            helped: 0,
            next_id: 0,
            journal: Journal::default(),
            figures: Figures::default(),
            verbose,
        };
        run.tell(|run| {
            format!(
                "seed {seed}: {:?}, {} of {} sources",
                run.character,
                run.data.request.operation,
                run.data.held.len()
            )
        });
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

    /// Waits until every process stands at the turnstile or sleeps, and takes in what has happened.
    /// The runtime's clock is paused: it moves only when no task can go on.
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
        let finished = self
            .workers
            .extract_if(.., |_, worker| worker.task.is_finished())
            .collect::<Vec<_>>();
        for (id, worker) in finished {
            let is_last = self
                .errands
                .get(&worker.errand)
                .is_some_and(|errand| errand.receipt == id);
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
                ["S", "N"]
                    .iter()
                    .find_map(|kind| image[name][kind].as_str())
                    .unwrap_or_default()
                    .to_owned()
            };
            let line = ["kind", "chunk", "phase", "state", "attempt", "revision"]
                .map(&text)
                .join(" ");
            self.tell(|_| format!("    written: {line}"));
            if text("kind") == "job" {
                self.phase = text("phase");
                self.waits_since = self.waits().then(|| self.now());
            }
            let Some(what) = message_of(&text) else {
                continue;
            };
            clean("an event", &format!("{what:?}"))?;
            let copies = if self.chance.is(self.character.doubled_per_mille) {
                2
            } else {
                1
            };
            for _ in 0..copies {
                self.send(Work::Deliver(Delivery {
                    what: what.clone(),
                    receives: 0,
                }));
            }
        }
        Ok(())
    }

    fn waits(&self) -> bool {
        self.phase == "awaiting-credential"
    }

    fn send(&mut self, work: Work) {
        self.next_id += 1;
        self.errands.insert(
            self.next_id,
            Errand {
                work,
                at: self.now(),
                receipt: 0,
            },
        );
    }

    fn now(&self) -> OffsetDateTime {
        use ports::clock::Clock;
        self.world.clock.now()
    }

    /// Nothing is under way: all must be well. Then, without further faults, the job is helped to
    /// its end; answers whether it is there.
    async fn rest(&mut self) -> Result<bool> {
        let (key, has_cancelled) = {
            let owner = self.owner.lock().unwrap();
            (owner.job.clone(), owner.has_cancelled)
        };
        let Some(key) = key else {
            anyhow::bail!("no job was made")
        };
        let job = self.world.job(&key).await;
        self.tell(|_| format!("at rest: {:?}", job.phase));
        self.figures.rest.get_or_insert(job.phase.name());
        check_at_rest(&self.world, &self.data, &job).await?;
        if has_cancelled && !self.resumed_or_expired {
            check_cancelled(&job)?;
        }
        check_wait(self.waits_since, self.scheduled)?;
        if !self.left_waiting
            && matches!(job.phase, Phase::AwaitingCredential { .. })
            && self.chance.is(500)
        {
            self.left_waiting = true;
            self.expire();
            return Ok(false);
        }
        (self.character.faults, self.character.disturbances) = (0, 0);
        self.data.store.heal();
        let in_the_end = check_in_the_end(&self.data, self.character.fails_at_bad_records, &job);
        if in_the_end.is_ok() {
            self.figures.end = Some(job.phase.name());
            self.figures.count(self.data.request.operation.to_owned());
            if job.shards > 1 {
                self.figures.count("PlanOfPages".to_owned());
            }
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
