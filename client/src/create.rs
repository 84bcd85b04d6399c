//! `engagement-export create`: a new export. And `check`: whether it would be accepted.

mod export;
mod options;

use aws_lc_rs::rand::{SecureRandom, SystemRandom};
use clap::{ArgMatches, Args, FromArgMatches, Subcommand};
use serde_json::Value;

use self::export::Export;
pub(crate) use self::export::moment;
pub use self::export::operations;
use crate::api::{Api, ApiFailure};
use crate::console::Output;
use crate::container_url::{Purpose, UrlFlags};
use crate::ending::Ending;
use crate::environment::of_process;
use crate::failure::Failure;
use crate::tasks::{WatchFlags, answer};
use crate::verify::{shown, shown_up_to};

/// The service's code for a path that it does not have.
const UNKNOWN_PATH: &str = "UnknownPath";

/// The characters of a warning that are shown.
const MOST_SHOWN: usize = 5_000;

/// An export as the command line asks for it, and what else stands there.
#[derive(Debug)]
pub(crate) struct Wanted<F> {
    export: Export,
    flags: F,
}

/// What is asked of a creation beside the export itself.
#[derive(Debug, Args)]
pub(crate) struct CreateFlags {
    #[command(flatten)]
    url: UrlFlags,
    #[command(flatten)]
    watch: WatchFlags,
    /// A key of your own for this request: repeated with the same key within a day, it makes no
    /// second export. Without it, every run of the command is a request of its own.
    #[arg(long, value_name = "KEY")]
    request_id: Option<String>,
}

/// What is asked of a check beside the export itself.
#[derive(Debug, Args)]
pub(crate) struct CheckFlags {
    #[command(flatten)]
    url: UrlFlags,
}

impl<F: Args> FromArgMatches for Wanted<F> {
    fn from_arg_matches(matches: &ArgMatches) -> Result<Self, clap::Error> {
        let none = || clap::Error::new(clap::error::ErrorKind::MissingSubcommand);
        let (name, matches) = matches.subcommand().ok_or_else(none)?;
        Ok(Self {
            export: Export::of(name, matches).ok_or_else(none)?,
            flags: F::from_arg_matches(matches)?,
        })
    }

    fn update_from_arg_matches(&mut self, matches: &ArgMatches) -> Result<(), clap::Error> {
        *self = Self::from_arg_matches(matches)?;
        Ok(())
    }
}

/// A command for each operation of the API.
impl<F: Args> Subcommand for Wanted<F> {
    fn augment_subcommands(command: clap::Command) -> clap::Command {
        operations().fold(command, |command, operation| {
            let export = export::command(operation);
            // The flags would say in its place what they are.
            let about = export.get_about().cloned().unwrap_or_default();
            let flags = F::augment_args(export).about(about.clone());
            command.subcommand(flags.long_about(about))
        })
    }

    fn augment_subcommands_for_update(command: clap::Command) -> clap::Command {
        Self::augment_subcommands(command)
    }

    fn has_subcommand(name: &str) -> bool {
        operations().any(|operation| operation.name == name)
    }
}

/// Creates an export, and watches it if that is asked for.
///
/// # Errors
/// What the service refuses, or that it does not answer.
pub(crate) async fn create(
    api: &Api,
    wanted: Wanted<CreateFlags>,
    output: Output,
) -> Result<Ending, Failure> {
    let Wanted { export, flags } = wanted;
    let url = flags.url.url(Purpose::Write, &of_process).await?;
    let key = match flags.request_id {
        Some(key) => key,
        None => fresh_key()?,
    };
    let body = export.body(&url);
    let created = api.create(export.operation.name, &body, &key).await;
    let answered = created.map_err(|failure| explained(failure, &key))?.body;
    answer(api, answered, flags.watch, output).await
}

/// A creation without an answer may have made the export.
fn explained(failure: ApiFailure, key: &str) -> Failure {
    let is_open = failure.is_transient();
    let mut failure = Failure::from(failure);
    if is_open {
        failure.message = format!(
            "{}; it may be created all the same: repeat the command with --request-id {key}, which makes no second export",
            failure.message
        );
    }
    failure
}

/// A key that no other request has: 128 random bits.
fn fresh_key() -> Result<String, Failure> {
    let mut key = [0; 16];
    SystemRandom::new()
        .fill(&mut key)
        .map_err(|_| Failure::unknown("this machine gives no random numbers"))?;
    Ok(hex::encode(key))
}

/// Tries what a creation would do; nothing is created.
///
/// # Errors
/// What the service refuses, or that it is older than this command.
pub(crate) async fn check(
    api: &Api,
    wanted: Wanted<CheckFlags>,
    output: Output,
) -> Result<Ending, Failure> {
    let Wanted { export, flags } = wanted;
    let url = flags.url.url(Purpose::Write, &of_process).await?;
    let checked = api.check(export.operation.name, &export.body(&url)).await;
    let said = match checked {
        Ok(answer) => answer.body,
        Err(failure) if failure.has_code(UNKNOWN_PATH) => {
            let message = "this service is older than `check`: it can only be asked to create the export, which \
                           refuses what is wrong before anything is created";
            return Err(Failure::new(Ending::Refused, message));
        }
        Err(failure) => return Err(failure.into()),
    };
    tell(&said, output);
    output.document(&said);
    Ok(Ending::Done)
}

fn tell(said: &Value, output: Output) {
    output.line("✓ the service would accept this export");
    if output.quiet {
        return;
    }
    for name in ["container", "options"] {
        if let Some(value) = said.get(name) {
            output.line(format_args!(
                "{name:<16} {}",
                shown_up_to(&value.to_string(), MOST_SHOWN)
            ));
        }
    }
    let warnings = said.get("warnings").and_then(Value::as_array);
    for warning in warnings.into_iter().flatten() {
        let text = |name| {
            warning
                .get(name)
                .and_then(Value::as_str)
                .unwrap_or_default()
        };
        let (code, message) = (
            shown(text("code")),
            shown_up_to(text("message"), MOST_SHOWN),
        );
        output.line(format_args!("! {code}: {message}"));
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    fn abouts<F: Args>() -> BTreeSet<String> {
        let command = Wanted::<F>::augment_subcommands(clap::Command::new("create"));
        let about = |it: &clap::Command| it.get_about().unwrap().to_string();
        command.get_subcommands().map(about).collect()
    }

    #[test]
    fn each_command_says_what_it_exports() {
        assert_eq!(abouts::<CreateFlags>().len(), operations().count());
        assert_eq!(abouts::<CheckFlags>(), abouts::<CreateFlags>());
    }
}
