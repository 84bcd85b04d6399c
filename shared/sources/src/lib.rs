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
use wiring::config::{
    CHUNK_TARGET_BYTES, ConfigError, LAKE_URL, REGISTRY_SEGMENTS, REGISTRY_TABLE,
};

use self::lake::Lake;
use self::registry::Registry;

/// The sources that the settings name, to plan by: chunks are packed up to the size that is set.
///
/// # Errors
/// [`ConfigError`] when a setting does not fit.
pub fn wire_to_plan(wiring: &Wiring) -> Result<Sources, ConfigError> {
    let target_bytes = wiring.env().get(&CHUNK_TARGET_BYTES)?;
    wire(wiring, target_bytes)
}

/// The sources that the settings name, to read planned chunks from: how large those were to be is
/// not asked.
///
/// # Errors
/// [`ConfigError`] when a setting does not fit.
pub fn wire_to_read(wiring: &Wiring) -> Result<Sources, ConfigError> {
    wire(wiring, CHUNK_TARGET_BYTES.default)
}

fn wire(wiring: &Wiring, target_bytes: u64) -> Result<Sources, ConfigError> {
    let env = wiring.env();
    let url = env.get(&LAKE_URL)?;
    let lake = Lake::from_url(&url, target_bytes);
    let lake = lake.map_err(|error| LAKE_URL.refused(&url, error))?;
    let client = Client::new(wiring.sdk());
    let segments = env.get(&REGISTRY_SEGMENTS)?;
    let registry = Registry::new(client, env.get(&REGISTRY_TABLE)?, segments);
    Ok(Sources {
        lake: Arc::new(lake),
        registry: Arc::new(registry),
    })
}
