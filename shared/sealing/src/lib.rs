//! Sealing: a client's credential is encrypted for one job before it is stored.
#![expect(
    clippy::disallowed_types,
    reason = "hands the key service's client to its adapter"
)]

pub mod key;
pub mod kms;

use std::path::Path;
use std::sync::Arc;

use aws_sdk_kms::Client;
use ports::seal::Sealer;
use wiring::config::Environment;
use wiring::{Wiring, WiringError};

use self::key::KeySealer;
use self::kms::KmsSealer;

/// What seals credentials by the settings: KMS, or a key file on one machine.
///
/// # Errors
/// [`WiringError`] when neither is set, both are, or the file cannot be used.
pub fn wire(wiring: &Wiring) -> Result<Arc<dyn Sealer>, WiringError> {
    let env = wiring.env();
    match (
        env.optional("SEAL_KMS_KEY_ID")?,
        env.optional("SEAL_KEY_FILE")?,
    ) {
        (Some(key), None) => Ok(Arc::new(KmsSealer::new(Client::new(wiring.sdk()), key))),
        (None, Some(file)) => {
            let sealer = KeySealer::from_file(Path::new(file)).map_err(WiringError::of_adapter)?;
            Ok(Arc::new(sealer))
        }
        (None, None) | (Some(_), Some(_)) => {
            Err(
                Environment::invalid("SEAL_KMS_KEY_ID", "", "set it or SEAL_KEY_FILE, not both")
                    .into(),
            )
        }
    }
}
