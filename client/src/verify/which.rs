//! Which exports a person means, and where each of them lies.

use std::path::PathBuf;

use domain::secret::Secret;
use serde_json::Value;

use super::command::{VerifyArguments, tell};
use super::place::{
    ContainerPlace, Folder, JobName, all_of, find_manifest, find_manifests, open_file,
};
use super::{Manifest, Reading};
use crate::console::Output;
use crate::container_url::Purpose;
use crate::ending::Ending;
use crate::environment::of_process;
use crate::failure::Failure;

/// An export that is to be verified.
pub(super) enum Which {
    /// The folder of this manifest has it.
    Folder(PathBuf),
    /// The container of this URL has it.
    Container(Secret, JobName),
}

/// What the arguments name; none when all are asked for and there is none.
pub(super) async fn find(arguments: &VerifyArguments) -> Result<Vec<Which>, Failure> {
    match &arguments.path {
        Some(path) if arguments.all => {
            let found = find_manifests(path)?;
            return Ok(found.into_iter().map(Which::Folder).collect());
        }
        Some(path) => return Ok(vec![Which::Folder(find_manifest(path)?)]),
        None => {}
    }
    let url = arguments.url.url(Purpose::Read, &of_process).await?;
    let jobs = if arguments.all {
        all_of(&url).await?
    } else {
        arguments.job.clone()
    };
    let of_container = |job| Which::Container(url.clone(), job);
    Ok(jobs.into_iter().map(of_container).collect())
}

impl Which {
    /// Its name, where several are verified.
    pub(super) fn label(&self) -> String {
        match self {
            Self::Folder(manifest) => manifest.display().to_string(),
            Self::Container(_, job) => job.label(),
        }
    }

    /// Verifies all of it; how it ends, and the same as JSON.
    pub(super) async fn verify(&self, output: Output) -> Result<(Ending, Value), Failure> {
        let (url, job) = match self {
            Self::Folder(path) => {
                let manifest = Manifest::read(open_file(path).await?).await?;
                let folder = Folder::of(path, &manifest)?;
                return Ok(tell(&manifest, &folder, Reading::ALL, output).await?);
            }
            Self::Container(url, job) => (url, *job),
        };
        let (place, opened) = ContainerPlace::open(url, job).await?;
        let manifest = Manifest::read(opened).await?;
        if manifest.job != job.job() {
            return Err(Failure::unknown(
                "the manifest cannot be used: it is of another job",
            ));
        }
        Ok(tell(&manifest, &place, Reading::ALL, output).await?)
    }
}
