//! What is tested across crates: port contracts, handlers, whole-export stories, the template, the
//! real binaries.

#[cfg(test)]
mod adapters;

#[cfg(test)]
mod altered;

#[cfg(test)]
mod api;

#[cfg(test)]
#[cfg(feature = "real-binaries")]
mod binaries;

#[cfg(test)]
mod broken;

#[cfg(test)]
mod browser;

#[cfg(test)]
mod child;

#[cfg(test)]
mod clients;

#[cfg(test)]
mod container_contract;

#[cfg(test)]
mod counted;

#[cfg(test)]
mod data_model;

#[cfg(test)]
mod described;

#[cfg(test)]
mod documents;

#[cfg(test)]
mod faults;

#[cfg(test)]
mod functions;

#[cfg(test)]
mod fuzz;

#[cfg(test)]
mod gateway;

#[cfg(test)]
mod limited;

#[cfg(test)]
mod logging;
#[cfg(test)]
mod ministack;

#[cfg(test)]
mod model;

#[cfg(test)]
mod one_machine;

#[cfg(test)]
mod page;

#[cfg(test)]
mod pump;

#[cfg(test)]
mod queue_contract;

#[cfg(test)]
mod readers;

#[cfg(test)]
mod readme;

#[cfg(test)]
mod sample_hashes;

#[cfg(test)]
mod samples;

#[cfg(test)]
mod schema;

#[cfg(test)]
mod seal_contract;

#[cfg(test)]
mod simulation;

#[cfg(test)]
mod source_contract;

#[cfg(test)]
mod states;

#[cfg(test)]
mod store_contract;

#[cfg(test)]
mod stories;

#[cfg(test)]
mod table;

#[cfg(test)]
mod template;

#[cfg(test)]
mod world;
