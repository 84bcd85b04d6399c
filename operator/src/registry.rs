//! `registry`: what is known of the devices, loaded and looked at.

pub(crate) mod check;
mod input;
mod lines;
mod load;
mod progress;
mod rejects;

use std::path::PathBuf;

use clap::{Args, Subcommand, ValueEnum};
use client::console::Output;
use client::ending::Ending;
use client::failure::Failure;
use domain::app::{AppPath, AppScope};
use sources::registry::entry::Loaded;

use self::check::check;
use self::load::load;
use crate::deployment::Deployment;
use crate::endings;

/// What is done about the registry.
#[derive(Debug, Subcommand)]
pub(crate) enum RegistryCommand {
    /// Loads files of devices, campaigns or feedback: a JSON object a line, plain, gzip or Zstandard.
    /// What is there already is replaced.
    #[command(after_help = endings::help())]
    Load(LoadArguments),
    /// Says what exports of the app's devices, tags, tokens and feedback would have, and which records
    /// they would reject. It reads all of them; nothing is written.
    #[command(after_help = endings::help())]
    Check(CheckArguments),
}

/// Whose registry is looked at.
#[derive(Debug, Args)]
pub(crate) struct CheckArguments {
    /// The app whose devices they are: its path, in any spelling.
    #[arg(long, value_name = "PATH", value_parser = app)]
    app: AppScope,
}

/// Which files are loaded, and how.
#[derive(Debug, Args)]
pub(crate) struct LoadArguments {
    /// What the files hold.
    of: LoadedName,
    /// The files; `-` is the standard input.
    #[arg(value_name = "FILE", required = true)]
    files: Vec<PathBuf>,
    /// The app whose devices they are: its path, in any spelling.
    #[arg(long, value_name = "PATH", value_parser = app)]
    app: AppScope,
    /// Checks every line, and writes nothing.
    #[arg(long)]
    dry_run: bool,
    /// The most items that are written in a second. Without it, as many as the table takes.
    #[arg(long, value_name = "ITEMS", value_parser = clap::value_parser!(u32).range(1..))]
    rate: Option<u32>,
    /// A file that gets the lines which cannot be loaded, each with its reason.
    #[arg(long, value_name = "FILE")]
    rejects: Option<PathBuf>,
    /// Begins anew where an earlier run stopped amid a file.
    #[arg(long)]
    anew: bool,
}

#[derive(Debug, Clone, Copy, ValueEnum)]
enum LoadedName {
    /// What is known of each device, and where notifications to it are sent.
    Devices,
    /// The push campaigns.
    Campaigns,
    /// What became of a campaign on a device.
    Feedback,
}

impl From<LoadedName> for Loaded {
    fn from(name: LoadedName) -> Self {
        match name {
            LoadedName::Devices => Self::Devices,
            LoadedName::Campaigns => Self::Campaigns,
            LoadedName::Feedback => Self::Feedback,
        }
    }
}

/// Does what is asked.
///
/// # Errors
/// What cannot be read or written at all.
pub(crate) async fn run(
    command: RegistryCommand,
    deployment: &Deployment,
    output: Output,
) -> Result<Ending, Failure> {
    match command {
        RegistryCommand::Load(arguments) => load(&deployment.registry()?, &arguments, output).await,
        RegistryCommand::Check(arguments) => check(deployment, &arguments.app, output).await,
    }
}

/// The path of an app, and of nothing above one.
pub(crate) fn app(text: &str) -> Result<AppScope, String> {
    let path = AppPath::parse(text).map_err(|error| error.to_string())?;
    path.app()
        .ok_or_else(|| format!("{path} is above apps: give the path of one, …/apps/NAME"))
}
