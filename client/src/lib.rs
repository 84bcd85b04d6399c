//! The command `engagement-export`: for those who ask for exports and have their files.

mod api;
pub mod blobs;
pub mod command;
pub mod console;
mod container_url;
mod create;
mod download;
mod duration;
pub mod ending;
pub mod environment;
mod failure;
mod manual;
mod settings;
mod task;
mod tasks;
mod terminal;
pub mod verify;
mod watch;
