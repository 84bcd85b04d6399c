//! How long jobs live.

use time::Duration;

use crate::config::{ConfigError, Environment};

/// How long jobs live. A job is kept at least as long as it may wait.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct JobLives {
    /// How long a job is kept after it was accepted.
    pub retention: Duration,
    /// How long it waits for a new credential before it fails.
    pub credential_wait: Duration,
}

impl JobLives {
    pub(crate) fn of(env: &Environment) -> Result<Self, ConfigError> {
        let retention = env.number("JOB_RETENTION_DAYS", 1, 3_650)?;
        let wait = env.number("CREDENTIAL_WAIT_DAYS", 1, 3_650)?;
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
        Ok(Self {
            retention: Duration::days(retention),
            credential_wait: Duration::days(wait),
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
        JobLives::of(&Environment::from_pairs(pairs))
    }

    #[test]
    fn no_job_may_be_forgotten_while_it_may_still_wait() {
        let day = Duration::DAY;
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
