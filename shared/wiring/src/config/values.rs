//! What the settings that are one of a few words can be.

use super::kind::Word;

/// What becomes of a malformed record.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum OnBadRecord {
    /// It ends its chunk.
    Fail,
    /// It is left out and counted.
    Skip,
}

impl Word for OnBadRecord {
    fn word(self) -> &'static str {
        match self {
            Self::Fail => "fail",
            Self::Skip => "skip",
        }
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
