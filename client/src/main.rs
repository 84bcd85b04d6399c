//! The command `engagement-export`: see the library.

use std::process::ExitCode;

use clap::{Parser, Subcommand};
use client::console::{OUTPUT_LOST, answer_usage, output_is_lost};
use client::verify::{VerifyArguments, verify};

/// For those who ask for exports and have their files.
#[derive(Debug, Parser)]
#[command(name = "engagement-export", version, propagate_version = true)]
struct Arguments {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Checks that an export is exactly what its manifest says: each file's size, checksums and
    /// rows.
    Verify(VerifyArguments),
}

#[tokio::main]
async fn main() -> ExitCode {
    let code = match Arguments::try_parse() {
        Ok(Arguments {
            command: Command::Verify(arguments),
        }) => verify(arguments).await,
        Err(answer) => return ExitCode::from(answer_usage(&answer)),
    };
    if output_is_lost() {
        return ExitCode::from(OUTPUT_LOST);
    }
    code
}
