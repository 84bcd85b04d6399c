//! What stands between the bytes of a format and those of its file: a compression, and the way back.
//! A file is gzip members, cut by length alone, or one Zstandard frame.

mod read;
mod write;

pub use read::Expander;
pub use write::Compressor;

#[cfg(test)]
mod tests;
