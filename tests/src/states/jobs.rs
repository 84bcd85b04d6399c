//! A job in every phase, and its moves.

use domain::container::ContainerAddress;
use domain::job::{Asking, Cancellation, IllegalMove, Job, Outcome, Phase, Plan, PlanCursor, Wait};
use domain::listing::Listing;
use domain::manifest::{ManifestWriter, Written};
use domain::selection::{DeviceType, Snapshot};
use domain::tally::Tally;
use fakes::jobs::{altered, in_phase};
use fakes::requests::request;
use time::Duration;

use super::{NOW, Place, Step, credential, details, file, key};
use crate::adapters::rules;

fn queued() -> Job {
    let request = request(Snapshot::Devices(DeviceType::Tag));
    let destination = ContainerAddress::new("https://a");
    let days = Duration::days(90);
    Job::queued(key(), request, destination, credential(), NOW, days)
}

fn ended(outcome: Outcome) -> Phase {
    Phase::Ended {
        at: NOW,
        outcome,
        has_manifest: true,
    }
}

/// Every phase, and those apart in which a move is allowed for one job and not for another.
pub(super) fn job_places() -> Vec<Place<Job>> {
    let complete = altered(queued(), |job| {
        job.plan = Plan::Complete { read_up_to: NOW };
    });
    let place = |label, phase| Place {
        label,
        item: in_phase(complete.clone(), phase),
    };
    let finishing = |cancelled, manifest| Phase::Finishing {
        cancelled,
        manifest,
    };
    let asked = Cancellation::Asked;
    let (since, reason) = (NOW, details());
    let why = Wait::Refused { reason };
    vec![
        Place {
            label: "queued",
            item: queued(),
        },
        Place {
            label: "planning",
            item: in_phase(queued(), Phase::Planning),
        },
        place("planning, plan complete", Phase::Planning),
        place("running", Phase::Running),
        place(
            "awaiting-credential",
            Phase::AwaitingCredential { since, why },
        ),
        place("resuming", Phase::Resuming),
        place("cancelling", Phase::Cancelling { why: asked }),
        place("finishing", finishing(None, None)),
        place("finishing, cancelled", finishing(Some(asked), None)),
        place(
            "finishing, manifest prepared",
            finishing(None, Some((file(), Outcome::Succeeded))),
        ),
        place("succeeded", ended(Outcome::Succeeded)),
        place(
            "incomplete",
            ended(Outcome::Incomplete { details: details() }),
        ),
        place("failed", ended(Outcome::Failed { details: details() })),
        place(
            "cancelled",
            ended(Outcome::Cancelled { details: details() }),
        ),
    ]
}

/// The moves that a phase may refuse.
pub(super) const JOB_MOVES: [Step<Job, Result<Job, IllegalMove>>; 17] = [
    Step {
        name: "begin_planning",
        lead: Job::begin_planning,
    },
    Step {
        name: "spread",
        lead: |job| job.spread(8),
    },
    Step {
        name: "plan_page",
        lead: |job| job.plan_page(1, PlanCursor("c".to_owned())),
    },
    Step {
        name: "hand_over_planning",
        lead: Job::hand_over_planning,
    },
    Step {
        name: "complete_plan",
        lead: |job| job.complete_plan(1, NOW),
    },
    Step {
        name: "fail_delivery",
        lead: Job::fail_delivery,
    },
    Step {
        name: "fail_plan",
        lead: |job| job.fail_plan(details()),
    },
    Step {
        name: "resume_running",
        lead: Job::resume_running,
    },
    Step {
        name: "await_credential",
        lead: |job| job.await_credential(NOW, details()),
    },
    Step {
        name: "replace_credential",
        lead: |job| job.replace_credential(credential()),
    },
    Step {
        name: "resume",
        lead: Job::resume,
    },
    Step {
        name: "give_up_resuming",
        lead: |job| job.give_up_resuming(NOW),
    },
    Step {
        name: "add_chunks",
        lead: |job| job.add_chunks(1),
    },
    Step {
        name: "cancel",
        lead: |job| job.cancel(Cancellation::Asked),
    },
    Step {
        name: "begin_finishing",
        lead: Job::begin_finishing,
    },
    Step {
        name: "prepare_manifest",
        lead: |job| {
            let (written, tally) = (job.clone(), Tally::default());
            let manifest =
                ManifestWriter::begin(&written, &tally, &file(), &mut Vec::new()).unwrap();
            let Written::Whole(stated) = manifest.end_list(&mut Vec::new()).unwrap() else {
                panic!("a manifest of no chunks has lists of them")
            };
            job.prepare_manifest(file(), stated)
        },
    },
    Step {
        name: "restage_manifest",
        lead: Job::restage_manifest,
    },
];

/// The moves by which a job ends.
const JOB_ENDS: [Step<Job, Result<Job, IllegalMove>>; 2] = [
    Step {
        name: "end",
        lead: |job| job.end(NOW),
    },
    Step {
        name: "end_without_manifest",
        lead: |job| job.end_without_manifest(NOW, "storage refuses it"),
    },
];

/// What adds to a job in whatever phase and leads nowhere.
pub(super) const JOB_NOTES: [Step<Job, Job>; 7] = [
    Step {
        name: "asked",
        lead: |job| job.asked(Asking::default()),
    },
    Step {
        name: "total",
        lead: |job| job.total(Tally::default()),
    },
    Step {
        name: "warn",
        lead: |job| job.warn([]),
    },
    Step {
        name: "keep_to",
        lead: |job| job.keep_to(rules()),
    },
    Step {
        name: "list_page",
        lead: |job| job.list_page(NOW, Listing::default()),
    },
    Step {
        name: "miss_days",
        lead: |job| job.miss_days(Vec::new()),
    },
    Step {
        name: "warn_of_rows",
        lead: |job| job.warn_of_rows(&Tally::default()),
    },
];

pub(super) fn job_moves() -> impl Iterator<Item = &'static Step<Job, Result<Job, IllegalMove>>> {
    JOB_MOVES.iter().chain(&JOB_ENDS)
}
