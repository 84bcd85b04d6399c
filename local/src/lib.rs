//! The whole export service on one machine.

pub mod azurite;
pub mod demo;
pub mod dynamodb;
pub mod gateway;
pub mod issuer;
pub mod pump;
pub mod sample;
pub mod sas;
pub mod serve;
pub mod stack;
pub mod token;
