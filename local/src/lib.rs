//! The whole export service on one machine.

pub mod dynamodb;
pub mod gateway;
pub mod pump;
pub mod sample;
pub mod token;
pub mod verify;
