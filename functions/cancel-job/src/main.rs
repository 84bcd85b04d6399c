//! DELETE: ends a job early.

fn main() {}
