//! `CsvBlob`: a header, then a line a row (RFC 4180).

pub(crate) mod read;
mod row;
pub(crate) mod write;
