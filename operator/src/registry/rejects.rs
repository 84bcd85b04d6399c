//! The records of a loader's files that cannot be loaded, as a file of rejects has them
//! (`docs/DATA_MODEL.md`), and the first of them for who sits at the terminal.

use std::fs::File;
use std::io::{self, BufWriter, Seek, SeekFrom, Write};
use std::path::Path;

use clap::ValueEnum;
use client::console::Output;
use client::ending::Ending;
use client::failure::Failure;
use client::verify::{shown, shown_up_to};
use formats::record::BadRecord;
use formats::records::Place;
use formats::rejected::Reject;
use serde_json::{Value, json};
use sources::registry::MOST_ITEM_BYTES;

use super::LoadedName;
use super::progress::Done;
use crate::checks::MOST_SHOWN;

/// How many are told one by one; all are counted.
const TOLD: usize = 20;

/// How many stand in a JSON document.
const MOST_FINDINGS: usize = 1_000;

/// Why a record cannot be loaded.
pub(super) enum Fault {
    /// It is not as the registry wants it.
    Bad(BadRecord),
    /// It is a line of another kind of file.
    OfAnother {
        /// Of which.
        kind: LoadedName,
    },
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
    /// How many bytes of an earlier run's file are in it, as it was opened.
    kept: u64,
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
        let mut rejects = Self {
            output,
            told: 0,
            file: None,
            kept: 0,
            findings: Vec::new(),
        };
        if let Some(path) = path {
            let name = path.display().to_string();
            let (file, kept) = reopened(path, kept).map_err(|error| unwritable(&name, &error))?;
            (rejects.file, rejects.kept) = (Some((name, BufWriter::new(file))), kept);
        }
        Ok(rejects)
    }

    /// The name of the file, when an earlier run left records out that are not in it: because there
    /// was no file then, or it was replaced since.
    pub(super) fn lacks(&self, earlier: &Done) -> Option<&str> {
        let (name, _) = self.file.as_ref()?;
        let is_there = (1..=self.kept).contains(&earlier.rejects_bytes);
        (earlier.rejected > 0 && !is_there).then_some(name)
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
            Fault::OfAnother { kind } => {
                let value = kind.to_possible_value();
                let kind = value.as_ref().map_or("", |value| value.get_name());
                let reason =
                    format!("it is a line of {kind}: load its file by `registry load {kind}`");
                of_table(file, place, text, "OfAnotherKind", &reason)
            }
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

/// A file whose first bytes are kept, and to which is added; how many these are.
fn reopened(path: &Path, kept: u64) -> io::Result<(File, u64)> {
    let mut file = File::options()
        .create(true)
        .write(true)
        .truncate(false)
        .open(path)?;
    let kept = kept.min(file.metadata()?.len());
    file.set_len(kept)?;
    file.seek(SeekFrom::End(0))?;
    Ok((file, kept))
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
