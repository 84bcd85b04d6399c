//! The release binaries under AWS's runtime interface emulator, over the embedded DynamoDB and
//! Azurite.

mod crash;
mod emulator;
mod export;
mod machine;
