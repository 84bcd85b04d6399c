//! Whether an export is what its manifest says: every file's size, checksums and rows. `make run`
//! compares the rows with the source, too.

mod command;
mod inspect;
mod judged;
mod manifest;
mod mismatch;
mod place;
mod row;
mod source;
mod verdict;
mod wanted;
mod which;

use std::sync::atomic::{AtomicU64, Ordering};

use bytes::Bytes;
use futures::{Stream, StreamExt, TryStreamExt, stream};

pub(crate) use self::command::{VerifyArguments, tell, verify};
pub use self::manifest::{MANIFEST_NAME, Manifest};
pub use self::mismatch::Mismatch;
pub use self::mismatch::{shown, shown_up_to};
pub use self::place::{ContainerPlace, JobName, Place, PlaceError};
pub(crate) use self::place::{Opened, Pieces, Strays, of_blobs, open_file};
pub use self::row::{Difference, Form, RowSet};
pub use self::source::as_exported;
pub use self::verdict::{Outcome, Verdict};

use self::inspect::{Content, Inspected, inspect};
use self::judged::{Judged, Outside};
pub(crate) use self::manifest::ManifestFile;
use self::manifest::{Holds, problem_of};
use self::mismatch::{equal, same};

/// The rows of a file, counted, or each looked at.
type Rows = formats::read::Rows<Judged>;

/// How many files are read at once.
const FILES_AT_ONCE: usize = 4;

/// How often a file is read anew whose bytes did not all come.
const READS: usize = 3;

/// An export that is to be verified.
pub struct Export<'a> {
    /// What it should be.
    pub manifest: &'a Manifest,
    /// Where its files are.
    pub place: &'a dyn Place,
    /// Whether its rows are kept, to be compared.
    pub keep_rows: bool,
}

/// Which files of an export are read, and how many at once.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Reading {
    /// Whether files of rejected records are read, too.
    pub(crate) rejects: bool,
    /// How many files are read at once.
    pub(crate) at_once: usize,
}

impl Reading {
    /// Everything.
    pub(crate) const ALL: Self = Self {
        rejects: true,
        at_once: FILES_AT_ONCE,
    };

    /// The files of an export that are read.
    pub(crate) fn files(self, manifest: &Manifest) -> impl Iterator<Item = &ManifestFile> {
        let files = manifest.files.iter();
        files.filter(move |file| self.rejects || file.holds != Holds::Rejects)
    }
}

/// What was found of one thing.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Finding {
    /// It is not as the manifest says, or the manifest does not list it.
    Wrong(Mismatch),
    /// It could not be found out.
    Unknown {
        /// The file's name in the manifest.
        name: String,
        /// What kept its bytes from coming, at the last of three reads.
        reason: String,
    },
}

/// A file that is as the manifest says.
struct Right {
    bytes: u64,
    rows: Rows,
}

/// Why a file is not counted as right.
enum Fault {
    Found(Finding),
    Stop(PlaceError),
}

impl From<Mismatch> for Fault {
    fn from(mismatch: Mismatch) -> Self {
        Self::Found(Finding::Wrong(mismatch))
    }
}

impl Export<'_> {
    /// Verifies everything, however much is wrong: `tell` gets each finding, and `done` how many bytes
    /// more are read, in all as many as the files are said to have.
    ///
    /// # Errors
    /// [`PlaceError`] when going on is of no use.
    pub async fn verify(
        &self,
        tell: &mut (dyn FnMut(&Finding) + Send),
        done: &(dyn Fn(u64) + Sync),
    ) -> Result<Verdict, PlaceError> {
        self.verify_of(Reading::ALL, tell, done).await
    }

    /// As [`Export::verify`], of the files that are to be read.
    ///
    /// # Errors
    /// As there.
    pub(crate) async fn verify_of(
        &self,
        reading: Reading,
        tell: &mut (dyn FnMut(&Finding) + Send),
        done: &(dyn Fn(u64) + Sync),
    ) -> Result<Verdict, PlaceError> {
        let mut verdict = Verdict::of(self.manifest);
        let left_out = self.manifest.files.len() - reading.files(self.manifest).count();
        verdict.files -= left_out as u64;
        for mismatch in self.manifest.contradictions() {
            verdict.contradictions += 1;
            tell(&Finding::Wrong(mismatch));
        }
        let prefix = self.manifest.prefix();
        let mut files = stream::iter(reading.files(self.manifest))
            .map(|file| {
                let reached = Reached::none_of(file.bytes, done);
                let prefix = &prefix;
                async move {
                    let checked = self.check_file(file, prefix, &reached).await;
                    reached.up_to(file.bytes);
                    (file, checked)
                }
            })
            .buffered(reading.at_once.max(1));
        while let Some((file, checked)) = files.next().await {
            match checked {
                Ok(right) => verdict.add(file.holds, right.bytes, right.rows),
                Err(Fault::Found(finding)) => {
                    verdict.count(&finding);
                    tell(&finding);
                }
                Err(Fault::Stop(error)) => return Err(error),
            }
        }
        self.find_strays(&mut verdict, tell).await?;
        Ok(verdict)
    }

    async fn find_strays(
        &self,
        verdict: &mut Verdict,
        tell: &mut (dyn FnMut(&Finding) + Send),
    ) -> Result<(), PlaceError> {
        let (mut listed, manifest) = self.manifest.names();
        listed.insert(&manifest);
        match self.place.strays(&listed).await? {
            Strays::Found(names) => {
                verdict.strays = names.len();
                for name in names {
                    tell(&Finding::Wrong(Mismatch::Stray { name }));
                }
            }
            Strays::NotLooked(reason) => verdict.strays_unknown = Some(reason),
        }
        Ok(())
    }

    async fn check_file(
        &self,
        file: &ManifestFile,
        prefix: &str,
        reached: &Reached<'_>,
    ) -> Result<Right, Fault> {
        let name = &file.name;
        if let Some(reason) = problem_of(name, prefix) {
            return Err(Mismatch::Unreadable {
                name: name.clone(),
                reason: reason.to_owned(),
            }
            .into());
        }
        let mut reads = 1;
        loop {
            match self.read(file, reached).await {
                Ok(Some(read)) => {
                    let listed = as_listed(file, read);
                    let settled = self.place.settle(name, listed.is_ok()).await;
                    let may_change = settled.map_err(Fault::Stop)?;
                    if listed.is_ok() || !may_change {
                        return listed;
                    }
                }
                Ok(None) => return Err(Mismatch::Missing { name: name.clone() }.into()),
                Err(Fault::Stop(PlaceError::Unavailable { .. })) if reads < READS => reads += 1,
                Err(Fault::Stop(PlaceError::Unavailable { reason })) => {
                    return Err(Fault::Found(Finding::Unknown {
                        name: name.clone(),
                        reason,
                    }));
                }
                Err(fault) => return Err(fault),
            }
        }
    }

    /// A file of another size is not read.
    async fn read(
        &self,
        file: &ManifestFile,
        reached: &Reached<'_>,
    ) -> Result<Option<Inspected>, Fault> {
        let Some(Opened { size, pieces }) =
            self.place.open(&file.name).await.map_err(Fault::Stop)?
        else {
            return Ok(None);
        };
        equal(&file.name, "byte", file.bytes, size)?;
        let wanted = self.manifest.wanted.clone();
        let rows = if self.keep_rows || wanted.is_some() {
            Rows::Collected(Judged::new(self.keep_rows, wanted))
        } else {
            Rows::Counted(0)
        };
        let content = match file.holds {
            Holds::Rows => Content::Rows {
                kind: self.manifest.kind.clone(),
                compression: self.manifest.compression,
                rows,
            },
            Holds::Rejects => Content::Rejects,
            Holds::Schema => Content::Schema,
        };
        inspect(reached.by(pieces), content)
            .await
            .map(Some)
            .map_err(Fault::Stop)
    }
}

/// How far a file is read. It may be read more than once; what it is read again says nothing new.
struct Reached<'a> {
    bytes: AtomicU64,
    of: u64,
    done: &'a (dyn Fn(u64) + Sync),
}

impl<'a> Reached<'a> {
    fn none_of(of: u64, done: &'a (dyn Fn(u64) + Sync)) -> Self {
        let bytes = AtomicU64::new(0);
        Self { bytes, of, done }
    }

    fn up_to(&self, bytes: u64) {
        let bytes = bytes.min(self.of);
        let before = self.bytes.fetch_max(bytes, Ordering::Relaxed);
        (self.done)(bytes.saturating_sub(before));
    }

    /// The pieces of the file, each of which brings it further.
    fn by(&self, pieces: Pieces) -> impl Stream<Item = Result<Bytes, PlaceError>> + Unpin {
        let mut read = 0;
        pieces.inspect_ok(move |piece| {
            read += piece.len() as u64;
            self.up_to(read);
        })
    }
}

fn as_listed(file: &ManifestFile, read: Inspected) -> Result<Right, Fault> {
    equal(&file.name, "byte", file.bytes, read.bytes)?;
    same(&file.name, "SHA-256", &file.sha256, &read.sha256)?;
    same(&file.name, "CRC-64", &file.crc64, &read.crc64)?;
    let unreadable = |reason| Mismatch::Unreadable {
        name: file.name.clone(),
        reason,
    };
    let mut rows = read
        .rows
        .map_err(|reason| unreadable(format!("its rows cannot be read: {reason}")))?;
    let what = match file.holds {
        Holds::Rows | Holds::Schema => "row",
        Holds::Rejects => "rejected record",
    };
    equal(&file.name, what, file.rows, rows.count())?;
    if let Some(outside) = take_outside(&mut rows) {
        return Err(Mismatch::Outside {
            name: file.name.clone(),
            row: outside.row,
            reason: outside.reason,
            others: outside.others,
        }
        .into());
    }
    Ok(Right {
        bytes: read.bytes,
        rows,
    })
}

/// Rows that the manifest's filter does not want.
fn take_outside(rows: &mut Rows) -> Option<Outside> {
    match rows {
        Rows::Counted(_) => None,
        Rows::Collected(rows) => rows.judge()?.outside.take(),
    }
}

#[cfg(test)]
mod tests;
