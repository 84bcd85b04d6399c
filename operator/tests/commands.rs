//! `engagement-export-admin` as an operator uses it: the binary, against the embedded engine or the
//! whole service on one machine.
#![cfg(test)]

mod commands {
    pub(crate) mod audit;
    pub(crate) mod desk;
    pub(crate) mod doctor;
    pub(crate) mod documented;
    pub(crate) mod erase;
    pub(crate) mod grant;
    pub(crate) mod lake;
    pub(crate) mod registry;
    pub(crate) mod smoke;
}
