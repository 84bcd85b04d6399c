//! What the sources hold, as an independent reader sees it.

use std::collections::BTreeMap;

use serde_json::Value;
use time::{Date, Duration};

use super::DAYS;

/// What an object of the lake, or a partition of the registry, holds for the export.
#[derive(Debug, Clone)]
pub(crate) struct Held {
    /// The selected days whose export reads it; a snapshot's is of no day, and need not read what has
    /// no rows.
    pub(crate) readers: Vec<Option<Date>>,
    /// Its rows by the day whose export takes them.
    pub(crate) rows: BTreeMap<Option<Date>, Vec<String>>,
    /// Its records that are to be rejected.
    pub(crate) rejects: Vec<String>,
    /// How many of its records the export of a day leaves to others.
    pub(crate) filtered: BTreeMap<Option<Date>, u64>,
    /// The days that its records may be of, that of its folder first; none of a partition.
    days: Vec<Date>,
}

/// The days whose exports read a folder, its own first. Records may be so many days late.
pub(super) fn readers(folder: Date, late_days: u16) -> impl Iterator<Item = Date> {
    (0..=i64::from(late_days)).map(move |late| folder - Duration::days(late))
}

impl Held {
    /// What a partition holds.
    pub(crate) fn of_partition(rows: Vec<String>) -> Self {
        let rows = (!rows.is_empty()).then_some((None, rows));
        Self {
            readers: rows.iter().map(|(day, _)| *day).collect(),
            rows: rows.into_iter().collect(),
            rejects: Vec::new(),
            filtered: BTreeMap::new(),
            days: Vec::new(),
        }
    }

    /// What an object of a folder holds: nothing yet. Records may be so many days late.
    pub(super) fn of_object(folder: Date, late_days: u16) -> Self {
        let days: Vec<Date> = readers(folder, late_days).collect();
        let selected = days.iter().copied().filter(|day| DAYS.contains(day));
        Self {
            readers: selected.map(Some).collect(),
            rows: BTreeMap::new(),
            rejects: Vec::new(),
            filtered: BTreeMap::new(),
            days,
        }
    }

    /// Takes in a record, which happened on a day or is malformed. One of the exports that read it
    /// takes it, if that is of a selected day.
    pub(super) fn add(&mut self, record: &str, happened: Option<Date>) {
        let admitted = happened.filter(|day| self.days.contains(day));
        let taken_by = admitted.or(self.days.first().copied());
        for day in self.readers.iter().filter(|day| **day != taken_by) {
            *self.filtered.entry(*day).or_default() += 1;
        }
        if !self.readers.contains(&taken_by) {
            return;
        }
        if happened == taken_by {
            let row = serde_json::from_str::<Value>(record).unwrap().to_string();
            let rows = self.rows.entry(happened).or_default();
            rows.push(row);
            rows.sort_unstable();
        } else {
            self.rejects.push(record.to_owned());
            self.rejects.sort_unstable();
        }
    }
}
