//! The command line: what can be asked for, and by whom it is done.

use std::ffi::OsString;

use clap::{Parser, Subcommand};
use client::console::Output;
use client::ending::Ending;
use client::failure::Failure;
use client::manual::{CompletionsArguments, ManArguments, completions, man};
use client::running;

use crate::audit::{self, AuditCommand};
use crate::deployment::DeploymentFlags;
use crate::doctor::{DoctorArguments, doctor};
use crate::endings;
use crate::erase::{self, EraseCommand};
use crate::grant::{self, GrantCommand};
use crate::lake::{self, LakeCommand};
use crate::registry::{self, RegistryCommand};
use crate::smoke::{SmokeArguments, smoke};

/// For those who run a deployment of the service.
#[derive(Debug, Parser)]
#[command(name = "engagement-export-admin", version, propagate_version = true, after_help = endings::help())]
pub(crate) struct Arguments {
    #[command(subcommand)]
    command: Command,
    #[command(flatten)]
    deployment: DeploymentFlags,
    #[command(flatten)]
    output: Output,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Who may do what.
    #[command(subcommand, after_help = endings::help())]
    Grant(GrantCommand),
    /// What is known of the devices.
    #[command(subcommand, after_help = endings::help())]
    Registry(RegistryCommand),
    /// What has happened, by day.
    #[command(subcommand, after_help = endings::help())]
    Lake(LakeCommand),
    /// Tries a deployment: an export of each kind through the API, its files verified if they may be
    /// read, a wrong token and a wrong signature refused. The files stay in the container.
    #[command(after_help = endings::help())]
    Smoke(SmokeArguments),
    /// Looks at what a deployment is made of: settings, tables, lake, API, clock, the issuer's keys; of
    /// a stack also its concurrency, queues and pipes, and who is told of alarms.
    #[command(after_help = endings::help())]
    Doctor(DoctorArguments),
    /// Who changed which export.
    #[command(subcommand, after_help = endings::help())]
    Audit(AuditCommand),
    /// Where a device is that is to be erased.
    #[command(subcommand, after_help = endings::help())]
    Erase(EraseCommand),
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
        deployment,
        output,
    } = arguments;
    match command {
        Command::Grant(command) => grant::run(command, &deployment.open().await?, output).await,
        Command::Registry(command) => {
            registry::run(command, &deployment.open().await?, output).await
        }
        Command::Audit(command) => audit::run(command, &deployment.open().await?, output).await,
        Command::Erase(command) => erase::run(command, &deployment.open().await?, output).await,
        Command::Doctor(arguments) => doctor(arguments, &deployment.open().await?, output).await,
        Command::Smoke(arguments) => smoke(arguments, &deployment, output).await,
        Command::Lake(command) => lake::run(command, &deployment.open().await?, output).await,
        Command::Completions(arguments) => Ok(completions::<Arguments>(&arguments)),
        Command::Man(arguments) => man::<Arguments>(&arguments, output),
    }
}
