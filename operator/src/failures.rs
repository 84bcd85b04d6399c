//! What the failures of the adapters mean to an operator: in one line, with what to do.

use aws_errors::{AwsError, Kind};
use client::ending::Ending;
use client::failure::Failure;
use client::verify::shown_up_to;
use domain::cause::{Cause, in_one_line};
use ports::source::SourceError;
use ports::store::StoreError;
use sources::registry::NoTable;
use wiring::config::ConfigError;

/// What an operator looks at when there is no such table.
const LOOK: &str = "name the deployment by --stack, or its tables by EXPORTS_TABLE and REGISTRY_TABLE, and see that AWS_REGION is \
                    its region";

/// The most characters of what a client says of a connection: it tells its whole way through.
const MOST_OF_CAUSE: usize = 200;

/// A setting is missing, or does not fit.
pub(crate) fn of_setting(error: &ConfigError) -> Failure {
    Failure::usage(format!(
        "{}; or name the deployment by --stack",
        in_one_line(error)
    ))
}

/// The exports table, of this name, does not do what it is asked.
pub(crate) fn of_table(error: &StoreError, table: &str) -> Failure {
    match error {
        StoreError::Unavailable { cause } => Failure::unknown(format!(
            "the table {table} does not answer: {}",
            brief(cause)
        )),
        StoreError::Conflict { .. } | StoreError::Newer { .. } => {
            Failure::new(Ending::Refused, in_one_line(error))
        }
        StoreError::Corrupt { cause, .. } => {
            let message = match cause.downcast_ref::<AwsError>() {
                Some(refused) => of_refusal(refused, table),
                None => format!("{} (table {table})", in_one_line(error)),
            };
            Failure::new(Ending::Refused, message)
        }
    }
}

/// The lake or the registry does not do what it is asked.
pub(crate) fn of_source(error: &SourceError) -> Failure {
    match error {
        SourceError::Unavailable { object, cause } => {
            Failure::unknown(format!("{object} does not answer: {}", brief(cause)))
        }
        SourceError::Denied { object } => {
            let message = format!("your credentials may not use {object}; {WHO}");
            Failure::new(Ending::Refused, message)
        }
        SourceError::Corrupt { cause, .. } if cause.is::<NoTable>() => {
            Failure::new(Ending::Refused, format!("{}; {LOOK}", in_one_line(error)))
        }
        SourceError::Changed { .. }
        | SourceError::Archived { .. }
        | SourceError::Unordered { .. }
        | SourceError::Corrupt { .. } => Failure::new(Ending::Refused, in_one_line(error)),
    }
}

/// Who may do it.
const WHO: &str = "`aws sts get-caller-identity` says whose they are, and docs/OPERATE.md which permissions each command needs";

/// What a table's refusal means.
fn of_refusal(error: &AwsError, table: &str) -> String {
    match error {
        AwsError::Answered { code, .. } if code == "ResourceNotFoundException" => {
            format!("there is no table {table} ({code}); {LOOK}")
        }
        AwsError::Answered { code, .. } if error.kind() == Kind::Denied => {
            format!("your credentials may not use the table {table} ({code}); {WHO}")
        }
        AwsError::Answered { .. } | AwsError::NotAnswered { .. } => {
            format!(
                "the table {table} refuses the request: {}",
                in_one_line(error)
            )
        }
    }
}

/// Why there is no answer, without the way through the layers of a client.
fn brief(cause: &Cause) -> String {
    match cause.downcast_ref::<AwsError>() {
        Some(error) => brief_of_aws(error),
        None => shown_up_to(&in_one_line(cause.as_ref()), MOST_OF_CAUSE),
    }
}

/// The same of what AWS answers, or does not.
pub(crate) fn brief_of_aws(error: &AwsError) -> String {
    match error {
        AwsError::NotAnswered { what, .. } => (*what).to_owned(),
        AwsError::Answered { .. } => in_one_line(error),
    }
}
