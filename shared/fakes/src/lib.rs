//! The world in memory: fakes that pass the contract suites of what they stand for. For tests,
//! benchmarks and exports that are rehearsed; no function is built of it.

pub mod chunks;
pub mod container;
pub mod jobs;
pub mod queue;
pub mod requests;
pub mod sources;
pub mod store;
