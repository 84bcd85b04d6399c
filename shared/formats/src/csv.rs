//! `CsvBlob`: a header, then a line a row (RFC 4180).

mod quote;
pub(crate) mod read;
pub(crate) mod write;
