//! `ParquetBlob`: <https://parquet.apache.org/docs/file-format/>, one schema for each type.

pub(crate) mod read;
pub(crate) mod write;

#[cfg(test)]
mod tests;
