//! `engagement-export` at a terminal of its own, and against services that do what real ones do
//! only sometimes.
#![cfg(test)]

mod alone {
    pub(crate) mod http;
    pub(crate) mod storage;
    pub(crate) mod terminal;
}
