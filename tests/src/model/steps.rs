//! What can happen next in a state.

use domain::job::Phase;

use super::bounds::{Act, Bounds};
use super::calls::{Answer, Failure};
use super::process::{Message, Processes};
use super::state::{CallOf, State};

/// Something that happens. Processes and late calls are named by their places.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Step {
    /// Somebody takes up a message.
    Deliver(Message),
    /// A process makes one of its calls.
    Call(CallOf),
    /// A late call is made.
    Arrive(usize),
    /// Nobody works, and time passes over every lease.
    Wait,
    /// Something goes wrong.
    Fault(Fault),
    /// The job's owner, or the clock for them, does something.
    Act(Act),
}

/// Something that goes wrong.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Fault {
    /// A process makes its call in vain: a throttle, a cut connection.
    Refuse(CallOf),
    /// A process's call is made, and its answer lost.
    LoseAnswer(CallOf),
    /// A process hears nothing; its call may still be made, later.
    MakeLate(CallOf),
    /// A process dies; its message comes again.
    Die(usize),
    /// The message of a process that lives comes again.
    Repeat(usize),
    /// A message was received too often.
    Bury(Message),
    /// Time passes over every lease, while somebody stands still.
    StandStill,
    /// The week of uncommitted blocks is over.
    DropBlocks,
}

impl Fault {
    /// The place of the process that it happens to.
    pub(crate) fn process(&self) -> Option<usize> {
        match self {
            Self::Refuse((at, _))
            | Self::LoseAnswer((at, _))
            | Self::MakeLate((at, _))
            | Self::Die(at)
            | Self::Repeat(at) => Some(*at),
            Self::Bury(_) | Self::StandStill | Self::DropBlocks => None,
        }
    }
}

/// Everything that can happen in a state.
pub(crate) fn of(state: &State, bounds: &Bounds, steps: &mut Vec<Step>) {
    let more_may_work = state.processes.len() < bounds.workers;
    if more_may_work {
        steps.extend(state.queue.iter().cloned().map(Step::Deliver));
    }
    for (at, process) in state.processes.iter().enumerate() {
        steps.extend(
            process
                .calls()
                .enumerate()
                .map(|(which, _)| Step::Call((at, which))),
        );
    }
    steps.extend((0..state.late.len()).map(Step::Arrive));
    if state.processes.is_empty() && state.late.is_empty() && state.holds_leases() {
        steps.push(Step::Wait);
    }
    if state.faults > 0 {
        steps.extend(faults(state, bounds).into_iter().map(Step::Fault));
    }
    if state.acts > 0 && more_may_work {
        steps.extend(
            bounds
                .allowed
                .iter()
                .filter(|act| is_possible(**act, state))
                .map(|act| Step::Act(*act)),
        );
    }
}

fn faults(state: &State, bounds: &Bounds) -> Vec<Fault> {
    let mut faults = Vec::new();
    for (at, process) in state.processes.iter().enumerate() {
        if process.message.comes_again() {
            faults.push(Fault::Die(at));
            faults.extend((!state.queue.contains(&process.message)).then_some(Fault::Repeat(at)));
        }
        for (which, call) in process.calls().enumerate() {
            faults.push(Fault::Refuse((at, which)));
            if call.writes() {
                faults.push(Fault::LoseAnswer((at, which)));
                faults.extend(bounds.late.then_some(Fault::MakeLate((at, which))));
            }
        }
    }
    if bounds.dead_letters {
        faults.extend(state.queue.iter().cloned().map(Fault::Bury));
    }
    if !state.processes.is_empty() {
        faults.push(Fault::StandStill);
    }
    if state.blobs.values().any(|blocks| blocks.uncommitted() > 0) {
        faults.push(Fault::DropBlocks);
    }
    faults
}

fn is_possible(act: Act, state: &State) -> bool {
    match act {
        Act::Revoke => state.signatures.0 <= state.signatures.1,
        Act::Patch | Act::Retry | Act::Cancel => true,
        Act::Expire => matches!(state.job.phase, Phase::AwaitingCredential { .. }),
    }
}

impl Step {
    /// Makes it happen.
    pub(crate) fn take(self, state: &mut State, processes: &Processes) {
        match self {
            Self::Deliver(message) => state.begin_process(&message, processes),
            Self::Call(call) => state.call(call, processes),
            Self::Arrive(at) => {
                let call = state.late.remove(at);
                state.perform(&call);
            }
            Self::Wait => state.wait(),
            Self::Fault(fault) => {
                state.faults -= 1;
                fault.happen(state, processes);
            }
            Self::Act(act) => {
                state.acts -= 1;
                act.happen(state, processes);
            }
        }
    }
}

impl Fault {
    fn happen(self, state: &mut State, processes: &Processes) {
        let unheard = Answer::Failed(Failure::NoAnswer);
        match self {
            Self::Refuse(call) => state.answer(call, unheard, processes),
            Self::LoseAnswer(call) => {
                state.perform_call_of(call);
                state.answer(call, unheard, processes);
            }
            Self::MakeLate(call) => {
                state.make_late(call);
                state.answer(call, unheard, processes);
            }
            Self::Die(at) => state.die(at),
            Self::Repeat(at) => state.give_back(state.processes[at].message.clone()),
            Self::Bury(message) => {
                state.queue.remove(&message);
                state.begin_process(&Message::Dead(Box::new(message)), processes);
            }
            Self::StandStill => state.wait(),
            Self::DropBlocks => state.drop_blocks(),
        }
    }
}

impl Act {
    fn happen(self, state: &mut State, processes: &Processes) {
        let request = match self {
            Self::Revoke => {
                state.signatures.0 = state.signatures.1 + 1;
                return;
            }
            Self::Patch => {
                state.signatures.1 += 1;
                Message::Patch(Some(state.signatures.1))
            }
            Self::Retry => Message::Patch(None),
            Self::Cancel => Message::Delete,
            Self::Expire => Message::Expire,
        };
        state.begin_process(&request, processes);
    }
}
