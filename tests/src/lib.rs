//! What is tested across crates: port contracts, handlers, whole-export stories, the template, the real binaries.

#[cfg(test)]
mod faults;
#[cfg(test)]
mod stories;
#[cfg(test)]
mod world;
