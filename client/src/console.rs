//! What a person at a terminal reads: the one place that writes to the standard output and the
//! standard error.
//!
//! A reader that has gone, as in `verify … | head`, is no failure: the work goes on and the exit
//! code says how it ended. Rust's own `println!` panics then (<https://doc.rust-lang.org/std/macro.println.html#panics>).

use std::fmt::Display;
use std::io::{self, ErrorKind, Write};
use std::sync::atomic::{AtomicBool, Ordering};

use clap::Args;
use console::Term;
use domain::plural::agree;
use indicatif::{HumanCount, ProgressBar, ProgressDrawTarget};
use serde_json::Value;

use crate::ending::Ending;
use crate::failure::Failure;
use crate::verify::shown_up_to;

/// The exit code when a result could not be written.
pub const OUTPUT_LOST: u8 = Ending::OutputLost.code();

/// Whether a line of a result is lost although somebody reads.
static LOST: AtomicBool = AtomicBool::new(false);

/// What a command says, and to whom.
#[derive(Debug, Clone, Copy, Default, Args)]
#[command(next_help_heading = "Output")]
pub struct Output {
    /// Prints one JSON document instead of lines for people.
    #[arg(long, global = true)]
    pub json: bool,
    /// Prints the result alone: no progress, no remarks.
    #[arg(long, short, global = true)]
    pub quiet: bool,
}

impl Output {
    /// A line of the result, for people.
    pub fn line(self, line: impl Display) {
        if !self.json {
            say(line);
        }
    }

    /// What is good to know beside the result: on the standard error.
    pub fn remark(self, line: impl Display) {
        if !self.quiet {
            complain(line);
        }
    }

    /// The result as JSON, when that was asked for.
    pub fn document(self, document: &Value) {
        if self.json {
            say(document);
        }
    }

    /// A bar on the standard error; it is seen on a terminal alone.
    pub fn bar(self, length: u64) -> ProgressBar {
        let target = if self.quiet {
            ProgressDrawTarget::hidden()
        } else {
            // Hidden by itself where the standard error is no terminal.
            ProgressDrawTarget::term(Term::stderr(), REDRAWS_PER_SECOND)
        };
        ProgressBar::with_draw_target(Some(length), target)
    }
}

/// How often a bar is drawn at most.
const REDRAWS_PER_SECOND: u8 = 10;

/// Says a line of a result.
pub fn say(line: impl Display) {
    if let Err(error) = note(&mut io::stdout().lock(), &line)
        && !LOST.swap(true, Ordering::Relaxed)
    {
        complain(format_args!("✗ the output cannot be written: {error}"));
    }
}

/// Says on the standard error why a command ends without a result. No signature gets there, and nothing
/// that moves a terminal's cursor or colours it.
pub fn complain(line: impl Display) {
    // There is nobody left to say to that this failed.
    drop(note(
        &mut io::stderr().lock(),
        &plain(&without_signatures(&line.to_string())),
    ));
}

/// What may have several lines, without other control characters.
fn plain(text: &str) -> String {
    let lines = text.split('\n').map(|line| shown_up_to(line, usize::MAX));
    lines.collect::<Vec<_>>().join("\n")
}

/// Whether something of the result could not be written.
pub fn output_is_lost() -> bool {
    LOST.load(Ordering::Relaxed)
}

/// Adds a text to a JSON object.
pub(crate) fn add(object: &mut Value, name: &str, text: impl Display) {
    if let Some(object) = object.as_object_mut() {
        object.insert(name.to_owned(), text.to_string().into());
    }
}

/// A count with a comma before every third digit, and its noun: "1 row", "1,234 rows".
pub fn counted(count: u64, noun: &str) -> String {
    format!("{} {noun}{}", HumanCount(count), agree(count, "", "s"))
}

/// Help and version are answers; everything else is a command line that cannot be understood, which a
/// script that wants JSON is told in its one document.
///
/// The exit code.
pub fn answer_usage(answer: &clap::Error, output: Output) -> u8 {
    if answer.use_stderr() {
        let said = without_signatures(answer.render().to_string().trim_end());
        complain(&said);
        // Behind the first paragraph stands how the command is used.
        let problem = said.split("\n\n").next().unwrap_or_default();
        let problem: Vec<&str> = problem.lines().map(str::trim).collect();
        let problem = problem.join(" ");
        let problem = problem.strip_prefix("error: ").unwrap_or(&problem);
        output.document(&Failure::usage(problem).document());
        return Ending::Usage.code();
    }
    say(answer.render().to_string().trim_end());
    if output_is_lost() { OUTPUT_LOST } else { 0 }
}

fn note(to: &mut impl Write, line: &impl Display) -> io::Result<()> {
    match writeln!(to, "{line}") {
        Err(error) if error.kind() != ErrorKind::BrokenPipe => Err(error),
        Ok(()) | Err(_) => Ok(()),
    }
}

/// What people paste on a command line may hold a signature, and comes back in the message about
/// it.
fn without_signatures(text: &str) -> String {
    let mut pieces = text.split("sig=");
    let mut clean = pieces.next().unwrap_or_default().to_owned();
    for piece in pieces {
        let end = piece
            .find(|c: char| !c.is_ascii_alphanumeric() && !"%+/=-_".contains(c))
            .unwrap_or(piece.len());
        clean.push_str("sig=[redacted]");
        clean.push_str(piece.get(end..).unwrap_or_default());
    }
    clean
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn counts_read_well() {
        let said = [0, 1, 999, 1_234_567].map(|count| counted(count, "row"));
        assert_eq!(said, ["0 rows", "1 row", "999 rows", "1,234,567 rows"]);
    }

    #[test]
    fn a_signature_in_a_message_is_redacted_and_the_rest_stays() {
        let text = "invalid value 'http://a/b?se=1&sig=aB%2F+/=&sp=r' for '--job'; sig=x";
        let clean =
            "invalid value 'http://a/b?se=1&sig=[redacted]&sp=r' for '--job'; sig=[redacted]";
        assert_eq!(without_signatures(text), clean);
    }

    /// A reader that is gone, or a disk that is full.
    struct Fails(ErrorKind);

    impl Write for Fails {
        fn write(&mut self, _: &[u8]) -> io::Result<usize> {
            Err(self.0.into())
        }

        fn flush(&mut self) -> io::Result<()> {
            Err(self.0.into())
        }
    }

    #[test]
    fn only_a_reader_that_has_gone_is_no_failure() {
        assert!(note(&mut Fails(ErrorKind::BrokenPipe), &"line").is_ok());
        assert_eq!(
            note(&mut Fails(ErrorKind::StorageFull), &"line")
                .unwrap_err()
                .kind(),
            ErrorKind::StorageFull
        );
    }
}
