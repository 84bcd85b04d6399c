//! Records into the rows of files: what a record is, its checks, and an encoder a format.

pub mod encode;
pub mod record;
