//! `JsonBlob`: one JSON array of items, or of groups that hold the rows.

pub(crate) mod read;
pub(crate) mod write;
