//! `engagement-export-admin` as an operator uses it: the binary, against the embedded engine or the
//! whole service on one machine.
#![cfg(test)]

// How a second engine is started, as the contract suites do it.
#[path = "../../tests/src/child.rs"]
mod child;
#[path = "../../tests/src/ministack.rs"]
mod ministack;

mod commands {
    pub(crate) mod audit;
    pub(crate) mod desk;
    pub(crate) mod doctor;
    pub(crate) mod documented;
    pub(crate) mod erase;
    pub(crate) mod grant;
    pub(crate) mod lake;
    pub(crate) mod registry;
    pub(crate) mod runbook;
    pub(crate) mod smoke;
    pub(crate) mod stack;
}
