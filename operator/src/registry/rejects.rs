//! The records of a loader's files that cannot be loaded, as a file of rejects has them
//! (`docs/DATA_MODEL.md`), and the first of them for who sits at the terminal.

use std::fs::File;
use std::io::{self, BufWriter, Seek, SeekFrom, Write};
use std::path::Path;

use client::console::Output;
use client::ending::Ending;
use client::failure::Failure;
use client::verify::{shown, shown_up_to};
use formats::record::BadRecord;
use formats::records::Place;
use formats::rejected::Reject;
use serde_json::{Value, json};
use sources::registry::MOST_ITEM_BYTES;

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
    /// Its item would be larger than the table takes.
    TooLarge {
        /// How large it would be.
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
    /// Makes the file, in the place of an earlier one, but for as many of its bytes as belong to what
    /// was loaded already.
    ///
    /// # Errors
    /// When it cannot be made.
    pub(super) fn open(path: Option<&Path>, kept: u64, output: Output) -> Result<Self, Failure> {
        let file = path.map(|path| {
            let name = path.display().to_string();
            let file = reopened(path, kept).map_err(|error| unwritable(&name, &error))?;
            Ok::<_, Failure>((name, BufWriter::new(file)))
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
            Fault::TooLarge { bytes } => {
                let reason = format!(
                    "its item would have {bytes} bytes, and the table takes at most {MOST_ITEM_BYTES}"
                );
                of_table(file, place, text, "TooLarge", &reason)
            }
            Fault::Refused { reason } => {
                let reason = format!("the table refuses its item: {reason}");
                of_table(file, place, text, "Refused", &reason)
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

    /// Writes what is held back; how long the file is then. It is to be on the disk before anything
    /// says that its records were dealt with.
    ///
    /// # Errors
    /// When it cannot be written.
    pub(super) fn settle(&mut self) -> Result<u64, Failure> {
        let Some((name, file)) = &mut self.file else {
            return Ok(0);
        };
        let settled = file.flush().and_then(|()| file.get_ref().sync_data());
        let length = settled.and_then(|()| file.get_ref().metadata());
        length
            .map(|it| it.len())
            .map_err(|error| unwritable(name, &error))
    }
}

/// A file whose first bytes are kept, and to which is added.
fn reopened(path: &Path, kept: u64) -> io::Result<File> {
    let mut file = File::options()
        .create(true)
        .write(true)
        .truncate(false)
        .open(path)?;
    file.set_len(kept.min(file.metadata()?.len()))?;
    file.seek(SeekFrom::End(0))?;
    Ok(file)
}

fn line_of(file: &str, reject: &Reject<'_>) -> (Vec<u8>, String) {
    let mut line = Vec::new();
    // It always serializes: a text, and numbers.
    if reject.write(file, &mut line).is_err() {
        line.clear();
    }
    (line, reject.to_string())
}

/// What is the table's matter, not the record's.
fn of_table(file: &str, place: Place, text: &[u8], code: &str, reason: &str) -> (Vec<u8>, String) {
    let line = json!({
        "object": file, "line": place.line, "offset": place.offset, "code": code, "reason": reason,
        "record": String::from_utf8_lossy(text),
    });
    (
        format!("{line}\n").into_bytes(),
        format!("{place}: {reason}"),
    )
}

fn unwritable(name: &str, error: &std::io::Error) -> Failure {
    let message = format!("{} cannot be written: {error}", shown(name));
    Failure::new(Ending::OutputLost, message)
}
