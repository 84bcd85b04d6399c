//! The file that says what the columns are: staged with the manifest that names it, and committed
//! before it.

use std::sync::Arc;

use container::writer::{BlobWriter, WriterSettings};
use domain::container::{BlobName, BlockId, PreparedFile};
use domain::job::Job;
use formats::schema::Schema;
use ports::container::{Container, ContainerError};

use crate::{FinishError, JSON, Ports};

/// Stages the file, under the attempt of the manifest.
pub(crate) async fn stage(
    job: &Job,
    container: Arc<dyn Container>,
    ports: &Ports,
) -> Result<PreparedFile, FinishError> {
    let json = Schema::of(&job.request).to_json()?;
    // It is one block, however blocks are cut: so its list need not be stored.
    let settings = WriterSettings {
        block_bytes: json.len(),
        ..ports.settings.writer
    };
    let mut blob = BlobWriter::new(container, name(job), job.finish_attempts, settings);
    blob.buffer().extend(json);
    Ok(blob.finish().await?)
}

/// Makes the file visible that was staged with this manifest; repeating it is harmless.
pub(crate) async fn commit(
    job: &Job,
    manifest: &PreparedFile,
    container: &dyn Container,
) -> Result<(), ContainerError> {
    let block = BlockId {
        attempt: manifest.attempt,
        index: 0,
    };
    container.commit_blocks(&name(job), &[block], JSON).await
}

fn name(job: &Job) -> BlobName {
    BlobName::schema(job.request.export_type(), job.key.id)
}
