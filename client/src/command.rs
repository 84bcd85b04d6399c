//! The command line: what can be asked for, and by whom it is done.

use std::ffi::OsString;

use clap::{Parser, Subcommand};

use crate::api::Api;
use crate::console::Output;
use crate::create::{CheckFlags, CreateFlags, Wanted, check, create};
use crate::download::{DownloadArguments, download};
use crate::ending::Ending;
use crate::environment::of_process;
use crate::failure::Failure;
use crate::manual::{CompletionsArguments, ManArguments, completions, man};
use crate::running;
use crate::settings::ServiceFlags;
use crate::tasks::{
    ListArguments, RenewArguments, ResumeArguments, TaskArguments, cancel, list, renew, retry, show,
};
use crate::verify::{VerifyArguments, verify};
use crate::watch::{WatchArguments, watch};

/// For those who ask for exports and have their files.
#[derive(Debug, Parser)]
#[command(name = "engagement-export", version, propagate_version = true, after_help = Ending::help())]
pub(crate) struct Arguments {
    #[command(subcommand)]
    command: Command,
    #[command(flatten)]
    service: ServiceFlags,
    #[command(flatten)]
    output: Output,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Creates an export.
    #[command(subcommand, after_help = Ending::help())]
    Create(Wanted<CreateFlags>),
    /// Finds out whether an export would be accepted, and creates nothing.
    #[command(subcommand, after_help = Ending::help())]
    Check(Wanted<CheckFlags>),
    /// Lists the exports of the app.
    #[command(after_help = Ending::help())]
    List(ListArguments),
    /// Shows everything about one export.
    #[command(after_help = Ending::help())]
    Show(TaskArguments),
    /// Watches an export until it has ended, or waits for a new signature.
    #[command(after_help = Ending::help())]
    Watch(WatchArguments),
    /// Gives an export a new signature of its container; it goes on from the files that it has.
    #[command(after_help = Ending::help())]
    Renew(RenewArguments),
    /// Lets an export that failed, or was cancelled, go on with what is missing.
    #[command(after_help = Ending::help())]
    Retry(ResumeArguments),
    /// Ends an export early.
    #[command(after_help = Ending::help())]
    Cancel(TaskArguments),
    /// Downloads the files of an export, each verified while it comes; goes on with what is there.
    #[command(after_help = Ending::help())]
    Download(DownloadArguments),
    /// Checks that an export is exactly what its manifest says: each file's size, checksums and
    /// rows.
    #[command(after_help = Ending::help())]
    Verify(VerifyArguments),
    /// Prints the completions of a shell.
    Completions(CompletionsArguments),
    /// Writes the manual pages into a folder.
    #[command(hide = true)]
    Man(ManArguments),
}

/// Does what a command line asks for, and says how it ended: the exit code.
pub async fn run(line: Vec<OsString>) -> u8 {
    Box::pin(running::answer(line, |it: &Arguments| it.output, dispatch)).await
}

async fn dispatch(arguments: Arguments) -> Result<Ending, Failure> {
    let Arguments {
        command,
        service,
        output,
    } = arguments;
    let open = || Api::open(service.resolve(&of_process)?);
    match command {
        Command::Create(wanted) => create(&open()?, wanted, output).await,
        Command::Check(wanted) => check(&open()?, wanted, output).await,
        Command::List(arguments) => list(&open()?, &arguments, output).await,
        Command::Show(arguments) => show(&open()?, &arguments, output).await,
        Command::Watch(arguments) => watch(&open()?, &arguments, output).await,
        Command::Renew(arguments) => renew(&open()?, &arguments, output).await,
        Command::Retry(arguments) => retry(&open()?, &arguments, output).await,
        Command::Cancel(arguments) => cancel(&open()?, &arguments, output).await,
        Command::Download(arguments) => download(arguments, output).await,
        Command::Verify(arguments) => verify(arguments, output).await,
        Command::Completions(arguments) => Ok(completions::<Arguments>(&arguments)),
        Command::Man(arguments) => man::<Arguments>(&arguments, output),
    }
}

#[cfg(test)]
mod tests {
    use clap::CommandFactory;

    use super::*;
    use crate::environment::VARIABLES;

    const DOCS: &str = include_str!("../../docs/COMMAND.md");

    /// The lines of the docs that are commands, as a shell divides them.
    fn examples() -> impl Iterator<Item = Vec<&'static str>> {
        let lines = DOCS
            .lines()
            .filter(|line| line.starts_with("engagement-export "));
        let without_redirection = lines.map(|line| line.split(" > ").next().unwrap());
        without_redirection.map(|line| line.split_whitespace().collect())
    }

    #[test]
    fn every_example_of_the_docs_is_understood() {
        let mut seen = Vec::new();
        for line in examples() {
            seen.push(line[1]);
            if let Err(answer) = Arguments::try_parse_from(&line) {
                assert!(!answer.use_stderr(), "{line:?}: {answer}");
            }
        }
        let command = Arguments::command();
        for command in command.get_subcommands() {
            let name = command.get_name();
            assert!(seen.contains(&name), "no example of {name}");
        }
    }

    #[test]
    fn the_docs_have_every_command_variable_and_exit_code() {
        let command = Arguments::command();
        let shown = command.get_subcommands().filter(|it| !it.is_hide_set());
        for command in shown {
            assert!(
                DOCS.contains(&format!("| `{}", command.get_name())),
                "{command}"
            );
        }
        for variable in VARIABLES {
            let row = format!("| `{}` | {} |", variable.name, variable.meaning);
            assert!(DOCS.contains(&row), "{row}");
        }
        for ending in Ending::ALL {
            let row = format!("| {} | {} |", ending.code(), ending.meaning());
            assert!(DOCS.contains(&row), "{row}");
        }
        let rows = |head: &str| {
            let (_, table) = DOCS.split_once(head).unwrap();
            table
                .lines()
                .skip(2)
                .take_while(|line| line.starts_with('|'))
                .count()
        };
        assert_eq!(rows("| exit code | meaning |"), Ending::ALL.len());
        assert_eq!(rows("| variable | what it holds |"), VARIABLES.len());
    }

    #[test]
    fn every_help_has_the_exit_codes() {
        let mut command = Arguments::command();
        command.build();
        for command in command.get_subcommands_mut() {
            let name = command.get_name().to_owned();
            let help = command.render_long_help().to_string();
            let has_none = ["help", "completions", "man"].contains(&name.as_str());
            assert_eq!(help.contains(&Ending::help()), !has_none, "{name}: {help}");
        }
    }
}
