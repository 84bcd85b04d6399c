//! The command `engagement-export`: for those who ask for exports and have their files.

pub mod blobs;
pub mod console;
pub mod verify;
