//! A key service whose calls meet the faults.

use std::sync::Arc;

use async_trait::async_trait;
use domain::job::{JobId, SealedCredential};
use domain::secret::Secret;
use ports::seal::{SealError, Sealer};

use super::{Call, Fault, Faults};

/// A key service whose calls meet the faults.
pub(crate) struct FaultySealer {
    pub(crate) faults: Faults,
    pub(crate) inner: Arc<dyn Sealer>,
}

fn no_keys(_: Fault) -> SealError {
    SealError::Unavailable {
        cause: "503".into(),
    }
}

#[async_trait]
impl Sealer for FaultySealer {
    async fn seal(&self, job: JobId, credential: &Secret) -> Result<SealedCredential, SealError> {
        let (inner, credential) = (Arc::clone(&self.inner), credential.clone());
        self.faults
            .call(
                Call::Seal,
                async move { inner.seal(job, &credential).await },
                no_keys,
            )
            .await
    }

    async fn open(&self, job: JobId, sealed: &SealedCredential) -> Result<Secret, SealError> {
        let (inner, sealed) = (Arc::clone(&self.inner), sealed.clone());
        self.faults
            .call(
                Call::Seal,
                async move { inner.open(job, &sealed).await },
                no_keys,
            )
            .await
    }
}
