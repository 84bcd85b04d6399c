//! Ends the jobs that waited too long for a credential.

fn main() {}
