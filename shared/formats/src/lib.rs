//! Rows into files and back: what a record is and its checks, and for each format an encoder and a
//! reader, side by side. The two share no code: what reads files back must not have the mistakes of
//! what wrote them.

mod csv;
pub mod encode;
mod json;
pub mod read;
pub mod record;
