//! What the run of a chunk counts. Summed, it is what a job's tally, its manifest and its status
//! hold: a counter is added here, in one line, and is everywhere.

use std::fmt;
use std::iter::Sum;
use std::ops::{Add, AddAssign};

use serde::de::{Deserializer, IgnoredAny, MapAccess, Visitor};
use serde::ser::{SerializeMap, Serializer};

/// One of the counters of [`Counts`].
pub struct Counter {
    /// Its attribute in stored items.
    pub stored: &'static str,
    /// Its name in manifests and statuses.
    pub wire: &'static str,
    /// The layout of stored items that has it first.
    pub since: u32,
    /// What it has come to.
    pub get: fn(&Counts) -> u64,
    /// Where it is kept.
    slot: fn(&mut Counts) -> &mut u64,
}

macro_rules! counts {
    ($($(#[$doc:meta])+ $name:ident: $stored:literal, $wire:literal, since $since:literal;)+) => {
        /// What was counted of a file or of a chunk, or the sum of that over a job.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
        pub struct Counts {
            $($(#[$doc])+ pub $name: u64,)+
        }

        impl Counts {
            /// Every counter, in the order in which manifests have them.
            pub const COUNTERS: &[Counter] = &[
                $(Counter {
                    stored: $stored,
                    wire: $wire,
                    since: $since,
                    get: |counts| counts.$name,
                    slot: |counts| &mut counts.$name,
                },)+
            ];
        }

        impl Add for Counts {
            type Output = Self;

            fn add(self, other: Self) -> Self {
                Self { $($name: self.$name + other.$name,)+ }
            }
        }
    };
}

counts! {
    /// Records read from the source.
    read: "rows_read", "recordsRead", since 2;
    /// Rows written to files.
    rows: "rows", "rows", since 1;
    /// Bytes of the files, those of rejects included.
    bytes: "bytes", "bytes", since 1;
    /// Records that cannot be exported, kept in files of their own. (Version 1 skipped them.)
    rejected: "bad_records", "recordsRejected", since 1;
    /// Those of them of which only the beginning is kept, because they are too long.
    rejected_in_part: "rejected_in_part", "recordsRejectedInPart", since 2;
    /// Records that are not of the chunk's day, and in another day's export.
    filtered: "filtered", "recordsFiltered", since 2;
    /// Records of the chunk's day that the job's filter does not want.
    excluded: "excluded", "recordsExcluded", since 2;
    /// Rows in which half surrogates were replaced.
    repaired: "repaired", "rowsRepaired", since 2;
    /// Rows in which a moment lost digits finer than a microsecond, which Parquet cannot hold.
    truncated: "truncated", "rowsTruncated", since 2;
    /// Files that are larger than was asked for, because their chunk may have no more of them.
    oversized: "oversized", "filesOversized", since 2;
}

impl AddAssign for Counts {
    fn add_assign(&mut self, other: Self) {
        *self = *self + other;
    }
}

impl Sum for Counts {
    fn sum<I: Iterator<Item = Self>>(all: I) -> Self {
        all.fold(Self::default(), Add::add)
    }
}

impl Counts {
    /// Whether every record that was read became a row or was counted as something else.
    pub fn add_up(&self) -> bool {
        self.read == self.rows + self.rejected + self.filtered + self.excluded
    }

    /// Whether a stored sum is that of these counts. A sum that older code has a part in has not
    /// all of what that code did not count yet.
    pub fn are_summed_in(&self, sum: &Self) -> bool {
        Self::COUNTERS.iter().all(|counter| {
            let (counted, summed) = ((counter.get)(self), (counter.get)(sum));
            counted == summed || (counter.since > 1 && summed < counted)
        })
    }
}

/// The counts among the attributes of a stored item: `#[serde(flatten, with = …)]`.
pub mod stored {
    use super::{Counter, Counts, Deserializer, Serializer};

    /// Writes every counter.
    ///
    /// # Errors
    /// What the serializer says.
    pub fn serialize<S: Serializer>(counts: &Counts, serializer: S) -> Result<S::Ok, S::Error> {
        super::write(counts, |counter: &Counter| counter.stored, serializer)
    }

    /// Reads them; one that is absent is 0.
    ///
    /// # Errors
    /// What the deserializer says.
    pub fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Counts, D::Error> {
        super::read(|counter: &Counter| counter.stored, deserializer)
    }
}

/// The counts among what a manifest or a status says: `#[serde(flatten, with = …)]`.
pub mod wire {
    use super::{Counter, Counts, Deserializer, Serializer};

    /// Writes every counter.
    ///
    /// # Errors
    /// What the serializer says.
    pub fn serialize<S: Serializer>(counts: &Counts, serializer: S) -> Result<S::Ok, S::Error> {
        super::write(counts, |counter: &Counter| counter.wire, serializer)
    }

    /// Reads them; one that is absent is 0.
    ///
    /// # Errors
    /// What the deserializer says.
    pub fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Counts, D::Error> {
        super::read(|counter: &Counter| counter.wire, deserializer)
    }
}

type Name = fn(&Counter) -> &'static str;

fn write<S: Serializer>(counts: &Counts, name: Name, serializer: S) -> Result<S::Ok, S::Error> {
    let mut map = serializer.serialize_map(Some(Counts::COUNTERS.len()))?;
    for counter in Counts::COUNTERS {
        map.serialize_entry(name(counter), &(counter.get)(counts))?;
    }
    map.end()
}

fn read<'de, D: Deserializer<'de>>(name: Name, deserializer: D) -> Result<Counts, D::Error> {
    deserializer.deserialize_map(Reader(name))
}

struct Reader(Name);

impl<'de> Visitor<'de> for Reader {
    type Value = Counts;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("counters by name")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Counts, A::Error> {
        let mut counts = Counts::default();
        while let Some(name) = map.next_key::<String>()? {
            let known = Counts::COUNTERS
                .iter()
                .find(|counter| (self.0)(counter) == name);
            match known {
                Some(counter) => *(counter.slot)(&mut counts) = map.next_value()?,
                None => drop(map.next_value::<IgnoredAny>()?),
            }
        }
        Ok(counts)
    }
}

#[cfg(test)]
mod tests {
    use serde::{Deserialize, Serialize};

    use super::*;

    const ALL: Counts = Counts {
        read: 13,
        rows: 7,
        bytes: 700,
        rejected: 2,
        rejected_in_part: 1,
        filtered: 1,
        excluded: 3,
        repaired: 5,
        truncated: 4,
        oversized: 1,
    };

    #[derive(Debug, PartialEq, Serialize, Deserialize)]
    struct Summed {
        chunks: u64,
        #[serde(flatten, with = "wire")]
        counts: Counts,
    }

    #[test]
    fn counts_are_written_among_other_members_and_read_back() {
        let summed = Summed {
            chunks: 2,
            counts: ALL,
        };
        let text = serde_json::to_string(&summed).unwrap();
        let expected = r#"{"chunks":2,"recordsRead":13,"rows":7,"bytes":700,"recordsRejected":2,"recordsRejectedInPart":1,"recordsFiltered":1,"recordsExcluded":3,"rowsRepaired":5,"rowsTruncated":4,"filesOversized":1}"#;
        assert_eq!(text, expected);
        assert_eq!(serde_json::from_str::<Summed>(&text).unwrap(), summed);
        let of_others = r#"{"chunks":2,"rows":7,"unknown":{"a":[1]}}"#;
        let read: Summed = serde_json::from_str(of_others).unwrap();
        let rows = Counts {
            rows: 7,
            ..Counts::default()
        };
        assert_eq!(read.counts, rows);
    }

    #[test]
    fn what_is_read_is_a_row_or_counted_otherwise() {
        assert!(ALL.add_up());
        assert!(!Counts { read: 14, ..ALL }.add_up());
        assert!((ALL + ALL).add_up());
        assert_eq!([ALL, ALL].into_iter().sum::<Counts>(), ALL + ALL);
    }

    #[test]
    fn a_sum_may_lack_only_what_older_code_did_not_count() {
        assert!(ALL.are_summed_in(&ALL));
        assert!(ALL.are_summed_in(&Counts { read: 4, ..ALL }));
        assert!(!ALL.are_summed_in(&Counts { read: 14, ..ALL }));
        assert!(!ALL.are_summed_in(&Counts { rows: 6, ..ALL }));
        assert!(!ALL.are_summed_in(&Counts { bytes: 1, ..ALL }));
    }
}
