//! What an export is. No I/O, no clock, no vendor: everything here is decided by what is given.

pub mod app;
pub mod cause;
pub mod chunk;
pub mod columns;
pub mod container;
pub mod counts;
pub mod filter;
pub mod job;
pub mod listing;
pub mod manifest;
pub mod operation;
pub mod plural;
pub mod reason;
pub mod rules;
pub mod secret;
pub mod selection;
pub mod tally;
pub mod warning;
