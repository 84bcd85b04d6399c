//! What the functions of the export service share: the domain, its ports, their adapters and the
//! edge.
//!
//! Read in this order: the domain (`app`, `selection`, `job`, `listing`, `chunk`, `tally`,
//! `manifest`, `warning`) does no I/O and holds no clock; the ports (`store`, `source`,
//! `container`, `seal`, `clock`) say what the domain needs of the world, with their adapters below
//! them; the edge (`http`, `event`, `config`, `telemetry`) is what Lambda and its callers see.

pub mod app;
pub mod chunk;
pub mod clock;
pub mod config;
pub mod container;
pub mod encode;
pub mod event;
pub mod http;
pub mod job;
pub mod listing;
pub mod manifest;
pub mod plural;
pub mod record;
pub mod seal;
pub mod secret;
pub mod selection;
pub mod source;
pub mod store;
pub mod tally;
pub mod telemetry;
pub mod warning;
pub mod wiring;
