//! The template on an emulator of AWS: deployed as OPERATIONS says, with the release binaries, and
//! asked for exports through its API (`make test-stack`).
//!
//! One run plays every scene; what it recorded lies in `target/tmp/stack` afterwards. The tests say
//! what must be true of it.

#[cfg(test)]
mod aws;
#[cfg(test)]
mod caller;
#[cfg(test)]
#[path = "../src/child.rs"]
mod child;
#[cfg(test)]
mod deployment;
#[cfg(test)]
mod emulator;
#[cfg(test)]
mod judged;
#[cfg(test)]
mod pipes;
#[cfg(test)]
mod run;
#[cfg(test)]
mod scenes;
