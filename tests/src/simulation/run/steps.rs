//! What the scheduler does at a step: which call goes, which process begins, how time passes.

use std::sync::Arc;

use super::{Errand, OUT_OF_SIGHT, Run, TIME_LIMIT, Worker};
use crate::faults::{Call, Fault, PROCESS, Process};
use crate::simulation::checks::MOST_SKEW;
use crate::simulation::turnstile::Waiting;
use crate::simulation::work::{Work, carry_out};
use crate::world::deliveries::{Delivery, Kind};

/// What the scheduler may do next.
#[derive(Debug, Clone, Copy)]
pub(super) enum Step {
    LetGo,
    Wake,
    Begin,
    Tick,
    Jump,
    Disturb,
}

impl Run {
    pub(super) fn choose(&mut self) -> Option<Step> {
        let calls = self.turnstile.take();
        let (ready, standing): (Vec<_>, Vec<_>) = calls.iter().partition(|call| !self.stands(call));
        let (ready, standing) = (ready.len(), standing.len());
        self.turnstile.put_back(calls);
        let now = self.now();
        let in_sight = self.errands.values().any(|errand| errand.at <= now)
            && self.workers.len() < self.character.workers;
        let nothing_else = ready == 0 && !in_sight;
        let out_of_sight = self.errands.values().any(|errand| errand.at > now);
        let posts = self
            .errands
            .values()
            .any(|errand| matches!(errand.work, Work::Post));
        let posted = !posts && !self.workers.values().any(|worker| worker.posts);
        let disturbs = self.character.disturbances > 0 && posted;
        let jump = if nothing_else {
            40
        } else {
            usize::from(self.character.faults > 0)
        };
        let may_sleep = nothing_else
            && self.workers.values().any(|worker| worker.stands_until == 0)
            && standing == 0;
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
            (
                if out_of_sight && !may_sleep { jump } else { 0 },
                Step::Jump,
            ),
            (
                if disturbs && (out_of_sight || !nothing_else) {
                    self.character.restless
                } else {
                    0
                },
                Step::Disturb,
            ),
        ];
        self.chance.weigh(&weights)
    }

    /// Whether the call's process stands still.
    fn stands(&self, call: &Waiting) -> bool {
        let worker = call.process.and_then(|id| self.workers.get(&id));
        worker.is_some_and(|worker| worker.stands_until > self.figures.steps)
    }

    pub(super) fn take(&mut self, step: Step) {
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
        let ready: Vec<usize> = (0..calls.len())
            .filter(|&at| !self.stands(&calls[at]))
            .collect();
        let at = self.chance.pick(&ready);
        let fault = self.draw_fault(&calls[at]);
        if fault == Some(Fault::Stall) {
            let until = self.figures.steps + 1 + self.chance.below(300);
            self.tell(|_| {
                format!(
                    "process {:?} stands still before {:?}",
                    calls[at].process, calls[at].what
                )
            });
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
        if is_late || self.character.faults == 0 || !self.chance.is(self.character.fault_per_mille)
        {
            return None;
        }
        let mut faults = vec![
            Fault::CrashBefore,
            Fault::CrashAfter,
            Fault::Refused,
            Fault::AnswerLost,
            Fault::Stall,
        ];
        match call.what {
            Call::Table | Call::Commit => faults.push(Fault::Late),
            Call::Stage => faults.extend([Fault::Late, Fault::Damaged]),
            Call::Source => faults.push(Fault::Damaged),
            Call::Seal | Call::Late => {}
        }
        let fault = self.chance.pick(&faults);
        self.character.faults -= 1;
        self.figures.count(format!("{fault:?}"));
        Some(fault)
    }

    fn wake(&mut self) {
        let steps = self.figures.steps;
        let standing = self
            .workers
            .iter()
            .filter(|(_, worker)| worker.stands_until > steps)
            .map(|(id, _)| *id);
        let id = self.chance.pick(&standing.collect::<Vec<_>>());
        self.tell(|_| format!("process {id} wakes"));
        if let Some(worker) = self.workers.get_mut(&id) {
            worker.stands_until = 0;
        }
    }

    /// A process takes up an errand that is in sight.
    fn begin_errand(&mut self) {
        let now = self.now();
        let in_sight = self
            .errands
            .iter()
            .filter(|(_, errand)| errand.at <= now)
            .map(|(id, _)| *id);
        let errand = self.chance.pick(&in_sight.collect::<Vec<_>>());
        let Some(Errand { work, at, receipt }) = self.errands.get_mut(&errand) else {
            return;
        };
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
        let skew = self.chance.millis(4_000) - MOST_SKEW;
        self.tell(|_| format!("process {id} begins to {}", current.in_words()));
        let posts = matches!(current, Work::Post);
        let runs_chunk = matches!(
            current,
            Work::Deliver(Delivery {
                what: Kind::Chunk(_),
                ..
            })
        );
        let ends = (!runs_chunk).then_some(now + TIME_LIMIT);
        let future = Box::pin(carry_out(
            Arc::clone(&self.world),
            Arc::clone(&self.owner),
            self.data.request.clone(),
            current,
        ));
        let task = tokio::spawn(PROCESS.scope(Process { id, skew }, future));
        self.workers.insert(
            id,
            Worker {
                errand,
                task,
                posts,
                ends,
                stands_until: 0,
            },
        );
    }

    /// Time passes until an errand comes in sight again. Processes that stand still outlive their
    /// leases.
    fn jump(&mut self) {
        let now = self.now();
        let next = self
            .errands
            .values()
            .map(|errand| errand.at)
            .filter(|at| *at > now)
            .min();
        let Some(next) = next else { return };
        if !self.workers.is_empty() && self.character.faults > 0 {
            self.character.faults -= 1;
            self.figures.count("Jump".to_owned());
        }
        self.tell(|_| format!("{} pass", next - now));
        self.world.clock.advance(next - now);
    }
}
