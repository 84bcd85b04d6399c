//! Logs: one JSON object a line on standard output, which Lambda sends to `CloudWatch` Logs.

use tracing_subscriber::EnvFilter;

use crate::config::{ConfigError, Environment};

/// The crates whose logs have the level of `LOG_LEVEL`. All others warn only: `lambda_runtime` would log whole events
/// at `trace`, and an HTTP client whole requests.
const OUR_CRATES: [&str; 8] =
    ["shared", "create_job", "get_status", "plan_export", "run_export_chunk", "finish_export", "fail_chunk", "local"];

/// The filter of a level: ours at that level, everything else at `warn`.
///
/// # Errors
/// [`ConfigError`] when the level is none of `error`, `warn`, `info` and `debug`.
pub fn filter(env: &Environment) -> Result<EnvFilter, ConfigError> {
    let level = env.text("LOG_LEVEL")?;
    if !["error", "warn", "info", "debug"].contains(&level) {
        return Err(Environment::invalid("LOG_LEVEL", level, "`error`, `warn`, `info` or `debug`"));
    }
    let ours = OUR_CRATES.map(|name| format!("{name}={level}")).join(",");
    Ok(EnvFilter::new(format!("warn,{ours}")))
}

/// Starts logging for the process. A second call changes nothing.
///
/// # Errors
/// [`ConfigError`] when the level cannot be read.
pub fn start(env: &Environment) -> Result<(), ConfigError> {
    let subscriber = tracing_subscriber::fmt().json().flatten_event(true).with_env_filter(filter(env)?);
    if subscriber.try_init().is_err() {
        tracing::debug!("logging was started before");
    }
    Ok(())
}
