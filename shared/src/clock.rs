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

/// The machine's own clock and random source.
#[derive(Debug, Clone, Copy, Default)]
pub struct SystemClock;

#[expect(
    clippy::disallowed_methods,
    reason = "the one adapter that reads the clock and draws ids"
)]
impl Clock for SystemClock {
    fn now(&self) -> OffsetDateTime {
        OffsetDateTime::now_utc()
    }

    fn fresh_id(&self) -> Uuid {
        Uuid::now_v7()
    }
}
