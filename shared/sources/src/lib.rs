//! The raw data, by the two sources of a deployment: the lake holds what happened, the registry
//! what is known of the devices now.
#![expect(
    clippy::disallowed_types,
    reason = "hands the table's client to its adapter"
)]

pub mod lake;
pub mod pieces;
pub mod registry;

use std::sync::Arc;

use aws_sdk_dynamodb::Client;
use ports::source::Sources;
use wiring::Wiring;
use wiring::config::{
    CHUNK_TARGET_BYTES, ConfigError, FUNCTION_TIMEOUT_SECONDS, LAKE_IGNORE, LAKE_LATE_DAYS,
    LAKE_URL, PREFETCH_BYTES, REGISTRY_SEGMENTS, REGISTRY_TABLE,
};

use self::lake::{IgnoredNames, Lake};
use self::registry::Registry;

/// The sources that the settings name, to plan by: which objects are read, and how large the chunks
/// are that they are packed into.
///
/// # Errors
/// [`ConfigError`] when a setting does not fit.
pub fn wire_to_plan(wiring: &Wiring) -> Result<Sources, ConfigError> {
    let env = wiring.env();
    let lake = lake(wiring, env.get(&CHUNK_TARGET_BYTES)?)?;
    let names = IgnoredNames::parse(&env.get(&LAKE_IGNORE)?);
    let late_days = env.get(&LAKE_LATE_DAYS)?;
    let time_limit = env.get(&FUNCTION_TIMEOUT_SECONDS)?;
    let lake = lake.ignoring(names).with_late_days(late_days);
    with_registry(wiring, lake.for_runs_of(time_limit))
}

/// The sources that the settings name, to read planned chunks from: how much of a chunk may be held
/// at once.
///
/// # Errors
/// [`ConfigError`] when a setting does not fit.
pub fn wire_to_read(wiring: &Wiring) -> Result<Sources, ConfigError> {
    let lake = lake(wiring, CHUNK_TARGET_BYTES.default)?;
    let prefetch_bytes = wiring.env().get(&PREFETCH_BYTES)?;
    with_registry(wiring, lake.prefetching(prefetch_bytes))
}

fn lake(wiring: &Wiring, target_bytes: u64) -> Result<Lake, ConfigError> {
    let url = wiring.env().get(&LAKE_URL)?;
    Lake::from_url(&url, target_bytes).map_err(|error| LAKE_URL.refused(&url, error))
}

fn with_registry(wiring: &Wiring, lake: Lake) -> Result<Sources, ConfigError> {
    Ok(Sources {
        lake: Arc::new(lake),
        registry: Arc::new(wire_to_load(wiring)?),
    })
}

/// The registry that the settings name, to be loaded.
///
/// # Errors
/// [`ConfigError`] when a setting does not fit.
pub fn wire_to_load(wiring: &Wiring) -> Result<Registry, ConfigError> {
    let env = wiring.env();
    let client = Client::new(wiring.sdk());
    let segments = env.get(&REGISTRY_SEGMENTS)?;
    Ok(Registry::new(client, env.get(&REGISTRY_TABLE)?, segments))
}
