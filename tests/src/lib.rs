//! What is tested across crates: port contracts, handlers, whole-export stories, the template, the real binaries.

#[cfg(test)]
mod container_contract;
#[cfg(test)]
mod gateway;
#[cfg(test)]
mod pump;
