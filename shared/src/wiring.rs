//! Builds the adapters from the settings, once per process: the only place where the two meet.
#![expect(
    clippy::disallowed_types,
    reason = "hands the vendors' clients to their adapters"
)]

use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use aws_config::SdkConfig;
use aws_config::retry::RetryConfig;
use aws_config::timeout::TimeoutConfig;
use thiserror::Error;

use crate::clock::{Clock, SystemClock};
use crate::config::{ConfigError, Environment};
use crate::container::azure::{AzureContainers, AzureSettings};
use crate::container::url::{BadEndpoint, ContainerUrlRules, ExtraEndpoint};
use crate::container::writer::WriterSettings;
use crate::container::{ContainerError, Containers};
use crate::seal::Sealer;
use crate::seal::key::{BadKey, KeySealer};
use crate::seal::kms::KmsSealer;
use crate::source::Sources;
use crate::source::lake::Lake;
use crate::source::registry::Registry;
use crate::store::MAX_SHARDS;
use crate::store::dynamo::DynamoStore;

/// Why a function cannot start.
#[derive(Debug, Error)]
pub enum WiringError {
    /// A setting is missing or does not fit.
    #[error(transparent)]
    Config(#[from] ConfigError),
    /// The key file cannot be used.
    #[error(transparent)]
    Key(#[from] BadKey),
    /// There is no HTTP client for the clients' containers.
    #[error(transparent)]
    Container(#[from] ContainerError),
}

/// How long jobs live. A job is kept at least as long as it may wait.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct JobLives {
    /// How long a job is kept after it was accepted.
    pub retention: time::Duration,
    /// How long it waits for a new credential before it fails.
    pub credential_wait: time::Duration,
}

/// The settings of a process and the AWS configuration that its clients share.
#[derive(Clone)]
pub struct Wiring {
    env: Environment,
    sdk: SdkConfig,
}

impl Wiring {
    /// Starts the process: logging, settings from the environment, the AWS configuration.
    ///
    /// # Errors
    /// [`ConfigError`] when the level of the logs cannot be read.
    pub async fn start() -> Result<Self, ConfigError> {
        let env = Environment::of_process();
        crate::telemetry::start(&env)?;
        let retries = RetryConfig::standard().with_max_attempts(5);
        let timeouts = TimeoutConfig::builder()
            .connect_timeout(Duration::from_secs(2))
            .operation_attempt_timeout(Duration::from_secs(5))
            .build();
        let loader = aws_config::defaults(aws_config::BehaviorVersion::latest());
        let sdk = loader
            .retry_config(retries)
            .timeout_config(timeouts)
            .load()
            .await;
        Ok(Self { env, sdk })
    }

    /// Settings and configuration of one's own: for the local stack and for tests.
    pub fn new(env: Environment, sdk: SdkConfig) -> Self {
        Self { env, sdk }
    }

    /// The settings.
    pub fn env(&self) -> &Environment {
        &self.env
    }

    /// The system's clock.
    pub fn clock(&self) -> Arc<dyn Clock> {
        Arc::new(SystemClock)
    }

    /// The exports table.
    ///
    /// # Errors
    /// [`ConfigError`] when its name is missing.
    pub fn store(&self) -> Result<Arc<DynamoStore>, ConfigError> {
        let table = self.env.text("EXPORTS_TABLE")?;
        Ok(Arc::new(DynamoStore::new(
            aws_sdk_dynamodb::Client::new(&self.sdk),
            table,
            self.clock(),
        )))
    }

    /// What seals credentials: KMS, or a key file on one machine.
    ///
    /// # Errors
    /// [`WiringError`] when neither is set, both are, or the file cannot be used.
    pub fn sealer(&self) -> Result<Arc<dyn Sealer>, WiringError> {
        match (
            self.env.optional("SEAL_KMS_KEY_ID")?,
            self.env.optional("SEAL_KEY_FILE")?,
        ) {
            (Some(key), None) => Ok(Arc::new(KmsSealer::new(
                aws_sdk_kms::Client::new(&self.sdk),
                key,
            ))),
            (None, Some(file)) => Ok(Arc::new(KeySealer::from_file(Path::new(file))?)),
            (None, None) | (Some(_), Some(_)) => Err(Environment::invalid(
                "SEAL_KMS_KEY_ID",
                "",
                "set it or SEAL_KEY_FILE, not both",
            )
            .into()),
        }
    }

    /// The clients' containers.
    ///
    /// # Errors
    /// [`WiringError`] when a setting does not fit or there is no TLS.
    pub fn containers(&self) -> Result<Arc<dyn Containers>, WiringError> {
        let seconds = self.env.number("STORAGE_TIMEOUT_SECONDS", 1, 600)?;
        let settings = AzureSettings {
            request_timeout: Duration::from_secs(seconds),
            ..AzureSettings::default()
        };
        Ok(Arc::new(AzureContainers::new(&settings)?))
    }

    /// Which container URLs are accepted.
    ///
    /// # Errors
    /// [`ConfigError`] when an extra endpoint is not a URL.
    pub fn container_urls(&self) -> Result<ContainerUrlRules, ConfigError> {
        let texts = self
            .env
            .optional("EXTRA_BLOB_ENDPOINTS")?
            .unwrap_or_default();
        let endpoints = texts
            .split(',')
            .filter(|text| !text.is_empty())
            .map(ExtraEndpoint::parse);
        let extra_endpoints = endpoints.collect::<Result<_, _>>();
        let invalid = |error: BadEndpoint| {
            Environment::invalid("EXTRA_BLOB_ENDPOINTS", texts, error.to_string())
        };
        Ok(ContainerUrlRules {
            extra_endpoints: extra_endpoints.map_err(invalid)?,
        })
    }

    /// How files are cut into blocks and sent.
    ///
    /// # Errors
    /// [`ConfigError`] when a setting does not fit.
    pub fn writer(&self) -> Result<WriterSettings, ConfigError> {
        Ok(WriterSettings {
            block_bytes: self
                .env
                .number("BLOCK_BYTES", 64 * 1024, 256 * 1024 * 1024)?,
            uploads_in_flight: self.env.number("UPLOADS_IN_FLIGHT", 1, 32)?,
            ..WriterSettings::default()
        })
    }

    /// How long a function may take.
    ///
    /// # Errors
    /// [`ConfigError`] when the setting does not fit.
    pub fn time_limit(&self) -> Result<time::Duration, ConfigError> {
        Ok(time::Duration::seconds(self.env.number(
            "FUNCTION_TIMEOUT_SECONDS",
            1,
            900,
        )?))
    }

    /// How long a job is kept, and how long it may wait for a credential.
    ///
    /// # Errors
    /// [`ConfigError`] when a setting does not fit, or when a job would be forgotten while it
    /// waits.
    pub fn job_lives(&self) -> Result<JobLives, ConfigError> {
        let retention = self.env.number("JOB_RETENTION_DAYS", 1, 3_650)?;
        let wait = self.env.number("CREDENTIAL_WAIT_DAYS", 1, 3_650)?;
        if retention < wait {
            let reason = format!(
                "at least CREDENTIAL_WAIT_DAYS, {wait}: else a job is forgotten while it waits"
            );
            return Err(Environment::invalid(
                "JOB_RETENTION_DAYS",
                &retention.to_string(),
                reason,
            ));
        }
        let (retention, credential_wait) =
            (time::Duration::days(retention), time::Duration::days(wait));
        Ok(JobLives {
            retention,
            credential_wait,
        })
    }

    /// The most shards of a job.
    ///
    /// # Errors
    /// [`ConfigError`] when the setting does not fit.
    pub fn max_shards(&self) -> Result<u16, ConfigError> {
        self.env.number("MAX_SHARDS", 1, MAX_SHARDS)
    }

    /// Whether malformed records are skipped.
    ///
    /// # Errors
    /// [`ConfigError`] when the setting is neither `fail` nor `skip`.
    pub fn skips_bad_records(&self) -> Result<bool, ConfigError> {
        match self.env.text("ON_BAD_RECORD")? {
            "fail" => Ok(false),
            "skip" => Ok(true),
            other => Err(Environment::invalid(
                "ON_BAD_RECORD",
                other,
                "`fail` or `skip`",
            )),
        }
    }

    /// The raw data.
    ///
    /// # Errors
    /// [`ConfigError`] when a setting does not fit.
    pub fn sources(&self) -> Result<Sources, ConfigError> {
        let url = self.env.text("LAKE_URL")?;
        let target_bytes = self.env.number("CHUNK_TARGET_BYTES", 1, 1 << 40)?;
        let lake = Lake::from_url(url, target_bytes);
        let lake =
            lake.map_err(|error| Environment::invalid("LAKE_URL", url, error.to_string()))?;
        let client = aws_sdk_dynamodb::Client::new(&self.sdk);
        let segments = self.env.number("REGISTRY_SEGMENTS", 1, 1024)?;
        let registry = Registry::new(client, self.env.text("REGISTRY_TABLE")?, segments);
        Ok(Sources {
            lake: Arc::new(lake),
            registry: Arc::new(registry),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn lives(retention_days: &str, wait_days: &str) -> Result<JobLives, ConfigError> {
        let pairs = [
            ("JOB_RETENTION_DAYS", retention_days),
            ("CREDENTIAL_WAIT_DAYS", wait_days),
        ];
        Wiring::new(Environment::from_pairs(pairs), SdkConfig::builder().build()).job_lives()
    }

    #[test]
    fn no_job_may_be_forgotten_while_it_may_still_wait() {
        let day = time::Duration::DAY;
        assert_eq!(
            lives("", ""),
            Ok(JobLives {
                retention: 90 * day,
                credential_wait: 7 * day
            })
        );
        assert_eq!(
            lives("7", "7"),
            Ok(JobLives {
                retention: 7 * day,
                credential_wait: 7 * day
            })
        );
        let refused = "JOB_RETENTION_DAYS=6 does not fit: at least CREDENTIAL_WAIT_DAYS, 7: else a job is forgotten \
                       while it waits";
        assert_eq!(lives("6", "7").unwrap_err().to_string(), refused);
    }
}
