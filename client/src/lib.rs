//! The command `engagement-export`: for those who ask for exports and have their files. The command of
//! the operators has its manners from here: what is printed, how it ends, where secrets come from.

pub mod api;
pub mod blobs;
pub mod command;
pub mod console;
pub mod container_url;
pub mod create;
mod download;
pub mod duration;
pub mod ending;
pub mod environment;
pub mod failure;
pub mod manual;
pub mod running;
pub mod settings;
pub mod task;
mod tasks;
mod terminal;
pub mod verify;
mod watch;
