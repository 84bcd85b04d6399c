//! The clients' containers: Azure Storage behind the port, files streamed into it in blocks, and the
//! proof by writing that a signature works.

pub mod azure;
mod open;
pub mod preflight;
pub mod writer;

use std::sync::Arc;

use ports::container::Containers;
use wiring::config::STORAGE_TIMEOUT_SECONDS;
use wiring::{Wiring, WiringError};

use self::azure::{AzureContainers, AzureSettings};
pub use self::open::{OpenError, open_for};

/// The clients' containers, with the time-outs of the settings.
///
/// # Errors
/// [`WiringError`] when a setting does not fit or there is no TLS.
pub fn wire(wiring: &Wiring) -> Result<Arc<dyn Containers>, WiringError> {
    let request_timeout = wiring.env().get(&STORAGE_TIMEOUT_SECONDS)?;
    let settings = AzureSettings {
        request_timeout: request_timeout.unsigned_abs(),
        ..AzureSettings::default()
    };
    let containers = AzureContainers::new(&settings).map_err(WiringError::of_adapter)?;
    Ok(Arc::new(containers))
}
