//! Where Lambda meets the functions: how a process starts, what it logs, the events between the
//! functions.

pub mod event;
pub mod telemetry;

use std::time::Duration;

use aws_config::BehaviorVersion;
use aws_config::retry::RetryConfig;
use aws_config::timeout::TimeoutConfig;
use wiring::Wiring;
use wiring::config::{ConfigError, Environment};

/// Starts a function's process: logging, settings from the environment, the AWS configuration.
///
/// # Errors
/// [`ConfigError`] when the level of the logs cannot be read.
pub async fn start() -> Result<Wiring, ConfigError> {
    let env = Environment::of_process();
    telemetry::start(&env)?;
    let retries = RetryConfig::standard().with_max_attempts(5);
    let timeouts = TimeoutConfig::builder()
        .connect_timeout(Duration::from_secs(2))
        .operation_attempt_timeout(Duration::from_secs(5))
        .build();
    let loader = aws_config::defaults(BehaviorVersion::latest());
    let sdk = loader
        .retry_config(retries)
        .timeout_config(timeouts)
        .load()
        .await;
    Ok(Wiring::new(env, sdk))
}
