//! The command `engagement-export-admin`: see the library.

use std::process::ExitCode;

use client::console::complain;
use client::ending::Ending;
use operator::command::run;
use tokio::runtime::Builder;

fn main() -> ExitCode {
    let runtime = match Builder::new_multi_thread().enable_all().build() {
        Ok(runtime) => runtime,
        Err(error) => {
            complain(format_args!(
                "✗ this machine cannot run the command: {error}"
            ));
            return Ending::Unknown.into();
        }
    };
    let code = runtime.block_on(run(std::env::args_os().collect()));
    // What still waits for somebody to type is not waited for.
    runtime.shutdown_background();
    ExitCode::from(code)
}
