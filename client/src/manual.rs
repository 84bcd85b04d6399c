//! Completions of shells and manual pages, made of the command line's own description.

use std::path::PathBuf;

use clap::{Args, CommandFactory, ValueHint};
use clap_complete::Shell;

use crate::console::{Output, say};
use crate::ending::Ending;
use crate::failure::Failure;

/// Which shell's completions.
#[derive(Debug, Args)]
pub struct CompletionsArguments {
    /// The shell.
    shell: Shell,
}

/// Where manual pages are written.
#[derive(Debug, Args)]
pub struct ManArguments {
    /// The folder, which is made if it is missing.
    #[arg(value_hint = ValueHint::DirPath)]
    folder: PathBuf,
}

/// Prints the completions of a shell for the command `C`.
pub fn completions<C: CommandFactory>(arguments: &CompletionsArguments) -> Ending {
    let (mut command, mut script) = (C::command(), Vec::new());
    let name = command.get_name().to_owned();
    clap_complete::generate(arguments.shell, &mut command, name, &mut script);
    say(String::from_utf8_lossy(&script).trim_end());
    Ending::Done
}

/// Writes a manual page for the command `C` and for each of its own.
///
/// # Errors
/// When a page cannot be written.
pub fn man<C: CommandFactory>(arguments: &ManArguments, output: Output) -> Result<Ending, Failure> {
    let folder = &arguments.folder;
    let written = std::fs::create_dir_all(folder)
        .and_then(|()| clap_mangen::generate_to(C::command(), folder));
    written.map_err(|error| {
        let message = format!(
            "the pages cannot be written to {}: {error}",
            folder.display()
        );
        Failure::new(Ending::OutputLost, message)
    })?;
    output.line(format_args!("✓ manual pages in {}", folder.display()));
    Ok(Ending::Done)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::command::Arguments;

    #[test]
    fn the_command_line_is_well_described() {
        Arguments::command().debug_assert();
    }

    #[test]
    fn every_command_has_a_page_with_the_exit_codes() {
        let folder = tempfile::tempdir().unwrap();
        let arguments = ManArguments {
            folder: folder.path().to_owned(),
        };
        man::<Arguments>(&arguments, Output::default()).unwrap();
        let command = Arguments::command();
        let shown = command.get_subcommands().filter(|it| !it.is_hide_set());
        for command in shown {
            let name = format!("engagement-export-{}.1", command.get_name());
            let page = std::fs::read_to_string(folder.path().join(&name));
            let page = page.unwrap_or_else(|_| panic!("{name}"));
            let has_codes = command.get_name() == "completions" || page.contains("Exit codes:");
            assert!(has_codes, "{name}: {page}");
        }
    }
}
