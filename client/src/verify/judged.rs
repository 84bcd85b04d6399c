//! The rows of a file: counted, compared with the manifest's filter and, if that is asked for, kept.

use std::sync::Arc;

use formats::read::{Collect, Fields, Value};

use super::row::RowSet;
use super::wanted::{Seen, Unchecked, Wanted};

/// Rows, each of which is looked at.
#[derive(Debug)]
pub(crate) struct Judged {
    rows: u64,
    judge: Option<Judge>,
    /// The rows, if they are kept.
    pub(super) kept: Option<RowSet>,
}

/// What the manifest's filter says of the rows.
#[derive(Debug)]
pub(super) struct Judge {
    wanted: Arc<Wanted>,
    /// Rows that it does not want.
    pub(super) outside: Option<Outside>,
    /// How many rows lack a column by which it chooses.
    pub(super) unchecked_rows: u64,
    /// These columns.
    pub(super) unchecked: Unchecked,
}

/// Rows that a filter does not want.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Outside {
    /// The number of the first in its file, from 1.
    pub(super) row: u64,
    /// Why the filter does not want it.
    pub(super) reason: String,
    /// How many there are beside it.
    pub(super) others: u64,
}

impl Judged {
    /// For a file of which nothing is read yet.
    pub(super) fn new(keep_rows: bool, wanted: Option<Arc<Wanted>>) -> Self {
        let judge = |wanted| Judge {
            wanted,
            outside: None,
            unchecked_rows: 0,
            unchecked: Unchecked::new(),
        };
        Self {
            rows: 0,
            judge: wanted.map(judge),
            kept: keep_rows.then(RowSet::default),
        }
    }

    /// What the manifest's filter says of them, if there is one.
    pub(super) fn judge(&mut self) -> Option<&mut Judge> {
        self.judge.as_mut()
    }

    fn add(&mut self, row: &Seen<'_>) {
        self.rows += 1;
        if let Some(judge) = &mut self.judge {
            judge.add(self.rows, row);
        }
    }
}

impl Judge {
    fn add(&mut self, number: u64, row: &Seen<'_>) {
        let mut unchecked = Unchecked::new();
        let judged = self.wanted.check(row, &mut unchecked);
        self.unchecked_rows += u64::from(!unchecked.is_empty());
        self.unchecked.append(&mut unchecked);
        let Err(reason) = judged else { return };
        match &mut self.outside {
            Some(outside) => outside.others += 1,
            none => {
                *none = Some(Outside {
                    row: number,
                    reason,
                    others: 0,
                });
            }
        }
    }
}

impl Collect for Judged {
    fn add_fields(&mut self, fields: &Fields<'_>) -> Result<(), serde_json::Error> {
        let mut row = Seen::default();
        if let Some(judge) = &self.judge {
            for (name, raw) in fields {
                judge.wanted.see_member(&mut row, name, raw)?;
            }
        }
        self.add(&row);
        let kept = self.kept.as_mut();
        kept.map_or(Ok(()), |kept| kept.add_fields(fields))
    }

    fn add_cells<'a>(&mut self, cells: impl Iterator<Item = (&'a str, &'a str)>) {
        let mut row = Seen::default();
        let wanted = self.judge.as_ref().map(|judge| &judge.wanted);
        let cells = cells.inspect(|(column, cell)| {
            if let Some(wanted) = wanted {
                wanted.see_cell(&mut row, column, cell);
            }
        });
        match &mut self.kept {
            Some(kept) => kept.add_cells(cells),
            None => cells.for_each(drop),
        }
        self.add(&row);
    }

    fn add_values<'a>(&mut self, values: impl Iterator<Item = (&'a str, Value<'a>)>) {
        let mut row = Seen::default();
        let wanted = self.judge.as_ref().map(|judge| &judge.wanted);
        let values = values.inspect(|(column, value)| {
            if let Some(wanted) = wanted {
                wanted.see_value(&mut row, column, *value);
            }
        });
        match &mut self.kept {
            Some(kept) => kept.add_values(values),
            None => values.for_each(drop),
        }
        self.add(&row);
    }

    fn rows(&self) -> u64 {
        self.rows
    }
}
