//! What the settings that are one of a few words can be.

use domain::rules::OnBadRecord;

use super::kind::Word;

impl Word for OnBadRecord {
    fn word(self) -> &'static str {
        self.word()
    }
}

/// From which severity on something is logged.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum LogLevel {
    /// A person must act.
    Error,
    /// Something went wrong and will be tried again.
    Warn,
    /// What was done.
    Info,
    /// How it was done.
    Debug,
}

impl Word for LogLevel {
    fn word(self) -> &'static str {
        match self {
            Self::Error => "error",
            Self::Warn => "warn",
            Self::Info => "info",
            Self::Debug => "debug",
        }
    }
}
