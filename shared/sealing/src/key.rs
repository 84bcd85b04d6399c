//! Seals with a key of one's own: for the one-machine stack and for tests.

use std::path::Path;

use async_trait::async_trait;
use aws_lc_rs::aead::{AES_256_GCM, Aad, NONCE_LEN, Nonce, RandomizedNonceKey};
use domain::job::{JobId, SealedCredential};
use domain::secret::Secret;
use ports::seal::{SealError, Sealer};
use thiserror::Error;

/// Seals by AES-256-GCM with a random nonce and the job's id as associated data: nonce, cipher
/// text, tag.
pub struct KeySealer {
    key: RandomizedNonceKey,
}

/// Why a key file is unusable. Never holds anything of the file's content.
#[derive(Debug, Error)]
pub enum BadKey {
    /// It cannot be read.
    #[error("the sealing key's file cannot be read")]
    File(#[source] std::io::Error),
    /// It is not a key.
    #[error("the sealing key's file does not hold exactly 64 hex digits")]
    Content,
}

impl KeySealer {
    /// A sealer with a key of 32 random bytes.
    ///
    /// # Errors
    /// [`BadKey::Content`] when the machine's cryptography does not take the key.
    pub fn new(key: &[u8; 32]) -> Result<Self, BadKey> {
        let key = RandomizedNonceKey::new(&AES_256_GCM, key).map_err(|_| BadKey::Content)?;
        Ok(Self { key })
    }

    /// A sealer with the key in a file: 64 hex digits, and nothing else but white space around
    /// them.
    ///
    /// # Errors
    /// [`BadKey`] when the file cannot be read or holds something else.
    pub(crate) fn from_file(path: &Path) -> Result<Self, BadKey> {
        let text = std::fs::read_to_string(path).map_err(BadKey::File)?;
        let mut key = [0; 32];
        hex::decode_to_slice(text.trim(), &mut key).map_err(|_| BadKey::Content)?;
        Self::new(&key)
    }

    fn open_text(&self, job: JobId, sealed: &SealedCredential) -> Option<Secret> {
        let (nonce, cipher_text) = sealed.0.split_first_chunk::<NONCE_LEN>()?;
        let mut text = cipher_text.to_vec();
        let text = self
            .key
            .open_in_place(Nonce::from(nonce), Aad::from(job.to_string()), &mut text)
            .ok()?;
        Some(Secret::new(str::from_utf8(text).ok()?))
    }
}

#[async_trait]
impl Sealer for KeySealer {
    async fn seal(&self, job: JobId, credential: &Secret) -> Result<SealedCredential, SealError> {
        let mut cipher_text = credential.reveal().as_bytes().to_vec();
        let nonce = self
            .key
            .seal_in_place_append_tag(Aad::from(job.to_string()), &mut cipher_text)
            .map_err(|_| SealError::Unavailable {
                cause: "the cipher refused".into(),
            })?;
        Ok(SealedCredential(
            [nonce.as_ref().as_slice(), &cipher_text].concat(),
        ))
    }

    async fn open(&self, job: JobId, sealed: &SealedCredential) -> Result<Secret, SealError> {
        self.open_text(job, sealed).ok_or(SealError::Unreadable)
    }
}

#[cfg(test)]
mod tests {
    use uuid::Uuid;

    use super::*;

    fn sealer(byte: u8) -> KeySealer {
        KeySealer::new(&[byte; 32]).unwrap()
    }

    fn job(number: u128) -> JobId {
        JobId::new(Uuid::from_u128(number))
    }

    #[tokio::test]
    async fn what_was_sealed_for_a_job_opens_for_it() {
        let secret = Secret::new("sp=w&sig=abc%2B");
        let sealed = sealer(1).seal(job(1), &secret).await.unwrap();
        assert_eq!(sealer(1).open(job(1), &sealed).await.unwrap(), secret);
    }

    #[tokio::test]
    async fn what_was_sealed_opens_for_no_other_job_and_with_no_other_key() {
        let sealed = sealer(1)
            .seal(job(1), &Secret::new("sig=abc"))
            .await
            .unwrap();
        assert!(matches!(
            sealer(1).open(job(2), &sealed).await,
            Err(SealError::Unreadable)
        ));
        assert!(matches!(
            sealer(2).open(job(1), &sealed).await,
            Err(SealError::Unreadable)
        ));
    }

    #[tokio::test]
    async fn a_flipped_bit_anywhere_is_found_out() {
        let sealed = sealer(1)
            .seal(job(1), &Secret::new("sig=abc"))
            .await
            .unwrap();
        for position in 0..sealed.0.len() {
            let mut damaged = sealed.clone();
            damaged.0[position] ^= 1;
            assert!(matches!(
                sealer(1).open(job(1), &damaged).await,
                Err(SealError::Unreadable)
            ));
        }
    }

    #[tokio::test]
    async fn a_truncated_credential_is_found_out() {
        let sealed = sealer(1)
            .seal(job(1), &Secret::new("sig=abc"))
            .await
            .unwrap();
        for length in 0..sealed.0.len() {
            let damaged = SealedCredential(sealed.0[..length].to_vec());
            assert!(matches!(
                sealer(1).open(job(1), &damaged).await,
                Err(SealError::Unreadable)
            ));
        }
    }

    #[tokio::test]
    async fn sealed_bytes_show_nothing_and_never_repeat() {
        let secret = Secret::new("sp=w&sig=abcdefghijklmnop");
        let first = sealer(1).seal(job(1), &secret).await.unwrap();
        let second = sealer(1).seal(job(1), &secret).await.unwrap();
        assert!(!first.0.windows(4).any(|window| window == b"sig="));
        assert_ne!(first, second);
    }

    #[test]
    fn a_key_file_holds_64_hex_digits_and_is_never_quoted() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("key");
        std::fs::write(&path, format!("{}\n", "0f".repeat(32))).unwrap();
        assert!(KeySealer::from_file(&path).is_ok());

        std::fs::write(&path, "not-a-key-c0ffee").unwrap();
        let error = KeySealer::from_file(&path).err().unwrap();
        assert!(!format!("{error} {error:?}").contains("c0ffee"));
    }
}
