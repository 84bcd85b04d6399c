//! The whole export service on one machine.
