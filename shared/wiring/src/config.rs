//! The settings of a function: read once at start, from the environment, checked before the first
//! event.

use std::collections::{BTreeMap, BTreeSet};
use std::str::FromStr;
use std::sync::{Arc, Mutex, PoisonError};

use thiserror::Error;

/// A setting: its variable, what it defaults to, and what it means. The README's table and the
/// template's environment are tested against this list.
#[derive(Debug, Clone, Copy)]
pub struct Variable {
    /// The environment variable.
    pub name: &'static str,
    /// What it is when it is not given; `None` when it must be given.
    pub default: Option<&'static str>,
    /// What it means, with its unit.
    pub meaning: &'static str,
}

/// Every setting of every function.
pub const VARIABLES: [Variable; 20] = [
    var(
        "EXPORTS_TABLE",
        None,
        "DynamoDB table of jobs, chunks and grants",
    ),
    var(
        "REGISTRY_TABLE",
        None,
        "DynamoDB table of devices, campaigns and feedback",
    ),
    var(
        "REGISTRY_SEGMENTS",
        Some("16"),
        "segments that an app's devices are spread over; fixed once data is written",
    ),
    var(
        "LAKE_URL",
        None,
        "where the lake is: `s3://bucket/prefix` or `file:///folder`",
    ),
    var(
        "SEAL_KMS_KEY_ID",
        Some(""),
        "KMS key that seals credentials; this or `SEAL_KEY_FILE`",
    ),
    var(
        "SEAL_KEY_FILE",
        Some(""),
        "file of 64 hex digits that seals credentials; for one machine",
    ),
    var(
        "EXTRA_BLOB_ENDPOINTS",
        Some(""),
        "blob endpoints allowed beside Azure's, comma-separated; for Azurite",
    ),
    var(
        "PUBLIC_URL",
        Some(""),
        "base of `Location` and `nextLink`; default: the API's own domain",
    ),
    var(
        "TOKEN_SUBJECT_CLAIM",
        Some("sub"),
        "the token's claim that grants are given to",
    ),
    var(
        "JOB_RETENTION_DAYS",
        Some("90"),
        "days until a job is forgotten; at least `CREDENTIAL_WAIT_DAYS`",
    ),
    var(
        "CREDENTIAL_WAIT_DAYS",
        Some("7"),
        "days that a job waits for a new credential before it fails",
    ),
    var(
        "MAX_RANGE_DAYS",
        Some("366"),
        "most days that one export may span",
    ),
    var(
        "CHUNK_TARGET_BYTES",
        Some("67108864"),
        "source bytes that a chunk is packed up to",
    ),
    var(
        "MAX_SHARDS",
        Some("32"),
        "most shards that a job's chunks are spread over, 1 to 32",
    ),
    var(
        "BLOCK_BYTES",
        Some("8388608"),
        "bytes of a block in the client's container",
    ),
    var(
        "UPLOADS_IN_FLIGHT",
        Some("3"),
        "blocks that a chunk run uploads at once",
    ),
    var(
        "STORAGE_TIMEOUT_SECONDS",
        Some("60"),
        "seconds that one request to the client's container may take",
    ),
    var(
        "ON_BAD_RECORD",
        Some("fail"),
        "`fail` ends the chunk at a malformed record, `skip` counts it",
    ),
    var(
        "FUNCTION_TIMEOUT_SECONDS",
        Some("900"),
        "seconds that a run may take; a lease lasts a little longer",
    ),
    var(
        "LOG_LEVEL",
        Some("info"),
        "`error`, `warn`, `info` or `debug`",
    ),
];

const fn var(name: &'static str, default: Option<&'static str>, meaning: &'static str) -> Variable {
    Variable {
        name,
        default,
        meaning,
    }
}

/// A setting that is missing or cannot be read.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum ConfigError {
    /// It must be given.
    #[error("set {name}: {meaning}")]
    Missing {
        /// The variable.
        name: &'static str,
        /// What it means.
        meaning: &'static str,
    },
    /// Its value does not fit.
    #[error("{name}={value} does not fit: {reason}")]
    Invalid {
        /// The variable.
        name: &'static str,
        /// Its value; no setting is a secret.
        value: String,
        /// What would fit.
        reason: String,
    },
}

/// The environment that settings are read from. It remembers which were asked for, and so do its
/// clones together.
#[derive(Debug, Clone, Default)]
pub struct Environment {
    given: BTreeMap<String, String>,
    asked: Arc<Mutex<BTreeSet<&'static str>>>,
}

impl Environment {
    /// The process's own.
    pub fn of_process() -> Self {
        Self::from_pairs(std::env::vars())
    }

    /// One made up for a test or for the local stack.
    pub fn from_pairs<K: Into<String>, V: Into<String>>(
        pairs: impl IntoIterator<Item = (K, V)>,
    ) -> Self {
        let given = pairs
            .into_iter()
            .map(|(name, value)| (name.into(), value.into()))
            .collect();
        Self {
            given,
            asked: Arc::default(),
        }
    }

    /// The settings that were asked for so far, given or not: what a function that has started
    /// reads.
    pub fn asked(&self) -> BTreeSet<&'static str> {
        self.asked
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .clone()
    }

    /// The text of a setting; its default when it is not given.
    ///
    /// # Errors
    /// [`ConfigError::Missing`] when it has no default.
    pub fn text(&self, name: &'static str) -> Result<&str, ConfigError> {
        let known = VARIABLES.iter().find(|variable| variable.name == name);
        let (default, meaning) = known.map_or((None, "unknown setting"), |known| {
            (known.default, known.meaning)
        });
        self.asked
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .insert(name);
        let given = self
            .given
            .get(name)
            .map(String::as_str)
            .filter(|value| !value.is_empty());
        given
            .or(default)
            .ok_or(ConfigError::Missing { name, meaning })
    }

    /// A setting that may be left empty.
    ///
    /// # Errors
    /// [`ConfigError::Missing`] when it has no default.
    pub fn optional(&self, name: &'static str) -> Result<Option<&str>, ConfigError> {
        Ok(Some(self.text(name)?).filter(|value| !value.is_empty()))
    }

    /// A number within limits, both included.
    ///
    /// # Errors
    /// [`ConfigError`] when it is missing, no number, or outside of the limits.
    pub fn number<N: Copy + FromStr + PartialOrd + std::fmt::Display>(
        &self,
        name: &'static str,
        least: N,
        most: N,
    ) -> Result<N, ConfigError> {
        let text = self.text(name)?;
        let fits = text
            .parse()
            .ok()
            .filter(|number| (&least..=&most).contains(&number));
        fits.ok_or_else(|| Self::invalid(name, text, format!("a number from {least} to {most}")))
    }

    /// The error of a value that does not fit.
    pub fn invalid(name: &'static str, value: &str, reason: impl Into<String>) -> ConfigError {
        ConfigError::Invalid {
            name,
            value: value.to_owned(),
            reason: reason.into(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_missing_setting_says_what_it_is_for() {
        let error = Environment::default().text("EXPORTS_TABLE").unwrap_err();
        assert_eq!(
            error.to_string(),
            "set EXPORTS_TABLE: DynamoDB table of jobs, chunks and grants"
        );
    }

    #[test]
    fn an_environment_remembers_what_it_and_its_clones_were_asked_for() {
        let env = Environment::from_pairs([("LOG_LEVEL", "warn")]);
        assert!(env.asked().is_empty());
        assert!(env.clone().text("EXPORTS_TABLE").is_err());
        assert_eq!(env.number::<u16>("MAX_SHARDS", 1, 32), Ok(32));
        assert_eq!(
            env.asked().into_iter().collect::<Vec<_>>(),
            ["EXPORTS_TABLE", "MAX_SHARDS"]
        );
    }

    #[test]
    fn a_number_outside_of_its_limits_says_which_would_fit() {
        let env = Environment::from_pairs([("MAX_SHARDS", "33")]);
        let error = env.number::<u16>("MAX_SHARDS", 1, 32).unwrap_err();
        assert_eq!(
            error.to_string(),
            "MAX_SHARDS=33 does not fit: a number from 1 to 32"
        );
        assert_eq!(
            Environment::default().number::<u16>("MAX_SHARDS", 1, 32),
            Ok(32)
        );
    }
}
