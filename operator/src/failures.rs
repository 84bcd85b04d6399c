//! What the failures of the adapters mean to an operator.

use client::ending::Ending;
use client::failure::Failure;
use domain::cause::in_one_line;
use ports::source::SourceError;
use ports::store::StoreError;
use wiring::config::ConfigError;

/// What an operator looks at when a table refuses a request for good.
const LOOK: &str = "see whether the settings name this deployment's tables, and whether your credentials may use them";

/// A setting is missing, or does not fit.
pub(crate) fn of_setting(error: &ConfigError) -> Failure {
    Failure::usage(format!(
        "{}; or name the deployment by --stack",
        in_one_line(error)
    ))
}

/// The exports table does not do what it is asked.
pub(crate) fn of_table(error: &StoreError) -> Failure {
    let message = in_one_line(error);
    match error {
        StoreError::Unavailable { .. } => Failure::unknown(message),
        StoreError::Conflict { .. } | StoreError::Newer { .. } => {
            Failure::new(Ending::Refused, message)
        }
        StoreError::Corrupt { .. } => Failure::new(Ending::Refused, format!("{message}; {LOOK}")),
    }
}

/// The lake or the registry does not do what it is asked.
pub(crate) fn of_source(error: &SourceError) -> Failure {
    let message = in_one_line(error);
    match error {
        SourceError::Unavailable { .. } => Failure::unknown(message),
        SourceError::Denied { .. } => Failure::new(Ending::Refused, format!("{message}; {LOOK}")),
        SourceError::Changed { .. }
        | SourceError::Archived { .. }
        | SourceError::Unordered { .. }
        | SourceError::Corrupt { .. } => Failure::new(Ending::Refused, message),
    }
}
