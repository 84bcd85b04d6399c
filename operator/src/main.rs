//! The command `engagement-export-admin`: see the library.

use std::process::ExitCode;

use client::running::process;
use operator::command::run;

fn main() -> ExitCode {
    process(run)
}
