//! The records of a loader's files that cannot be loaded, as a file of rejects has them
//! (`docs/DATA_MODEL.md`), and the first of them for who sits at the terminal.

use std::fs::File;
use std::io::{BufWriter, Write};
use std::path::Path;

use client::console::Output;
use client::ending::Ending;
use client::failure::Failure;
use client::verify::{shown, shown_up_to};
use formats::record::BadRecord;
use formats::records::Place;
use formats::rejected::Reject;
use serde_json::{Value, json};

/// How many are told one by one; all are counted.
const TOLD: usize = 20;

/// How many stand in a JSON document.
const MOST_FINDINGS: usize = 1_000;

/// The most characters of a message.
const MOST_SHOWN: usize = 2_000;

/// Why a record cannot be loaded.
pub(super) enum Fault {
    /// It is not as the registry wants it.
    Bad(BadRecord),
    /// It is longer than a record may be.
    TooLong {
        /// How long it is.
        bytes: u64,
    },
    /// The table does not take its item.
    Refused {
        /// The table's code.
        reason: String,
    },
}

/// Where they go.
pub(super) struct Rejects {
    output: Output,
    told: usize,
    file: Option<(String, BufWriter<File>)>,
    /// The first of them.
    pub(super) findings: Vec<Value>,
}

impl Rejects {
    /// Makes the file, in the place of an earlier one unless it `goes_on`.
    ///
    /// # Errors
    /// When it cannot be made.
    pub(super) fn open(
        path: Option<&Path>,
        goes_on: bool,
        output: Output,
    ) -> Result<Self, Failure> {
        let file = path.map(|path| {
            let name = path.display().to_string();
            let mut options = File::options();
            options.create(true).write(true);
            options.append(goes_on).truncate(!goes_on);
            match options.open(path) {
                Ok(file) => Ok((name, BufWriter::new(file))),
                Err(error) => Err(unwritable(&name, &error)),
            }
        });
        Ok(Self {
            output,
            told: 0,
            file: file.transpose()?,
            findings: Vec::new(),
        })
    }

    /// Takes a record of a file.
    ///
    /// # Errors
    /// When it cannot be written.
    pub(super) fn add(
        &mut self,
        file: &str,
        place: Place,
        text: &[u8],
        fault: &Fault,
    ) -> Result<(), Failure> {
        let (line, reason) = match fault {
            Fault::Bad(bad) => line_of(file, &Reject::record(place, text, *bad)),
            Fault::TooLong { bytes } => line_of(file, &Reject::too_long(place, text, *bytes)),
            Fault::Refused { reason } => {
                let reason = format!("the table refuses its item: {reason}");
                let record = String::from_utf8_lossy(text);
                let line = json!({
                    "object": file, "line": place.line, "offset": place.offset, "code": "Refused", "reason": reason,
                    "record": record,
                });
                (
                    format!("{line}\n").into_bytes(),
                    format!("{place}: {reason}"),
                )
            }
        };
        let message = shown_up_to(&format!("{}, {reason}", shown(file)), MOST_SHOWN);
        if self.told < TOLD && !self.output.quiet {
            self.output.line(format_args!("✗ {message}"));
        }
        self.told += 1;
        if self.told == TOLD + 1 {
            self.output
                .remark("· more lines are left out: --rejects FILE has all of them");
        }
        if self.findings.len() < MOST_FINDINGS {
            self.findings
                .push(json!({"file": file, "line": place.line, "message": message}));
        }
        match &mut self.file {
            Some((name, file)) => file
                .write_all(&line)
                .map_err(|error| unwritable(name, &error)),
            None => Ok(()),
        }
    }

    /// Writes what is held back.
    ///
    /// # Errors
    /// When it cannot be written.
    pub(super) fn finish(&mut self) -> Result<(), Failure> {
        match &mut self.file {
            Some((name, file)) => file.flush().map_err(|error| unwritable(name, &error)),
            None => Ok(()),
        }
    }
}

fn line_of(file: &str, reject: &Reject<'_>) -> (Vec<u8>, String) {
    let mut line = Vec::new();
    // It always serializes: a text, and numbers.
    if reject.write(file, &mut line).is_err() {
        line.clear();
    }
    (line, reject.to_string())
}

fn unwritable(name: &str, error: &std::io::Error) -> Failure {
    let message = format!("{} cannot be written: {error}", shown(name));
    Failure::new(Ending::OutputLost, message)
}
