//! Why a setting cannot be used.

use domain::cause::Cause;
use thiserror::Error;

use crate::uploads::TooLittleMemory;

/// A setting that is missing or does not fit. The message is one line: what is wrong, with which
/// setting, and what to do.
#[derive(Debug, Error)]
pub enum ConfigError {
    /// It must be given.
    #[error("set {name}: {meaning}")]
    Missing {
        /// The environment variable, such as `LAKE_URL`.
        name: &'static str,
        /// What the setting is for, with its unit.
        meaning: &'static str,
    },
    /// Its value is no text.
    #[error("{name} is not UTF-8: set it to {fits}")]
    NotUtf8 {
        /// The environment variable, such as `LAKE_URL`.
        name: &'static str,
        /// What would fit, as the end of the sentence "set it to …".
        fits: String,
    },
    /// Its value does not fit.
    #[error("{name}={value} does not fit: set it to {fits}")]
    Invalid {
        /// The environment variable, such as `LAKE_URL`.
        name: &'static str,
        /// Its value, or `…` for one in which a credential may stand.
        value: String,
        /// What would fit, as the end of the sentence "set it to …".
        fits: String,
        /// What was said of it; absent when `fits` says as much.
        #[source]
        cause: Option<Cause>,
    },
    /// Of two settings exactly one must be given.
    #[error("{} of {one} and {other} is set: set one of them", if *.both { "each" } else { "none" })]
    NotOneOf {
        /// The environment variable that is named first.
        one: &'static str,
        /// The environment variable that is named second.
        other: &'static str,
        /// Whether both are given; else none is.
        both: bool,
    },
    /// The files' blocks do not fit into the function's memory.
    #[error(transparent)]
    Memory(#[from] TooLittleMemory),
}

impl ConfigError {
    pub(crate) fn invalid(
        name: &'static str,
        value: &str,
        fits: impl Into<String>,
        cause: Option<Cause>,
    ) -> Self {
        Self::Invalid {
            name,
            value: shown(value),
            fits: fits.into(),
            cause,
        }
    }
}

/// A value as an error may show it. None is meant to be a secret, but a URL may have been pasted
/// with its signature or password.
fn shown(value: &str) -> String {
    if value.contains(['?', '@']) {
        "…".to_owned()
    } else {
        value.to_owned()
    }
}
