//! How a command runs, whichever of the two it is: a runtime, its line, Ctrl-C, and the exit code.

use std::ffi::OsString;
use std::process::ExitCode;

use clap::Parser;
use tokio::runtime::Builder;

use crate::console::{Output, answer_usage, complain, output_is_lost};
use crate::container_url::refuse_signature;
use crate::ending::Ending;
use crate::failure::Failure;
use crate::terminal;

/// A process that is a command: `run` gets its line, and says the exit code.
pub fn process(run: impl AsyncFnOnce(Vec<OsString>) -> u8) -> ExitCode {
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

/// Does what a command line asks for, and says how it ended: the exit code. Ctrl-C drops what is at
/// work, and with it whatever is not finished.
pub async fn answer<A: Parser>(
    line: Vec<OsString>,
    output_of: impl FnOnce(&A) -> Output,
    dispatch: impl AsyncFnOnce(A) -> Result<Ending, Failure>,
) -> u8 {
    let asked = output_asked_for(&line);
    let ending = match refuse_signature(line.iter().skip(1).map(OsString::as_os_str)) {
        Ok(()) => match A::try_parse_from(line) {
            Ok(arguments) => {
                let output = output_of(&arguments);
                tokio::select! {
                    done = dispatch(arguments) => done.unwrap_or_else(|failure| report(&failure, output)),
                    _ = tokio::signal::ctrl_c() => {
                        // It may have been asking for what is not shown.
                        terminal::restore();
                        Ending::Interrupted
                    }
                }
            }
            Err(answer) => return answer_usage(&answer, asked),
        },
        Err(failure) => report(&failure, asked),
    };
    if output_is_lost() {
        return Ending::OutputLost.code();
    }
    ending.code()
}

/// What a line asks of the output, also one that cannot be understood: a script that wants JSON wants it
/// most of all then.
fn output_asked_for(line: &[OsString]) -> Output {
    let mut options = line.iter().take_while(|it| *it != "--");
    Output {
        json: options.any(|it| it == "--json"),
        ..Output::default()
    }
}

fn report(failure: &Failure, output: Output) -> Ending {
    complain(format_args!("✗ {failure}"));
    output.document(&failure.document());
    failure.ending
}
