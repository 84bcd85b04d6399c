//! What a process starts with: its settings, the AWS configuration that its clients share, the
//! clock. The adapters take what they need from here (`wire`); nobody else sees a setting's name.

pub mod config;
mod lives;
mod uploads;

use std::error::Error;
use std::sync::Arc;

use aws_types::SdkConfig;
use domain::cause::Cause;
use ports::clock::Clock;
use thiserror::Error;
use time::OffsetDateTime;
use uuid::Uuid;

use self::config::{ConfigError, Environment};
pub use self::lives::JobLives;
pub use self::uploads::{Held, TooLittleMemory, Uploads};

/// Why a function cannot start.
#[derive(Debug, Error)]
pub enum WiringError {
    /// A setting is missing or does not fit.
    #[error(transparent)]
    Config(#[from] ConfigError),
    /// An adapter cannot work on this machine.
    #[error(transparent)]
    Adapter(Cause),
}

impl WiringError {
    /// What an adapter says of itself.
    pub fn of_adapter(error: impl Error + Send + Sync + 'static) -> Self {
        Self::Adapter(Box::new(error))
    }
}

/// The machine's own clock and random source.
#[derive(Debug, Clone, Copy, Default)]
pub struct SystemClock;

#[expect(
    clippy::disallowed_methods,
    reason = "the one adapter that reads the clock and draws ids"
)]
impl Clock for SystemClock {
    fn now(&self) -> OffsetDateTime {
        OffsetDateTime::now_utc()
    }

    fn fresh_id(&self) -> Uuid {
        Uuid::now_v7()
    }
}

/// The settings of a process and the AWS configuration that its clients share.
#[derive(Clone)]
pub struct Wiring {
    env: Environment,
    sdk: SdkConfig,
}

impl Wiring {
    /// Takes both as they are: a setting is checked when it is read.
    pub fn new(env: Environment, sdk: SdkConfig) -> Self {
        Self { env, sdk }
    }

    /// The environment, from which adapters read their settings.
    pub fn env(&self) -> &Environment {
        &self.env
    }

    /// What the AWS clients of the process share.
    pub fn sdk(&self) -> &SdkConfig {
        &self.sdk
    }

    /// The machine's own clock: [`SystemClock`].
    pub fn clock(&self) -> Arc<dyn Clock> {
        Arc::new(SystemClock)
    }

    /// How long a job is kept, and how long it may wait for a credential.
    ///
    /// # Errors
    /// [`ConfigError`] when a setting does not fit, or when a job would be forgotten while it
    /// waits.
    pub fn job_lives(&self) -> Result<JobLives, ConfigError> {
        JobLives::of(&self.env)
    }

    /// How files are cut and sent. In a Lambda function the blocks must fit into its memory, which
    /// `AWS_LAMBDA_FUNCTION_MEMORY_SIZE` says; where that is absent, on one machine and in tests,
    /// nothing is compared.
    ///
    /// # Errors
    /// [`ConfigError`] when a setting does not fit, or when both together do not fit into the
    /// memory.
    pub fn uploads(&self, held: Held) -> Result<Uploads, ConfigError> {
        Uploads::of(&self.env, held)
    }
}
