//! The whole export service on one machine.

pub mod azurite;
pub mod blobs;
pub mod dynamodb;
pub mod sas;
