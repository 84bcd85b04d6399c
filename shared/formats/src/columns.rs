//! The columns of a flat file: which fields of its records it has, and in which order. What writes
//! flat rows goes by this.

use domain::columns::Columns;

use crate::record::{Field, Record, Shape};

/// The columns of a file of records of one shape.
#[derive(Debug)]
pub(crate) struct Projection(Vec<(usize, Field)>);

impl Projection {
    /// The chosen columns, or all of the shape.
    pub(crate) fn new(shape: Shape, chosen: Option<&Columns>) -> Self {
        let fields = || shape.fields.iter().copied().enumerate();
        let find = |name: &&str| fields().find(|(_, field)| field.name == *name);
        Self(match chosen {
            None => fields().collect(),
            Some(columns) => columns.names().iter().filter_map(find).collect(),
        })
    }

    /// The fields, in the order of the file.
    pub(crate) fn fields(&self) -> impl ExactSizeIterator<Item = &Field> {
        self.0.iter().map(|(_, field)| field)
    }

    /// Each field with its raw value of a record of the shape; `None` when it is absent.
    pub(crate) fn members<'a>(
        &'a self,
        record: &'a Record<'_>,
    ) -> impl Iterator<Item = (&'a Field, Option<&'a str>)> {
        let columns = self.0.iter();
        columns.map(|(place, field)| (field, record.value(*place)))
    }
}

#[cfg(test)]
mod tests;
