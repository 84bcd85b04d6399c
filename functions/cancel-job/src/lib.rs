//! DELETE: ends a job early.
