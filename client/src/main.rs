//! The command `engagement-export`: see the library.

use std::process::ExitCode;

use client::command::run;
use client::running::process;

fn main() -> ExitCode {
    process(run)
}
