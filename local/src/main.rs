//! The whole export service on one machine: `run`, `serve`, `sample`, `token`; and `verify`, for exports of any.

use std::fs::OpenOptions;
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::sync::Mutex;
use std::time::Duration;

use anyhow::Context;
use clap::{Parser, Subcommand};
use local::console::say;
use local::sample::{DEFAULT_ROWS, Sample};
use local::stack::{Places, SUBJECT, Stack};
use local::token::TokenIssuer;
use local::verify::{VerifyArguments, verify};
use local::{demo, serve};
use shared::clock::{Clock, SystemClock};
use shared::config::Environment;

/// What a shell takes for "ended by Ctrl-C".
const INTERRUPTED: u8 = 130;

/// The whole export service on one machine.
#[derive(Debug, Parser)]
struct Arguments {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Exports sample data through the API, verifies the files, and stops.
    Run {
        /// Rows of sample data, about.
        #[arg(long, default_value_t = DEFAULT_ROWS)]
        rows: u64,
    },
    /// Keeps the whole service up.
    Serve(State),
    /// Makes more sample data for `serve`, in place of what there is; not while it is up.
    Sample {
        #[command(flatten)]
        state: State,
        /// Rows of sample data, about.
        #[arg(long, default_value_t = DEFAULT_ROWS)]
        rows: u64,
    },
    /// Prints a token for the API of `serve`.
    Token {
        #[command(flatten)]
        state: State,
        /// For whom.
        #[arg(long, default_value = SUBJECT)]
        subject: String,
        /// For how many hours.
        #[arg(long, default_value_t = 24)]
        hours: u64,
    },
    /// Checks that an export is exactly what its manifest says: each file's size, checksums and rows.
    Verify(VerifyArguments),
}

/// Where `serve` keeps its state and listens.
#[derive(Debug, clap::Args)]
struct State {
    /// The folder of the state.
    #[arg(long = "state", default_value = ".local")]
    folder: PathBuf,
    /// The API's port.
    #[arg(long, default_value_t = 8080)]
    port: u16,
    /// Azurite's port.
    #[arg(long, default_value_t = 10_000)]
    blob_port: u16,
}

#[tokio::main]
async fn main() -> ExitCode {
    let command = Arguments::parse().command;
    // Cancelling drops the stack, and the stack stops what it started.
    let done = tokio::select! {
        done = execute(command) => done,
        signal = interrupted() => signal.map(|()| ExitCode::from(INTERRUPTED)),
    };
    match done {
        Ok(code) => code,
        Err(error) => {
            say(format_args!("✗ {error:#}"));
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
        Command::Run { rows } => run(rows).await?,
        Command::Serve(state) => {
            log_into(&state.folder)?;
            serve::serve(&serve::settings(&state.folder, state.port, state.blob_port)).await?;
        }
        Command::Sample { state, rows } => {
            log_into(&state.folder)?;
            let stack = Stack::start(&serve::settings(&state.folder, state.port, state.blob_port)).await?;
            demo::make_sample(&stack, Sample { rows, ..Sample::default() }).await?;
        }
        Command::Token { state, subject, hours } => {
            let issuer = TokenIssuer::open(&Places::make(&state.folder)?.token_key())?;
            let ttl = Duration::from_hours(hours);
            say(issuer.mint(&subject, SystemClock.now(), ttl)?.reveal());
        }
        Command::Verify(arguments) => return Ok(verify(arguments).await),
    }
    Ok(ExitCode::SUCCESS)
}

async fn run(rows: u64) -> anyhow::Result<()> {
    let folder = tempfile::Builder::new().prefix("engagement-export-").tempdir()?;
    log_into(folder.path())?;
    let done = demo::run(folder.path(), Sample { rows, ..Sample::default() }).await;
    done.map_err(|error| anyhow::Error::from(error).context(format!("see {}", folder.keep().display())))
}

/// Sends the logs to a file, so that the terminal is the person's.
fn log_into(state: &Path) -> anyhow::Result<()> {
    let path = Places::make(state)?.logs().join("service.log");
    let file = OpenOptions::new().create(true).append(true).open(&path);
    let file = file.with_context(|| format!("{} cannot be written", path.display()))?;
    let filter = shared::telemetry::filter(&Environment::default())?;
    let log = tracing_subscriber::fmt().json().flatten_event(true).with_env_filter(filter);
    log.with_writer(Mutex::new(file)).try_init().map_err(|error| anyhow::anyhow!(error))
}
