//! The container itself, read with a signature that may read; one that may list too shows stray
//! files.

use std::collections::HashSet;

use async_trait::async_trait;
use azure_core::http::Url;
use domain::job::JobId;
use domain::secret::Secret;
use domain::selection::ExportType;
use futures::{StreamExt, TryStreamExt};

use super::{Opened, Place, PlaceError, Strays};
use crate::blobs::{BlobsError, ContainerView, is_loopback};
use crate::verify::manifest::MANIFEST_NAME;

/// An export, as a person names it: by its id, its folder `{exportType}/{jobId}`, its manifest's
/// name or URL.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct JobName {
    export_type: Option<ExportType>,
    job: JobId,
}

impl JobName {
    /// Reads such a name.
    ///
    /// # Errors
    /// What it should be.
    pub fn parse(text: &str) -> Result<Self, String> {
        let path = text
            .split('?')
            .next()
            .unwrap_or_default()
            .trim_end_matches('/');
        let mut parts = path
            .strip_suffix(MANIFEST_NAME)
            .and_then(|folder| folder.strip_suffix('/'))
            .unwrap_or(path)
            .rsplit('/');
        let job = parts.next().and_then(JobId::parse);
        let job = job.ok_or("give the task's id, Type/id, or the manifest's name or URL")?;
        match parts.next().map(ExportType::from_name) {
            Some(None) => Err("its export type is unknown".to_owned()),
            export_type => Ok(Self {
                export_type: export_type.flatten(),
                job,
            }),
        }
    }

    /// The job's id, the one part that every name of an export has.
    pub fn job(&self) -> JobId {
        self.job
    }

    /// Its folder, or its id alone.
    pub(crate) fn label(&self) -> String {
        match self.export_type {
            Some(export_type) => format!("{export_type}/{}", self.job),
            None => self.job.to_string(),
        }
    }

    fn folders(self) -> impl Iterator<Item = String> {
        let types = ExportType::ALL
            .iter()
            .copied()
            .filter(move |one| self.export_type.is_none_or(|known| known == *one));
        types.map(move |export_type| format!("{export_type}/{}/", self.job))
    }
}

/// The files of one export in their container.
pub struct ContainerPlace {
    view: ContainerView,
    prefix: String,
}

impl ContainerPlace {
    /// Whether the signature of a URL may read: what nobody has is looked for.
    ///
    /// # Errors
    /// [`PlaceError`] when the URL is none, the signature is refused or nothing answers.
    pub async fn try_reading(url: &Secret) -> Result<(), PlaceError> {
        let name = format!("{}/{}/{MANIFEST_NAME}", ExportType::Event, JobId::NIL);
        open(&view(url)?, &name).await.map(drop)
    }

    /// Opens the container and begins to read the manifest of a job.
    ///
    /// # Errors
    /// [`PlaceError::Refused`] when the URL is none, the signature is refused or there is no such
    /// manifest.
    pub async fn open(url: &Secret, name: JobName) -> Result<(Self, Opened), PlaceError> {
        let refused = |reason: &str| PlaceError::Refused {
            reason: reason.to_owned(),
        };
        let view = view(url)?;
        for prefix in name.folders() {
            if let Some(manifest) = open(&view, &format!("{prefix}{MANIFEST_NAME}")).await? {
                return Ok((Self { view, prefix }, manifest));
            }
        }
        Err(refused(
            "the container has no manifest of this export; it is written when the export has ended",
        ))
    }
}

/// Every export of which the container has a manifest, by its folder's name.
///
/// # Errors
/// [`PlaceError`] when the container cannot be listed.
pub(crate) async fn all_of(url: &Secret) -> Result<Vec<JobName>, PlaceError> {
    let view = view(url)?;
    let mut listing = Box::pin(view.list_below("").map_err(|error| of_blobs(&error))?);
    let mut found = Vec::new();
    while let Some(blob) = listing.try_next().await.map_err(|error| of_blobs(&error))? {
        let is_export = blob.name.split('/').count() == PARTS_OF_A_MANIFEST
            && blob.name.ends_with(&format!("/{MANIFEST_NAME}"));
        if is_export && let Ok(name) = JobName::parse(&blob.name) {
            found.push(name);
        }
    }
    Ok(found)
}

/// Of how many parts the name of a manifest is: `{exportType}/{jobId}/manifest.json`.
const PARTS_OF_A_MANIFEST: usize = 3;

/// The container of a URL, over a connection that shows nobody its signature.
fn view(url: &Secret) -> Result<ContainerView, PlaceError> {
    let refused = |reason: &str| PlaceError::Refused {
        reason: reason.to_owned(),
    };
    let parsed = Url::parse(url.reveal()).map_err(|_| refused("the container URL is not a URL"))?;
    if parsed.scheme() != "https" && !is_loopback(&parsed) {
        return Err(refused(
            "the container URL must be https: it carries a signature",
        ));
    }
    ContainerView::open(url).map_err(|error| of_blobs(&error))
}

impl ContainerPlace {
    /// What the names of its files begin with: `{exportType}/{jobId}/`.
    pub(crate) fn prefix(&self) -> &str {
        &self.prefix
    }

    /// The container that it lies in.
    pub(crate) fn view(&self) -> &ContainerView {
        &self.view
    }
}

async fn open(view: &ContainerView, name: &str) -> Result<Option<Opened>, PlaceError> {
    match view.stream(name).await {
        Ok(blob) => {
            let pieces = blob.body.map_err(|error| of_blobs(&error)).boxed();
            Ok(Some(Opened {
                size: blob.size_bytes,
                pieces,
            }))
        }
        Err(BlobsError::Missing { .. }) => Ok(None),
        Err(error) => Err(of_blobs(&error)),
    }
}

pub(crate) fn of_blobs(error: &BlobsError) -> PlaceError {
    let reason = error.to_string();
    match error {
        BlobsError::Denied { reason, .. } => {
            let reason = format!(
                "storage refuses the signature ({reason}): it has expired, or may not read"
            );
            PlaceError::Refused { reason }
        }
        BlobsError::NotAUrl => PlaceError::Refused { reason },
        BlobsError::Changed { .. }
        | BlobsError::Missing { .. }
        | BlobsError::Storage { .. }
        | BlobsError::File(_) => PlaceError::Unavailable { reason },
    }
}

#[async_trait]
impl Place for ContainerPlace {
    async fn open(&self, name: &str) -> Result<Option<Opened>, PlaceError> {
        open(&self.view, name).await
    }

    async fn strays(&self, listed: &HashSet<&str>) -> Result<Strays, PlaceError> {
        let mut listing = Box::pin(
            self.view
                .list_below(&self.prefix)
                .map_err(|error| of_blobs(&error))?,
        );
        let mut strays = Vec::new();
        loop {
            match listing.try_next().await {
                Ok(Some(blob)) if !listed.contains(blob.name.as_str()) => strays.push(blob.name),
                Ok(Some(_)) => {}
                Ok(None) => return Ok(Strays::Found(strays)),
                Err(BlobsError::Denied { .. }) => {
                    return Ok(Strays::NotLooked("the signature may not list"));
                }
                Err(error) => return Err(of_blobs(&error)),
            }
        }
    }
}
