//! The port to the world's time and chance, so that the domain has neither.

use time::OffsetDateTime;
use uuid::Uuid;

/// Where a handler asks for the time and for fresh ids.
pub trait Clock: Send + Sync {
    /// The present moment, UTC.
    fn now(&self) -> OffsetDateTime;

    /// A fresh `UUIDv7` of the present moment: ids made later sort later.
    fn fresh_id(&self) -> Uuid;
}
