//! Logs: one JSON object a line on standard output, which Lambda sends to `CloudWatch` Logs.

use tracing_subscriber::EnvFilter;
use wiring::config::{ConfigError, Environment, LOG_LEVEL, LogLevel, METRICS_NAMESPACE, Word};

use crate::lines::Lines;

/// The crates of this workspace, found by the build script: nobody has to think of a new function
/// here.
///
/// The others are not named one by one to be silenced, because a forgotten one would speak. At
/// `debug` the AWS SDK prints requests, of which one to KMS holds the signature that is to be
/// sealed; an HTTP client prints URLs; `lambda_runtime` prints whole events at `trace`. So what
/// is not ours warns at most, today's crates and tomorrow's.
const OUR_CRATES: &str = env!("WORKSPACE_CRATES");

/// The filter of a level: ours at that level, everything else at `warn`, or at `error` when only
/// that is wanted.
///
/// # Errors
/// [`ConfigError`] when the level is none of `error`, `warn`, `info` and `debug`.
pub fn filter(env: &Environment) -> Result<EnvFilter, ConfigError> {
    let level = env.get(&LOG_LEVEL)?;
    let others = match level {
        LogLevel::Error => LogLevel::Error,
        LogLevel::Warn | LogLevel::Info | LogLevel::Debug => LogLevel::Warn,
    };
    let ours: Vec<_> = OUR_CRATES
        .split(',')
        .map(|name| format!("{name}={}", level.word()))
        .collect();
    let directives = format!("{},{}", others.word(), ours.join(","));
    Ok(EnvFilter::new(directives))
}

/// The namespace of the metrics in the lines; without one there are none.
///
/// # Errors
/// [`ConfigError`] when it is no text.
pub fn namespace(env: &Environment) -> Result<Option<String>, ConfigError> {
    env.get(&METRICS_NAMESPACE)
}

/// Starts logging for the process. A second call changes nothing.
///
/// # Errors
/// [`ConfigError`] when the level cannot be read.
pub fn start(env: &Environment) -> Result<(), ConfigError> {
    let subscriber = tracing_subscriber::fmt()
        .json()
        .event_format(Lines::new(namespace(env)?))
        .with_env_filter(filter(env)?);
    if subscriber.try_init().is_err() {
        tracing::debug!("logging was started before");
    }
    Ok(())
}
