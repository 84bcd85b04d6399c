//! Where Lambda meets the functions: how a process starts, what it logs, the events between the
//! functions.

pub mod event;
pub mod lines;
pub mod telemetry;

use std::time::Duration;

use aws_config::retry::RetryConfig;
use aws_config::timeout::TimeoutConfig;
use aws_config::{BehaviorVersion, SdkConfig};
use domain::cause::in_one_line;
use wiring::config::Environment;
use wiring::{Wiring, WiringError};

/// Starts a function's process: logging, settings from the environment, the AWS configuration, and
/// what the function makes of them. What keeps it from starting is one line of its log: Lambda
/// itself would only say that the process ended.
///
/// # Errors
/// [`WiringError`] when a setting does not fit, or an adapter cannot work on this machine.
pub async fn start<P>(
    wire: impl FnOnce(&Wiring) -> Result<P, WiringError>,
) -> Result<P, WiringError> {
    let env = Environment::of_process();
    let ports = match log_by(&env) {
        Ok(()) => wire(&Wiring::new(env, sdk().await)),
        Err(error) => Err(error),
    };
    ports.inspect_err(|error| {
        tracing::error!(error = in_one_line(error), "the function does not start");
    })
}

/// Starts logging, at the default level when the one that is set cannot be read: else nobody would
/// see why.
fn log_by(env: &Environment) -> Result<(), WiringError> {
    telemetry::start(env).or_else(|error| {
        telemetry::start(&Environment::default())?;
        Err(error.into())
    })
}

async fn sdk() -> SdkConfig {
    let retries = RetryConfig::standard().with_max_attempts(5);
    let timeouts = TimeoutConfig::builder()
        .connect_timeout(Duration::from_secs(2))
        .operation_attempt_timeout(Duration::from_secs(5))
        .build();
    aws_config::defaults(BehaviorVersion::latest())
        .retry_config(retries)
        .timeout_config(timeouts)
        .load()
        .await
}
