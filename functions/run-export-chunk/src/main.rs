//! Exports one chunk into one file.

fn main() {}
