//! POST: checks an export request and accepts it as a job.

fn main() {}
