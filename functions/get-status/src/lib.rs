//! GET: one export job, or the list.
