//! What a plan came upon and did not read, gathered page by page.

use std::fmt;

use serde::{Deserialize, Serialize};
use time::OffsetDateTime;

use crate::reason;

/// How many names of each kind are kept; all are counted.
const MAX_NAMES: usize = 10;

/// The characters of a name that are kept. With [`MAX_NAMES`] they bound what a job's item and its
/// task hold of a lake.
const MAX_NAME_CHARS: usize = 400;

/// How many there were of something, and the first of them by name.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Names {
    /// How many there were, named or not.
    pub count: u64,
    /// The first names, at most ten, each on one line and of bounded length.
    pub first: Vec<String>,
}

impl Names {
    /// Counts one more, and keeps its name if fewer than ten are kept.
    pub fn add(&mut self, name: &str) {
        self.count += 1;
        if self.first.len() < MAX_NAMES {
            self.first.push(bounded(name));
        }
    }

    /// Counts those that another page came upon after these.
    pub fn append(&mut self, later: Self) {
        self.count += later.count;
        let room = MAX_NAMES.saturating_sub(self.first.len());
        self.first.extend(later.first.into_iter().take(room));
    }
}

/// The first names, and how many others there are.
impl fmt::Display for Names {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (number, name) in self.first.iter().enumerate() {
            write!(f, "{}`{name}`", if number == 0 { "" } else { ", " })?;
        }
        let others = self.count.saturating_sub(self.first.len() as u64);
        if others > 0 {
            write!(f, " and {others} more")
        } else {
            Ok(())
        }
    }
}

/// Objects that are not read, as clients see them in a task and in the manifest.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Ignored {
    /// How many, those that `first` does not name included.
    pub objects: u64,
    /// Their sizes as stored, in bytes.
    pub bytes: u64,
    /// The first of them by their paths below the app's folder, at most ten.
    pub first: Vec<String>,
}

/// What a plan came upon beside its chunks.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Listing {
    /// When the listing of the plan's first page began: what was there by then is in the plan.
    /// Absent before that page.
    pub since: Option<OffsetDateTime>,
    /// Objects that are left out of the folders that are read, by their paths below the app's folder.
    pub left_out: Names,
    /// Their sizes as stored, in bytes.
    pub left_out_bytes: u64,
    /// Objects that are read though their names are no usual ones, and share a chunk with others, by
    /// their paths below the app's folder.
    pub odd_names: Names,
    /// Objects that are likely to be too large for one run, by their paths below the app's folder.
    pub large_objects: Names,
    /// Selected days without a single object that is read, as `YYYY-MM-DD`.
    pub empty_days: Names,
    /// What lies in the app's folder and is no folder of a day; the names of folders end with `/`.
    pub no_days: Names,
    /// The folder of the app and type, where the source has nothing of them at all.
    pub absent_folder: Option<String>,
}

impl Listing {
    /// What is not read, if there is anything.
    pub fn ignored(&self) -> Option<Ignored> {
        (self.left_out.count > 0).then(|| Ignored {
            objects: self.left_out.count,
            bytes: self.left_out_bytes,
            first: self.left_out.first.clone(),
        })
    }

    /// Counts an object that is not read.
    pub fn leave_out(&mut self, name: &str, size_bytes: u64) {
        self.left_out.add(name);
        self.left_out_bytes = self.left_out_bytes.saturating_add(size_bytes);
    }

    /// Notes that the source has nothing of the app and type.
    pub fn note_absent_folder(&mut self, folder: &str) {
        self.absent_folder = Some(bounded(folder));
    }

    /// Adds what a later page, or a later part of the same, came upon.
    pub fn append(&mut self, later: Self) {
        self.since = self.since.or(later.since);
        self.left_out.append(later.left_out);
        self.left_out_bytes = self.left_out_bytes.saturating_add(later.left_out_bytes);
        self.odd_names.append(later.odd_names);
        self.large_objects.append(later.large_objects);
        self.empty_days.append(later.empty_days);
        self.no_days.append(later.no_days);
        self.absent_folder = self.absent_folder.take().or(later.absent_folder);
    }
}

/// A name as it may stand in a message: on one line, and not longer than is worth reading.
fn bounded(name: &str) -> String {
    let printable = |c: char| {
        if c.is_control() {
            char::REPLACEMENT_CHARACTER
        } else {
            c
        }
    };
    let bounded = reason::bounded(name, MAX_NAME_CHARS);
    bounded.chars().map(printable).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn all_are_counted_and_the_first_ten_named_whatever_page_they_are_on() {
        let (mut first, mut later) = (Listing::default(), Listing::default());
        for number in 0..7 {
            first.leave_out(&format!("a{number}"), 10);
            later.leave_out(&format!("b{number}"), 1);
        }
        first.append(later);
        assert_eq!((first.left_out.count, first.left_out_bytes), (14, 77));
        let names = "`a0`, `a1`, `a2`, `a3`, `a4`, `a5`, `a6`, `b0`, `b1`, `b2` and 4 more";
        assert_eq!(first.left_out.to_string(), names);
    }

    #[test]
    fn no_name_makes_the_names_long_or_breaks_their_line() {
        let mut names = Names::default();
        for _ in 0..1_000 {
            names.add(&("a\nb".to_owned() + &"\u{1f600}".repeat(1_024)));
        }
        let names = names.to_string();
        assert!(
            names.len() < 20_000 && !names.contains('\n'),
            "{} bytes",
            names.len()
        );
    }
}
