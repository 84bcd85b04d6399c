//! What decides which rows and files a job has, beside what its owner asked for.

use strum::{EnumString, IntoStaticStr, VariantArray};
use time::Date;

/// What becomes of a malformed record.
#[derive(Debug, Clone, Copy, PartialEq, Eq, EnumString, IntoStaticStr, VariantArray)]
#[strum(serialize_all = "lowercase")]
pub enum OnBadRecord {
    /// It is kept in a file of its own, beside the chunk's rows.
    Reject,
    /// It ends its chunk.
    Fail,
}

impl OnBadRecord {
    /// What the setting `ON_BAD_RECORD` may be.
    pub const ALL: &[Self] = Self::VARIANTS;

    /// Its word, as set and as stored.
    pub fn word(self) -> &'static str {
        self.into()
    }

    /// Reads [`OnBadRecord::word`], exactly as written; `None` of any other.
    pub fn from_word(word: &str) -> Option<Self> {
        word.parse().ok()
    }
}

/// The operator's settings and the code's version as they were when a job was planned. Every run of
/// its chunks keeps to them, so that each attempt writes the same rows into the same files, whatever
/// was set or deployed in between.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Rules {
    /// What becomes of a malformed record.
    pub on_bad_record: OnBadRecord,
    /// In folders of how many later days a record of the lake may lie: 0 where the folder says the day
    /// of the event, more where it says the day of arrival.
    pub late_days: u16,
    /// When an object is not taken for one of records.
    pub misread: Misread,
    /// The version of what the encoders make of a record.
    pub encoders: u32,
}

/// The folder of the lake that a record lies in, and whose records may be late.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Arrival {
    /// The day of the folder.
    pub folder: Date,
    /// In folders of how many later days a record may lie.
    pub late_days: u16,
}

impl Arrival {
    /// The day whose export takes a record that happened then, as a row or as a reject: the day on
    /// which it happened, if a record of that day may lie here; else that of the folder.
    pub fn taken_by(self, happened: Option<Date>) -> Date {
        match happened {
            Some(day) if self.admits(day) => day,
            Some(_) | None => self.folder,
        }
    }

    /// Whether a record of this day may lie in the folder.
    pub fn admits(self, day: Date) -> bool {
        let late = (self.folder - day).whole_days();
        (0..=i64::from(self.late_days)).contains(&late)
    }
}

impl Rules {
    /// What the runs of a job keep to that was planned before there were rules, by these encoders.
    pub const fn unless_planned(encoders: u32) -> Self {
        Self {
            on_bad_record: OnBadRecord::Reject,
            late_days: 0,
            misread: Misread::USUAL,
            encoders,
        }
    }
}

/// When an object is taken for something else than a text of records, by what was found in it: it is
/// then missing as a whole, instead of all of it being rejected.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Misread {
    /// The fewest records that are judged by the share of the bad ones.
    pub from_records: u64,
    /// How many of a hundred may be bad.
    pub most_percent: u64,
}

impl Misread {
    /// Unless it is set otherwise.
    pub const USUAL: Self = Self {
        from_records: 100,
        most_percent: 50,
    };

    /// Whether it is so of an object with so many records, `bad` of which are no JSON objects or lack
    /// what is required, and `good` of which can be exported.
    pub fn is(self, records: u64, bad: u64, good: u64) -> bool {
        let is_mostly_bad = records >= self.from_records
            && bad.saturating_mul(100) > records.saturating_mul(self.most_percent);
        is_mostly_bad || (records > 1 && good == 0)
    }
}

#[cfg(test)]
mod tests {
    use time::macros::date;

    use super::*;

    #[test]
    fn an_object_is_no_text_of_records_when_most_are_bad_or_none_is_good() {
        let misread = Misread::USUAL;
        for (records, bad, good, is) in [
            (0, 0, 0, false),
            (1, 1, 0, false),
            (2, 2, 0, true),
            (2, 0, 0, true),
            (2, 1, 1, false),
            (99, 98, 1, false),
            (100, 50, 50, false),
            (100, 51, 49, true),
            (1_000_000, 500_001, 499_999, true),
        ] {
            assert_eq!(misread.is(records, bad, good), is, "{records} {bad} {good}");
        }
    }

    #[test]
    fn over_consecutive_days_each_record_is_taken_by_exactly_one_export() {
        let first = date!(2026 - 02 - 26);
        let day = |number: i64| first + time::Duration::days(number);
        for late_days in 0..4 {
            for folder in 0..8 {
                let arrival = Arrival {
                    folder: day(folder),
                    late_days,
                };
                for happened in (-4..12).map(|number| Some(day(number))).chain([None]) {
                    // The days whose exports read the folder, and would take the record.
                    let readers = (0..=i64::from(late_days)).map(|late| day(folder - late));
                    let takers = readers.filter(|day| arrival.taken_by(happened) == *day);
                    assert_eq!(takers.count(), 1, "{arrival:?} {happened:?}");
                }
            }
        }
    }
}
