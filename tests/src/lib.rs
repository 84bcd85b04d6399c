//! What is tested across crates: port contracts, handlers, whole-export stories, the template, the real binaries.

#[cfg(test)]
mod api;
#[cfg(test)]
mod container_contract;
#[cfg(test)]
mod faults;
#[cfg(test)]
mod model;
#[cfg(test)]
mod source_contract;
#[cfg(test)]
mod stories;
#[cfg(test)]
mod world;
