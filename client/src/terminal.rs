//! The terminal that a person sits at: what is typed there and not shown.

use std::io;
#[cfg(unix)]
use std::sync::OnceLock;

use console::Term;

#[cfg(unix)]
use rustix::termios::{LocalModes, OptionalActions, Termios, tcgetattr, tcsetattr};

/// How the terminal was before it was told not to show what is typed.
#[cfg(unix)]
static BEFORE: OnceLock<Termios> = OnceLock::new();

/// Asks for a line that is not shown while it is typed.
///
/// # Errors
/// When the terminal cannot be read.
#[cfg(unix)]
pub(crate) fn ask_secretly(question: &str) -> io::Result<String> {
    let now = tcgetattr(io::stdin())?;
    // A second question finds the terminal as the first one did.
    let before = BEFORE.get_or_init(|| now.clone());
    let mut silent = now;
    silent.local_modes.remove(LocalModes::ECHO);
    // Before the question: who answers at once must neither see the answer nor lose it.
    tcsetattr(io::stdin(), OptionalActions::Flush, &silent)?;
    let answer = ask(question);
    tcsetattr(io::stdin(), OptionalActions::Now, before)?;
    answer
}

#[cfg(unix)]
fn ask(question: &str) -> io::Result<String> {
    let terminal = Term::stderr();
    terminal.write_str(question)?;
    let mut answer = String::new();
    io::stdin().read_line(&mut answer)?;
    // The end of the line was not shown either.
    terminal.write_line("")?;
    Ok(answer.trim_end_matches(['\r', '\n']).to_owned())
}

/// Asks for a line that is not shown while it is typed.
///
/// # Errors
/// When the terminal cannot be read.
#[cfg(not(unix))]
pub(crate) fn ask_secretly(question: &str) -> io::Result<String> {
    let terminal = Term::stderr();
    terminal.write_str(question)?;
    terminal.read_secure_line()
}

/// Lets the terminal show again what is typed: the command ends while it still asks.
pub(crate) fn restore() {
    #[cfg(unix)]
    if let Some(before) = BEFORE.get() {
        // A terminal that has gone shows nothing anyway.
        let _ = tcsetattr(io::stdin(), OptionalActions::Now, before);
    }
}
