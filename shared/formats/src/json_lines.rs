//! `JsonLinesBlob`: one JSON object a line, a row each (<https://jsonlines.org>).

pub(crate) mod read;
pub(crate) mod write;

#[cfg(test)]
mod tests;
