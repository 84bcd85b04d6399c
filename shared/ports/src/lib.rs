//! What the service needs of the world: the traits that handlers are written against, and how each can fail.

pub mod clock;
pub mod container;
pub mod queue;
pub mod seal;
pub mod source;
pub mod store;
