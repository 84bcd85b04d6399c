//! The command `engagement-export`: for whoever asks for exports and has their files.

pub mod blobs;
pub mod console;
pub mod verify;
