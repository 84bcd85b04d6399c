//! Cuts a job's selection into chunks.
