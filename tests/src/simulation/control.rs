//! What a job's owner does meanwhile.

use shared::job::{Cancellation, Credential, Job, JobKey, Outcome, Phase};
use shared::secret::Secret;
use shared::store::StoreError;

use crate::world::World;

/// A change that somebody asks for.
#[derive(Debug, Clone)]
pub(crate) enum Control {
    Cancel,
    /// The job has waited too long.
    Overdue,
    /// Here is a new signature: go on.
    Resume {
        signature: String,
    },
    /// Try the rest again.
    Retry,
}

/// Does what is asked, if the job's phase allows it.
pub(crate) async fn change(world: &World, key: &JobKey, control: Control) -> Result<(), StoreError> {
    let jobs = &world.run.chunks;
    let Some(job) = jobs.job(key, world.run.clock.now()).await? else { return Ok(()) };
    let changed = match control {
        Control::Cancel => job.cancel(Cancellation::Asked).ok(),
        Control::Overdue if matches!(job.phase, Phase::AwaitingCredential { .. }) => {
            job.cancel(Cancellation::CredentialOverdue).ok()
        }
        Control::Retry if matches!(job.phase, Phase::Ended { .. }) => job.resume().ok(),
        Control::Overdue | Control::Retry => None,
        Control::Resume { signature } => with_signature(world, job, &signature).await,
    };
    match changed {
        Some(job) => jobs.put_job(job).await.map(drop),
        None => Ok(()),
    }
}

async fn with_signature(world: &World, job: Job, signature: &str) -> Option<Job> {
    if matches!(job.phase, Phase::Ended { outcome: Outcome::Succeeded, .. }) {
        return None;
    }
    let sealed = world.run.sealer.seal(job.key.id, &Secret::new(signature)).await.unwrap();
    let job = job.replace_credential(Credential { sealed, expires: None });
    Some(job.clone().resume().unwrap_or(job))
}
