//! What lies below an error: kept with it as its source, and written with it in one line.

use std::error::Error;
use std::iter::successors;

/// What lies below an error: the error of a client, a codec or a parser, or in words what was found.
/// It never holds a credential, in none of its forms: the code that keeps one sees to that, also
/// for its `Debug`.
pub type Cause = Box<dyn Error + Send + Sync>;

/// An error and its causes in one line, the nearest first. Ours never repeat their causes, other
/// crates' sometimes do: what the line holds already is not said again.
pub fn in_one_line(error: &(dyn Error + 'static)) -> String {
    successors(Some(error), |&error| error.source())
        .map(|error| folded(&error.to_string()))
        .fold(String::new(), |line, text| {
            if line.is_empty() {
                text
            } else if line.contains(&text) {
                line
            } else {
                format!("{line}: {text}")
            }
        })
}

/// A text without line ends.
fn folded(text: &str) -> String {
    let lines: Vec<&str> = text.lines().map(str::trim).collect();
    lines.join(" ")
}

#[cfg(test)]
mod tests {
    use thiserror::Error;

    use super::*;

    #[derive(Debug, Error)]
    #[error("{text}")]
    struct Layer {
        text: &'static str,
        #[source]
        below: Option<Cause>,
    }

    fn line(texts: &[&'static str]) -> String {
        let chain = texts.iter().rev().fold(None, |below, text| {
            Some(Box::new(Layer { text, below }) as Cause)
        });
        in_one_line(chain.unwrap().as_ref())
    }

    #[test]
    fn an_error_is_told_with_all_its_causes() {
        assert_eq!(
            line(&["the table does not answer", "dispatch failure", "refused"]),
            "the table does not answer: dispatch failure: refused"
        );
        assert_eq!(line(&["alone"]), "alone");
    }

    #[test]
    fn what_an_error_repeats_of_its_cause_is_told_once() {
        assert_eq!(
            line(&["cannot be read", "Generic S3 error: timed out", "timed out"]),
            "cannot be read: Generic S3 error: timed out"
        );
    }

    #[test]
    fn a_text_of_several_lines_is_told_in_one() {
        assert_eq!(
            line(&["one\n  two", "three\r\nfour"]),
            "one two: three four"
        );
    }
}
