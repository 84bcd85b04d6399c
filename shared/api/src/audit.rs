//! What is kept of a call that changes a job.

use ports::store::{Act, Audit};
use time::{Duration, OffsetDateTime};
use wiring::config::{AUDIT_DAYS, ConfigError, Environment};

/// For how long it is kept who did what.
#[derive(Debug, Clone, Copy)]
pub struct Auditor {
    /// Counted from the act on.
    pub kept: Duration,
}

impl Auditor {
    /// Reads how long that is.
    ///
    /// # Errors
    /// [`ConfigError`] when it does not fit.
    pub fn of(env: &Environment) -> Result<Self, ConfigError> {
        Ok(Self {
            kept: env.get(&AUDIT_DAYS)?,
        })
    }

    /// What is to be kept of an act of a verified subject.
    pub fn note(self, by: &str, act: Act, at: OffsetDateTime) -> Audit {
        Audit {
            by: by.to_owned(),
            act,
            at,
            expires: at + self.kept,
        }
    }
}
