//! The terminal that a person sits at: what is typed there and not shown.

use std::io;
#[cfg(unix)]
use std::sync::OnceLock;

use console::Term;

#[cfg(unix)]
use rustix::termios::{OptionalActions, Termios, tcgetattr, tcsetattr};

/// How the terminal was before it was told not to show what is typed.
#[cfg(unix)]
static BEFORE: OnceLock<Termios> = OnceLock::new();

/// Asks for a line that is not shown while it is typed.
///
/// # Errors
/// When the terminal cannot be read.
pub(crate) fn ask_secretly(question: &str) -> io::Result<String> {
    #[cfg(unix)]
    if let Ok(before) = tcgetattr(io::stdin()) {
        // A second question finds the terminal as the first one did.
        BEFORE.get_or_init(|| before);
    }
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
