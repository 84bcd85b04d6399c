//! Why a command ends without a result, in one line.

use std::fmt;

use serde_json::{Value, json};

use crate::ending::Ending;
use crate::verify::PlaceError;

/// What a person, or a script, is told.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Failure {
    /// How the command ends.
    pub ending: Ending,
    /// The service's code of a refusal; `None` when the failure is not the service's.
    pub code: Option<String>,
    /// What is wrong, with what, and what to do.
    pub message: String,
}

impl Failure {
    /// A failure that is not the service's.
    pub fn new(ending: Ending, message: impl Into<String>) -> Self {
        Self {
            ending,
            code: None,
            message: message.into(),
        }
    }

    /// The command line or the settings lack something.
    pub fn usage(message: impl Into<String>) -> Self {
        Self::new(Ending::Usage, message)
    }

    /// It could not be found out.
    pub fn unknown(message: impl Into<String>) -> Self {
        Self::new(Ending::Unknown, message)
    }

    /// As the one document of a command with `--json`.
    pub fn document(&self) -> Value {
        let code = self.code.as_deref().unwrap_or(self.ending.name());
        json!({
            "error": {"code": code, "message": self.message},
            "exitCode": self.ending.code(),
        })
    }
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.message)
    }
}

impl From<PlaceError> for Failure {
    fn from(error: PlaceError) -> Self {
        let ending = match error {
            PlaceError::Unwritable { .. } => Ending::OutputLost,
            PlaceError::Refused { .. } | PlaceError::Unavailable { .. } => Ending::Unknown,
        };
        Self::new(ending, error.to_string())
    }
}
