//! Finds out, by writing, whether a job can go on with a credential.

use api::container_url::CheckedContainerUrl;
use api::error::ApiError;
use container::preflight::preflight;
use domain::container::{BlobName, ContainerAccess};
use domain::job::{Credential, Job};
use domain::secret::Secret;
use ports::container::ContainerError;
use ports::seal::SealError;

use crate::Ports;

/// Checks a new container URL by rule and by writing, and seals its signature for the job.
pub(crate) async fn check_url(
    job: &Job,
    url: &Secret,
    ports: &Ports,
) -> Result<Credential, ApiError> {
    let checked = ports.container_urls.check(url.reveal(), ports.clock.now());
    let CheckedContainerUrl {
        access, expires, ..
    } = checked.map_err(ApiError::ContainerUrl)?;
    if access.address != job.destination {
        return Err(ApiError::OtherContainer {
            given: access.address,
            own: job.destination.clone(),
        });
    }
    try_write(job, &access, ports)
        .await
        .map_err(ApiError::Container)?;
    let sealed = ports.sealer.seal(job.key.id, &access.signature).await?;
    Ok(Credential { sealed, expires })
}

/// Checks by writing that the credential which the job has still works.
pub(crate) async fn check_stored(job: &Job, ports: &Ports) -> Result<(), ApiError> {
    let needed = |reason: String| ApiError::NewCredentialNeeded { reason };
    let credential = job
        .credential
        .as_ref()
        .ok_or_else(|| needed("the service has none".to_owned()))?;
    let signature = ports
        .sealer
        .open(job.key.id, &credential.sealed)
        .await
        .map_err(|error| match error {
            SealError::Unreadable => needed(error.to_string()),
            SealError::Unavailable { .. } => error.into(),
        })?;
    let access = ContainerAccess {
        address: job.destination.clone(),
        signature,
    };
    try_write(job, &access, ports)
        .await
        .map_err(|error| match error {
            ContainerError::Denied { .. } => needed(error.to_string()),
            ContainerError::Missing { .. }
            | ContainerError::BlocksGone
            | ContainerError::Refused { .. }
            | ContainerError::Damaged { .. }
            | ContainerError::Unavailable { .. } => ApiError::Container(error),
        })
}

async fn try_write(
    job: &Job,
    access: &ContainerAccess,
    ports: &Ports,
) -> Result<(), ContainerError> {
    let container = ports.containers.open(access)?;
    preflight(
        container.as_ref(),
        &BlobName::manifest(job.request.export_type(), job.key.id),
    )
    .await
}
