//! Seals with a key of AWS KMS, which never leaves it.
#![expect(
    clippy::disallowed_types,
    reason = "the one adapter over the KMS client"
)]

use std::error::Error;

use async_trait::async_trait;
use aws_errors::AwsError;
use aws_sdk_kms::Client;
use aws_sdk_kms::config::http::HttpResponse;
use aws_sdk_kms::error::{ProvideErrorMetadata, SdkError};
use aws_sdk_kms::operation::decrypt::DecryptError;
use aws_sdk_kms::primitives::Blob;
use domain::job::{JobId, SealedCredential};
use domain::secret::Secret;
use ports::seal::{SealError, Sealer};

/// The encryption context's one entry: who may decrypt can be bound to it, and every use of the key
/// is logged with it (<https://docs.aws.amazon.com/kms/latest/developerguide/encrypt_context.html>).
const JOB_ID: &str = "job-id";

/// Seals by KMS `Encrypt`, which takes up to 4,096 bytes, with the job's id as encryption context.
#[derive(Debug, Clone)]
pub struct KmsSealer {
    client: Client,
    key_id: String,
}

impl KmsSealer {
    /// A sealer with the key of this id, ARN or alias.
    pub fn new(client: Client, key_id: impl Into<String>) -> Self {
        Self {
            client,
            key_id: key_id.into(),
        }
    }
}

#[async_trait]
impl Sealer for KmsSealer {
    async fn seal(&self, job: JobId, credential: &Secret) -> Result<SealedCredential, SealError> {
        let request = self
            .client
            .encrypt()
            .key_id(&self.key_id)
            .encryption_context(JOB_ID, job.to_string());
        let answer = request
            .plaintext(Blob::new(credential.reveal()))
            .send()
            .await
            .map_err(unavailable)?;
        let sealed = answer.ciphertext_blob.ok_or_else(no_content)?;
        Ok(SealedCredential(sealed.into_inner()))
    }

    async fn open(&self, job: JobId, sealed: &SealedCredential) -> Result<Secret, SealError> {
        let request = self
            .client
            .decrypt()
            .key_id(&self.key_id)
            .encryption_context(JOB_ID, job.to_string());
        let answer = request
            .ciphertext_blob(Blob::new(sealed.0.clone()))
            .send()
            .await;
        let text = answer
            .map_err(not_opened)?
            .plaintext
            .ok_or_else(no_content)?;
        String::from_utf8(text.into_inner())
            .map(Secret::new)
            .map_err(|_| SealError::Unreadable)
    }
}

/// KMS finds out by itself whether the context or the key is another than at sealing
/// (<https://docs.aws.amazon.com/kms/latest/APIReference/API_Decrypt.html#API_Decrypt_Errors>).
fn not_opened(error: SdkError<DecryptError, HttpResponse>) -> SealError {
    match error.as_service_error() {
        Some(e) if e.is_invalid_ciphertext_exception() || e.is_incorrect_key_exception() => {
            SealError::Unreadable
        }
        Some(_) | None => unavailable(error),
    }
}

/// Everything else passes, or an operator can change it: throttles, time-outs, a disabled key, a
/// missing grant. Of the service's words none is kept: they may repeat what was to be sealed.
fn unavailable<E>(error: SdkError<E, HttpResponse>) -> SealError
where
    E: ProvideErrorMetadata + Error + Send + Sync + 'static,
{
    let cause = match AwsError::of(error) {
        AwsError::Answered { code, .. } => code.into(),
        unanswered @ AwsError::NotAnswered { .. } => unanswered.into(),
    };
    SealError::Unavailable { cause }
}

fn no_content() -> SealError {
    SealError::Unavailable {
        cause: "an answer without content".into(),
    }
}

#[cfg(test)]
mod tests {
    use aws_sdk_kms::types::error::{
        DisabledException, IncorrectKeyException, InvalidCiphertextException,
    };

    use aws_smithy_runtime_api::http::StatusCode;
    use aws_smithy_types::body::SdkBody;
    use domain::cause::in_one_line;

    use super::*;

    fn answered(error: DecryptError) -> SealError {
        let status = StatusCode::try_from(400).unwrap();
        not_opened(SdkError::service_error(
            error,
            HttpResponse::new(status, SdkBody::empty()),
        ))
    }

    #[test]
    fn another_job_or_another_key_makes_a_credential_unreadable() {
        let other_job =
            DecryptError::InvalidCiphertextException(InvalidCiphertextException::builder().build());
        let other_key =
            DecryptError::IncorrectKeyException(IncorrectKeyException::builder().build());
        assert!(matches!(answered(other_job), SealError::Unreadable));
        assert!(matches!(answered(other_key), SealError::Unreadable));
    }

    #[test]
    fn what_passes_or_can_be_fixed_is_unavailable_and_told_by_its_code() {
        let meta = aws_sdk_kms::error::ErrorMetadata::builder()
            .code("DisabledException")
            .message("not of sig=abc")
            .build();
        let disabled =
            DecryptError::DisabledException(DisabledException::builder().meta(meta).build());
        assert_eq!(
            in_one_line(&answered(disabled)),
            "the key service does not answer: DisabledException"
        );

        let late = not_opened(SdkError::timeout_error("late"));
        assert_eq!(
            in_one_line(&late),
            "the key service does not answer: time-out: late"
        );
    }
}
