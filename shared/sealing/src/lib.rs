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
use wiring::config::{ConfigError, SEAL_KEY_FILE, SEAL_KMS_KEY_ID};
use wiring::{Wiring, WiringError};

use self::key::KeySealer;
use self::kms::KmsSealer;

/// What seals credentials by the settings: KMS, or a key file on one machine.
///
/// # Errors
/// [`WiringError`] when neither is set, both are, or the file cannot be used.
pub fn wire(wiring: &Wiring) -> Result<Arc<dyn Sealer>, WiringError> {
    let env = wiring.env();
    match (env.get(&SEAL_KMS_KEY_ID)?, env.get(&SEAL_KEY_FILE)?) {
        (Some(key), None) => Ok(Arc::new(KmsSealer::new(Client::new(wiring.sdk()), key))),
        (None, Some(file)) => {
            let sealer = KeySealer::from_file(Path::new(&file));
            let sealer = sealer.map_err(|error| SEAL_KEY_FILE.refused(&file, error))?;
            Ok(Arc::new(sealer))
        }
        (None, None) => Err(not_one(false).into()),
        (Some(_), Some(_)) => Err(not_one(true).into()),
    }
}

fn not_one(both: bool) -> ConfigError {
    ConfigError::NotOneOf {
        one: SEAL_KMS_KEY_ID.name,
        other: SEAL_KEY_FILE.name,
        both,
    }
}
