//! Cuts a job's selection into chunks.

fn main() {}
