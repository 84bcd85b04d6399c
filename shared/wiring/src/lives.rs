//! How long jobs live.

use time::Duration;

use crate::config::{CREDENTIAL_WAIT_DAYS, ConfigError, Environment, JOB_RETENTION_DAYS};

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
        let lives = Self {
            retention: env.get(&JOB_RETENTION_DAYS)?,
            credential_wait: env.get(&CREDENTIAL_WAIT_DAYS)?,
        };
        if lives.retention < lives.credential_wait {
            return Err(lives.forgotten());
        }
        Ok(lives)
    }

    fn forgotten(&self) -> ConfigError {
        let retention = JOB_RETENTION_DAYS.kind.count(self.retention);
        let wait = CREDENTIAL_WAIT_DAYS.kind.count(self.credential_wait);
        let fits = format!(
            "at least {}, {wait}, or a job is forgotten while it waits",
            CREDENTIAL_WAIT_DAYS.name
        );
        ConfigError::invalid(JOB_RETENTION_DAYS.name, &retention, fits, None)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn lives(retention_days: &str, wait_days: &str) -> Result<JobLives, ConfigError> {
        let pairs = [
            (JOB_RETENTION_DAYS.name, retention_days),
            (CREDENTIAL_WAIT_DAYS.name, wait_days),
        ];
        JobLives::of(&Environment::from_pairs(pairs))
    }

    #[test]
    fn no_job_may_be_forgotten_while_it_may_still_wait() {
        let day = Duration::DAY;
        assert_eq!(
            lives("", "").unwrap(),
            JobLives {
                retention: 90 * day,
                credential_wait: 7 * day
            }
        );
        assert_eq!(
            lives("7", "7").unwrap(),
            JobLives {
                retention: 7 * day,
                credential_wait: 7 * day
            }
        );
        let refused = "JOB_RETENTION_DAYS=6 does not fit: set it to at least CREDENTIAL_WAIT_DAYS, 7, \
                       or a job is forgotten while it waits";
        assert_eq!(lives("6", "7").unwrap_err().to_string(), refused);
    }
}
