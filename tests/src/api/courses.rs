//! How a job comes from its creation to each of its phases.

use domain::container::{BlobName, PreparedFile};
use domain::job::{Cancellation, Job, Outcome, Phase};
use fakes::jobs::in_phase;
use ports::container::ContainerError;
use ports::store::Jobs;
use serde_json::{Value, json};
use time::Duration;

use crate::api::fakes::NOW;
use crate::api::{SIGNATURE, World, container_url};

pub(crate) const NEW_SIGNATURE: &str = "bmV3LXNpZ25hdHVyZQ";

pub(crate) fn new_url() -> Value {
    json!({"containerUrl": container_url().replace(SIGNATURE, NEW_SIGNATURE)})
}

pub(crate) fn denied() -> ContainerError {
    ContainerError::Denied {
        code: "AuthenticationFailed".to_owned(),
    }
}

/// How a job comes from its creation to a phase.
pub(crate) type Course = fn(Job) -> Job;

pub(crate) fn planning(job: Job) -> Job {
    job.begin_planning().unwrap()
}

pub(crate) fn running(job: Job) -> Job {
    planning(job).complete_plan(2, NOW).unwrap()
}

pub(crate) fn waiting(job: Job) -> Job {
    running(job)
        .await_credential(NOW, "storage refused the signature".to_owned())
        .unwrap()
}

pub(crate) fn resuming(job: Job) -> Job {
    waiting(job).resume().unwrap()
}

pub(crate) fn cancelling(job: Job) -> Job {
    running(job).cancel(Cancellation::Asked).unwrap()
}

pub(crate) fn finishing(job: Job) -> Job {
    running(job).begin_finishing().unwrap()
}

pub(crate) fn finishing_cancelled(job: Job) -> Job {
    cancelling(job).begin_finishing().unwrap()
}

pub(crate) fn finishing_prepared(job: Job) -> Job {
    let name = BlobName::from_stored("m");
    let (sha256, crc64) = (String::new(), String::new());
    let file = PreparedFile {
        name,
        attempt: 1,
        blocks: 1,
        size_bytes: 1,
        sha256,
        crc64,
    };
    let manifest = Some((file, Outcome::Succeeded));
    let cancelled = None;
    in_phase(
        finishing(job),
        Phase::Finishing {
            cancelled,
            manifest,
        },
    )
}

pub(crate) fn ended(job: Job, outcome: Outcome) -> Job {
    fakes::jobs::ended(finishing(job), NOW + Duration::HOUR, outcome)
}

pub(crate) fn succeeded(job: Job) -> Job {
    ended(job, Outcome::Succeeded)
}

pub(crate) fn incomplete(job: Job) -> Job {
    ended(
        job,
        Outcome::Incomplete {
            details: "chunk 1: crashed".to_owned(),
        },
    )
}

pub(crate) fn failed(job: Job) -> Job {
    ended(
        job,
        Outcome::Failed {
            details: "no manifest".to_owned(),
        },
    )
}

pub(crate) fn cancelled(job: Job) -> Job {
    let details = "The job was cancelled.".to_owned();
    fakes::jobs::ended(
        finishing_cancelled(job),
        NOW,
        Outcome::Cancelled { details },
    )
}

/// A world with one job in a phase, and the job's id.
pub(crate) async fn world_with(course: Course) -> (World, String) {
    let world = World::new().await;
    let id = world.accepted().await;
    let [job] = world.store.stored().try_into().unwrap();
    world.store.put_job(course(job)).await.unwrap();
    (world, id)
}

pub(crate) fn job(world: &World) -> Job {
    let [job] = world.store.stored().try_into().unwrap();
    job
}
