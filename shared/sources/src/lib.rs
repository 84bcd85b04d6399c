//! The raw data, by the two sources of a deployment: the lake holds what happened, the registry
//! what is known of the devices now.
#![expect(
    clippy::disallowed_types,
    reason = "hands the table's client to its adapter"
)]

pub mod lake;
pub mod lines;
pub mod registry;

use std::sync::Arc;

use aws_sdk_dynamodb::Client;
use ports::source::Sources;
use wiring::Wiring;
use wiring::config::{ConfigError, Environment};

use self::lake::Lake;
use self::registry::Registry;

/// The sources that the settings name.
///
/// # Errors
/// [`ConfigError`] when a setting does not fit.
pub fn wire(wiring: &Wiring) -> Result<Sources, ConfigError> {
    let env = wiring.env();
    let url = env.text("LAKE_URL")?;
    let target_bytes = env.number("CHUNK_TARGET_BYTES", 1, 1 << 40)?;
    let lake = Lake::from_url(url, target_bytes)
        .map_err(|error| Environment::invalid("LAKE_URL", url, error.to_string()))?;
    let client = Client::new(wiring.sdk());
    let segments = env.number("REGISTRY_SEGMENTS", 1, 1024)?;
    let registry = Registry::new(client, env.text("REGISTRY_TABLE")?, segments);
    Ok(Sources {
        lake: Arc::new(lake),
        registry: Arc::new(registry),
    })
}
