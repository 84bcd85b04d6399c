//! Reconciles a job, writes its manifest and ends it.

fn main() {}
