//! The whole export service on one machine: `run`, `serve`, `sample`, `token`.

use std::fs::OpenOptions;
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::sync::Mutex;
use std::time::Duration;

use anyhow::Context;
use clap::{Parser, Subcommand, value_parser};
use client::console::{OUTPUT_LOST, Output, answer_usage, complain, output_is_lost, say};
use local::gateway::cors::{Cors, Origin};
use local::sample::{DEFAULT_ROWS, Sample};
use local::stack::{Places, SUBJECT, Stack, StackSettings};
use local::{demo, serve};
use ports::clock::Clock;
use wiring::SystemClock;
use wiring::config::{ConfigError, Environment};

/// What a shell takes for "ended by Ctrl-C".
const INTERRUPTED: u8 = 130;

/// The most rows of sample data that can be asked for: more than any disk of a laptop holds.
const MOST_ROWS: u64 = 10_000_000_000;

/// The longest that a token may be asked to last, in hours: ten years.
const MOST_HOURS: u64 = 87_600;

/// The whole export service on one machine.
#[derive(Debug, Parser)]
#[command(version, propagate_version = true)]
struct Arguments {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Exports sample data through the API, verifies the files, and stops.
    Run(Rows),
    /// Keeps the whole service up.
    Serve {
        #[command(flatten)]
        state: State,
        /// An origin whose pages in a browser may talk to the API, such as
        /// `https://page.example.com`; may be given several times.
        #[arg(long = "cors-origin", value_name = "ORIGIN")]
        cors_origins: Vec<Origin>,
    },
    /// Makes more sample data for `serve`, in place of what there is; not while it is up.
    Sample {
        #[command(flatten)]
        state: State,
        #[command(flatten)]
        rows: Rows,
    },
    /// Prints a token for the API of `serve`.
    Token {
        #[command(flatten)]
        folder: Folder,
        /// For whom: the subject that a grant names.
        #[arg(long, default_value = SUBJECT)]
        subject: String,
        /// For how many hours.
        #[arg(long, default_value_t = 24, value_parser = value_parser!(u64).range(1..=MOST_HOURS))]
        hours: u64,
    },
}

#[derive(Debug, Clone, Copy, clap::Args)]
struct Rows {
    /// Rows of sample data, about.
    #[arg(long, default_value_t = DEFAULT_ROWS, value_parser = value_parser!(u64).range(..=MOST_ROWS))]
    rows: u64,
}

impl Rows {
    fn sample(self) -> Sample {
        Sample {
            rows: self.rows,
            ..Sample::default()
        }
    }
}

/// Where `serve` keeps its state.
#[derive(Debug, clap::Args)]
struct Folder {
    /// The folder of the state.
    #[arg(long = "state", value_name = "FOLDER", default_value = ".local")]
    path: PathBuf,
}

/// Where `serve` keeps its state and listens.
#[derive(Debug, clap::Args)]
struct State {
    #[command(flatten)]
    folder: Folder,
    /// The API's port; 0 is any free one.
    #[arg(long, default_value_t = 8080)]
    port: u16,
    /// The port of the issuer, where people sign in; 0 is any free one. Tokens name it.
    #[arg(long, default_value_t = 8081)]
    issuer_port: u16,
    /// Azurite's port; 0 is any free one. Jobs remember it.
    #[arg(long, default_value_t = 10_000)]
    blob_port: u16,
}

impl State {
    fn settings(&self, cors: Cors) -> Result<StackSettings, ConfigError> {
        let ports = serve::Ports {
            api: self.port,
            issuer: self.issuer_port,
            blob: self.blob_port,
        };
        serve::settings(&self.folder.path, ports, cors)
    }
}

#[tokio::main]
async fn main() -> ExitCode {
    let command = match Arguments::try_parse() {
        Ok(arguments) => arguments.command,
        Err(answer) => return ExitCode::from(answer_usage(&answer, Output::default())),
    };
    // Cancelling drops the stack, and the stack stops what it started.
    let done = tokio::select! {
        done = execute(command) => done,
        signal = interrupted() => signal.map(|()| ExitCode::from(INTERRUPTED)),
    };
    match done {
        Ok(_) if output_is_lost() => ExitCode::from(OUTPUT_LOST),
        Ok(code) => code,
        Err(error) => {
            complain(format_args!("✗ {error:#}"));
            ExitCode::FAILURE
        }
    }
}

async fn interrupted() -> anyhow::Result<()> {
    let mut terminated = tokio::signal::unix::signal(tokio::signal::unix::SignalKind::terminate())?;
    tokio::select! {
        interrupt = tokio::signal::ctrl_c() => Ok(interrupt?),
        _ = terminated.recv() => Ok(()),
    }
}

async fn execute(command: Command) -> anyhow::Result<ExitCode> {
    match command {
        Command::Run(rows) => run(rows.sample()).await?,
        Command::Serve {
            state,
            cors_origins,
        } => {
            let cors = Cors {
                origins: cors_origins,
            };
            log_into(&state.folder.path)?;
            serve::serve(&state.settings(cors)?).await?;
        }
        Command::Sample { state, rows } => {
            log_into(&state.folder.path)?;
            let stack = Stack::start(&state.settings(Cors::default())?).await?;
            demo::make_sample(&stack, rows.sample()).await?;
        }
        Command::Token {
            folder,
            subject,
            hours,
        } => {
            let issuer = Places::at(&folder.path).token_issuer()?;
            let ttl = Duration::from_hours(hours);
            say(issuer.mint(&subject, SystemClock.now(), ttl)?.reveal());
        }
    }
    Ok(ExitCode::SUCCESS)
}

async fn run(sample: Sample) -> anyhow::Result<()> {
    let folder = tempfile::Builder::new()
        .prefix("engagement-export-")
        .tempdir()?;
    log_into(folder.path())?;
    let done = demo::run(folder.path(), sample).await;
    done.map_err(|error| {
        anyhow::Error::from(error).context(format!("see {}", folder.keep().display()))
    })
}

/// Sends the logs to a file, so that the terminal is the person's.
fn log_into(state: &Path) -> anyhow::Result<()> {
    let path = Places::make(state)?.logs().join("service.log");
    let file = OpenOptions::new().create(true).append(true).open(&path);
    let file = file.with_context(|| format!("{} cannot be written", path.display()))?;
    let filter = edge::telemetry::filter(&Environment::of_process())?;
    let log = tracing_subscriber::fmt()
        .json()
        .event_format(edge::lines::Lines::new(None))
        .with_env_filter(filter);
    log.with_writer(Mutex::new(file))
        .try_init()
        .map_err(|error| anyhow::anyhow!(error))
}
