//! The columns of a flat file: which fields of its records it has, and in which order. What writes
//! flat rows goes by this.

use domain::columns::Columns;

use crate::record::{Field, Record, Shape, Spelled};

/// The columns of a file of records of one shape.
#[derive(Debug)]
pub(crate) struct Projection {
    columns: Vec<(usize, Field)>,
    /// Whether they are the fields of the shape, in its order.
    is_whole: bool,
}

impl Projection {
    /// The chosen columns, or all of the shape.
    pub(crate) fn new(shape: Shape, chosen: Option<&Columns>) -> Self {
        let fields = || shape.fields.iter().copied().enumerate();
        let find = |name: &&str| fields().find(|(_, field)| field.name == *name);
        let columns: Vec<_> = match chosen {
            None => fields().collect(),
            Some(columns) => columns.names().iter().filter_map(find).collect(),
        };
        let is_whole = columns.iter().copied().eq(fields());
        Self { columns, is_whole }
    }

    /// The fields, in the order of the file.
    pub(crate) fn fields(&self) -> impl ExactSizeIterator<Item = &Field> {
        self.columns.iter().map(|(_, field)| field)
    }

    /// Each field with its raw value of a record of the shape; `None` when it is absent.
    pub(crate) fn members<'a>(
        &'a self,
        record: &'a Record<'_>,
    ) -> impl Iterator<Item = (&'a Field, Option<&'a str>)> {
        let columns = self.columns.iter();
        columns.map(|(place, field)| (field, record.value(*place)))
    }

    /// The value of each field, and what is known of how it is spelled.
    pub(crate) fn cells<'a>(
        &'a self,
        record: &'a Record<'_>,
    ) -> impl Iterator<Item = Option<Spelled<'a>>> {
        let columns = self.columns.iter();
        columns.map(|(place, _)| record.spelled(*place))
    }

    /// The record's text, when it is known to be what an object of these columns comes to.
    pub(crate) fn line<'a>(&self, record: &'a Record<'_>) -> Option<&'a str> {
        record.line().filter(|_| self.is_whole)
    }
}

#[cfg(test)]
mod tests;
