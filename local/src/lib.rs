//! The whole export service on one machine.

pub mod dynamodb;
